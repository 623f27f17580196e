"""Campaigns that are run: failing points, killed ones, several groups of ranks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output import summary
from ionstack.output.campaign import COMPLETED, FAILED, CampaignDirectory, status
from support.campaigns import POINTS, ROOT, TOLERANCES, read_table, sweep_command
from support.launch import launch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> CampaignDirectory:
    """A campaign whose second point of three fails."""
    folder = tmp_path_factory.mktemp("campaign") / "out"
    assert main(sweep_command(folder, TOLERANCES)) == 3
    return CampaignDirectory(folder)


def test_a_point_that_fails_does_not_stop_the_others(failing: CampaignDirectory) -> None:
    rows = read_table(failing.path)
    assert tuple(row["point"] for row in rows) == POINTS
    assert [row["status"] for row in rows] == [COMPLETED, FAILED, COMPLETED]
    assert [bool(row["message"]) for row in rows] == [False, True, False]
    assert "step rejected" in rows[1]["message"]
    assert [float(row["numerics.step_tolerance [mV]"]) for row in rows] == [0.5, 1e-12, 1.0]
    currents = [float(row["current_max [A]"]) for row in (rows[0], rows[2])]
    assert currents[0] == pytest.approx(currents[1], rel=1e-3)
    assert failing.overlay.exists()


def test_points_are_runs_with_logs_of_their_own(failing: CampaignDirectory) -> None:
    for point in POINTS:
        run = failing.run(point)
        assert "results in" in run.log.read_text()
        assert run.trace.exists()
        assert summary.read(run.summary)["mpi.ranks"] == 1
    log = failing.log.read_text()
    for point in POINTS:
        assert log.count(f"group 1: {point} started") == 1
    assert "2 of 3 points completed" in log


def test_resume_keeps_what_is_finished_and_runs_the_failed_anew(
    failing: CampaignDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    table, log = failing.table.read_text(), failing.log.read_text()
    before = {point: failing.run(point).trace.stat().st_mtime_ns for point in POINTS}
    assert main([*sweep_command(failing.path, TOLERANCES), "--resume"]) == 3
    assert f"1 of 3 points failed: {POINTS[1]}" in capsys.readouterr().err
    new = failing.log.read_text().removeprefix(log)
    for point in (POINTS[0], POINTS[2]):
        assert failing.run(point).trace.stat().st_mtime_ns == before[point]
        assert f"{point} is finished already; skipped" in new
        assert f"{point} started" not in new
    assert failing.run(POINTS[1]).trace.stat().st_mtime_ns > before[POINTS[1]]
    kept = [0, 1, 3]
    lines = [text.splitlines() for text in (table, failing.table.read_text())]
    assert [lines[0][row] for row in kept] == [lines[1][row] for row in kept]


def test_another_campaign_is_refused_before_anything_is_touched(
    failing: CampaignDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    before = failing.table.read_text()
    assert main(sweep_command(failing.path, "temperature=300 K,310 K")) == 2
    assert "holds the results of another campaign" in capsys.readouterr().err
    assert failing.table.read_text() == before
    assert all(failing.run(point).summary.exists() for point in POINTS)


def test_two_groups_give_the_same_table(failing: CampaignDirectory, tmp_path: Path) -> None:
    done = launch(2, ["-m", "ionstack", *sweep_command(tmp_path / "out", TOLERANCES)])
    assert done.returncode == 3, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    one, two = read_table(failing.path), read_table(tmp_path / "out")
    for key in ("point", "status", "numerics.step_tolerance [mV]", "mpi.ranks"):
        assert [row[key] for row in one] == [row[key] for row in two]
    # The point that fails ends where round-off decides.
    for here, there in ((one[0], two[0]), (one[2], two[2])):
        assert list(here) == list(there)
        drops = [
            key for key in here if key.startswith(("current_max", "electron_energy_drop.most"))
        ]
        found = [np.array([float(row[key]) for key in drops]) for row in (here, there)]
        np.testing.assert_allclose(found[1], found[0], rtol=1e-7, atol=1e-12)
    log = CampaignDirectory(tmp_path / "out").log.read_text()
    assert "3 of 3 points to run, 2 groups of 1 rank" in log
    assert all(f"group {group}: " in log for group in (1, 2))


def test_a_killed_campaign_goes_on_with_the_same_command(tmp_path: Path) -> None:
    folder = CampaignDirectory(tmp_path / "out")
    command = sweep_command(folder.path, "temperature=290 K:310 K:3")
    points = [f"0{n}-temperature_{kelvin}K" for n, kelvin in ((1, 290), (2, 300), (3, 310))]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "solver")}
    program = [sys.executable, "-m", "ionstack", *command]
    with subprocess.Popen(program, cwd=ROOT, env=environment) as running:
        while running.poll() is None and not folder.run(points[1]).trace.exists():
            time.sleep(0.01)
        running.kill()
    finished = [point for point in points if status(folder, point)[0] == COMPLETED]
    assert points[0] in finished
    assert len(finished) < 3
    assert main([*command, "--resume"]) == 0
    log = folder.log.read_text()
    assert [point for point in points if f"{point} is finished already" in log] == finished
    assert [row["status"] for row in read_table(folder.path)] == [COMPLETED] * 3


def test_ranks_that_cannot_be_grouped_are_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*sweep_command(tmp_path / "out", TOLERANCES), "--group", "2"]) == 2
    assert "1 rank cannot be parted into groups of 2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
