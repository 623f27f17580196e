"""Numbers that depend on the place in the device, as curves of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

# A number at points (n, d) of the mesh [m], for instance fixed charges per m^3.
Profile = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class PlaceProfile:
    """A profile from a curve of depth z, lateral place x, y and distance r from the axis.

    The last coordinate of a point runs from the top of the stack down; x and y are the
    ones before, 0 where the mesh has none, and r = sqrt(x^2 + y^2).
    """

    curve: Callable[..., jax.Array]

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value at every point."""
        place = np.zeros((2, len(points)))
        place[: points.shape[1] - 1] = points[:, :-1].T
        given = (points[:, -1], *place, np.hypot(*place))
        return np.asarray(self.curve(*map(jnp.asarray, given)))
