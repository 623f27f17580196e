"""The stressed device from its file to its results, shortened: rate, books, kills, ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ionstack.casefile.case import load_case
from ionstack.cli import main
from ionstack.output.mechanics import read_mechanics
from support.restarts import Instants, run

CASE = Path(__file__).parents[2] / "cases/stress/bilayer.yaml"
SHORT = (
    "protocol.0.sweep.amplitude=-0.5 V",
    "stack.grading.first_cell=2 nm",
    "stack.grading.growth=2",
    "numerics.max_step=1 s",
    "output.figures=false",
    "output.snapshots=none",
)


def simulated(folder: Path, *settings: str) -> Path:
    options = [part for one in (*SHORT, *settings) for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *options]) == 0
    return folder


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("slow") / "out")


def test_lithium_is_kept_and_every_step_needs_one_round_on_a_clamp(slow: Path):
    found = summary(slow)
    assert found["conservation.Li+"] < 1e-11
    # The metal flows, the hosts are linear: nothing is left for a second round.
    assert found["coupling.rounds.most"] == 1


def test_stress_and_growth_are_those_of_the_closed_form_at_every_time(slow: Path):
    """Growth and stress of a clamped film are in a fixed ratio, whatever the lithium does."""
    table = read_mechanics(slow / "mechanics.csv")
    E, nu, thickness = 110e9, 0.26, 100e-9
    stress, growth = table["stress.WO3 [Pa]"], table["growth.WO3 [m]"]
    np.testing.assert_allclose(growth / thickness, -stress * (1.0 + nu) / E, rtol=1e-9, atol=1e-15)
    assert stress.min() < -1e8


def test_a_fast_sweep_stresses_less_and_leaves_the_metal_dense(slow: Path, tmp_path: Path):
    fast = read_mechanics(
        simulated(tmp_path / "fast", "protocol.0.sweep.rate=5 V/s") / "mechanics.csv"
    )
    table = read_mechanics(slow / "mechanics.csv")
    assert fast["stress.WO3 [Pa]"].min() > 0.5 * table["stress.WO3 [Pa]"].min()
    assert fast["porosity.Pt [1]"][-1] < table["porosity.Pt [1]"][-1]
    assert np.all(np.diff(table["plastic_strain.Pt [1]"]) >= 0.0)


def test_stress_pushes_lithium_back(slow: Path, tmp_path: Path):
    """A host that resists takes up less: growth per lithium is the same, soft or stiff."""
    nothing = "materials.WO3.mechanics.young_modulus={value: 1 kPa, source: soft}"
    soft = read_mechanics(simulated(tmp_path / "soft", nothing) / "mechanics.csv")
    stiff = read_mechanics(slow / "mechanics.csv")
    ratio = stiff["growth.WO3 [m]"].max() / soft["growth.WO3 [m]"].max()
    assert 0.9 < ratio < 0.99


def test_a_killed_run_goes_on_to_the_same_strains(slow: Path, tmp_path: Path):
    case = load_case(CASE, [*SHORT, "output.checkpoint_every=1 ns"])
    with Instants(tmp_path / "counted") as instants:
        run(case, tmp_path / "counted")
    act = len(instants.acts) * 2 // 3
    with Instants(tmp_path / "run", {act: tmp_path / "killed"}):
        run(case, tmp_path / "run")
    run(case, tmp_path / "killed", resume=True)
    expected, found = (
        read_mechanics(tmp_path / one / "mechanics.csv") for one in ("run", "killed")
    )
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=0.0, err_msg=name)
