"""Floating metals: voltages as unknowns that border the matrix.

A floating metal takes the voltage at which no current flows. Its equation, the charge
that came in since the last step, touches all nodes at the metal; so it stays out of the
matrix, and Newton's method eliminates it with one more solve per floating metal. The
border of all contacts gives their small-signal currents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ionstack.assembly.equations import Equations
from ionstack.assembly.scatter import Triplets, matrix_of, slope_blocks

Ints = NDArray[np.int64]
# float64, or complex128 for a small signal.
Numbers = NDArray[Any]


@dataclass(frozen=True)
class Border:
    """Derivatives by the voltages of some contacts, and those of their currents.

    `columns` (n_owned, n) are derivatives of the residuals by the voltages, `rows`
    (n, n_local) those of the currents by the local unknowns, `corner` (n, n) those by
    the voltages. Rows and corner are this rank's part.
    """

    columns: csr_array
    rows: csr_array
    corner: Numbers


@dataclass(frozen=True)
class _Pattern:
    """Where a sparse matrix has entries, row by row, and which of some values they are."""

    shape: tuple[int, int]
    columns: Ints
    starts: Ints
    chosen: Ints

    def matrix(self, values: Numbers) -> csr_array:
        """The matrix with the chosen ones of these values."""
        return csr_array((values[self.chosen], self.columns, self.starts), shape=self.shape)


def _pattern(places: Ints, whole: int, columns: tuple[int, int], n_rows: int) -> _Pattern:
    """The part between two columns of a matrix of `whole` columns; places are sorted."""
    row, column = np.divmod(places, whole)
    chosen = np.flatnonzero((column >= columns[0]) & (column < columns[1]))
    starts = np.searchsorted(row[chosen], np.arange(n_rows + 1))
    shape = (n_rows, columns[1] - columns[0])
    return _Pattern(shape, column[chosen] - columns[0], starts, chosen)


def _sums(width: int, *parts: list[Triplets]) -> tuple[Ints, list[csr_array]]:
    """Places that may differ from zero, sorted, and their sums over `width` slopes."""
    places = [one[0] for part in parts for one in part]
    used = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *places]))
    return used, [
        matrix_of([(np.searchsorted(used, at), b, c) for at, b, c in part], (len(used), width))
        for part in parts
    ]


class BorderScatter:
    """Where the slopes of the terms go in the border of the voltages of some contacts."""

    def __init__(
        self,
        equations: Equations,
        charges: csr_array,
        outflows: csr_array,
        contacts: tuple[int, ...],
    ) -> None:
        self.contacts = contacts
        self._shape = (equations.layout.n_owned, equations.layout.n_local)
        width = sum(len(column) for _, column, _ in slope_blocks(equations.terms))
        (owned, local), count = self._shape, len(contacts)
        places, (self._into,) = _sums(width, self._of_columns(equations))
        self._columns = _pattern(places, count, (0, count), owned)
        whole = local + len(equations.volumes.contacts)
        parts = [self._of_rows(equations, sums, whole) for sums in (charges, outflows)]
        places, (self._charges, self._outflows) = _sums(width, *parts)
        self._rows = _pattern(places, whole, (0, local), count)
        self._corner = _pattern(places, whole, (local, whole), count)

    def fill(self, slopes: Numbers, lead: complex) -> Border:
        """Return the border for the slopes of all terms and a leading coefficient."""
        columns = self._columns.matrix(self._into @ slopes)
        values = lead * (self._charges @ slopes) - self._outflows @ slopes
        corner = self._corner.matrix(values).toarray()[:, list(self.contacts)]
        return Border(columns, self._rows.matrix(values), np.asarray(corner))

    def _of_columns(self, equations: Equations) -> list[Triplets]:
        """Sums of slopes that are derivatives of free residuals by the voltages."""
        n_owned, n_local = self._shape
        parts: list[Triplets] = []
        for term, column, start in slope_blocks(equations.terms):
            for k, contact in enumerate(self.contacts):
                here = np.flatnonzero(column == n_local + contact)
                if not len(here):
                    continue
                for row, factor in term.rows:
                    at = row[here]
                    kept = (equations.holder(term, row)[here] < 0) & (at < n_owned)
                    values = np.full(int(kept.sum()), float(factor))
                    places = at[kept] * len(self.contacts) + k
                    parts.append((places, here[kept] + start, values))
        return parts

    def _of_rows(self, equations: Equations, sums: csr_array, width: int) -> list[Triplets]:
        """Sums of slopes that are derivatives of a sum per contact by all local unknowns."""
        sizes = [term.size for term in equations.terms]
        first = dict(zip(map(id, equations.terms), np.cumsum([0, *sizes]), strict=False))
        parts: list[Triplets] = []
        for term, column, start in slope_blocks(equations.terms):
            value = int(first[id(term)])
            inside = sums[list(self.contacts), value : value + term.size].tocoo()
            contact, entity = inside.coords
            places = contact.astype(np.int64) * width + column[entity]
            parts.append((places, entity + start, inside.data))
        return parts
