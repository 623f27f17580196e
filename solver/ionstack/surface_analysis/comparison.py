"""A measured depth profile beside a simulated one: aligned, with the misfit of every signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, minimize
from scipy.special import erf, xlogy

from ionstack.output.atomic import write_text
from ionstack.output.counts import CountProfile
from ionstack.surface_analysis.measured import Measured

FloatArray = npt.NDArray[np.float64]

# Between 16 and 84 % of a normal distribution, in its standard deviations.
_WIDTH = 1.9889
# Largest shift, over the whole depth, and largest change of the scale.
_FARTHEST = 0.2
# Least depth [m] on both sides of an edge that its width is fitted in.
_BESIDE = 3e-9
# Change of the width of an edge, over itself, at which it counts as found.
_SETTLED = 0.1


@dataclass(frozen=True)
class Misfit:
    """How one signal agrees.

    `factor`: measured over expected counts of the whole profile; `deviance`: Poisson deviance per
    analysis, about 1 where only counting differs; widths [m] of the sharpest edge, from 16 to 84 %.
    """

    factor: float
    deviance: float
    width: float
    expected_width: float


@dataclass(frozen=True)
class Comparison:
    """The measured depth is `shift` [m] + `stretch` times that of the simulation."""

    depth: FloatArray
    shift: float
    stretch: float
    signals: Mapping[str, Misfit]


def compare(profile: CountProfile, measured: Measured) -> Comparison:
    """Align depths by the least Poisson deviance of all signals, each with a factor of its own."""
    depth = measured.depth
    if depth is None:
        assert measured.time is not None
        depth = np.interp(measured.time, profile.time, profile.depth)
    size = float(profile.depth[-1])

    def misfit(numbers: FloatArray) -> float:
        shift, stretch = numbers[0] * size, 1.0 + numbers[1]
        expected = _expected(profile, (depth - shift) / stretch)
        return sum(_deviance(n, _scaled(expected[k], n)) for k, n in measured.counts.items())

    start = np.array([[0.0, 0.0], [0.02, 0.0], [0.0, 0.02]])
    options = {"initial_simplex": start, "xatol": 1e-6, "fatol": 1e-3, "maxiter": 400}
    found = minimize(
        misfit,
        start[0],
        method="Nelder-Mead",
        bounds=[(-_FARTHEST, _FARTHEST)] * 2,
        options=options,
    ).x
    shift, stretch = float(found[0] * size), float(1.0 + found[1])
    aligned: FloatArray = np.asarray((depth - shift) / stretch, dtype=np.float64)
    expected = _expected(profile, aligned)
    signals = {
        name: _judged(aligned, counts, expected[name], profile, name)
        for name, counts in measured.counts.items()
    }
    return Comparison(aligned, shift, stretch, signals)


def write_misfits(path: Path, found: Comparison) -> Path:
    """Write a row per signal; the alignment, common to all, stands in every row."""
    header = (
        *("signal", "factor [1]", "deviance per analysis [1]", "width [nm]"),
        *("expected width [nm]", "shift [nm]", "stretch [1]"),
    )
    rows = [",".join(header)]
    for name, one in found.signals.items():
        widths = (one.width * 1e9, one.expected_width * 1e9, found.shift * 1e9, found.stretch)
        numbers = (one.factor, one.deviance, *widths)
        rows.append(",".join([name, *(f"{number:.6g}" for number in numbers)]))
    write_text(path, "\n".join(rows) + "\n")
    return path


def _expected(profile: CountProfile, depth: FloatArray) -> dict[str, FloatArray]:
    return {name: np.interp(depth, profile.depth, one) for name, one in profile.expected.items()}


def _scaled(expected: FloatArray, counts: FloatArray) -> FloatArray:
    """Expected counts with the factor that is likeliest: that of the sums."""
    return np.asarray(expected * (counts.sum() / max(float(expected.sum()), 1e-300)))


def _deviance(counts: FloatArray, expected: FloatArray) -> float:
    """Poisson deviance 2 sum [n ln(n/m) - (n - m)]."""
    m = np.maximum(expected, 1e-12)
    return float(2.0 * (xlogy(counts, counts / m) - (counts - m)).sum())


def _judged(
    depth: FloatArray, counts: FloatArray, expected: FloatArray, profile: CountProfile, name: str
) -> Misfit:
    scaled = _scaled(expected, counts)
    return Misfit(
        factor=float(counts.sum() / max(float(expected.sum()), 1e-300)),
        deviance=_deviance(counts, scaled) / len(counts),
        width=width_of_edge(depth, counts),
        expected_width=width_of_edge(profile.depth, profile.expected[name]),
    )


def width_of_edge(depth: FloatArray, counts: FloatArray) -> float:
    """Return the depth [m] from 16 to 84 % of the steepest edge, NaN if there is none.

    A normal distribution is fitted within a window around it, which is widened until it holds
    the whole edge.
    """
    middle = float(depth[int(np.argmax(np.abs(np.gradient(_averaged(counts), depth))))])
    sigma = _BESIDE / 3.0
    before = sigma
    for _ in range(8):
        near = np.abs(depth - middle) < max(_BESIDE, 4.0 * sigma)
        if near.sum() < 6:
            return float("nan")
        before, sigma = sigma, _fitted_deviation((depth[near] - middle), counts[near], sigma)
        if abs(sigma - before) < 1e-3 * before:
            return _WIDTH * sigma
    # A point that scatters may lie inside the window and outside of it by turns.
    settled = abs(sigma - before) < _SETTLED * before
    return 0.5 * _WIDTH * (sigma + before) if settled else float("nan")


def _fitted_deviation(z: FloatArray, counts: FloatArray, sigma: float) -> float:
    """Fit low level, height, place and deviation of an edge; return the deviation [m]."""
    low, high = _levels(z, counts)
    height = (high - low) or 1.0

    def misses(numbers: FloatArray) -> FloatArray:
        share = 0.5 * (1.0 + erf((z / sigma - numbers[2]) / (np.sqrt(2.0) * numbers[3])))
        return np.asarray(numbers[0] + numbers[1] * share - (counts - low) / height)

    found = least_squares(misses, np.array([0.0, 1.0, 0.0, 1.0]))
    return float(sigma * abs(found.x[3]))


def _levels(depth: FloatArray, counts: FloatArray) -> tuple[float, float]:
    part = max(1, len(depth) // 4)
    return float(counts[:part].mean()), float(counts[-part:].mean())


def _averaged(counts: FloatArray) -> FloatArray:
    """Mean of neighbours, so that counting does not make the steepest place."""
    return np.convolve(np.pad(counts, 4, mode="edge"), np.full(9, 1.0 / 9.0), mode="valid")
