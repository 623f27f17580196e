"""The dome, coarse: it rises over the debonded area and strains the metal most in its middle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.mechanics import DEFLECTION, PLASTIC, read_mechanics

CASE = Path(__file__).parents[2] / "cases/stress/dome.yaml"
SHORT = (
    "stack.lateral.cells=50",
    "stack.grading.first_cell=50 nm",
    "numerics={max_step: 4 s, step_tolerance: 50 mV}",
    "output.figures=false",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dome") / "out"
    options = [part for one in SHORT for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *options]) == 0
    return folder


def of_metal(fields: Fields, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Radius and values at the corners of the cells of Pt, in the last state."""
    rows = fields.cells[fields.region == fields.region_names.index("Pt")].ravel()
    values = fields.values(name, len(fields.times) - 1)
    return fields.points[rows, 0], values[rows]


def test_it_is_flat_until_it_buckles(run: Path) -> None:
    rise = read_mechanics(run / "mechanics.csv")["deflection.most [m]"]
    assert rise[1] < 5e-9
    assert rise[-1] > 2e-7


def test_the_dome_ends_where_the_films_are_bonded(run: Path) -> None:
    radius, height = of_metal(read_fields(run / "mechanics.vtkhdf"), DEFLECTION)
    assert height[radius < 1e-6].min() > 2e-7
    assert np.abs(height[radius > 10e-6]).max() < 1e-8


def test_metal_flows_most_in_the_middle(run: Path) -> None:
    radius, strain = of_metal(read_fields(run / "mechanics.vtkhdf"), PLASTIC)
    middle, rim = strain[radius < 3e-6].max(), strain[(radius > 4e-6) & (radius < 90e-6)].max()
    assert middle > 1.2 * rim
    assert strain[(radius > 20e-6) & (radius < 80e-6)].max() < 1e-4


def test_lithium_is_kept_and_rounds_are_counted(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["conservation.Li+"] < 1e-11
    assert 1 < summary["coupling.rounds.most"] < 25
