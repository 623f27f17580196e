"""What an instrument needs to know of a file of fields, a run's own or any other."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ionstack.output.point_columns import PointMesh

FloatArray = npt.NDArray[np.float64]


class Contents(PointMesh, Protocol):
    """A mesh and the fields on it."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def times(self) -> FloatArray:
        """Times (n_steps,) [s]."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""

    def values(self, name: str, step: int) -> FloatArray:
        """Return an array (n_points,) at a step, NaN where it is absent."""
