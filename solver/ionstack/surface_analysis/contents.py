"""What an instrument needs to know of a file of fields, a run's own or any other."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Contents(Protocol):
    """A mesh of simplices whose last coordinate is the depth, and the fields on it.

    `times` (n_steps,) [s]; `points` (n_points, 3) [m], each of one region; `cells` (n_cells,
    d + 1); `region` (n_cells,) index into `region_names`; `axisymmetric`: the first coordinate is
    a radius.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def times(self) -> FloatArray: ...  # noqa: D102

    @property
    def points(self) -> FloatArray: ...  # noqa: D102

    @property
    def cells(self) -> IntArray: ...  # noqa: D102

    @property
    def region(self) -> IntArray: ...  # noqa: D102

    @property
    def region_names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def axisymmetric(self) -> bool: ...  # noqa: D102

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def dimension(self) -> int: ...  # noqa: D102

    @property
    def depth(self) -> FloatArray: ...  # noqa: D102

    def values(self, name: str, step: int) -> FloatArray:
        """Return an array (n_points,) at a step, NaN where it is absent."""
        ...
