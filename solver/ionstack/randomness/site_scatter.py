"""Numbers that differ from site to site: drawn once for each, the same for every partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ionstack.randomness.random_streams import Stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scatter:
    """Spread of a number: `normal`, a shift of `deviation` in its unit; `lognormal`, a factor.

    The deviation of a factor is that of its logarithm; its median is 1.
    """

    kind: Literal["normal", "lognormal"]
    deviation: float


def drawn(scatter: Scatter, stream: Stream, sites: ArrayLike) -> Floats:
    """Return shift [J] or logarithm of the factor of every site, which it keeps."""
    return scatter.deviation * stream.normal(sites, 0)


def moved(scatter: Scatter, own: Floats, barrier: ArrayLike) -> Floats:
    """Return the barriers [J] of sites with their `own` shifts or factors; none below 0."""
    common = np.asarray(barrier, dtype=np.float64)
    found = common + own if scatter.kind == "normal" else common * np.exp(own)
    return np.asarray(np.maximum(found, 0.0))


def scattered(scatter: Scatter, stream: Stream, sites: ArrayLike, barrier: ArrayLike) -> Floats:
    """Return the barriers of sites around a common one, or around one for each; none below 0.

    A site keeps its shift or factor while the common barrier changes.
    """
    return moved(scatter, drawn(scatter, stream, sites), barrier)
