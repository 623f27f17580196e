"""Lithium bound by air: laws of growth, pores that fill, three products."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ionstack.physics.constants import thermal_voltage
from support.airs import (
    CONTENT,
    GAS,
    LEVEL,
    LITHIUM,
    NUMBERS,
    SITES,
    TEMPERATURE,
    THICKNESS,
    VOLUMES,
    Pot,
)
from support.problems import hold

# Thickness of the oxide per lithium [m^3]; open pores that connect at the start.
VOLUME = VOLUMES[0] / 2.0
THICK = 1e6  # m: products fill nothing of it
SHARE = ((NUMBERS["porosity"] - NUMBERS["percolation_threshold"]) / (1.0 - 0.1)) ** 2
TIMES = (1.0, 10.0, 100.0)


@pytest.fixture(scope="module")
def pot() -> Pot:
    return Pot()


def marched(pot: Pot, time: float, tolerance: float, **numbers) -> np.ndarray:
    """Products at the end. The first step after a breakpoint is taken unseen: tiny, and once."""
    pot.fill(**numbers)
    for state in pot.march(hold((time,)), tolerance=tolerance, initial=1e-9 * time):
        last = state
    return pot.products(last)


def grown(pot: Pot, times=TIMES, tolerance=3e-12, **numbers) -> np.ndarray:
    """Thickness of the products [m] at some times [s]."""
    return np.array([marched(pot, time, tolerance, **numbers) for time in times]) @ VOLUMES


def test_reaction_and_diffusion_in_series(pot, verify):
    """delta^2/2P + delta/k = v s t: linear, then parabolic."""
    rate, permeability = 1e20, 1e11
    found = grown(pot, rate_constant=rate, own=permeability, electrode_thickness=THICK)
    ratio, driven = permeability / rate, VOLUME * SHARE * permeability * np.array(TIMES)
    exact = np.sqrt(ratio**2 + 2.0 * driven) - ratio
    verify("air.series", found, exact, rel=1e-8, unit="m",
           title="thickness of products, linear to parabolic",
           source="V11; Deal and Grove, J. Appl. Phys. 36, 3770 (1965)")  # fmt: skip


def test_growth_limited_by_diffusion(pot, verify):
    """delta = sqrt(2 v s P t) after the first picometre."""
    permeability = 1e11
    chosen = {"rate_constant": 1e24, "own": permeability, "electrode_thickness": THICK}
    found = grown(pot, tolerance=1e-6, **chosen)
    exact = np.sqrt(2.0 * VOLUME * SHARE * permeability * np.array(TIMES))
    verify("air.parabolic", found, exact, rel=1e-3, unit="m",
           title="thickness of products, limited by diffusion", source="parabolic law")  # fmt: skip
    slopes = np.diff(np.log(found)) / np.diff(np.log(TIMES))
    verify("air.root", slopes, [0.5, 0.5], abs=1e-3,
           title="slope of its logarithm against that of time", source="parabolic law")  # fmt: skip


def test_pores_that_fill(pot, verify):
    """1/(phi - phi_c) grows linearly in time with the exponent 2."""
    rate, metal, above = 1e21, 5e-8, NUMBERS["porosity"] - 0.1
    found = grown(pot, (1.0, 100.0, 1e5), rate_constant=rate, electrode_thickness=metal)
    speed = VOLUME * rate / (metal * (1.0 - 0.1) ** 2)
    left = 1.0 / (1.0 / above + speed * np.array([1.0, 100.0, 1e5]))
    verify("air.pores", found, metal * (above - left), rel=1e-8, unit="m",
           title="products in pores that they close", source="closed form, t = 2")  # fmt: skip
    assert found[-1] / (metal * above) == pytest.approx(1.0, abs=1e-3)


def test_exponential_law(verify):
    """delta = d0 ln(1 + v s k t/d0)."""
    decay, rate = 4e-10, 1e20
    pot = Pot("air_reaction_exponential")
    found = grown(pot, rate_constant=rate, own=decay, electrode_thickness=THICK)
    exact = decay * np.log1p(VOLUME * SHARE * rate * np.array(TIMES) / decay)
    verify("air.logarithm", found, exact, rel=1e-8, unit="m",
           title="thickness of products, slower by e per 0.4 nm",
           source="V11; direct logarithmic law")  # fmt: skip


KINETICS = {
    "rate_constant": 2e20, "adsorption_potential": LEVEL - 0.1, "oxygen_order": 0.5,
    "water_order": 0.25, "hydration_rate": 20.0, "carbonation_rate": 100.0, "own": 3e12,
    "electrode_thickness": 1e-7, "percolation_exponent": 1.5,
}  # fmt: skip


def rates(time, amounts):
    """The same kinetics written anew: units of the products per m^2 and second."""
    p = NUMBERS | KINETICS
    oxygen, water, carbon = (GAS[name] / 1e5 for name in ("O2", "H2O", "CO2"))
    x = CONTENT - amounts @ LITHIUM / (SITES * THICKNESS)
    # Neutral, electrons at the metal's level: mu(Li+) = 2 kT ln x/(1 - x).
    kT = thermal_voltage(TEMPERATURE)
    activity = (x / (1.0 - x)) ** 2 * np.exp(-p["adsorption_potential"] / kT)
    delta = amounts @ VOLUMES
    open_ = p["porosity"] - delta / p["electrode_thickness"] - 0.1
    share = (max(open_, 0.0) / 0.9) ** 1.5
    bare = p["rate_constant"] * oxygen**0.5 * water**0.25
    taken = activity / (1.0 + activity) / (1.0 / bare + delta / p["own"])
    wet, closed = p["hydration_rate"] * water * amounts[0], p["carbonation_rate"] * carbon
    closed *= amounts[1] / 2.0
    return share * np.array([0.5 * taken - wet, 2.0 * wet - 2.0 * closed, closed])


def test_three_products_and_lithium_that_runs_out(pot, verify):
    """All steps, gases, pores and the activity at once."""
    times = (1.0, 10.0, 100.0, 1000.0)
    found = np.array([marched(pot, time, 1e-9, **KINETICS) for time in times])
    exact = solve_ivp(rates, (0.0, 1000.0), np.zeros(3), "LSODA", times, rtol=1e-11, atol=1e6).y.T
    names = ("oxide", "hydroxide", "carbonate")
    for name, column, expected in zip(names, found.T, exact.T, strict=True):
        verify(f"air.{name}", column, expected, rel=1e-6, unit="1/m^2",
               title=f"lithium {name} in air, four times",
               source="V11; LSODA on the same kinetics, written anew")  # fmt: skip
