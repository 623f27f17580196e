"""Products of air over a dome, coarse: they lie where the strain has opened the metal (S0-35)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.field_reader import read_fields
from ionstack.output.mechanics import POROSITY
from ionstack.output.names import areal_amount, products_in

pytestmark = pytest.mark.long

CASE = Path(__file__).parents[2] / "cases/stress/converted_dome.yaml"
SHORT = (
    "stack.lateral.cells=50",
    "stack.grading.first_cell=50 nm",
    "protocol.1.hold.duration=10 s",
    "numerics={max_step: 4 s, step_tolerance: 50 mV}",
)
BONDED = ("mechanics.debonds=[]", "mechanics.rotations=small")


def simulated(folder: Path, *settings: str) -> dict[str, Any]:
    options = [part for one in (*SHORT, *settings) for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *options]) == 0
    return dict(json.loads((folder / "summary.json").read_text()))


def test_products_lie_over_the_dome(tmp_path: Path) -> None:
    found = simulated(tmp_path / "out")
    assert found["conservation.Li+"] < 1e-10
    fields = read_fields(tmp_path / "out/fields.vtkhdf")
    last = len(fields.times) - 1
    amounts = sum(fields.values(areal_amount(one), last) for one in products_in(fields.names))
    held = np.isfinite(amounts)
    radius, amount = fields.points[held, 0], np.asarray(amounts)[held]
    assert amount[radius < 5e-6].min() > 1e18
    # The free edge of the metal yields too and is no part of what the row says.
    assert amount[(radius > 10e-6) & (radius < 95e-6)].max() < 1e12
    body = read_fields(tmp_path / "out/mechanics.vtkhdf")
    assert body.values(POROSITY, len(body.times) - 1).max() > 0.1
    assert (tmp_path / "out/figures/products.png").exists()


def test_without_a_dome_there_are_none(tmp_path: Path) -> None:
    found = simulated(tmp_path / "out", "output.figures=false", *BONDED)
    assert found["products.bound.Li+ [1]"] < 1e-6
