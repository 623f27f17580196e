"""The section ``heat`` of a case: what is read, what is answered to mistakes, a whole run."""

from __future__ import annotations

import json
import shutil
from math import inf, pi, sqrt
from pathlib import Path

import pytest
from mpi4py import MPI

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.models.heat_model import Medium, build_heat_model
from ionstack.output.checkpoint import Memory
from ionstack.output.profiles import read_profiles
from ionstack.output.run_directory import RunDirectory, claim
from ionstack.runs.check import describe
from ionstack.runs.log import Log
from ionstack.runs.preparation import prepare
from ionstack.runs.simulation import simulate
from support.devices import ROOT
from support.spoilt import message, place, replace

FILES = Path(__file__).parents[1] / "config" / "files"
SECTION = """heat:
  balance: transient
  contacts:
    Pt:
      kind: convective
      coefficient: {value: 10 W/(m^2 K), source: air at rest}
      temperature: 30 degC
    ITO:
      kind: substrate
      conductivity: {value: 1.1 W/(m K), source: glass}
      resistance: {value: 2e-8 K m^2/W, source: the electrode}
  interfaces:
    LiPON/WO3:
      resistance: {value: 1e-8 K m^2/W, source: assumed}
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A correct case with heat."""
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(FILES / name, tmp_path / name)
    replace(tmp_path / "case.yaml", "protocol:", f"{SECTION}protocol:")
    return tmp_path / "case.yaml"


def test_the_section_becomes_media_sinks_and_resistances(case):
    read = load_case(case)
    model = build_heat_model(read)
    assert model is not None
    assert not model.steady
    assert model.media["WO3"] == Medium(1.63, 1.9e6)
    assert model.resistances == {frozenset(("WO3", "LiPON")): 1e-8}
    air, glass = model.sinks["Pt"], model.sinks["ITO"]
    assert (air.conductance, air.resistance, air.temperature) == (10.0, 0.0, 303.15)
    assert glass.conductance == pytest.approx(5e7)
    assert glass.resistance == pytest.approx(1.0 / (4.0 * 1.1 * sqrt(read.stack.area / pi)))
    assert glass.temperature is None
    used = {(row.material, row.path): row.value for row in values_used(read)}
    assert used["heat contact ITO", "conductivity"] == 1.1
    assert used["WO3", "thermal_conductivity"] == 1.63


def test_without_the_section_thermal_numbers_are_not_used(case):
    replace(case, SECTION, "")
    read = load_case(case)
    assert build_heat_model(read) is None
    assert not {"thermal_conductivity", "heat_capacity"} & {row.path for row in values_used(read)}


def test_check_prints_how_heat_leaves(case):
    text = describe(load_case(case))
    assert "Heat with a transient balance" in text
    assert "Pt: convective, to 303.15 K through 10 W/(m^2 K)" in text
    assert "ITO: substrate, to surroundings through 5e+07 W/(m^2 K) and" in text


def test_a_contact_that_is_not_named_lets_no_heat_through(case):
    begin, end = SECTION.index("    Pt:"), SECTION.index("    ITO:")
    replace(case, SECTION[begin:end], "")
    model = build_heat_model(load_case(case))
    assert model is not None
    assert list(model.sinks) == ["ITO"]
    replace(case, "kind: substrate", "kind: fixed")
    replace(case, "      conductivity: {value: 1.1 W/(m K), source: glass}\n", "")
    replace(case, "      resistance: {value: 2e-8 K m^2/W, source: the electrode}\n", "")
    model = build_heat_model(load_case(case))
    assert model is not None
    assert model.sinks["ITO"].conductance == inf


