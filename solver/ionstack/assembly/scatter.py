"""Where the values and slopes of terms go: pieces of sparse matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ionstack.assembly.terms import Term

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Triplets = tuple[Ints, Ints, Floats]  # rows, columns, entries


def slope_blocks(terms: Sequence[Term]) -> Iterator[tuple[Term, Ints, int]]:
    """Every term with each of its columns and the position of its first slope."""
    start = 0
    for term in terms:
        for column in term.columns:
            yield term, column, start
            start += len(column)


def matrix_of(parts: list[Triplets], shape: tuple[int, int]) -> csr_array:
    """Sum of the entries in all parts."""
    if not parts:
        return csr_array(shape)
    rows, columns, values = (np.concatenate(one) for one in zip(*parts, strict=True))
    return csr_array((values, (rows, columns)), shape=shape)
