"""Cyclic voltammograms: peaks, capacitance, and the split of the current by scan rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks

from ionstack.errors import InputError
from ionstack.metrics.arrays import (
    NAN,
    FloatArray,
    check_increasing,
    check_positive,
    checked,
    line,
    ratio,
    runs,
)

# A peak stands out of its branch by this share of the largest current.
_PROMINENCE = 0.05


@dataclass(frozen=True)
class Peak:
    """Voltage [V] and current [A] of a peak, from the parabola through its three points."""

    voltage: float
    current: float


@dataclass(frozen=True)
class Couple:
    """Main oxidation and reduction peak; all NaN where there is none.

    `midpoint`: mean of the two voltages [V]; `separation`: oxidation − reduction [V]
    (59 mV at 25 °C for one electron in solution, 0 for a film in equilibrium);
    `current_ratio`: |I_red/I_ox|, without correction for a baseline.
    """

    oxidation: Peak
    reduction: Peak
    midpoint: float
    separation: float
    current_ratio: float


@dataclass(frozen=True)
class RateSplit:
    """i = k1 v + k2 √v at every voltage of one sweep direction.

    `voltage` [V], `k1` [A s/V], `k2` [A (s/V)^½], shape (n,); `rate` [V/s] and
    `capacitive`, shape (m,): share of |k1 v| in |k1 v| + |k2 √v|, over the whole window.
    """

    voltage: FloatArray
    k1: FloatArray
    k2: FloatArray
    rate: FloatArray
    capacitive: FloatArray


def rising_rows(voltage: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which rows belong to sweeps towards higher voltage, shape (n,).

    The direction is that over 1 % of the rows about each, so that steps and a little
    noise of the voltage do not turn it.
    """
    (volts,) = checked(3, voltage=voltage)
    reach = max(1, len(volts) // 200)
    places = np.arange(len(volts))
    after = volts[np.minimum(places + reach, len(volts) - 1)]
    return np.asarray(after > volts[np.maximum(places - reach, 0)])


def couple(voltage: npt.ArrayLike, current: npt.ArrayLike) -> Couple:
    """Return the highest peak of all rising sweeps and the lowest of all falling ones.

    Oxidation counts as positive current. A maximum at the edge of the window is no peak.
    """
    volts, amps = checked(5, voltage=voltage, current=current)
    rising = rising_rows(volts)
    least = _PROMINENCE * float(np.ptp(amps))
    stretches = [(slice(a, b), bool(rising[a])) for a, b in runs(rising)]
    up = [_main_peak(volts[s], amps[s], least) for s, rises in stretches if rises]
    down = [_main_peak(volts[s], -amps[s], least) for s, rises in stretches if not rises]
    oxidation, mirrored = _highest(up), _highest(down)
    reduction = Peak(mirrored.voltage, -mirrored.current)
    return Couple(
        oxidation,
        reduction,
        0.5 * (oxidation.voltage + reduction.voltage),
        oxidation.voltage - reduction.voltage,
        ratio(abs(reduction.current), abs(oxidation.current)),
    )


def _highest(peaks: list[Peak]) -> Peak:
    found = [peak for peak in peaks if np.isfinite(peak.current)]
    return max(found, key=lambda peak: peak.current, default=Peak(NAN, NAN))


def _main_peak(volts: FloatArray, amps: FloatArray, least: float) -> Peak:
    rows, _ = find_peaks(amps, prominence=max(least, 1e-300))
    if not len(rows):
        return Peak(NAN, NAN)
    k = int(rows[np.argmax(amps[rows])])
    v, i = volts[k - 1 : k + 2], amps[k - 1 : k + 2]
    if len(np.unique(v)) < 3:
        return Peak(float(v[1]), float(i[1]))
    a, b, c = np.polyfit(v - v[1], i, 2)
    shift = -0.5 * b / a if a < 0.0 else 0.0
    inside = (v - v[1]).min() <= shift <= (v - v[1]).max()
    shift = shift if inside else 0.0
    return Peak(float(v[1] + shift), float(c + b * shift + a * shift * shift))


def sweep_capacitance(voltage: npt.ArrayLike, current: npt.ArrayLike, rate: float) -> float:
    """Return C = ∮|I| dV/(2 ΔV v) [F] of one closed cycle at scan rate v [V/s].

    The mean of the charges of both directions over the window; resistive and faradaic
    currents count as if they were capacitive.
    """
    volts, amps = checked(3, voltage=voltage, current=current)
    check_positive("rate", rate)
    enclosed = float(np.sum(np.abs(0.5 * (amps[1:] + amps[:-1])) * np.abs(np.diff(volts))))
    return ratio(enclosed, 2.0 * float(np.ptp(volts)) * rate)


def b_value(rate: npt.ArrayLike, peak_current: npt.ArrayLike) -> float:
    """Return b of I = a vᵇ: ½ where diffusion limits, 1 for a capacitance.

    From log|I| against log v (Lindström et al. 1997). NaN for fewer than two rates.
    """
    rates, peaks = checked(1, rate=rate, peak_current=peak_current)
    check_positive("rate", rates)
    check_positive("|peak_current|", np.abs(peaks))
    return line(np.log10(rates), np.log10(np.abs(peaks)))[0]


def rate_split(voltage: npt.ArrayLike, rate: npt.ArrayLike, current: npt.ArrayLike) -> RateSplit:
    """Part the current into capacitive and diffusive by i/√v = k1 √v + k2 (Dunn 2007).

    `voltage` [V] increases, shape (n,); `rate` [V/s], shape (m,); `current` [A], shape
    (m, n), all of one sweep direction. Raises InputError for fewer than two rates.
    """
    (volts,), (rates,) = checked(2, voltage=voltage), checked(2, rate=rate)
    check_increasing("voltage", volts)
    check_positive("rate", rates)
    amps = np.asarray(current, dtype=np.float64)
    if amps.shape != (len(rates), len(volts)):
        raise InputError(f"current: has shape {amps.shape}, not {(len(rates), len(volts))}")
    roots = np.sqrt(rates)
    matrix = np.stack([roots, np.ones_like(roots)], axis=1)
    (k1, k2), *_ = np.linalg.lstsq(matrix, amps / roots[:, None], rcond=None)
    shares = [_share(volts, k1 * v, k2 * np.sqrt(v)) for v in rates]
    return RateSplit(volts, k1, k2, rates, np.array(shares))


def _share(volts: FloatArray, capacitive: FloatArray, diffusive: FloatArray) -> float:
    part = float(np.trapezoid(np.abs(capacitive), volts))
    return ratio(part, part + float(np.trapezoid(np.abs(diffusive), volts)))
