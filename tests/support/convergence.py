"""Orders of convergence by regression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def order(sizes: Sequence[float], errors: Sequence[float]) -> float:
    """Slope of log(error) over log(size)."""
    return float(np.polyfit(np.log(sizes), np.log(np.abs(errors)), 1)[0])


def richardson_order(sizes: Sequence[float], values: Sequence[NDArray[np.float64]]) -> float:
    """Order from differences of results on successive halvings, largest entry.

    Successive differences fall as the error does, without its bias against a
    reference that has errors of its own.
    """
    differences = [float(np.abs(b - a).max()) for a, b in pairwise(values)]
    return order(sizes[:-1], differences)
