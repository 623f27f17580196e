"""A run with a nucleus in its mesh: cut off while it grows and gone on with, and on two ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.run_directory import RunDirectory
from support.launch import ROOT, launch
from support.restarts import Instants, difference, results

CASE = ROOT / "cases" / "filament" / "nucleated.yaml"
SETTINGS = (
    "stack.grading.first_cell=0.6 nm",
    "stack.lateral.cells=10",
    "output.figures=false",
    "output.checkpoint_every=1 ms",
)
pytestmark = [pytest.mark.slow, pytest.mark.long]


def arguments(folder: Path) -> list[str]:
    settings = [part for one in SETTINGS for part in ("--set", one)]
    return ["run", str(CASE), "-o", str(folder), "--quiet", *settings]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "whole"
    assert main(arguments(folder)) == 0
    return folder


def test_a_run_gone_on_with_while_its_nucleus_forms_is_the_whole_one(whole: Path, tmp_path: Path):
    with Instants(tmp_path / "count") as acts:
        assert main(arguments(tmp_path / "count")) == 0
    count = len(acts.acts)
    cut = {count // 6: tmp_path / "forming", count // 2: tmp_path / "grown"}
    with Instants(tmp_path / "again", cut):
        assert main(arguments(tmp_path / "again")) == 0
    expected = results(whole)
    for folder in cut.values():
        assert "nucleation" in RunDirectory(folder).events.read_text()
        assert main([*arguments(folder), "--resume"]) == 0
        assert RunDirectory(folder).events.read_bytes() == RunDirectory(whole).events.read_bytes()
        assert difference(results(folder), expected) < 1e-6


def test_two_ranks_plant_the_same_nucleus(whole: Path, tmp_path: Path):
    done = launch(2, ["-m", "ionstack", *arguments(tmp_path / "two")])
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (results(folder)["trace"] for folder in (whole, tmp_path / "two"))
    event, again = (RunDirectory(f).events.read_text() for f in (whole, tmp_path / "two"))
    assert len(event.splitlines()) == len(again.splitlines()) == 2
    time, current = "time [s]", "current Ag [A]"
    # Steps differ by round-off that the growth of the nucleus enlarges.
    found = np.interp(one[time], two[time], two[current])
    assert np.abs(found - one[current]).max() < 0.02 * np.abs(one[current]).max()
