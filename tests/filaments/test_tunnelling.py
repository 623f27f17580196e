"""Simmons' tunnel current against the integral that it approximates, and its limits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from ionstack.physics.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from ionstack.physics.tunnelling import conductance_per_area, current_density, decay


def integral(voltage: float, barrier: float, gap: float, mass: float) -> float:
    """Tsu-Esaki integral at 0 K with the WKB transmission of the trapezium [A/m^2].

    J = (4 pi m e^3/h^3) int N(E) D(E) dE, supply N in volts; energies down from the Fermi
    level of the emitter, D = exp(-A int sqrt(phi(x) + E) dx).
    """

    def transmission(below: float) -> float:
        high, low = barrier + below, barrier + below - voltage
        mean = (high**1.5 - max(low, 0.0) ** 1.5) / (1.5 * voltage) if voltage else high**0.5
        return float(np.exp(-decay(mass) * gap * mean))

    scale = 4.0 * np.pi * mass * ELECTRON_MASS * ELEMENTARY_CHARGE**3 / PLANCK**3
    both = quad(lambda e: voltage * transmission(e), voltage, 40.0, epsrel=1e-10, limit=200)[0]
    lower = quad(lambda e: e * transmission(e), 0.0, voltage, epsrel=1e-10)[0]
    # Electrons of the emitter above the Fermi level of the collector, at all energies across it.
    return float(scale * (lower + both))


@pytest.mark.parametrize(("barrier", "gap"), [(1.5, 1.0e-9), (3.0, 1.0e-9), (3.0, 2.0e-9)])
@pytest.mark.parametrize(("share", "least"), [(0.05, 0.75), (0.3, 0.75), (0.6, 0.7), (0.9, 0.45)])
def test_simmons_is_near_the_integral_of_the_trapezium(barrier, gap, share, least):
    exact = integral(share * barrier, barrier, gap, 1.0)
    assert least < current_density(share * barrier, barrier, gap) / exact < 1.0


def test_wide_gaps_at_small_voltages_agree_with_the_integral():
    """What Simmons leaves out there goes with one over the exponent."""
    gaps = np.array([1e-9, 2e-9, 4e-9, 8e-9])
    exact = np.array([integral(0.03, 3.0, gap, 1.0) for gap in gaps])
    lacking = 1.0 - current_density(0.03, 3.0, gaps) / exact
    assert lacking[-1] < 0.025
    assert lacking[:-1] / lacking[1:] == pytest.approx(2.0, abs=0.25)


def test_without_voltage_the_slope_is_the_closed_form():
    for barrier, gap, mass in ((1.0, 0.5e-9, 1.0), (3.0, 1.5e-9, 0.4)):
        small = current_density(3e-4 * barrier, barrier, gap, mass) / (3e-4 * barrier)
        assert small == pytest.approx(conductance_per_area(barrier, gap, mass), rel=1e-5)
        assert current_density(0.0, barrier, gap, mass) == 0.0


def test_the_current_is_odd_and_grows_with_the_voltage():
    volts = np.linspace(0.0, 2.0, 400)
    found = current_density(volts, 1.2, 1e-9, 1.0)
    assert np.array_equal(current_density(-volts, 1.2, 1e-9, 1.0), -found)
    assert (np.diff(found) > 0.0).all()


def test_value_and_slope_are_finite_anywhere():
    given = jnp.array([0.0, 1e-12, -1e-12, 0.3, -3.0, 1e3, -1e6])
    for gap in (1e-11, 1e-9, 1e-6):
        one = jax.vmap(jax.value_and_grad(lambda v, d=gap: current_density(v, 1.0, d)))
        values, slopes = one(given)
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()
