"""Short-term plasticity: EPSC, paired pulses, spike rate, and what remains of a training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.metrics.arrays import (
    NAN,
    FloatArray,
    check_increasing,
    check_positive,
    checked,
    first_crossing,
    line,
)
from ionstack.metrics.fits import (
    DoubleExponential,
    Stretched,
    fit_double_exponential,
    fit_stretched,
)


@dataclass(frozen=True)
class Transient:
    """Response to one pulse.

    `baseline`, `peak`, `amplitude` = peak − baseline [A]; `peak_time` [s]; `half_time` [s]
    from the peak to half the amplitude; `charge` [C] above the baseline from the peak on;
    `decay`: two exponentials from the peak on.
    """

    baseline: float
    peak: float
    amplitude: float
    peak_time: float
    half_time: float
    charge: float
    decay: DoubleExponential


@dataclass(frozen=True)
class Facilitation:
    """Index (I_n − I_1)/I_1 at each interval [s], and its double-exponential fit."""

    interval: FloatArray
    index: FloatArray
    fit: DoubleExponential


@dataclass(frozen=True)
class RateGain:
    """Gain I_last/I_first at each pulse rate [Hz]; `per_decade`: its slope in log10 f."""

    frequency: FloatArray
    gain: FloatArray
    per_decade: float


@dataclass(frozen=True)
class Residual:
    """ΔG(t)/ΔG(0) after a training; `last`: at the last time; `fit` with scale near 1."""

    time: FloatArray
    share: FloatArray
    last: float
    fit: Stretched


def facilitation_index(first: npt.ArrayLike, later: npt.ArrayLike) -> FloatArray:
    """Return (I_n − I_1)/I_1, shape (n,): PPF for the second pulse, PTP for the tenth.

    A fraction, not a percentage. Others quote I_n/I_1, which is larger by 1.
    """
    start, end = checked(1, first=first, later=later)
    if (start == 0.0).any():
        raise InputError("first: the current of the first pulse is zero")
    return np.asarray((end - start) / start)


def facilitation(
    interval: npt.ArrayLike, first: npt.ArrayLike, later: npt.ArrayLike
) -> Facilitation:
    """Return the index against the interval [s] and C1 e^(−Δt/τ1) + C2 e^(−Δt/τ2)."""
    gaps, start, end = checked(1, interval=interval, first=first, later=later)
    order = np.argsort(gaps, kind="stable")
    index = facilitation_index(start, end)[order]
    check_increasing("interval", gaps[order])
    return Facilitation(gaps[order], index, fit_double_exponential(gaps[order], index))


def rate_gain(frequency: npt.ArrayLike, first: npt.ArrayLike, last: npt.ArrayLike) -> RateGain:
    """Return the gain of a train of pulses (SRDP), last over first current, against the rate."""
    rates, start, end = checked(1, frequency=frequency, first=first, last=last)
    check_positive("frequency", rates)
    gain = 1.0 + facilitation_index(start, end)
    order = np.argsort(rates, kind="stable")
    slope = line(np.log10(rates), gain)[0]
    return RateGain(rates[order], gain[order], slope)


def transient(
    time: npt.ArrayLike, current: npt.ArrayLike, baseline: float | None = None
) -> Transient:
    """Describe the postsynaptic current (EPSC) of one pulse.

    The peak is the value farthest from the baseline [A], which is the first value unless
    given. Times [s] increase.
    """
    times, amps = checked(3, time=time, current=current)
    check_increasing("time", times)
    rest = float(amps[0]) if baseline is None else baseline
    top = int(np.argmax(np.abs(amps - rest)))
    after, above = times[top:] - times[top], amps[top:] - rest
    amplitude = float(above[0])
    decay = fit_double_exponential(after, above) if len(after) > 1 else _no_decay()
    half = first_crossing(after, np.abs(above), 0.5 * abs(amplitude))
    charge = float(np.trapezoid(above, after))
    return Transient(rest, float(amps[top]), amplitude, float(times[top]), half, charge, decay)


def _no_decay() -> DoubleExponential:
    return DoubleExponential(NAN, NAN, NAN, NAN, NAN)


def residual(time: npt.ArrayLike, conductance: npt.ArrayLike, baseline: float) -> Residual:
    """Return what remains of ΔG = G − baseline [S] over time [s] after a training.

    `time` counts from the end of the training; the first value is ΔG(0). Its retention is
    fitted by ΔG0 e^(−(t/τ)^β), over the values that are still on the first one's side.
    """
    times, values = checked(2, time=time, conductance=conductance)
    check_increasing("time", times)
    start = float(values[0] - baseline)
    if start == 0.0:
        raise InputError("conductance: the first value equals the baseline: nothing was learnt")
    share: FloatArray = np.asarray((values - baseline) / start, dtype=np.float64)
    left = share > 0.0
    fits = int(left.sum()) >= 4
    law = fit_stretched(times[left], share[left]) if fits else Stretched(NAN, NAN, NAN, NAN)
    return Residual(times, share, float(share[-1]), law)


def learnt_residual(pulses: npt.ArrayLike, share: npt.ArrayLike) -> float:
    """Return the slope of the residual share per decade of the number of pulses (STP → LTP).

    Positive where longer training keeps more. NaN for fewer than two numbers of pulses.
    """
    counts, kept = checked(1, pulses=pulses, share=share)
    check_positive("pulses", counts)
    return line(np.log10(counts), kept)[0]
