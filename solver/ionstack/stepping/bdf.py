"""Backward differentiation formulas with variable steps: pure functions of the times.

A formula of order k differentiates the polynomial through the new point and the k
points before it, the extrapolation goes through the k + 1 points before it, so that
both err in the same derivative (Hairer, Norsett, Wanner, Solving ODEs I, III.5). There
are few points: plain numbers are faster than arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod


def formula(times: Sequence[float], time: float) -> tuple[float, list[float]]:
    """Weights of the new amount and of the old ones in (step) * d/dt.

    Args:
        times: of the old points, oldest first [s]; their number is the order.
        time: of the new point [s].
    """
    size = time - times[-1]
    weights = [
        size * weight / (old - time)
        for old, weight in zip(times, extrapolation(times, time), strict=True)
    ]
    # The sum vanishes, so that constants are differenced to zero.
    return -sum(weights), weights


def extrapolation(times: Sequence[float], time: float) -> list[float]:
    """Weights of values at old points in the polynomial through them, at a new time."""
    return [
        prod((time - b) / (a - b) for j, b in enumerate(times) if j != i)
        for i, a in enumerate(times)
    ]


def error(times: Sequence[float], time: float, order: int) -> float:
    """Error of the sum of a formula over (new amount - extrapolated amount).

    With order + 1 points and y the derivative of that order over its factorial, the
    extrapolation errs by y times the product of all distances, the formula's amount by y
    times that of all but the longest and times step/lead, with opposite sign; its sum by
    lead times that.
    """
    lead, _ = formula(times[-order:], time)
    size = time - times[-1]
    return size / (time - times[0] + size / lead)
