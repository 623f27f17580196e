"""Case filament/competition on coarse cells: of two filaments the narrower gap closes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ionstack.cli import main
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.names import site_fraction
from ionstack.output.trace import read_trace

ROOT = Path(__file__).parents[2]
CASE = ROOT / "cases" / "filament" / "competition.yaml"
COARSE = (
    "stack.lateral.cells=20",
    "stack.grading.first_cell=1 nm",
    "heat.tolerance=3 K",
    "numerics.max_step=0.1 s",
    "output.figures=false",
)
MIDDLE = 30e-9


def most(fields: Fields, right: bool) -> float:
    """Largest content at the bottom electrode in one half of the device."""
    bottom = fields.depth == fields.depth.max()
    there = bottom & ((fields.points[:, 0] > MIDDLE) == right)
    return float(fields.values(site_fraction("V_O+"), len(fields.times) - 1)[there].max())


def test_the_compliance_leaves_the_wider_gap_open(tmp_path: Path) -> None:
    options = [part for one in COARSE for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(tmp_path / "out"), "--quiet", *options]) == 0
    fields = read_fields(tmp_path / "out" / "fields.vtkhdf")
    assert most(fields, right=True) > 0.2
    assert most(fields, right=False) < 0.05
    current = read_trace(tmp_path / "out" / "trace.csv")["current TE [A]"]
    np.testing.assert_allclose(current.max(), 3e-4, rtol=1e-4)
    np.testing.assert_allclose(current[-1], 0.0, atol=1e-8)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["conservation.V_O+"] < 1e-12
    assert summary["heat.closure"] < 1e-9
