"""The files that ionstack ships: they load, travel between ranks, and say their sources."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import yaml

from ionstack.casefile.case import Case, load_case
from ionstack.casefile.used_values import values_used
from ionstack.geometry.stack import load_stack
from ionstack.reading.materials import available_materials, describe_material, load_material

_ROOT = Path(__file__).parents[2]
_ANALOG = _ROOT / "cases/all_in_one/analog.yaml"
_CASES = sorted((_ROOT / "cases").glob("*/*.yaml"))
_STACKS = sorted((_ROOT / "meshes").glob("*.yaml"))
# An electrode with a profile needs a radius or a width, and no depth.
_EXTRUDED = [path for path in _STACKS if "profile:" not in path.read_text()]


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_every_case_loads_and_can_be_broadcast(path: Path) -> None:
    case = load_case(path)
    assert pickle.loads(pickle.dumps(case)) == case


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_every_value_of_a_case_has_a_source_and_a_unit(path: Path) -> None:
    rows = values_used(load_case(path))
    assert all(row.source and row.unit for row in rows)
    assert len({(row.material, row.path) for row in rows}) == len(rows)


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_the_resolved_case_is_plain_yaml(path: Path) -> None:
    case = load_case(path, ["numerics.step_tolerance=1 mV"])
    resolved = yaml.safe_load(case.resolved())
    assert resolved["temperature"] == case.temperature
    assert resolved["numerics"]["step_tolerance"] == 1e-3
    assert set(resolved["materials"]) == set(case.materials)


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_every_layer_has_a_species_and_every_contact_a_law(path: Path) -> None:
    case = load_case(path)
    for layer in case.stack.layers:
        assert set(case.materials[layer.material].species) <= set(case.valences)
        assert case.materials[layer.material].species
    assert set(case.contacts) == {one.name for one in case.stack.electrodes}


@pytest.mark.parametrize("path", _EXTRUDED, ids=lambda path: path.stem)
@pytest.mark.parametrize("dimension", ["1d", "2d", "3d"])
def test_every_stack_takes_its_dimension_from_one_key(path: Path, dimension: str) -> None:
    assert load_stack(path, [f"dimension={dimension}"]).dimension == dimension


@pytest.mark.parametrize("name", available_materials())
def test_every_material_describes_its_numbers(name: str) -> None:
    material = load_material(name)
    text = describe_material(material)
    assert text.startswith(f"{name}: {material.title}")
    roles = ("work_function", "relative_permittivity", "mechanics.young_modulus")
    assert any(role in text for role in roles)


def _analog(*overrides: str) -> Case:
    return load_case(_ANALOG, overrides)


def test_published_and_assumed_numbers_of_the_analog_stack() -> None:
    stack = _analog().stack
    assert stack.area == pytest.approx(3.1415926535e-8, rel=1e-9, abs=0.0)
    assert stack.interfaces == ("WO3/LiPON", "LiPON/MoO3")
    assert stack.layers[0].thickness == 1e-7
    assert stack.thickness == pytest.approx(sum(layer.thickness for layer in stack.layers))


def test_the_rest_state_of_lipon_is_neutral() -> None:
    case = _analog()
    lipon = case.materials["LiPON"]
    sites = lipon.species["Li+"].statistics.values["site_density"].value
    mobile = case.contents["LiPON"]["Li+"] * sites
    assert mobile + lipon.fixed_charge.value == pytest.approx(0.0, abs=1e-3 * mobile)


def test_lipon_conducts_as_measured() -> None:
    case = _analog()
    ion = load_material("LiPON").species["Li+"]
    sites = ion.statistics.values["site_density"].value
    x = case.contents["LiPON"]["Li+"]
    charge, kt = 1.602176634e-19, 0.02569257912
    sigma = charge * sites * x * (1 - x) * ion.transport.values["diffusivity"].value / kt
    assert sigma == pytest.approx(1e-4, rel=0.01)
    assert ion.transport.values["diffusivity"].activation_energy == 0.5


def test_overrides_reach_case_stack_and_materials() -> None:
    case = _analog(
        "stack.dimension=3d",
        "stack.lateral.cells=8",
        "stack.layers.LiPON.thickness=50 nm",
        "protocol.0.sweep.cycles=2",
        "temperature=320 K",
        "materials.LiPON.species.Li+.transport.diffusivity=1e-14 m^2/s",
        "interfaces.WO3/LiPON.Li+.exchange_current_density=5 A/m^2",
    )
    assert (case.stack.dimension, case.stack.lateral.cells) == ("3d", 8)
    assert case.stack.layers[1].thickness == 5e-8
    assert case.temperature == 320.0
    assert sum(cycle.amplitude < 0 for cycle in case.protocol.cycles) == 2
    value = case.materials["LiPON"].species["Li+"].transport.values["diffusivity"]
    assert (value.value, value.fitted) == (1e-14, True)
    assert value.source.startswith("--set materials.LiPON")
    assert value.activation_energy == 0.5
    law = case.interfaces["WO3/LiPON"]["Li+"]
    assert law.values["exchange_current_density"].value == 5.0


def test_analog_sweeps_negative_then_positive() -> None:
    amplitudes = [cycle.amplitude for cycle in _analog().protocol.cycles]
    assert amplitudes == sorted(amplitudes)
    assert amplitudes[0] < 0.0 < amplitudes[-1]


def test_analog_names_its_published_rows() -> None:
    assert {one.row for one in _analog().observables} >= {"S0-01", "S0-02", "S0-37", "S0-41"}


def test_the_organic_stack_has_its_offset() -> None:
    case = load_case(_ROOT / "cases/organic_heterojunction/first_sweep.yaml")
    levels = [case.materials[name].species["h+"].level.value for name in ("pentacene", "P13")]
    assert levels[1] - levels[0] == pytest.approx(0.4)
    assert case.stack.area == pytest.approx(1e-8)
