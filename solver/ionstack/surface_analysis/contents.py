"""What an instrument needs to know of a file of fields, a run's own or any other."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Contents(Protocol):
    """A mesh of simplices whose last coordinate is the depth, and the fields on it."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def times(self) -> FloatArray:
        """Times (n_steps,) [s]."""

    @property
    def points(self) -> FloatArray:
        """Points (n_points, 3) [m], each of one region."""

    @property
    def cells(self) -> IntArray:
        """Points of each cell, (n_cells, d + 1)."""

    @property
    def region(self) -> IntArray:
        """Index (n_cells,) into the names of the regions."""

    @property
    def region_names(self) -> tuple[str, ...]:
        """Names of the regions."""

    @property
    def axisymmetric(self) -> bool:
        """Whether the first coordinate is a radius."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""

    @property
    def dimension(self) -> int:
        """Dimension of the cells, 1 to 3."""

    @property
    def depth(self) -> FloatArray:
        """Depth of the points (n_points,) [m]."""

    def values(self, name: str, step: int) -> FloatArray:
        """Return an array (n_points,) at a step, NaN where it is absent."""