MISTAKES = {
    "unknown contact": ("    Pt:\n      kind: conv", "    Pd:\n      kind: conv", "    Pd:",
        "unknown contact 'Pd'; allowed: Pt, ITO (did you mean 'Pt'?)"),
    "unknown interface": ("LiPON/WO3:\n      res", "LiPON/WO:\n      res", "LiPON/WO:",
        "unknown interface 'LiPON/WO'; allowed: WO3/LiPON, LiPON/MoO3"),
    "unknown kind": ("kind: convective", "kind: convection", "convection",
        "unknown kind 'convection'; allowed: adiabatic, fixed, convective, substrate"),
    "no coefficient": ("      coefficient: {value: 10 W/(m^2 K), source: air at rest}\n", "",
        "kind: convective", "heat.contacts.Pt.coefficient: missing"),
    "negative": ("value: 1.1 W/(m K)", "value: -1.1 W/(m K)", "-1.1 W/(m K)",
        "must be greater than 0, found '-1.1 W/(m K)'"),
    "zero": ("value: 1e-8 K m^2/W", "value: 0 K m^2/W", "0 K m^2/W",
        "must be greater than 0, found '0 K m^2/W'"),
    "unit": ("value: 10 W/(m^2 K)", "value: 10 W/(m K)", "10 W/(m K)", "W/(m^2*K)"),
    "unknown key": ("kind: convective", "kind: convective\n      radius: 1 um", "radius: 1 um",
        "unknown key; allowed: kind, temperature, resistance, coefficient"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_place(case, name):
    old, new, fragment, answer = MISTAKES[name]
    replace(case, old, new)
    found = message(case)
    assert answer in found
    line = place(case, fragment.strip()).rsplit(":", 1)[0]
    assert name == "no coefficient" or line in found


def test_a_material_without_thermal_numbers_is_named(case):
    spoilt = case.parent / "materials"
    spoilt.mkdir()
    text = (ROOT / "solver/ionstack/data/materials/MoO3.yaml").read_text()
    begin, end = text.index("thermal_conductivity:"), text.index("species:")
    (spoilt / "MoO3.yaml").write_text(text[:begin] + text[end:])
    both = (
        "material 'MoO3' has no thermal_conductivity and no heat_capacity; add it to the material"
    )
    assert both in message(case)
    steady = message(case, "heat.balance=steady")
    assert "material 'MoO3' has no thermal_conductivity; add it" in steady


def test_steady_heat_needs_a_way_out(case):
    replace(case, SECTION, "heat:\n  balance: steady\n")
    assert "no contact takes heat up" in message(case)


DIODE = ROOT / "cases" / "basics" / "pn_diode.yaml"
GLASS = (
    "heat.contacts.cathode={kind: substrate, conductivity: {value: 1.1 W/(m K), source: glass}}",
    "protocol=[{hold: {contact: anode, voltage: 0.65 V, duration: 1 ms}}]",
    "numerics.step_tolerance=5 mV",
    "output.figures=false",
    "instruments=none",
)


def test_a_run_balances_its_energy_and_shows_the_temperature(tmp_path):
    case = load_case(DIODE, GLASS)
    run = claim(tmp_path / "out", case.resolved(), MPI.COMM_SELF)
    simulate(case, run, MPI.COMM_SELF, Log(1))
    found = json.loads(RunDirectory(tmp_path / "out").summary.read_text())
    assert found["completed"]
    assert found["heat.closure"] < 1e-8
    assert found["heat.rise [K]"] > 0.1
    assert found["heat.out.anode [J]"] == 0.0
    total = found["heat.out.cathode [J]"] + found["heat.stored [J]"]
    assert total == pytest.approx(found["heat.generated [J]"], rel=1e-8)
    assert found["coupling.rounds.mean"] >= 1.0
    end = next(one for one in read_profiles(run.profiles) if one.state == "end")
    assert end.quantities["temperature [K]"].max() > 300.1


def test_a_stepper_goes_on_with_the_temperature_it_had():
    """Half of a run, its memory as JSON, and the rest on another device: to the last bit."""
    case = load_case(DIODE, [*GLASS, "numerics.fixed_step=100 us"])
    whole, resumed = (prepare(case, MPI.COMM_SELF) for _ in range(2))
    stepper = whole.stepper()
    states, memory = [], None
    for state in stepper.run():
        states.append(state)
        if len(states) == 6:
            memory = stepper.memory()
    assert memory is not None
    other = resumed.stepper()
    other.recall(
        Memory(json.loads(json.dumps(memory.plain, default=lambda one: one.tolist())), memory.owned)
    )
    rest = list(other.run())
    assert len(rest) == len(states) - 6
    assert rest[-1].currents.tolist() == states[-1].currents.tolist()
    (one,), (two,) = whole.companions, resumed.companions
    assert two.at_nodes.tolist() == one.at_nodes.tolist()  # type: ignore[attr-defined]
    assert two.entries() == one.entries()
    assert one.at_nodes.max() > 300.1  # type: ignore[attr-defined]
