"""Pulses and reads from the case file to the table and the figure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from ionstack.cli import main
from ionstack.output.pulses import read_pulses
from ionstack.output.trace import read_trace
from support.devices import ANALOG, COARSE

PULSES = {
    "contact": "Pt", "amplitude": "-1 V", "width": "0.2 s", "gap": "0.5 s", "number": 6,
    "read": {"voltage": "-0.2 V", "width": "0.1 s", "delay": "0.2 s", "every": 2},
}  # fmt: skip
REST = {"contact": "Pt", "voltage": "0 V", "duration": "1000 s"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pulses")
    case = yaml.safe_load(ANALOG.read_text())
    case["stack"] = str((ANALOG.parent / case["stack"]).resolve())
    case["numerics"] = {}
    case["instruments"] = "auto"
    case["protocol"] = [{"hold": REST}, {"pulses": PULSES}]
    file = folder / "case.yaml"
    file.write_text(yaml.safe_dump(case))
    settings = [part for one in COARSE for part in ("--set", one)]
    assert main(["run", str(file), "-o", str(folder / "out"), "--quiet", *settings]) == 0
    return folder / "out"


def test_every_pulse_and_read_has_its_row(run):
    table = read_pulses(run / "pulses.csv")
    assert table["kind [1]"].tolist() == [0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert table["number [1]"].tolist() == [1, 2, 2, 3, 4, 4, 5, 6, 6]
    assert table["voltage [V]"].tolist() == [-1, -1, -0.2] * 3
    width = table["end [s]"] - table["start [s]"]
    assert width == pytest.approx(np.array([0.2, 0.2, 0.1] * 3))


def test_rows_agree_with_the_trace(run):
    table, trace = read_pulses(run / "pulses.csv"), read_trace(run / "trace.csv")
    rows = np.searchsorted(trace["time [s]"], table["end [s]"])
    assert trace["time [s]"][rows].tolist() == table["end [s]"].tolist()
    assert trace["current Pt [A]"][rows] == pytest.approx(table["current [A]"])
    # The charge of the first pulse: its flat part and its edges.
    edge = 2e-3
    time, current = trace["time [s]"], trace["current Pt [A]"]
    inside = (time > table["start [s]"][0] - 1.5 * edge) & (time < table["end [s]"][0] + 1.5 * edge)
    assert table["charge [C]"][0] == pytest.approx(
        np.trapezoid(current[inside], time[inside]), rel=0.1
    )
    assert np.all(table["energy [J]"] > 0.0)


def test_pulses_change_the_conductance(run):
    table = read_pulses(run / "pulses.csv")
    reads = table["kind [1]"] == 1
    conductance = table["current [A]"][reads] / table["voltage [V]"][reads]
    assert np.all(np.diff(conductance) > 0.0)


def test_steps_recover_after_a_rest_without_slivers(run):
    trace = read_trace(run / "trace.csv")
    steps = trace["step [s]"][1:]
    # An edge of 2 ms after 1000 s of rest, and back to tenths of seconds between pulses.
    assert steps.max() > 10.0
    after = trace["time [s]"][1:] > 1000.0
    assert steps[after].max() > 0.02
    assert steps.min() > 1e-9
    assert len(steps) < 1500


def test_pictures_are_of_steps_not_of_edges(run):
    assert (run / "figures" / "pulses.png").stat().st_size > 10_000
    summary = json.loads((run / "summary.json").read_text())
    assert summary["conservation.Li+"] < 1e-12
    assert (run / "fields.vtkhdf").stat().st_size < 5e6
