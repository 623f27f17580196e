"""Charging of blocked electrolytes: a small step, a large one, a triangle."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.benchmarks.work import RAMP_CHARGES as TRIANGLE
from ionstack.benchmarks.work import STEP_CHARGES as STEP
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.devices import Ramp
from support.films import bound, film, model, slab, species
from support.problems import AVOGADRO

TEMPERATURE = 298.15
PERMITTIVITY = 78.49
DEBYE = 9.619217283656691e-10  # m, for 100 mol/m^3
DIFFUSIVITY = 1e-9
SMALL = 1e-4  # V at each wall, far below kT/e


def charge(found, state) -> float:
    """Charge of the cathode [C/m^2]."""
    return float(found.metal_charge(tuple(state.voltages))[0]) * ELEMENTARY_CHARGE


# Debye length over half the gap -> charge over its final value at t/tau, slowest pole/tau.
LINEAR = {
    0.05: (
        {0.2: 0.2266001955, 0.5: 0.4316228642, 1: 0.6598335114, 2: 0.8781567756, 4: 0.9843677642},
        0.9739943532,
    ),
    0.01: (
        {0.2: 0.1902872007, 0.5: 0.4010605185, 1: 0.6376434031, 2: 0.8673697366, 4: 0.9822313042},
        0.9949619916,
    ),
}


def charging(ratio, growth=1.02):
    """Times over tau, charges over the final one, currents; after a step of 2 `SMALL`."""
    half = DEBYE / ratio
    tau = DEBYE * half / DIFFUSIVITY
    hop = bound("transport", "sedan", diffusivity=DIFFUSIVITY)
    bulk = 100.0 * AVOGADRO
    ions = tuple(species(name, z, "boltzmann", bulk, hop) for name, z in (("K", 1), ("Cl", -1)))
    water = model(ions, PERMITTIVITY, TEMPERATURE)
    found = film(slab(2.0 * half, 0.02 * DEBYE, growth), water)
    found.settle({"K": 1.0, "Cl": 1.0})
    # A ramp takes the jump, so that the first states after it can be extrapolated.
    times = (0.0, 1e-6 * tau, *(tau * share for share in LINEAR[ratio][0]))
    ramp = Ramp(times, ((0.0, 0.0), *((SMALL, -SMALL),) * (len(times) - 1)))
    final = PERMITTIVITY * VACUUM_PERMITTIVITY * SMALL / DEBYE / np.tanh(1.0 / ratio)
    rows = []
    for state in found.drive(ramp, tolerance=5e-11, initial=1e-7 * tau, smallest=1e-18):
        rows.append((state.time / tau, charge(found, state) / final, state.currents[0]))
    return np.array(rows[1:]).T


@pytest.mark.parametrize("ratio", LINEAR)
def test_bazant_thornton_ajdari(ratio, verify):
    times, charges, currents = charging(ratio)
    shares, pole = LINEAR[ratio]
    source = "Bazant, Thornton, Ajdari, Phys. Rev. E 70, 021506 (2004), exact transform"
    for time, expected in shares.items():
        verify(
            f"charging.linear({ratio:g},{time:g})",
            np.interp(time, times, charges),
            expected,
            rel=2e-4,
            title=f"charge over final charge, λ/L = {ratio:g}, t = {time:g} τ",
            source=source,
        )
    # The current falls with the slowest pole alone; the last step may end at a breakpoint.
    late = (times > 2.2) & (times < 3.9)
    slope = np.polyfit(times[late], np.log(currents[late]), 1)[0]
    verify(
        f"charging.slowest({ratio:g})",
        -1.0 / slope,
        pole,
        rel=5e-4,
        title=f"slowest time constant over τ, λ/L = {ratio:g}",
        source=source,
    )
    axes = {"xlabel": "t/τ", "ylabel": "charge over final charge", "title": "Small step"}
    verify.curve("charging_linear", times, charges, label=f"ionstack, λ/L = {ratio:g}", **axes)
    exact = list(shares), list(shares.values())
    verify.curve("charging_linear", *exact, label=f"exact, {ratio:g}", points=True, **axes)


# One mobile cation on a fixed background between blocking contacts: charge of the left
# metal [C/m^2], `STEP` and `TRIANGLE`. Values: PyBaMM on 1000, 2000 and 4000 cells with rtol 1e-10,
# extrapolated (observed ratio 3.97 to 4.00).
EXTRAPOLATED = "PyBaMM 1000, 2000, 4000 cells, extrapolated"


def blocked(first_cell=2e-11, growth=1.015):
    """Film of 100 nm with a Debye length of 1.9 nm, at rest."""
    hop = bound("transport", "sedan", diffusivity=1e-16)
    ion = species("ion", 1, "boltzmann", 1e25, hop)
    found = film(slab(1e-7, first_cell, growth), model((ion,), 25.0, 300.0, fixed_charge=-1e25))
    found.settle({"ion": 1.0})
    return found


def test_step(verify):
    """0.5 V from t = 0 on."""
    found = blocked()
    ramp = Ramp((0.0, *STEP), ((0.5, 0.0),) * (1 + len(STEP)))
    rows = []
    for state in found.drive(ramp, tolerance=1e-6, initial=1e-7):
        rows.append((state.time, charge(found, state)))
    times, charges = np.array(rows[1:]).T
    for time, expected in STEP.items():
        verify(
            f"charging.step({time:g})",
            charges[times == time][0],
            expected,
            rel=3e-4,
            unit="C/m^2",
            title=f"charge {time:.4g} s after a step to 0.5 V",
            source=EXTRAPOLATED,
        )
    axes = {
        "xlabel": "time (s)",
        "ylabel": "charge (C/m²)",
        "title": "Step to 0.5 V",
        "xscale": "log",
    }
    late = times > 1e-4
    verify.curve("charging_step", times[late], charges[late], label="ionstack", **axes)
    verify.curve(
        "charging_step", list(STEP), list(STEP.values()), label="exact", points=True, **axes
    )


def test_triangle(verify):
    """Voltage 0, 0.5, -0.5, 0 V at 1 V/s."""
    found = blocked()
    turns = np.array(((0.0, 0.0), (0.5, 0.5), (1.5, -0.5), (2.0, 0.0))).T
    # Reference times become breakpoints where they lie between turns.
    times = sorted({*turns[0], *TRIANGLE})
    levels = np.interp(times, *turns)
    ramp = Ramp(tuple(times), tuple((level, 0.0) for level in levels))
    rows = [(state.time, charge(found, state)) for state in found.drive(ramp, tolerance=5e-7)]
    times, charges = np.array(rows).T
    verify(
        "charging.triangle",
        [charges[times == time][0] for time in TRIANGLE],
        list(TRIANGLE.values()),
        rel=2e-4,
        unit="C/m^2",
        title="charge along a triangle of 0.5 V at 1 V/s, nine times",
        source=EXTRAPOLATED,
    )
    axes = {"xlabel": "time (s)", "ylabel": "charge (C/m²)", "title": "Triangle at 1 V/s"}
    verify.curve("charging_triangle", times[::4], charges[::4], label="ionstack", **axes)
    verify.curve(
        "charging_triangle",
        list(TRIANGLE),
        list(TRIANGLE.values()),
        label="exact",
        points=True,
        **axes,
    )


def test_steady_charge(verify):
    """Where the step ends: closed form for a film much thicker than the Debye length."""
    found = blocked()
    ramp = Ramp((0.0, 20.0), ((0.5, 0.0),) * 2)
    last = list(found.drive(ramp, tolerance=1e-3, initial=1e-5))[-1]
    verify(
        "charging.steady",
        charge(found, last),
        0.01679270467,
        rel=2e-4,
        unit="C/m^2",
        title="charge long after a step to 0.5 V",
        source="closed form, see one_ion.charge(0.5)",
    )
    assert found.potential().max() < 0.5 + thermal_voltage(300.0)
