"""Retention: what is left of a conductance after years, by two extrapolations; activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.metrics.arrays import NAN, check_positive, checked, line, ratio
from ionstack.metrics.fits import Power, Stretched, fit_power, fit_stretched
from ionstack.physics.constants import BOLTZMANN_EV

TEN_YEARS = 10 * 365.25 * 86400.0


@dataclass(frozen=True)
class Retention:
    """Two fits and what they say of a later time `horizon` [s].

    `power_value`, `stretched_value` [S] at the horizon; `power_kept`, `stretched_kept`:
    over the first measured value; `disagreement`: larger over smaller of the two;
    `kept`: last over first measured value.
    """

    power: Power
    stretched: Stretched
    horizon: float
    power_value: float
    stretched_value: float
    power_kept: float
    stretched_kept: float
    disagreement: float
    kept: float


@dataclass(frozen=True)
class Activation:
    """rate = prefactor · exp(−energy/kT); `energy` in eV, `prefactor` in the rate's unit."""

    energy: float
    prefactor: float


def retention(
    time: npt.ArrayLike, conductance: npt.ArrayLike, horizon: float = TEN_YEARS
) -> Retention:
    """Extrapolate a decaying conductance [S] by a power law and a stretched exponential.

    log G against log t, and ln G = ln G0 − (t/τ)^β. Times [s] increase and are greater
    than 0; at least four points. The two bracket the truth only if one of them describes it.
    """
    times, values = checked(4, time=time, conductance=conductance)
    check_positive("horizon", horizon)
    power, stretched = fit_power(times, values), fit_stretched(times, values)
    late = [float(law.at(horizon)) for law in (power, stretched)]
    return Retention(
        power,
        stretched,
        horizon,
        late[0],
        late[1],
        late[0] / float(values[0]),
        late[1] / float(values[0]),
        ratio(max(late), min(late)),
        float(values[-1] / values[0]),
    )


def arrhenius(temperature: npt.ArrayLike, rate: npt.ArrayLike) -> Activation:
    """Return the activation energy from ln(rate) against 1/T, T in K.

    NaN for fewer than three different temperatures: two always lie on a line.
    """
    kelvin, rates = checked(1, temperature=temperature, rate=rate)
    check_positive("temperature", kelvin)
    check_positive("rate", rates)
    if len(np.unique(kelvin)) < 3:
        return Activation(NAN, NAN)
    inverse = np.asarray(1.0 / (BOLTZMANN_EV * kelvin), dtype=np.float64)
    slope, start = line(inverse, np.log(rates))
    # The prefactor of a steep line is beyond the range of doubles: infinite.
    with np.errstate(over="ignore"):
        return Activation(-slope, float(np.exp(start)))
