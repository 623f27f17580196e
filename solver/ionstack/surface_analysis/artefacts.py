"""What the beam does to a specimen before it is seen: its charge drives ions ahead of the front."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def zones(
    boundaries: Sequence[tuple[str, float]], within: Collection[str], end: float
) -> Iterator[tuple[float, float]]:
    """Yield upper and lower depth [m] of what lies in materials `within` without a break.

    `boundaries`: each material with the depth at which it begins; the deepest ends at `end` [m].
    """
    ends = [*(top for _, top in boundaries[1:]), end]
    begun: float | None = None
    for (name, top), bottom in zip(boundaries, ends, strict=True):
        if name in within:
            begun = top if begun is None else begun
        elif begun is not None:
            yield begun, top
            begun = None
        last = bottom
    if begun is not None:
        yield begun, last


def origin(depth: FloatArray, drift: float, reach: float) -> FloatArray:
    """Return from where [m] the ions come that are found at a depth [m], both from a zone's top.

    The charge at the surface drives ions that lie y below it with u = `drift` exp(-y/`reach`)
    times the speed of the front. An ion y below the front comes nearer to it by 1 - u per eroded
    depth: the one from z is found at s = L ln[(exp(z/L) - r) / (1 - r)], r being the drift and L
    the reach. Deep ones are late by -L ln(1 - r), those at the top are thinned to 1 - r. From
    r = 1 on the front reaches none: the origin is 0 everywhere.
    """
    raised = np.exp(depth / reach)
    return np.asarray(reach * np.log(np.maximum(drift + (1.0 - drift) * raised, 1.0)))


def migrated(
    values: FloatArray, edges: FloatArray, zone: tuple[float, float], drift: float, reach: float
) -> FloatArray:
    """Return densities (…, n) in cells after ions of a zone were driven by the charge of a beam.

    They cannot leave the zone: those that the front never reaches pile up in its last cell. The
    number of ions is kept.
    """
    top, bottom = zone
    inside = (edges > top) & (edges < bottom)
    places = edges.copy()
    places[inside] = np.minimum(top + origin(edges[inside] - top, drift, reach), bottom)
    start = np.zeros((*values.shape[:-1], 1))
    below = np.concatenate([start, np.cumsum(values * np.diff(edges), axis=-1)], axis=-1)
    return np.asarray(np.diff(at_positions(below, edges, places), axis=-1) / np.diff(edges))


def at_positions(integral: FloatArray, nodes: FloatArray, places: FloatArray) -> FloatArray:
    """Return values (…, p) at places, linear between the nodes (k,) of (…, k)."""
    position = np.interp(places, nodes, np.arange(len(nodes)))
    before = np.minimum(position.astype(np.int64), len(nodes) - 2)
    share = position - before
    return np.asarray(integral[..., before] * (1.0 - share) + integral[..., before + 1] * share)
