"""Spread of repeated values: mean, σ/mean, bootstrap intervals, distribution, Weibull fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from ionstack.errors import InputError
from ionstack.metrics.arrays import NAN, FloatArray, checked, ratio

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """Two-sided confidence interval, in the unit of the quantity."""

    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """Mean and spread of `count` values, in their unit.

    `std` with ddof 1; `variation` = std/|mean|; `log_std`: standard deviation of ln|value|,
    which describes a spread that is too wide for std/mean (NaN if signs differ);
    `mean_interval`, `variation_interval`: bootstrap.
    """

    count: int
    mean: float
    std: float
    variation: float
    log_std: float
    mean_interval: Interval
    variation_interval: Interval


@dataclass(frozen=True)
class Weibull:
    """F(x) = 1 − exp(−(x/scale)^shape); `scale` is the 63.2 % value, signed like the data."""

    shape: float
    scale: float


def spread(
    values: npt.ArrayLike, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Spread:
    """Return mean, spread and percentile-bootstrap intervals (Efron 1979) of repeated values.

    The intervals depend on `seed`, within their own sampling error. A single value has
    a mean and nothing else.
    """
    (data,) = checked(1, values=values)
    if not 0.0 < level < 1.0:
        raise InputError(f"level: has to lie between 0 and 1, not {level:g}")
    mean, std = _mean_and_std(data)
    same_sign = (data > 0.0).all() or (data < 0.0).all()
    log_std = _mean_and_std(np.log(np.abs(data)))[1] if same_sign else NAN
    means, variations = _bootstrap(data, resamples, seed)
    tails = (0.5 * (1.0 - level), 0.5 * (1.0 + level))
    return Spread(
        len(data),
        mean,
        std,
        ratio(std, abs(mean)),
        log_std,
        Interval(*(float(q) for q in np.quantile(means, tails))),
        Interval(*(float(q) for q in np.quantile(variations, tails))),
    )


def _mean_and_std(data: FloatArray) -> tuple[float, float]:
    return float(data.mean()), float(data.std(ddof=1)) if len(data) > 1 else NAN


def _bootstrap(data: FloatArray, resamples: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and std/|mean| of resampled data, shape (resamples,)."""
    if len(data) < 2:
        return np.full(resamples, NAN), np.full(resamples, NAN)
    chosen = np.random.default_rng(seed).integers(0, len(data), (resamples, len(data)))
    means, stds = data[chosen].mean(axis=1), data[chosen].std(axis=1, ddof=1)
    return means, stds / np.where(means != 0.0, np.abs(means), NAN)


def cumulative(values: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the sorted values and their cumulative probability.

    Median ranks (i − 0.3)/(n + 0.4) (Benard 1953), usual on Weibull paper: neither 0 nor 1.
    """
    (data,) = checked(1, values=values)
    ranks = np.arange(1.0, len(data) + 1.0)
    return np.sort(data), np.asarray((ranks - 0.3) / (len(data) + 0.4))


def fit_weibull(values: npt.ArrayLike) -> Weibull:
    """Return the two-parameter Weibull distribution of greatest likelihood.

    The shape k solves Σ xᵏ ln x / Σ xᵏ − 1/k = mean(ln x), the scale is (mean xᵏ)^(1/k)
    (Cohen 1965). Negative voltages are fitted by size. Raises InputError for fewer than
    two values, zeros or mixed signs; NaN for values that are all equal.
    """
    (data,) = checked(2, values=values)
    sign = float(np.sign(data[0]))
    if sign == 0.0 or (np.sign(data) != sign).any():
        raise InputError("values: a Weibull fit needs values of one sign, none of them zero")
    logs = np.log(np.abs(data))
    centre = float(logs.mean())
    logs = logs - centre
    if logs.max() - logs.min() < 1e-12:
        return Weibull(NAN, NAN)
    # |x| is scaled by its geometric mean; the root lies below 50 inverse widths of ln|x|.
    shape = float(brentq(_weibull_condition, 1e-3, 50.0 / float(logs.std()), args=(logs,)))
    scale = float(np.exp(centre + np.log(np.mean(np.exp(shape * logs))) / shape))
    return Weibull(shape, sign * scale)


def _weibull_condition(shape: float, logs: FloatArray) -> float:
    largest = shape * logs.max()
    weights = np.exp(shape * logs - largest)
    return float(weights @ logs / weights.sum()) - 1.0 / shape
