"""Decay laws that several measurements share, fitted by least squares."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, nnls

from ionstack.errors import InputError
from ionstack.metrics.arrays import NAN, FloatArray, check_increasing, check_positive, checked, line

# Ranges of the search: lifetimes in units of the longest time measured.
_LONGEST = 1e12
_GRID = 24


@dataclass(frozen=True)
class Power:
    """y = scale · (t/1 s)^−exponent; `residual`: r.m.s. of ln y."""

    scale: float
    exponent: float
    residual: float

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return the law at times in s."""
        return np.asarray(self.scale * np.asarray(time, dtype=np.float64) ** -self.exponent)


@dataclass(frozen=True)
class Stretched:
    """y = scale · exp(−(t/tau)^beta), tau in s; `residual`: r.m.s. of ln y."""

    scale: float
    tau: float
    beta: float
    residual: float

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return the law at times in s."""
        times = np.asarray(time, dtype=np.float64)
        return np.asarray(self.scale * np.exp(-((times / self.tau) ** self.beta)))


@dataclass(frozen=True)
class DoubleExponential:
    """y = c1 exp(−t/tau1) + c2 exp(−t/tau2), tau1 < tau2 in s; `residual`: r.m.s. of y."""

    c1: float
    tau1: float
    c2: float
    tau2: float
    residual: float

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return the law at times in s."""
        times = np.asarray(time, dtype=np.float64)
        fast = self.c1 * np.exp(-times / self.tau1)
        return np.asarray(fast + self.c2 * np.exp(-times / self.tau2))


def fit_power(time: npt.ArrayLike, values: npt.ArrayLike) -> Power:
    """Return the straight line of log y against log t; times and values greater than 0."""
    times, data = checked(2, time=time, values=values)
    check_positive("time", times)
    check_positive("values", data)
    slope, start = line(np.log(times), np.log(data))
    rms = float(np.sqrt(np.mean((np.log(data) - start - slope * np.log(times)) ** 2)))
    return Power(float(np.exp(start)), -slope, rms)


def fit_stretched(time: npt.ArrayLike, values: npt.ArrayLike) -> Stretched:
    """Return the stretched exponential (Kohlrausch 1854) with 0 < beta <= 1.

    ln y is fitted, so that every decade of the decay counts. Values greater than 0,
    times increasing and not negative. Of data that do not decay the lifetime comes out at
    the end of the search, 1e12 times the last time: the curve is then flat.
    """
    times, data = _decay(4, time, values)
    check_positive("values", data)
    logs, last = np.log(data), float(times[-1])

    def misfit(p: FloatArray) -> FloatArray:
        return np.asarray(p[0] - np.exp(p[2] * (np.log(times / last + 1e-300) - p[1])) - logs)

    bounds = ([-np.inf, -np.log(_LONGEST), 0.02], [np.inf, np.log(_LONGEST), 1.0])
    starts = [(logs[0], tau, beta) for tau in (-4.0, 0.0, 4.0) for beta in (0.3, 0.6, 0.95)]
    found = [least_squares(misfit, p, bounds=bounds, xtol=1e-14, ftol=1e-14) for p in starts]
    best = min(found, key=lambda result: float(result.cost))
    rms = float(np.sqrt(2.0 * best.cost / len(logs)))
    return Stretched(
        float(np.exp(best.x[0])), last * float(np.exp(best.x[1])), float(best.x[2]), rms
    )


def fit_double_exponential(time: npt.ArrayLike, values: npt.ArrayLike) -> DoubleExponential:
    """Return two exponentials with amplitudes of the sign of the data, not negative to it.

    The amplitudes are solved for at each pair of lifetimes (non-negative least squares),
    so only the lifetimes are searched. All NaN for fewer than five values.
    """
    times, data = _decay(2, time, values)
    if len(times) < 5 or not data.any():
        return DoubleExponential(NAN, NAN, NAN, NAN, NAN)
    sign = 1.0 if data.sum() >= 0.0 else -1.0
    target, span = sign * data, float(times[-1])
    shortest = float(np.diff(times).min()) / 5.0
    grid = np.log(np.geomspace(shortest, 10.0 * span, _GRID))

    def misfit(logs: FloatArray) -> FloatArray:
        matrix = np.exp(-times[:, None] / np.exp(logs)[None, :])
        return np.asarray(matrix @ nnls(matrix, target)[0] - target)

    start = min(combinations(grid, 2), key=lambda p: float(np.sum(misfit(np.array(p)) ** 2)))
    scale = float(np.abs(data).max())
    bounds = (grid[0] - 5.0, grid[-1] + 5.0)
    best = least_squares(lambda p: misfit(p) / scale, start, bounds=bounds, xtol=1e-14, ftol=1e-14)
    return _sorted_pair(times, target, np.asarray(best.x), sign)


def _sorted_pair(
    times: FloatArray, target: FloatArray, logs: FloatArray, sign: float
) -> DoubleExponential:
    taus = np.exp(np.sort(logs))
    matrix = np.exp(-times[:, None] / taus[None, :])
    amplitudes, norm = nnls(matrix, target)
    c1, c2 = (sign * float(value) for value in amplitudes)
    return DoubleExponential(
        c1, float(taus[0]), c2, float(taus[1]), float(norm) / float(np.sqrt(len(times)))
    )


def _decay(least: int, time: npt.ArrayLike, values: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    times, data = checked(least, time=time, values=values)
    check_increasing("time", times)
    if times[0] < 0.0:
        raise InputError(f"time: has to start at 0 or later, not at {times[0]:g}")
    return times, data
