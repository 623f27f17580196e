"""Runs that ended early, and files that do not fit: a line of the log, never the end."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from ionstack.cli import main
from ionstack.instruments.run import run_instruments
from ionstack.output.steps import StepRow, StepWriter, read_steps
from ionstack.output.trace import read_trace
from support.devices import ROOT
from support.runs import HandMade, request


def triangle(conductance: float, share: float = 1.0) -> tuple:
    """A triangle to 1 V, of which a share is done."""
    volts = np.concatenate([np.linspace(0, 1, 41)[1:], np.linspace(1, 0, 41)[1:]])
    count = int(share * 80)
    return np.arange(1, 81)[:count] / 40, volts[:count], conductance * volts[:count]


def test_a_step_that_was_cut_off_counts_as_far_as_it_got(tmp_path):
    run = HandMade().step("sweep", *triangle(1e-6), 1)
    run.step("sweep", *triangle(2e-6, 0.8), 2, finished=False).write(tmp_path)
    found = run_instruments(tmp_path, figures=False)
    assert found.lines == ("instruments: iv",)
    assert found.entries["iv.positive.sweeps"] == 2
    assert found.entries["iv.positive.conductance.out [S]"] == pytest.approx(1.5e-6)


def test_a_run_cut_off_in_its_first_step(tmp_path):
    run = HandMade().step("sweep", *triangle(1e-6, 0.7), 1, finished=False)
    run.write(tmp_path)
    assert read_steps(tmp_path / "steps.csv") == ()
    found = run_instruments(tmp_path, figures=False)
    assert found.entries["iv.positive.conductance.out [S]"] == pytest.approx(1e-6)


def test_steps_of_a_repeat_are_told_by_the_case_file(tmp_path):
    run = HandMade().step("sweep", *triangle(1e-6), 1)
    run.step("sweep", *triangle(2e-6, 0.8), 2, finished=False)
    for row in run.trace[1:]:
        row[-1] = 1
    run.planned = [{"repeat": {"times": 5, "steps": [{"sweep": {"contact": "Pt"}}]}}]
    run.write(tmp_path)
    found = run_instruments(tmp_path, figures=False)
    assert found.entries["iv.positive.sweeps"] == 2


def test_too_few_rows_are_a_line_and_the_others_go_on(tmp_path):
    run = HandMade().step("sweep", *triangle(1e-6), 1)
    run.step("open_circuit", [1.0], [0.5], [0.0]).write(tmp_path)
    found = run_instruments(tmp_path, figures=False)
    assert found.lines[0] == "instruments: iv"
    (line,) = found.lines[1:]
    assert line.startswith("instrument selfdischarge: ")
    assert "3 values" in line


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (request("ltp"), "the run has no step for it (pulses)"),
        (request("iv", contact="Au"), "the trace has no contact 'Au'; there are Pt, ITO"),
        (request("retention"), "Pt is read at 0 V"),
    ],
)
def test_what_is_missing_is_said(tmp_path, wanted, answer):
    run = HandMade().step("sweep", *triangle(1e-6), 1)
    run.step("hold", [1.0, 2.0, 3.0, 4.0], [0.0] * 4, [1e-9] * 4).write(tmp_path, [wanted])
    found = run_instruments(tmp_path, figures=False)
    assert found.entries == {}
    assert answer in found.lines[0]


@pytest.mark.parametrize(
    ("file", "text", "answer"),
    [
        ("steps.csv", "a,b\n1,2\n", "steps.csv:1: is not a table of steps"),
        ("case.yaml", "instruments: [3]\n", "case.yaml: instruments: is not the record of a run"),
        ("trace.csv", "time\n", "trace.csv:1: is not a trace"),
    ],
)
def test_damaged_files_are_a_line(tmp_path, file, text, answer):
    HandMade().step("sweep", *triangle(1e-6), 1).write(tmp_path)
    (tmp_path / file).write_text(text)
    found = run_instruments(tmp_path)
    assert found.entries == {}
    assert answer in found.lines[0]


def test_a_torn_last_line_is_left_out(tmp_path):
    HandMade().step("sweep", *triangle(1e-6), 1).write(tmp_path)
    with (tmp_path / "steps.csv").open("a") as file:
        file.write("2,,sweep,P")
    assert len(read_steps(tmp_path / "steps.csv")) == 1


def test_steps_are_read_as_written(tmp_path):
    rows = (
        StepRow(1, "set, first", "sweep", "Pt", 0.0, 0.1 + 0.2, "its end"),
        StepRow(2, "", "current", "Pt", 0.1 + 0.2, 7.0, "until: voltage above 1 V"),
    )
    writer = StepWriter(tmp_path / "steps.csv")
    for row in rows:
        writer.append(row)
    writer.close()
    assert read_steps(tmp_path / "steps.csv") == rows


def test_times_without_enough_digits_do_not_end_a_curve(tmp_path):
    run = HandMade().step("hold", [1e9], [0.0], [0.0])
    time, volts, amps = triangle(1e-6)
    run.step("sweep", [1e-9, *time], [1e-9, *volts], [0.0, *amps], 1).write(tmp_path)
    found = run_instruments(tmp_path, figures=False)
    assert found.entries["iv.positive.conductance [S]"] == pytest.approx(1e-6)


def test_many_steps_do_not_make_many_figures(tmp_path):
    run = HandMade()
    for _ in range(23):
        run.step("open_circuit", [1.0, 2.0, 3.0, 4.0], [0.4, 0.3, 0.2, 0.1], [0.0] * 4)
    run.write(tmp_path)
    found = run_instruments(tmp_path, figures=False)
    assert sum("time_constant" in key for key in found.entries) == 20
    assert found.lines[-1].startswith("instrument selfdischarge: 3 more steps")


def test_results_of_before_are_replaced_and_other_files_stay(tmp_path):
    HandMade().step("sweep", *triangle(1e-6), 1).write(tmp_path)
    run_instruments(tmp_path, figures=False)
    (tmp_path / "instruments/notes.md").write_text("mine")
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({"instruments": []}))
    assert run_instruments(tmp_path).paths == ()
    assert [one.name for one in (tmp_path / "instruments").iterdir()] == ["notes.md"]


@pytest.fixture(scope="module")
def diode(tmp_path_factory):
    """A run of the smallest case, with its table of steps."""
    out = tmp_path_factory.mktemp("diode") / "out"
    case = ROOT / "cases/basics/pn_diode.yaml"
    settings = ["--set", "output.snapshots=none"]
    assert main(["run", str(case), "-o", str(out), "--quiet", *settings]) == 0
    return out


def test_a_run_reads_its_own_curve(diode, capsys):
    trace = read_trace(diode / "trace.csv")
    if not (diode / "steps.csv").exists():
        writer = StepWriter(diode / "steps.csv")
        writer.append(StepRow(1, "", "sweep", "anode", 0.0, float(trace["time [s]"][-1]), ""))
        writer.close()
    assert main(["plot", str(diode)]) == 0
    printed = capsys.readouterr().out
    assert f"{diode}/instruments/iv.png" in printed
    assert "instruments: iv" in printed
    numbers = json.loads((diode / "instruments/iv.json").read_text())
    assert numbers["positive.sweeps"] == 1
    # Both branches at half the amplitude, from the trace itself.
    volts, amps = trace["voltage anode [V]"], trace["current anode [A]"]
    top = int(np.argmax(volts))
    out = np.interp(0.35, volts[: top + 1], amps[: top + 1]) / 0.35
    assert numbers["positive.conductance.out [S]"] == pytest.approx(out)
    assert numbers["positive.energy [J]"] > 0.0


def test_the_summary_of_a_run_has_the_numbers(diode):
    summary = json.loads((diode / "summary.json").read_text())
    assert summary["timing.instruments [s]"] >= 0.0
    log = (diode / "log.txt").read_text()
    if "no instruments" not in log:
        own = json.loads((diode / "instruments/iv.json").read_text())
        assert summary["iv.positive.loop_area [W]"] == own["positive.loop_area [W]"]
