"""Conversion in air, shortened: it takes a slow sweep, a soft metal and air together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ionstack.cli import main

CASE = Path(__file__).parents[2] / "cases/stress/conversion.yaml"
SHORT = (
    "stack.grading.first_cell=2 nm",
    "stack.grading.growth=2",
    "protocol.1.hold.duration=1 min",
    "output.figures=false",
    "output.snapshots=none",
)


def simulated(folder: Path, *settings: str) -> dict[str, Any]:
    options = [part for one in (*SHORT, *settings) for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder / "out"), "--quiet", *options]) == 0
    found: dict[str, Any] = json.loads((folder / "out/summary.json").read_text())
    return found


def test_slow_sweep_soft_metal_and_air_bind_lithium(tmp_path: Path) -> None:
    found = simulated(tmp_path)
    assert found["products.bound.Li+ [1]"] > 1e-3
    assert found["products.Pt.open_porosity [1]"] < found["porosity.Pt [1]"]
    # What is lost is bound: the balance counts both.
    assert found["conservation.Li+"] < 1e-10


@pytest.mark.parametrize(
    ("setting", "pores"),
    [
        pytest.param("protocol.0.sweep.rate=1 V/s", False, marks=pytest.mark.long),
        pytest.param("stack.electrodes.top.material=Ti", False, marks=pytest.mark.long),
        ("ambient=vacuum", True),
    ],
)
def test_each_of_them_is_needed(setting: str, pores: bool, tmp_path: Path) -> None:
    found = simulated(tmp_path, setting)
    assert found["products.bound.Li+ [1]"] < 1e-5
    assert (found["porosity.Pt [1]"] > 0.05) == pores
