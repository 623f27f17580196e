"""Curves in files: what a law receives, what is refused and where, what is shown."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import jax.numpy as jnp
import pytest
import yaml

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.errors import InputError
from ionstack.models.case_model import build_model
from ionstack.physics import registry
from ionstack.physics.registry import Curve, Law
from ionstack.reading.curve_choice import CurveChoice
from ionstack.reading.materials import describe_material, load_material

ARGUMENTS = (("x", "1"), ("T", "K"))
LAWS = {
    ("excess", "test_voltage"): (Curve("ocp", "V", ARGUMENTS, "open-circuit voltage"),),
    ("transport", "test_ohmic"): (Curve("sigma", "S/m", ARGUMENTS, "conductivity"),),
}
MATERIAL = """\
title: test
relative_permittivity: {value: 5, source: test}
species:
  Li+:
    statistics: {kind: lattice_gas, site_density: {value: 1e27 1/m^3, source: test}}
    level: {value: 1 eV, source: test}
    excess:
      kind: test_voltage
      ocp: {formula: 3.2 - 100*x + T/300, unit: mV, source: test, fitted: true, valid: x < 1}
    transport:
      kind: test_ohmic
      sigma:
        table: {x: [0.1, 30 %, 0.5], value: [1, 2 S/cm, 3 S/m]}
        unit: mS/m
        source: digitised
"""
OCP = (
    "      ocp: {formula: 3.2 - 100*x + T/300, unit: mV, source: test, fitted: true, valid: x < 1}"
)
TABLE = "        table: {x: [0.1, 30 %, 0.5], value: [1, 2 S/cm, 3 S/m]}"


@pytest.fixture(autouse=True)
def laws_with_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    for (kind, name), curves in LAWS.items():
        law = Law(kind, name, lambda *given: None, (), curves=curves)
        monkeypatch.setitem(registry._LAWS, (kind, name), law)


@pytest.fixture
def glass(tmp_path: Path) -> Path:
    path = tmp_path / "glass.yaml"
    path.write_text(MATERIAL)
    return path


def changed(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def curves(path: Path) -> tuple[CurveChoice, CurveChoice]:
    record = load_material("glass", [path.parent]).species["Li+"]
    assert record.excess is not None
    return record.excess.curves["ocp"], record.transport.curves["sigma"]


def message(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        load_material("glass", [path.parent])
    return str(raised.value)


def at(curve: CurveChoice, x: float, T: float = 300.0) -> float:
    return float(curve.function(jnp.asarray(x), jnp.asarray(T)))


def test_a_formula_has_the_unit_of_the_curve(glass: Path) -> None:
    ocp, _ = curves(glass)
    assert at(ocp, 0.5, 600.0) == pytest.approx((3.2 - 50.0 + 2.0) * 1e-3)
    assert (ocp.unit, ocp.source, ocp.fitted, ocp.valid) == ("V", "test", True, "x < 1")
    assert ocp.covers("x", 0.9)


def test_a_table_takes_units_per_value_or_for_all(glass: Path) -> None:
    _, sigma = curves(glass)
    found = [at(sigma, x) for x in (0.1, 0.3, 0.5)]
    assert found == pytest.approx([1e-3, 200.0, 3.0])
    assert (sigma.argument, sigma.lower, sigma.upper) == ("x", 0.1, 0.5)
    assert sigma.covers("x", 0.5)
    assert not sigma.covers("x", 0.51)
    assert sigma.covers("T", 0.51)


def test_a_conductivity_stays_positive_outside_its_table(glass: Path) -> None:
    _, sigma = curves(glass)
    assert 0.0 < at(sigma, 0.0) < 1e-3
    assert 0.0 < at(sigma, 5.0) < 3.0


def test_a_table_in_two_arguments(glass: Path) -> None:
    rows = "table: {x: [0, 1], T: [300 K, 400 K], value: [[1, 2], [3, 6]]}"
    changed(glass, TABLE, f"        {rows}")
    _, sigma = curves(glass)
    assert at(sigma, 0.5, 350.0) == pytest.approx(3e-3)
    assert at(sigma, 0.5, 200.0) == pytest.approx(1.5e-3)
    assert sigma.text == "table of 2 x 2 points, x 0 to 1, T 300 to 400"


def test_a_table_of_temperature_alone(glass: Path) -> None:
    changed(glass, TABLE, "        table: {T: [25 degC, 125 degC], value: [1, 2]}")
    _, sigma = curves(glass)
    assert at(sigma, 0.5, 348.15) == pytest.approx(1.5e-3)
    assert sigma.argument == "T"


def test_a_constant_is_a_curve(glass: Path) -> None:
    changed(glass, TABLE, "        value: 4")
    _, sigma = curves(glass)
    assert at(sigma, 0.7) == pytest.approx(4e-3)


MISTAKES = [
    (OCP, "      ocp: 3.2 V", "ocp: expected 'formula:' or 'table:' or 'value:' and 'source:'"),
    (
        "formula: 3.2 - 100*x + T/300, unit",
        "unit",
        "needs one of 'formula:' or 'table:' or 'value:', found none",
    ),
    (OCP, f"{OCP[:-1]}, value: 1}}", "found 'formula:' and 'value:'"),
    ("T/300", "y/300", "ocp.formula: the name 'y' at character 15 is not allowed; allowed: numb"),
    ("T/300", "T/", "ocp.formula: no formula at character"),
    ("unit: mV, ", "", "ocp.unit: missing; the formula needs a unit like 'V'"),
    ("unit: mV", "unit: mA", "ocp.unit: '0 mA' is not a quantity in V"),
    ("unit: mV", "units: mV", "ocp.units: unknown key; allowed: source, fitted, valid, formula"),
    ("source: test, fitted", "fitted", "ocp.source: missing"),
    ("x: [0.1, 30 %, 0.5]", "x: [0.1, 0.1, 0.5]", "sigma.table.x.1: must increase, found 0.1 af"),
    ("x: [0.1, 30 %, 0.5]", "x: [0.1]", "sigma.table.x: needs at least two points, found 1"),
    ("x: [0.1, 30 %, 0.5]", "x: [0.1, .nan, 0.5]", "table.x.1: 'nan' is not a finite number"),
    ("x: [0.1, 30 %, 0.5]", "y: [0.1, 1]", "table: expected 'value:' and one or two of x, T"),
    ("x: [0.1, 30 %, 0.5]", "x: [0.1, 0.5]", "table.value: 2 values expected, found 3"),
    ("x: [0.1, 30 %, 0.5],", "x: 3,", "table.x: expected a list, found 3"),
    (", value: [1, 2 S/cm, 3 S/m]", "", "sigma.table.value: "),
    ("2 S/cm", "2 V", "table.value.1: '2 V' is not a quantity in S/m"),
    ("2 S/cm", "-2 S/cm", "table.value.1: must be at least 0, found '-2 S/cm'"),
    ("2 S/cm", "true", "table.value.1: a truth value is not a quantity"),
    ("{x: [0.1, 30 %, 0.5], value", "{x: [0.1, 1], z: 3, value", "table.z: unknown key; allowed:"),
    (TABLE, "        table: points.csv", "table: expected 'value:' and one or two of x, T"),
    (TABLE, "        value: -1", "sigma.value: must be at least 0"),
    (
        TABLE,
        "        table: {x: [0, 1], T: [300 K, 400 K], value: [[1, 2]]}",
        "table.value: 2 rows expected, found 1",
    ),
    (
        TABLE,
        "        table: {x: [0, 1], T: [300 K, 400 K], value: [[1, 2], [3]]}",
        "table.value.1: 2 values expected, found 1",
    ),
]


@pytest.mark.parametrize(("old", "new", "answer"), MISTAKES)
def test_mistakes_in_curves(glass: Path, old: str, new: str, answer: str) -> None:
    changed(glass, old, new)
    found = message(glass)
    assert answer in found
    first = 1 + MATERIAL[: MATERIAL.index(old)].count("\n")
    line = int(found.removeprefix(f"{glass}:").split(":")[0])
    assert first - 1 <= line <= first


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The correct case, with the curves in WO3."""
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(Path(__file__).parent / "files" / name, tmp_path / name)
    species = yaml.safe_load(MATERIAL)["species"]["Li+"]
    change = {"WO3": {"species": {"Li+": {key: species[key] for key in ("excess", "transport")}}}}
    path = tmp_path / "case.yaml"
    text = yaml.safe_load(path.read_text())
    text["materials"] = {**text.get("materials", {}), **change}
    path.write_text(yaml.safe_dump(text, sort_keys=False))
    return path


