"""Synaptic pulses, shortened: up and down, saturating, and what other programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.pulses import read_pulses

PULSES = Path(__file__).parents[2] / "cases/all_in_one/pulses.yaml"
SHORT = (
    "protocol.1.repeat.steps.0.pulses.number=4",
    "protocol.1.repeat.steps.1.pulses.number=4",
    "protocol.2.pairs.gaps=[5 ms, 50 ms]",
    "protocol.3.pulses.number=2",
    "stack.grading.first_cell=1 nm",
    "stack.grading.growth=2",
    "output.figures=false",
    "output.snapshots=none",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pulses") / "out"
    options = [part for one in SHORT for part in ("--set", one)]
    assert main(["run", str(PULSES), "-o", str(folder), "--quiet", *options]) == 0
    return folder


def _conductance(folder: Path, step: int) -> np.ndarray:
    table = read_pulses(folder / "pulses.csv")
    rows = (table["kind [1]"] == 1.0) & (table["step [1]"] == step)
    return table["current [A]"][rows] / table["voltage [V]"][rows]


def test_lithium_is_kept(run: Path) -> None:
    assert json.loads((run / "summary.json").read_text())["conservation.Li+"] < 1e-11


def test_potentiation_and_depression_saturate(run: Path) -> None:
    """S0-03: up with -5 V, down with +5 V, every change smaller than the one before."""
    up, down = np.diff(_conductance(run, 1)), np.diff(_conductance(run, 2))
    assert np.all(up > 0.0)
    assert np.all(np.diff(up) < 0.0)
    assert np.all(down < 0.0)
    assert np.all(np.diff(down) > 0.0)


def test_labels_have_their_signs_and_a_file_for_aihwkit(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["ltp.up.label"] > 0.0
    assert summary["ltp.down.label"] < 0.0
    assert (run / "instruments/ltp_aihwkit.csv").stat().st_size > 0


def test_a_pair_remembers_less_after_a_longer_interval(run: Path) -> None:
    table = read_pulses(run / "pulses.csv")
    pulses = table["kind [1]"] == 0.0
    pair = [table["current [A]"][pulses & (table["step [1]"] == 3) & (table["group [1]"] == n)]
            for n in (1, 2)]  # fmt: skip
    change = [abs(second / first - 1.0) for first, second in pair]
    assert change[0] > change[1] > 0.0
