"""Spread of first events: Weibull's law of rates that go as a power of voltage or time.

The first event among many sites comes when their integrated rate reaches a unit exponential
number, P = 1 - exp(-H). If H goes as V^k, V is distributed after Weibull, J. Appl. Mech. 18,
293 (1951), with shape k.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, gammaln

Floats = NDArray[np.float64]


def event_probability(hazard: Any) -> Floats:
    """Probability of at least one event, 1 - exp(-H), of an integrated rate H >= 0."""
    return np.asarray(-np.expm1(-np.asarray(hazard, dtype=np.float64)))


def ramp_shape(log_slope: Any) -> Any:
    """Shape k of the distribution of the threshold under a ramp: V d(ln I)/dV + 1.

    Exact for I ~ V^(k-1); of other rates with the slope at the scale of the distribution.
    """
    return log_slope + 1.0


def ramp_scale(rate: float, voltage: float, ramp: float, shape: float) -> float:
    """Voltage [V] of 63.2 % under a ramp [V/s] if the rate is `rate` (V/`voltage`)^(shape-1) [1/s].

    H = rate voltage/(ramp shape) (V/voltage)^shape.
    """
    return float(voltage * (ramp * shape / (rate * voltage)) ** (1.0 / shape))


def weibull_mean(scale: Any, shape: Any) -> Floats:
    """Mean of a Weibull distribution, scale Gamma(1 + 1/k)."""
    return np.asarray(scale * gamma(1.0 + 1.0 / np.asarray(shape)))


def weibull_variation(shape: Any) -> Floats:
    """Standard deviation over mean: (Gamma(1 + 2/k)/Gamma(1 + 1/k)^2 - 1)^(1/2).

    Tends to pi/(sqrt(6) k), 1.2825/k, for large k (Gumbel).
    """
    inverse = 1.0 / np.asarray(shape, dtype=np.float64)
    return np.asarray(
        np.sqrt(np.expm1(gammaln(1.0 + 2.0 * inverse) - 2.0 * gammaln(1.0 + inverse)))
    )


def sharp_variation(shape: Any) -> Any:
    """Limit of `weibull_variation` for large shapes, pi/(sqrt(6) k)."""
    return math.pi / math.sqrt(6.0) / shape


def area_factor(area_ratio: Any, shape: Any) -> Any:
    """Factor of scale and mean where the area of equal sites changes: ratio^(-1/k)."""
    return area_ratio ** (-1.0 / shape)
