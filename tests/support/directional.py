"""The matrix of a system along one direction against differences of its residual."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System

SIZE = 1e-6


def slope_error(system: System, residual: Callable[[], NDArray[np.float64]]) -> float:
    """Largest relative difference of both, for the matrix and the unknowns as they are.

    `residual` evaluates at the present unknowns, which stay changed.
    """
    direction = np.sin(1.0 + np.arange(system.layout.n_owned))
    vector = system.unknowns.duplicate()
    vector.setArray(direction)
    product = system.matrix.createVecLeft()
    system.matrix.mult(vector, product)
    base, ends = system.unknowns.getArray().copy(), []
    for sign in (1.0, -1.0):
        system.unknowns.setArray(base + sign * SIZE * direction)
        ends.append(residual())
    slope = (ends[0] - ends[1]) / (2.0 * SIZE)
    scale = np.abs(slope) + 1e-6 * np.abs(slope).max()
    return float((np.abs(product.getArray() - slope) / scale).max())
