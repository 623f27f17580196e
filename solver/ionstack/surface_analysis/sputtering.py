"""How fast a specimen is sputtered: the time at which each depth is reached."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def smoothed(shares: FloatArray, edges: FloatArray, transition: float) -> FloatArray:
    """Return shares (…, n) of a material averaged over `transition` [m]: linear at an interface.

    Taylor, Graham, Castner (2015): one rate for all layers misplaces interfaces.
    """
    if transition == 0.0:
        return shares
    if shares.ndim > 1:
        return np.apply_along_axis(smoothed, -1, shares, edges, transition)
    middles = 0.5 * (edges[:-1] + edges[1:])
    below = np.concatenate([[0.0], np.cumsum(shares * np.diff(edges))])
    # Beyond both ends the outermost materials go on.
    outside = 0.5 * transition
    grid = np.concatenate([[edges[0] - outside], edges, [edges[-1] + outside]])
    total = np.concatenate([[-outside * shares[0]], below, [below[-1] + outside * shares[-1]]])
    upper = np.interp(middles + outside, grid, total)
    return np.asarray((upper - np.interp(middles - outside, grid, total)) / transition)


def reached(
    shares: Mapping[str, FloatArray],
    rates: Mapping[str, float],
    edges: FloatArray,
    transition: float,
) -> FloatArray:
    """Return the time (n + 1,) [s] at which each edge is reached, 0 at the surface.

    It is (m, n + 1) where columns differ in their `shares`, (n,) or (m, n). A mixture is sputtered
    at the mean of the `rates` [m/s]. An interface that lies within a cell is crossed there: each
    share of the cell takes its own time.
    """
    widths = np.diff(edges)
    if transition == 0.0:
        parts = [share / rates[name] for name, share in shares.items()]
        slowness = sum(parts, np.zeros(len(widths)))
    else:
        smooth = {name: smoothed(one, edges, transition) for name, one in shares.items()}
        parts = [one * rates[name] for name, one in smooth.items()]
        slowness = 1.0 / sum(parts, np.zeros(len(widths)))
    passed = np.cumsum(slowness * widths, axis=-1)
    return np.concatenate([np.zeros((*passed.shape[:-1], 1)), passed], axis=-1)
