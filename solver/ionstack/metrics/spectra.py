"""Impedance spectra: Nyquist and Bode columns, intercepts, and the depressed arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from ionstack.errors import InputError
from ionstack.metrics.arrays import (
    NAN,
    FloatArray,
    check_positive,
    checked,
    first_crossing,
    ratio,
)

ComplexArray = npt.NDArray[np.complex128]


# An arc that leaves more of |Z| unexplained, or whose R_p is more times the largest |Z|, is none.
_WORST = 0.2
_BEYOND = 1e3


@dataclass(frozen=True)
class Arc:
    """Z = R_s + R_p/(1 + (jωτ)^α) (Cole and Cole 1941).

    `series`, `parallel` [Ω]; `time_constant` τ [s]; `exponent` α; `capacitance` τ/R_p [F];
    `residual`: r.m.s. of |ΔZ|/|Z|.
    """

    series: float
    parallel: float
    time_constant: float
    exponent: float
    capacitance: float
    residual: float

    def at(self, frequency: npt.ArrayLike) -> ComplexArray:
        """Return the impedance [Ω] at frequencies in Hz."""
        return _arc(np.asarray(frequency, dtype=np.float64), self)


@dataclass(frozen=True)
class Bode:
    """`frequency` [Hz] rising, `magnitude` [Ω], `phase` [°]; shape (n,)."""

    frequency: FloatArray
    magnitude: FloatArray
    phase: FloatArray


def impedance(frequency: npt.ArrayLike, real: npt.ArrayLike, imag: npt.ArrayLike) -> ComplexArray:
    """Return Z = Z' + jZ'' [Ω]; a capacitance has negative Z''.

    Raises InputError for frequencies that are not positive.
    """
    rates, x, y = checked(1, frequency=frequency, real=real, imag=imag)
    check_positive("frequency", rates)
    return np.asarray(x + 1j * y)


def bode(frequency: npt.ArrayLike, z: npt.ArrayLike) -> Bode:
    """Return magnitude and phase against rising frequency."""
    rates, values = _sorted(frequency, z)
    phase = np.asarray(np.angle(values, deg=True), dtype=np.float64)
    return Bode(rates, np.abs(values), phase)


def nyquist(z: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return Z' and −Z'' [Ω], the axes of a Nyquist plot."""
    values = np.asarray(z, dtype=np.complex128)
    return values.real.copy(), -values.imag


def series_resistance(frequency: npt.ArrayLike, z: npt.ArrayLike) -> float:
    """Return Z' [Ω] where Z'' passes zero, at the highest such frequency; NaN if it does not.

    There an inductive lead and the device balance; without one take `Arc.series`.
    """
    _, values = _sorted(frequency, z)
    falling = values[::-1]
    return first_crossing(falling.real, falling.imag, 0.0)


def effective_capacitance(frequency: npt.ArrayLike, z: npt.ArrayLike) -> FloatArray:
    """Return −1/(ω Z'') [F] at each frequency, of a capacitance in series with a resistor."""
    rates = np.asarray(frequency, dtype=np.float64)
    values = np.asarray(z, dtype=np.complex128)
    omega_x = 2.0 * np.pi * rates * values.imag
    return np.divide(-1.0, omega_x, out=np.full_like(omega_x, NAN), where=omega_x != 0.0)


def peak_frequency(frequency: npt.ArrayLike, z: npt.ArrayLike) -> float:
    """Return the frequency [Hz] of the largest −Z'' inside the spectrum; NaN at its ends."""
    rates, values = _sorted(frequency, z)
    k = int(np.argmin(values.imag))
    return float(rates[k]) if 0 < k < len(rates) - 1 else NAN


def conductivity(resistance: float, thickness: float, area: float) -> float:
    """Return d/(R A) [S/m] of a film, from Ω, m and m²."""
    check_positive("area", area)
    return ratio(thickness, resistance * area)


def fit_arc(frequency: npt.ArrayLike, z: npt.ArrayLike) -> Arc:
    """Fit one depressed arc by complex least squares, each point weighted with 1/|Z|.

    All NaN where Z'' is nowhere negative, and all but the residual where no arc passes within
    a fifth of the points or its other end is far beyond them; at least four frequencies.
    """
    rates, values = _sorted(frequency, z)
    if len(rates) < 4:
        raise InputError(f"frequency: an arc needs at least 4 values, has {len(rates)}")
    if not (values.imag < 0.0).any():
        return Arc(*(NAN,) * 6)
    check_positive("|Z|", np.abs(values))
    weight = 1.0 / np.abs(values)

    def misfit(p: FloatArray) -> FloatArray:
        off = (_arc(rates, _arc_of(p)) - values) * weight
        return np.concatenate([off.real, off.imag])

    peak = 2.0 * np.pi * float(rates[np.argmin(values.imag)])
    low = max(float(values.real.min()), 1e-6 * float(np.abs(values).max()))
    span = float(np.ptp(values.real)) + 2.0 * float(-values.imag.min())
    starts = [np.array([np.log(low), np.log(span), -np.log(peak), a]) for a in (0.95, 0.7)]
    bounds = ([-np.inf] * 3 + [0.1], [np.inf] * 3 + [1.0])
    runs = [least_squares(misfit, p, bounds=bounds, xtol=1e-14, ftol=1e-14) for p in starts]
    best = min(runs, key=lambda run: float(run.cost))
    found = _arc_of(best.x, float(np.sqrt(2.0 * best.cost / len(rates))))
    if found.residual > _WORST or found.parallel > _BEYOND * float(np.abs(values).max()):
        return Arc(*(NAN,) * 5, found.residual)
    return found


def _arc_of(p: FloatArray, residual: float = NAN) -> Arc:
    series, parallel, tau = (float(value) for value in np.exp(p[:3]))
    return Arc(series, parallel, tau, float(p[3]), tau / parallel, residual)


def _arc(rates: FloatArray, arc: Arc) -> ComplexArray:
    turned = (2j * np.pi * rates * arc.time_constant) ** arc.exponent
    return np.asarray(arc.series + arc.parallel / (1.0 + turned))


def _sorted(frequency: npt.ArrayLike, z: npt.ArrayLike) -> tuple[FloatArray, ComplexArray]:
    values = np.asarray(z, dtype=np.complex128)
    rates, _, _ = checked(1, frequency=frequency, real=values.real, imag=values.imag)
    check_positive("frequency", rates)
    order = np.argsort(rates, kind="stable")
    return rates[order], values[order]
