"""Nucleation under a bump: events where the field is focused, each of which ends its sweep."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.events import read_events
from ionstack.output.steps import read_steps
from ionstack.output.trace import TIME, read_rows

CASE = Path(__file__).parents[2] / "cases/filament/focus.yaml"


@pytest.mark.slow
def test_every_sweep_ends_at_a_nucleus_under_the_bump(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    settings = ("protocol.0.repeat.times=3", "stack.grading.first_cell=0.5 nm")
    options = [word for one in settings for word in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *options]) == 0
    events = read_events(folder / "events.csv")
    sweeps = [step for step in read_steps(folder / "steps.csv") if step.kind == "sweep"]
    assert len(sweeps) == 3
    for step in sweeps:
        assert step.ended_by == "event Ag.nucleation"
        (event,) = [one for one in events if one.time == step.end]
        assert event.x < 2.1e-9
        assert event.depth > 0.0
        assert 0.15 < event.voltage < 0.35
    rows, trace = (
        read_rows(folder / name, "a table", TIME) for name in ("nucleation.csv", "trace.csv")
    )
    np.testing.assert_array_equal(rows[TIME], trace[TIME])
    rate, wait = rows["rate.Ag [1/s]"], rows["wait.Ag [s]"]
    np.testing.assert_allclose(rate * np.where(rate > 0.0, wait, 1.0), rate > 0.0, rtol=1e-12)
    # The time of an event is where about one is expected.
    expected = np.trapezoid(rate, rows[TIME])
    assert 0.2 < expected / len(events) < 5.0
    assert rows["barrier.Ag [eV]"][rate.argmax()] == rows["barrier.Ag [eV]"].min() > 0.0
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["events.Ag.nucleation"] == len(events)
    assert (folder / "figures" / "events.png").exists()
