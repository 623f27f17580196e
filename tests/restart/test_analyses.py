"""A case's surface analyses are done when a resumed run ends, and again from its files."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ionstack.cli import main
from ionstack.output import rows
from ionstack.output.counts import read_counts
from ionstack.surface_analysis.planned import run_planned
from support.restarts import SETTINGS, write_case

pytestmark = pytest.mark.usefixtures("quick")

WANTED = {
    "kind": "tof_sims",
    "setup": "ours.yaml",
    "states": ["start", "rest"],
    "signals": ["Li+"],
    "map": True,
}
SETUP = """
title: ours
kind: tof_sims
sputter: {rate: 0.1 nm/s, cycle: 40 s}
signals: {Li+: {of: Li, source: assumed}}
imaging: {pixels: 4, depths: 5}
counting: {counts: 100}
"""


def test_a_run_that_was_cut_off_is_analysed_at_its_end(tmp_path: Path, monkeypatch: Any) -> None:
    case, out = tmp_path / "case.yaml", tmp_path / "out"
    (tmp_path / "ours.yaml").write_text(SETUP)
    steps = [
        {"sweep": {"contact": "Pt", "amplitude": "-0.1 V", "rate": "1 V/s"}},
        {"name": "rest", "hold": {"contact": "Pt", "voltage": "0.1 V", "duration": "1 s"}},
    ]
    write_case(case, protocol=steps, instruments=[WANTED])
    command = ["run", str(case), "-o", str(out), "--quiet", *SETTINGS]
    append, count = rows.RowFile.append, iter(range(1, 10**6))

    def interrupted(self: rows.RowFile, cells: Any) -> None:
        append(self, cells)
        if next(count) == 10:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(rows.RowFile, "append", interrupted)
        assert main(command) == 143
    assert not (out / "sims").exists()
    # The folder of a failed run stays locked as long as its traceback lives.
    gc.collect()
    assert main([*command, "--resume"]) == 0
    table = out / "sims/sims_profile.csv"
    found = read_counts(table)
    assert [one.state for one in found] == ["start", "rest"]
    assert list(found[0].counts) == ["Li+"]
    assert (out / "sims/sims_map_rest.vti").exists()
    assert not list(out.glob("sims/*.png"))
    before = table.read_text()
    table.unlink()
    (tmp_path / "ours.yaml").unlink()
    done = run_planned(out)
    assert table.read_text() == before
    assert out / "sims/sims_profiles.png" in done.paths
    assert done.lines == ("analysis tof_sims: 7 files in sims",)
