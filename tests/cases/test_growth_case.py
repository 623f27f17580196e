"""The filament of silver as a field, coarse and short: growth, ranks, a run that was cut off."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.field_reader import read_fields
from ionstack.output.trace import TIME, read_rows, read_trace
from support.launch import launch
from support.restarts import Instants, difference, results

CASE = Path(__file__).parents[2] / "cases/filament/growth.yaml"
HOLD = "{hold: {contact: Ag, voltage: 0.25 V, duration: 0.3 ms, rise: 30 us}, compliance: 20 uA}"
SETTINGS = [
    part
    for one in (
        "stack.grading.first_cell=0.4 nm",
        "stack.lateral.cells=10",
        f"protocol=[{HOLD}]",
        "output.figures=false",
    )
    for part in ("--set", one)
]


def run(folder: Path, *options: str) -> None:
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *SETTINGS, *options]) == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run, beside it one as a kill has left it."""
    folder = tmp_path_factory.mktemp("growth")
    with Instants(folder / "whole", {40: folder / "cut"}):
        run(folder / "whole")
    return folder / "whole"


def test_a_filament_grows_from_its_seed(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["current_sum"] < 1e-9
    fields = read_fields(whole / "fields.vtkhdf")
    axis = np.flatnonzero(fields.points[:, 0] < 1e-12)
    axis = axis[np.argsort(fields.depth[axis])]
    # Where the content on the axis passes that from which it is metal.
    first, last = (
        np.interp(0.4, fields.values("x Ag [1]", step)[axis], fields.depth[axis])
        for step in (0, -1)
    )
    assert last < first - 1e-10
    assert summary["gap.width [m]"] == pytest.approx(last, rel=0.03)
    trace, gap = read_trace(whole / "trace.csv"), read_rows(whole / "gap.csv", "gaps", TIME)
    assert np.array_equal(gap[TIME], trace[TIME])
    assert gap["gap.width [m]"][-1] == summary["gap.width [m]"]
    assert gap["gap.width [m]"].min() == summary["gap.narrowest [m]"]
    assert trace["current Ag [A]"][-1] > 0.0


@pytest.mark.long
def test_a_run_that_was_cut_off_goes_on(whole: Path) -> None:
    cut = whole.parent / "cut"
    run(cut, "--resume")
    assert difference(results(cut), results(whole)) < 1e-9
    found, expected = (read_rows(folder / "gap.csv", "gaps", TIME) for folder in (cut, whole))
    np.testing.assert_allclose(found["gap.width [m]"], expected["gap.width [m]"], rtol=1e-9)
    assert main(["plot", str(cut)]) == 0
    assert (cut / "figures" / "neutral_map.png").exists()


@pytest.mark.long
def test_two_ranks_find_the_same(whole: Path, tmp_path: Path) -> None:
    arguments = ["-m", "ionstack", "run", str(CASE), "-o", str(tmp_path / "two"), "--quiet"]
    done = launch(2, [*arguments, *SETTINGS])
    assert done.returncode == 0, done.stderr[-3000:]
    traces = [read_trace(folder / "trace.csv") for folder in (tmp_path / "two", whole)]
    for name in ("time [s]", "current Ag [A]"):
        found, expected = (trace[name] for trace in traces)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max())
