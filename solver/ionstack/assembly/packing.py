"""Constant arrays of a kernel in two buffers.

A call of a compiled kernel costs a fraction of a microsecond per argument, and every
scalar argument an operation of its own; with a hundred arrays this exceeds the
arithmetic on a 1-D stack.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Buffers = tuple[jax.Array, jax.Array]


def pack(tree: Any) -> tuple[Buffers, Callable[[Buffers], Any]]:
    """Return the tree's numbers as (int32, float64) buffers, and what rebuilds the tree.

    Leaves are arrays or numbers; integers must fit into 32 bits. The second result
    is to be called inside the compiled function.
    """
    leaves, structure = jax.tree.flatten(tree)
    arrays = [np.asarray(leaf) for leaf in leaves]
    kinds = [0 if array.dtype.kind in "iu" else 1 for array in arrays]
    parts: tuple[list[Any], list[Any]] = ([], [])
    places = []
    for array, kind in zip(arrays, kinds, strict=True):
        start = sum(len(part) for part in parts[kind])
        parts[kind].append(array.reshape(-1))
        places.append((kind, start, start + array.size, array.shape))

    def unpack(buffers: Buffers) -> Any:
        found = [buffers[kind][a:b].reshape(shape) for kind, a, b, shape in places]
        return jax.tree.unflatten(structure, found)

    return (_join(parts[0], np.int32), _join(parts[1], np.float64)), unpack


def _join(parts: list[Any], kind: type) -> jax.Array:
    return jnp.asarray(np.concatenate([np.zeros(0), *parts]).astype(kind))
