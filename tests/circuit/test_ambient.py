"""Gas electrodes: the voltage at open circuit follows the partial pressures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from ionstack.physics.gases import AIR, MIXTURES, VACUUM, gas_potential
from ionstack.protocols.protocol_steps import Current
from ionstack.protocols.surrounding_steps import Ambient, Warm
from ionstack.protocols.surroundings import Surroundings
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.wired import Wired

COLD = 573.15
# Carbonate electrode: Li+ + e- + CO2/2 + O2/4 = Li2CO3/2.
CARBONATE = {"CO2": -0.5, "O2": -0.25}
START = {"CO2": 100.0, "O2": 2e4}
REST = Current("top", 0.0, 10.0)
RATE = 1e3


def reservoir(gas: dict[str, float], level: float = 0.0):
    law = bound("contact", "reservoir", exchange_current_density=RATE, chemical_potential=level)
    return replace(law, gas=gas)


def cell() -> Wired:
    """Cations between a carbonate and a reference electrode, in equilibrium at the start."""
    hop = bound("transport", "sedan", diffusivity=1e-10)
    cation = species("Li+", 1, "lattice_gas", 1e27, hop)
    anion = species("X-", -1, "lattice_gas", 1e27, hop)
    level = gas_potential(CARBONATE, START, thermal_voltage(COLD))
    top = ContactModel("top", 0.0, {"Li+": reservoir(CARBONATE)})
    bottom = ContactModel("bottom", 0.0, {"Li+": reservoir({}, level)})
    film = RegionModel("film", 20.0, 0.0, (cation, anion))
    laws = replace(model((film,), (), top, bottom, COLD), pressures=START)
    device = Device(stack(layer("film", 1e-7, 1e-8)), laws, {"film": {"X-": 0.1}})
    device.settle()
    return Wired(device)


@pytest.fixture(scope="module")
def wired() -> Wired:
    return cell()


def back(wired: Wired) -> None:
    """To the state at the start."""
    wired.run(REST, Warm(COLD, 1.0), Ambient(START, 1.0), REST)


def test_slopes_of_a_carbonate_electrode(wired):
    """Nernst: RT/2F per e-fold of CO2, here 56.86, 66.78 and 76.70 mV per decade."""
    more = START | {"CO2": 10.0 * START["CO2"]}
    warmer = [(Ambient(START, 1.0), Warm(COLD + rise, 1.0), REST) for rise in (0.0, 100.0, 200.0)]
    steps = [step for one in warmer for step in (*one, Ambient(more, 1.0), REST)]
    states = wired.run(REST, *steps)
    ends = [state for state in states if state.at_breakpoint]
    volts = wired.column(ends, "V(top)")[1:]
    # After a rest, per temperature: gas, temperature, rest, gas, rest.
    slopes = volts[5::5] - volts[3::5]
    kelvin = COLD + np.array([0.0, 100.0, 200.0])
    exact = [0.5 * thermal_voltage(one) * np.log(10.0) for one in kelvin]
    assert slopes == pytest.approx(exact, rel=1e-6)
    assert slopes * 1e3 == pytest.approx([56.86, 66.78, 76.70], abs=0.01)
    assert wired.system.equations.model.pressures == more
    exchanged = ELEMENTARY_CHARGE * 1e27 * 1e-10 / 1e-7
    assert max(np.abs(state.currents).max() for state in states) < 1e-9 * exchanged
    anions = np.array([wired.particles(state, "X-") for state in states])
    assert np.abs(anions / anions[0] - 1.0).max() < 1e-12
    back(wired)


def test_all_gases_count_by_their_particles(wired):
    """A hundredfold pressure of both: (1/2 + 1/4) kT ln 100."""
    more = {name: 100.0 * pressure for name, pressure in START.items()}
    ends = [one for one in wired.run(REST, Ambient(more, 1.0), REST) if one.at_breakpoint]
    first, *_, last = wired.column(ends, "V(top)")[1:]
    assert last - first == pytest.approx(0.75 * thermal_voltage(COLD) * np.log(100.0), rel=1e-6)
    back(wired)


def test_a_run_goes_on_amid_a_change_of_the_gas(wired):
    more = START | {"CO2": 1e5}
    protocol = (REST, Ambient(more, 10.0), Current("top", 0.0, 0.01))
    memory, whole = None, []
    for state in wired.march(*protocol):
        whole.append(state)
        if memory is None and 13.0 < state.time < 17.0:
            memory, seen = wired.stepper.memory(), len(whole)
    assert memory is not None
    surroundings = memory.plain["surroundings"]
    assert json.loads(json.dumps(surroundings)) == surroundings
    assert START["CO2"] < surroundings[0]["pressures"]["CO2"] < more["CO2"]
    rest = wired.march(*protocol)
    wired.stepper.recall(memory)
    again = list(rest)
    assert [one.time for one in again] == [one.time for one in whole[seen:]]
    volts = wired.column(again, "V(top)")
    assert volts == pytest.approx(wired.column(whole[seen:], "V(top)"), abs=1e-12)
    back(wired)


def test_the_way_to_other_surroundings_is_linear():
    before = Surroundings(300.0, {"O2": 1.0, "N2": 4.0})
    half = before.towards(400.0, {"O2": 3.0, "CO2": 2.0}, 0.5)
    assert half == Surroundings(350.0, {"O2": 2.0, "N2": 2.0, "CO2": 1.0})
    assert before.towards(400.0, {"O2": 3.0}, 1.0) == Surroundings(400.0, {"O2": 3.0})
    for share in (0.3, 1.0):
        assert before.towards(None, None, share) == before


def test_air_and_vacuum():
    assert sum(AIR.values()) == pytest.approx(101325.0, rel=1e-4)
    assert AIR["O2"] == pytest.approx(20.9e3, rel=1e-3)
    assert AIR["H2O"] == 1580.0
    assert sum(VACUUM.values()) == pytest.approx(1e-4)
    ratios = {VACUUM[name] / AIR[name] for name in AIR}
    assert max(ratios) == pytest.approx(min(ratios))
    assert set(MIXTURES) == {"air", "vacuum"}


def test_gases_at_standard_pressure_change_nothing():
    gases = {"O2": 1e5, "CO2": 1e5}
    assert gas_potential(CARBONATE, gases, 0.05) == 0.0
    low, high = (gas_potential({"O2": 2.0}, {"O2": p}, 0.05) for p in (1.0, 10.0))
    assert high - low == pytest.approx(0.1 * np.log(10.0))