def test_a_case_with_curves_shows_them_and_travels(case: Path) -> None:
    read = load_case(case)
    assert pickle.loads(pickle.dumps(read)) == read
    rows = {row.path: row for row in values_used(read) if row.material == "WO3"}
    row = rows["species.Li+.transport.sigma"]
    assert (row.value, row.text, row.unit) == (None, "table of 3 points, x 0.1 to 0.5", "S/m")
    resolved = yaml.safe_load(read.resolved())["materials"]["WO3"]["species"]["Li+"]
    assert resolved["excess"]["curves"]["ocp"]["function"]["text"] == "3.2 - 100*x + T/300"
    assert resolved["transport"]["curves"]["sigma"]["function"]["points"] == [0.1, 0.3, 0.5]


def test_the_model_binds_curves(case: Path) -> None:
    species = build_model(load_case(case)).region("WO3").held("Li+")
    assert float(species.transport.curves["sigma"](jnp.asarray(0.3), jnp.asarray(300.0))) == 200.0


def test_a_content_outside_a_table_is_refused(case: Path) -> None:
    with pytest.raises(InputError) as raised:
        load_case(case, ["content.WO3.Li+=0.6"])
    expected = "outside the table of WO3, Li+.transport.sigma: x = 0.1 to 0.5"
    assert f"content.WO3.Li+: {expected}" in str(raised.value)


def test_a_setting_replaces_the_way_a_curve_is_given(case: Path) -> None:
    key = "materials.WO3.species.Li+.transport.sigma"
    read = load_case(case, [f"{key}=4 S/m"])
    curve = read.materials["WO3"].species["Li+"].transport.curves["sigma"]
    assert at(curve, 0.9) == 4.0
    assert curve.fitted
    assert curve.source.startswith("--set ")


def test_a_material_lists_its_curves(glass: Path) -> None:
    lines = describe_material(load_material("glass", [glass.parent])).splitlines()
    formula = next(line for line in lines if "ocp" in line)
    assert "(3.2 - 100*x + T/300) mV" in formula
    assert formula.split()[-1] == "test"
