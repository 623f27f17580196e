"""The reaction with air in case files: what is read, what is printed, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.models.case_model import build_model
from ionstack.physics.gases import AIR
from ionstack.runs.check import describe
from support.spoilt import message, place, replace

VALUES = {
    "rate_constant": "1e19 1/(m^2*s)", "permeability": "1e11 1/(m*s)", "porosity": "0.2",
    "adsorption_potential": "-2.9 eV", "oxygen_order": "0.5", "hydration_rate": "10 1/s",
    "carbonation_rate": "1 1/min", "electrode_thickness": "50 nm", "percolation_threshold": "0",
}  # fmt: skip
NUMBERS = ", ".join(f"{name}: {{value: {value}, source: test}}" for name, value in VALUES.items())
STEP = "protocol:\n  - ambient: {to: %s, duration: 1 s}\n"


@pytest.fixture
def case(files: tuple[Path, Path]) -> Path:
    """The case whose upper metal reacts with air."""
    replace(files[0], "Li+: {kind: blocking}", f"Li+: {{kind: air_reaction, {NUMBERS}}}")
    replace(files[0], "temperature:", "ambient: air\ntemperature:")
    return files[0]


def test_numbers_and_pressures_reach_the_law(case: Path) -> None:
    model = build_model(load_case(case))
    law = next(one for one in model.contacts if one.name == "Pt").laws["Li+"]
    numbers = law.numbers_in(model.surroundings)
    assert numbers["pressure_O2"].value == AIR["O2"]
    assert numbers["carbonation_rate"].value == pytest.approx(1.0 / 60.0)
    assert numbers["molar_volume_Li2CO3"].value == pytest.approx(35e-6)
    assert numbers["percolation_exponent"].value == 2.0
    assert "pressure_O2" not in law.numbers


def test_check_prints_products_and_assumed_steps(case: Path) -> None:
    text = describe(load_case(case))
    assert "Li2CO3   (binds 2 Li+)         one per node at Pt" in text
    assert "step, assumed: 2 LiOH + CO2 -> Li2CO3 + H2O" in text
    assert "no law reads it" not in text


def test_gases_that_the_law_reads(case: Path) -> None:
    replace(case, "ambient: air", "ambient: {O2: 21 kPa, H2: 1 kPa, CO2: 40 Pa}")
    answer = message(case)
    at = place(case, "kind: air_reaction")
    assert f"{at}: contacts.Pt.Li+.kind: unknown gas 'H2O'; allowed: " in answer
    assert "'O2'" not in answer
    replace(case, "ambient: {O2: 21 kPa, H2: 1 kPa, CO2: 40 Pa}\n", "")
    at = place(case, "kind: air_reaction")
    assert f"{at}: contacts.Pt.Li+.kind: no pressure of CO2: add" in message(case)


def test_gases_after_a_step(case: Path) -> None:
    replace(case, "protocol:\n", STEP % "{O2: 20 kPa, CO2: 40 Pa}")
    answer = message(case)
    assert "protocol.0.ambient.to: no pressure of H2O, which contacts.Pt.Li+ needs" in answer


@pytest.mark.parametrize(
    ("number", "value", "complaint"),
    [
        ("porosity", "1.2", "between 0 and 1"),
        ("porosity", "0", "between 0 and 1"),
        ("percolation_threshold", "1", "between 0 and 1"),
        ("percolation_exponent", "0.5", "at least 1"),
        ("permeability", "0 1/(m*s)", "greater than 0"),
        ("oxygen_order", "-1", "at least 0"),
        ("rate_constant", "1 A/m^2", "not a quantity in 1/(m^2*s)"),
        ("electrode_thickness", "-5 nm", "greater than 0"),
        ("molar_volume_LiOH", "-1 cm^3/mol", "at least 0"),
    ],
)
def test_numbers_out_of_range(case: Path, number: str, value: str, complaint: str) -> None:
    if number in VALUES:
        replace(case, f"{number}: {{value: {VALUES[number]},", f"{number}: {{value: {value},")
    else:
        replace(case, "air_reaction,", f"air_reaction, {number}: {{value: {value}, source: s}},")
    answer = message(case)
    assert f"contacts.Pt.Li+.{number}.value: " in answer
    assert complaint in answer


def test_only_lithium_is_bound(case: Path) -> None:
    replace(case, "Li+: {kind: air_reaction", "e-: {kind: air_reaction")
    replace(case, "    e-: &ohmic", "    Li+: &ohmic")
    assert "contacts.Pt.e-.kind: air_reaction binds Li+, not e-" in message(case)


def test_gas_is_not_an_entry_of_this_law(case: Path) -> None:
    replace(case, "air_reaction,", "air_reaction, gas: {O2: 1},")
    assert "contacts.Pt.Li+.gas: air_reaction has no chemical potential" in message(case)
