"""Thermal conductivity as a function of what a layer holds and of the temperature."""

from __future__ import annotations

import shutil
from math import inf
from pathlib import Path

import numpy as np
import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.models.heat_model import Conductivity, Medium, Sink, build_heat_model
from support.heated import LENGTH, START, HeatedDevice, heat_model, resistor, slab
from support.layers import Device
from support.spoilt import message, replace

FILES = Path(__file__).parents[1] / "config" / "files"
SECTION = """heat:
  balance: steady
  contacts:
    ITO: {kind: fixed}
"""
CURVE = """materials:
  WO3:
    thermal_conductivity:
      formula: 0.5 + 2*x*(T/300)
      unit: W/(m K)
      couples: Li+
      source: assumed
"""
COUPLED = "      unit: W/(m K)\n      couples: Li+\n"


def test_kirchhoffs_transform_gives_the_temperature_of_a_heated_film():
    """k = K (1 + b dT): dT + b dT^2/2 is the parabola of a constant K, whatever the rise."""
    slope, voltage, sigma = 5e-3, 3.0, 200.0
    medium = Medium(Conductivity(lambda x, T: 2.0 * (1.0 + slope * (T - START))))
    device = Device(slab(40), resistor(sigma), {"film": {"e-": 0.1}})
    held = {"top": Sink(inf), "bottom": Sink(inf)}
    laws = heat_model(media={"film": medium}, sinks=held, tolerance=1e-9)
    heated = HeatedDevice(device, laws)
    assert heated.steady(voltage, 0.0) > 0
    power = sigma * (voltage / LENGTH) ** 2
    depth = device.volumes.depth
    parabola = power / (2.0 * 2.0) * depth * (LENGTH - depth)
    rise = heated.field.at_nodes - START
    assert rise.max() > 50.0
    np.testing.assert_allclose(rise + 0.5 * slope * rise**2, parabola, rtol=1e-7, atol=1e-6)
    entries = heated.field.entries()
    assert entries["heat.closure"] < 1e-8
    assert entries["heat.generated [J]"] == pytest.approx(heated.power, rel=1e-10)


def test_the_content_of_the_coupled_species_counts():
    """Electrons of content 0.1 in a film of K (1 + 10 x) = 2 K: half the rise."""
    rises = []
    for medium in (Medium(2.0), Medium(Conductivity(lambda x, T: 2.0 + 20.0 * x + 0.0 * T, "e-"))):
        device = Device(slab(20), resistor(10.0), {"film": {"e-": 0.1}})
        heated = HeatedDevice(device, heat_model(media={"film": medium}, tolerance=1e-9))
        assert heated.steady(3.0, 0.0) > 0
        rises.append(heated.field.at_nodes - START)
    assert rises[0].max() > 1.0
    np.testing.assert_allclose(rises[1], 0.5 * rises[0], rtol=1e-3, atol=1e-9)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(FILES / name, tmp_path / name)
    replace(tmp_path / "case.yaml", "protocol:", f"{SECTION}protocol:")
    replace(tmp_path / "case.yaml", "materials:\n", CURVE)
    return tmp_path / "case.yaml"


def test_a_file_gives_a_formula_and_the_species_that_it_reads(case):
    read = load_case(case)
    model = build_heat_model(read)
    assert model is not None
    found = model.media["WO3"].conductivity
    assert isinstance(found, Conductivity)
    assert (found.couples, float(found.curve(0.25, 600.0))) == ("Li+", 1.5)
    used = {(row.material, row.path): row.text for row in values_used(read)}
    assert "2*x" in used["WO3", "thermal_conductivity"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (COUPLED, "      unit: W/(m K)\n", "name the species whose content is x"),
        (COUPLED, COUPLED.replace("Li+", "Na+"), "unknown species 'Na+'"),
        ("2*x", "2*y", "y"),
    ],
)
def test_mistakes_are_answered(case, old, new, what):
    replace(case, old, new)
    assert what in message(case)


def test_a_formula_of_the_temperature_alone_needs_no_species(case):
    replace(case, COUPLED, "      unit: W/(m K)\n")
    replace(case, "2*x*(T/300)", "0.01*T")
    model = build_heat_model(load_case(case))
    assert model is not None
    found = model.media["WO3"].conductivity
    assert isinstance(found, Conductivity)
    assert found.couples is None


def test_a_heat_of_transport_is_read_and_listed_with_heat_only(case):
    new = (
        "  WO3:\n    species:\n      Li+: {heat_of_transport: {value: -0.8 eV, source: assumed}}\n"
    )
    replace(case, "  WO3:\n    thermal", f"{new}    thermal")
    read = load_case(case)
    assert ("WO3", "species.Li+.heat_of_transport") in {
        (r.material, r.path) for r in values_used(read)
    }
    replace(case, SECTION, "")
    plain = {row.path for row in values_used(load_case(case))}
    assert "species.Li+.heat_of_transport" not in plain
