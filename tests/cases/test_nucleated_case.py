"""Silver that nucleates by itself, coarse and short and with noise: cut off, and on two ranks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.events import read_events
from ionstack.output.field_reader import read_fields
from ionstack.output.trace import read_trace
from support.launch import launch
from support.restarts import Instants, difference, results

CASE = Path(__file__).parents[2] / "cases/filament/nucleated.yaml"
HOLD = "{hold: {contact: Ag, voltage: 0.25 V, duration: 3 ms, rise: 30 us}, compliance: 20 uA}"
NOISE = "{correlation_time: {value: 100 us, source: test}, flows: {SiO2: [Ag]}}"
SETTINGS = [
    part
    for one in (
        "stack.grading.first_cell=0.4 nm",
        "stack.lateral.cells=10",
        f"protocol=[{HOLD}]",
        f"noise={NOISE}",
        "nucleation.Pt.law.prefactor.value=1e24 1/(m^2*s)",
        "output.figures=false",
    )
    for part in ("--set", one)
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run, beside it one as a kill has left it."""
    folder = tmp_path_factory.mktemp("nucleated")
    with Instants(folder / "whole", {60: folder / "cut"}):
        assert main(["run", str(CASE), "-o", str(folder / "whole"), "--quiet", *SETTINGS]) == 0
    return folder / "whole"


@pytest.mark.long
def test_a_nucleus_gets_its_atoms_from_the_film(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["nuclei.Pt.SiO2"] == 1
    assert summary["nuclei.Pt.SiO2.forming"] == 0
    assert summary["noise.drawn"] > 10
    assert summary["current_sum"] < 1e-9
    assert len(read_events(whole / "events.csv")) == 1
    fields = read_fields(whole / "fields.vtkhdf")
    silver = fields.values("x Ag [1]", -1)
    foot = (fields.points[:, 0] < 1e-12) & (fields.depth > 5.9e-9)
    assert silver[foot].min() > 0.9
    assert silver[fields.points[:, 0] > 4e-9].max() < 0.1


@pytest.mark.long
def test_a_run_that_was_cut_off_goes_on(whole: Path) -> None:
    cut = whole.parent / "cut"
    assert main(["run", str(CASE), "-o", str(cut), "--quiet", *SETTINGS, "--resume"]) == 0
    assert difference(results(cut), results(whole)) < 1e-9


@pytest.mark.long
def test_two_ranks_find_the_same(whole: Path, tmp_path: Path) -> None:
    arguments = ["-m", "ionstack", "run", str(CASE), "-o", str(tmp_path / "two"), "--quiet"]
    done = launch(2, [*arguments, *SETTINGS])
    assert done.returncode == 0, done.stderr[-3000:]
    traces = [read_trace(folder / "trace.csv") for folder in (tmp_path / "two", whole)]
    for name in ("time [s]", "current Ag [A]"):
        found, expected = (trace[name] for trace in traces)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
