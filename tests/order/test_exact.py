"""Time-dependent problems with exact solutions."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.model import Arrhenius, BoundLaw
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from ionstack.physics.registry import Law
from support.devices import Ramp
from support.films import bound, film, model, slab, species

LENGTH = 1e-7
DIFFUSIVITY = 1e-14


def supply(K, L, edge, p):
    """Ideal contact, also for a species without charge: it holds the content at 0.5."""
    return p["rate"] * (K.psi - L.psi)


def neutral_film():
    """A neutral species that one contact supplies, and the other blocks."""
    hop = bound("transport", "site_hopping", diffusivity=DIFFUSIVITY)
    tracer = species("tracer", 0, "lattice_gas", 1e27, hop)
    law = Law("contact", "supply", supply, ())
    ideal = BoundLaw(law, {"rate": Arrhenius(1e30, 0.0, 298.15)})
    contacts = {"cathode": {"tracer": ideal}}
    return film(slab(LENGTH, 1e-9), model((tracer,), 10.0, 300.0, contacts=contacts))


@pytest.mark.parametrize(
    ("fourier", "uptake"), [(0.1, 0.3568234005), (0.5, 0.7639503307), (1.0, 0.9312596785)]
)
def test_diffusion_into_a_film(fourier, uptake):
    """Series solution for a film open on one side: M/M_inf at D t/L^2."""
    found = neutral_film()
    start = -12.0 * found.system.thermal_voltage
    tracer = found.layout.species["tracer"]
    values = np.zeros(found.layout.n_owned)
    values[tracer] = start
    found.system.unknowns.setArray(values)
    end = fourier * LENGTH**2 / DIFFUSIVITY
    ramp = Ramp((0.0, end), ((0.0, 0.0), (0.0, 0.0)))
    states = list(found.drive(ramp, tolerance=2e-5, initial=1e-9 * end, smallest=1e-15 * end))
    held = states[-1].amounts.sum() / (1e27 * LENGTH)
    before = states[0].amounts.sum() / (1e27 * LENGTH)
    assert (held - before) / (0.5 - before) == pytest.approx(uptake, rel=1e-3)


# One mobile cation on a fixed background between blocking contacts; charge of the left
# metal [C/m^2] along a triangle 0, 0.5, -0.5, 0 V at 1 V/s. Values: PyBaMM on 1000, 2000
# and 4000 cells with rtol 1e-10, extrapolated (observed ratio 3.97 to 4.00).
RAMP = {
    0.1: 5.155840813e-4,
    0.5: 7.407634569e-3,
    0.7: 9.659076766e-3,
    1.0: 8.050954749e-3,
    1.3: 2.527506674e-3,
    1.5: -2.950914796e-3,
    1.7: -6.400386988e-3,
    2.0: -6.100340567e-3,
}


def blocked_electrolyte():
    hop = bound("transport", "sedan", diffusivity=1e-16)
    ion = species("ion", 1, "boltzmann", 1e25, hop)
    found = film(slab(1e-7, 5e-11, 1.04), model((ion,), 25.0, 300.0, fixed_charge=-1e25))
    found.settle({"ion": 1.0})
    return found


def test_charging_of_a_blocked_electrolyte():
    """Charge of the left metal against the extrapolated result of another code."""
    found = blocked_electrolyte()
    turns = ((0.0, 0.0), (0.5, 0.5), (1.5, -0.5), (2.0, 0.0))
    # Reference times become breakpoints where they lie between turns.
    times = sorted({time for time, _ in turns} | set(RAMP))
    levels = np.interp(times, *np.array(turns).T)
    ramp = Ramp(tuple(times), tuple((level, 0.0) for level in levels))
    charges = {}
    for state in found.drive(ramp, fixed=1e-3):
        charges[state.time] = found.metal_charge(tuple(state.voltages))[0] * ELEMENTARY_CHARGE
    largest = max(map(abs, RAMP.values()))
    for time, expected in RAMP.items():
        assert charges[time] == pytest.approx(expected, abs=2e-4 * largest), time


def test_steady_charge_of_a_blocked_electrolyte():
    """Closed form for a film much thicker than the Debye length, at 0.5 V: 1.679270467e-2."""
    found = blocked_electrolyte()
    ramp = Ramp((0.0, 1e-3, 10.0), ((0.0, 0.0), (0.5, 0.0), (0.5, 0.0)))
    last = list(found.drive(ramp, tolerance=1e-3))[-1]
    charge = found.metal_charge(tuple(last.voltages))[0] * ELEMENTARY_CHARGE
    assert charge == pytest.approx(1.679270412e-2, rel=1e-3)


@pytest.mark.parametrize(("volts", "sigma"), [(0.05, 0.04210023543), (0.1, 0.1273076)])
def test_double_layer_of_gouy_and_chapman(volts, sigma):
    """sigma = sqrt(8 eps k T c0) sinh(V/2VT): 1:1 electrolyte of 100 mol/m^3 in water."""
    bulk = 100.0 * 6.02214076e23
    hop = bound("transport", "sedan", diffusivity=1e-9)
    ions = tuple(species(name, z, "boltzmann", bulk, hop) for name, z in (("K", 1), ("Cl", -1)))
    water = model(ions, 78.49, 298.15, work_functions=(0.0, 2.0 * volts))
    found = film(slab(4e-7, 1e-11, 1.03), water)
    found.settle({"K": 1.0, "Cl": 1.0})
    middle = np.argmin(np.abs(found.volumes.depth - 2e-7))
    u = found.system.local_unknowns()
    eta = (u[found.layout.species["K"][middle]] - found.potential()[middle]) / thermal_voltage(
        298.15
    )
    # The double layers take ions from the bulk; sigma goes with the root of what is left.
    charge = found.metal_charge()[0] * ELEMENTARY_CHARGE / np.exp(0.5 * eta)
    assert charge == pytest.approx(sigma, rel=1e-3)
