"""Events of a run that is cut off and gone on with come at the instants of a whole run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ionstack.cli import main
from ionstack.output.run_directory import RunDirectory
from support.launch import ROOT
from support.restarts import Instants

CASE = ROOT / "cases" / "filament" / "threshold.yaml"
SETTINGS = (
    "protocol.0.sweep.cycles=2",
    "circuit.elements.F1.atoms_lost=500",
    "output.figures=false",
    "output.checkpoint_every=1 ms",
)


def run(folder: Path, *options: str) -> None:
    settings = [part for one in SETTINGS for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *settings, *options]) == 0


@pytest.mark.slow
def test_events_of_a_run_gone_on_with_are_those_of_a_whole_one(tmp_path):
    with Instants(tmp_path / "whole") as acts:
        run(tmp_path / "whole")
    count = len(acts.acts)
    cut = {count // 3: tmp_path / "early", 4 * count // 5: tmp_path / "late"}
    with Instants(tmp_path / "again", cut):
        run(tmp_path / "again")
    whole = RunDirectory(tmp_path / "whole")
    counts = {k: v for k, v in told(whole).items() if k.startswith("events.")}
    assert counts["events.F1.nucleation"] == 2
    assert counts["events.F1.loss"] > 10
    for folder in cut.values():
        broken = RunDirectory(folder)
        lines = len(broken.events.read_bytes().splitlines())
        assert 2 < lines < len(whole.events.read_bytes().splitlines())
        run(folder, "--resume")
        assert broken.events.read_bytes() == whole.events.read_bytes()
        assert {k: told(broken)[k] for k in counts} == counts


def told(run: RunDirectory) -> dict[str, float]:
    """The summary of a run."""
    found: dict[str, float] = json.loads(run.summary.read_text())
    return found
