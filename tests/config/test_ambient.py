"""The gas around a device in case files: what is read, what is printed, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.models.case_model import build_model
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.gases import AIR, VACUUM, gas_potential
from ionstack.runs.check import describe
from support.spoilt import message, place, replace

LAW = """{kind: reservoir, gas: {CO2: -0.5, O2: -0.25},
      exchange_current_density: {value: 1 A/m^2, source: test},
      chemical_potential: {value: -3 eV, source: test}}"""
STEP = "protocol:\n  - ambient: {to: %s, duration: 1 s}\n"


def with_gas(case: Path, section: str = "ambient: air\n") -> Path:
    replace(case, "Li+: {kind: blocking}", f"Li+: {LAW}")
    # Supplied now through all layers.
    text = case.read_text()
    begin, end = text.index("content:"), text.index("interfaces:")
    case.write_text(text[:begin] + section + text[end:])
    return case


def test_mixtures_by_name_and_by_pressure(files: tuple[Path, Path]) -> None:
    case = files[0]
    assert load_case(case).ambient == {}
    assert load_case(case, ["ambient=air"]).ambient == pytest.approx(AIR)
    assert load_case(case, ["ambient=vacuum"]).ambient == pytest.approx(VACUUM)
    replace(case, "temperature:", "ambient: {O2: 21 kPa, H2O: 14 mbar}\ntemperature:")
    assert load_case(case).ambient == pytest.approx({"O2": 21e3, "H2O": 1.4e3})


def test_a_law_follows_the_gas(files: tuple[Path, Path]) -> None:
    model = build_model(load_case(with_gas(files[0])))
    pt = next(one for one in model.contacts if one.name == "Pt")
    law = pt.laws["Li+"]
    found = law.numbers_in(model.surroundings)["chemical_potential"].value
    shift = gas_potential({"CO2": -0.5, "O2": -0.25}, AIR, thermal_voltage(298.15))
    assert found == pytest.approx(-3.0 + shift, rel=1e-12)
    assert shift == pytest.approx(0.10997, abs=1e-5)
    assert law.numbers["chemical_potential"].value == -3.0


def test_check_prints_the_gas(files: tuple[Path, Path]) -> None:
    case = with_gas(files[0], "ambient: {O2: 21 kPa, CO2: 40 Pa}\n")
    text = describe(load_case(case))
    assert "Ambient of O2 21000 Pa, CO2 40 Pa\n" in text
    assert "chemical potential -0.5 kT ln(p(CO2)/1 bar) -0.25 kT ln(p(O2)/1 bar)" in text
    assert "no law reads it" not in text


def test_check_says_that_no_law_reads_the_gas(files: tuple[Path, Path]) -> None:
    assert "Ambient" not in describe(load_case(files[0]))
    replace(files[0], "protocol:\n", STEP % "air")
    text = describe(load_case(files[0]))
    assert "Ambient of unknown gas\n  no law reads it: it changes nothing\n" in text
    assert "1. ambient to N2 " in text


def test_gases_without_a_pressure(files: tuple[Path, Path]) -> None:
    case = with_gas(files[0], "")
    answer = message(case)
    assert f"{place(case, 'CO2: -0.5')}: contacts.Pt.Li+.gas.CO2: no pressure of CO2: add" in answer
    answer = message(case, "ambient.O2=21 kPa", "ambient.CO22=40 Pa")
    assert "gas.CO2: unknown gas 'CO2'; allowed: O2, CO22 (did you mean 'CO22'?)" in answer
    assert "gas.O2" not in answer


def test_gases_without_a_pressure_after_a_step(files: tuple[Path, Path]) -> None:
    case = with_gas(files[0])
    replace(case, "protocol:\n", STEP % "{O2: 20 kPa, CO22: 40 Pa}")
    answer = message(case)
    assert f"{place(case, '{O2: 20 kPa')}: protocol.0.ambient.to: no pressure of CO2, " in answer
    assert "which contacts.Pt.Li+ needs (did you mean 'CO22'?)" in answer


def test_laws_that_know_no_gas(files: tuple[Path, Path]) -> None:
    case = files[0]
    replace(case, "Li+: {kind: blocking}", "Li+: {kind: blocking, gas: {O2: 1}}")
    answer = message(case)
    assert f"{place(case, '{O2: 1}')}: contacts.Pt.Li+.gas: blocking has no chemical pot" in answer
    assert "laws that have: fixed_potential, reservoir, butler_volmer" in answer


@pytest.mark.parametrize("count", ["0", "1 Pa", "many"])
def test_particles_are_numbers(files: tuple[Path, Path], count: str) -> None:
    case = with_gas(files[0])
    replace(case, "O2: -0.25", f"O2: {count}")
    assert f"{place(case, count + '}')}: contacts.Pt.Li+.gas.O2: " in message(case)
