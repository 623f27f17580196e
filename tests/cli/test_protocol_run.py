"""Every kind of step in a row, from the case file to the tables of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.spectra import read_spectra
from ionstack.output.steps import read_steps
from ionstack.output.trace import read_trace

DIODE = Path(__file__).parents[2] / "cases/basics/pn_diode.yaml"
CIRCUIT = """
circuit:
  sources:
    V1: {node: in}
  elements:
    R1: {kind: resistor, nodes: [in, anode], resistance: 1 kohm}
    S1: {kind: switch, nodes: [in, anode], on: 1 ohm, off: 1 Gohm}
"""
PROTOCOL = """
protocol:
  - impedance: {contact: anode, frequencies: {lowest: 1 kHz, highest: 1 MHz, per_decade: 2}}
    name: fresh
  - sweep: {contact: V1, amplitude: 0.7 V, rate: 0.1 V/s}
    name: forming
    compliance: 1 mA
    until: {current: {above: 0.5 mA}}
  - hold: {contact: V1, voltage: 0.4 V, duration: 1 s}
  - switch: {S1: open}
  - pulses: {contact: V1, amplitude: 0.5 V, width: 1 ms, gap: 9 ms, number: 2,
             read: {voltage: 0.1 V, width: 1 ms, delay: 1 ms}}
  - pairs: {contact: V1, amplitude: 0.5 V, width: 1 ms, gaps: [1 ms], rest: 10 ms}
  - trains: {contact: V1, amplitude: 0.5 V, width: 1 ms, frequencies: [100 Hz], number: 2,
             rest: 9 ms}
  - current: {contact: V1, current: 10 uA, voltage: 0.3 V, duration: 1 s}
    name: charge
  - temperature: {to: 310 K, duration: 1 s}
  - cv: {contact: V1, first: 0.3 V, second: -0.3 V, rate: 1 V/s}
  - gcd: {contact: V1, current: 1 uA, low: 0.05 V, high: 0.2 V, longest: 1 s}
  - open_circuit: {contact: V1, duration: 1 s}
    name: open
  - rest_at: {contact: V1, duration: 1 s}
  - repeat:
      times: 2
      steps:
        - hold: {contact: V1, voltage: 0.2 V, duration: 1 s}
  - impedance: {contact: anode, frequencies: [1 MHz, 1 kHz]}
    name: used
"""
KINDS = [
    "impedance", "sweep", "hold", "switch", "pulses", "pairs", "trains", "current",
    "temperature", "cv", "gcd", "open_circuit", "rest_at", "hold", "hold", "impedance",
]  # fmt: skip
SETTINGS = [
    "output.figures=false",
    "output.snapshots=none",
    "numerics.max_step=1 s",
    "stack.grading.growth=1.6",
    "protocol.forming.sweep.rate=1 V/s",
    "protocol.forming.until.current.above=0.1 uA",
]


def case_with(folder: Path, protocol: str, circuit: str = "") -> Path:
    text = DIODE.read_text().replace("../../meshes", str(DIODE.parents[2] / "meshes"))
    head, rest = text[: text.index("protocol:")], text[text.index("numerics:") :]
    (folder / "materials").symlink_to(DIODE.parent / "materials")
    path = folder / "case.yaml"
    path.write_text(head + circuit + protocol + "\n" + rest)
    return path


def run_of(case: Path, settings: list[str]) -> Path:
    given = [part for one in settings for part in ("--set", one)]
    out = case.parent / "out"
    assert main(["run", str(case), "-o", str(out), "--quiet", *given]) == 0
    return out


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(case_with(tmp_path_factory.mktemp("all"), PROTOCOL, CIRCUIT), SETTINGS)


def rows_of(run: Path, number: int) -> dict[str, np.ndarray]:
    """Rows of the trace that belong to an entry of the protocol."""
    trace = read_trace(run / "trace.csv")
    inside = trace["step [1]"] == number
    return {name: values[inside] for name, values in trace.items()}


def test_every_step_has_its_row_and_begins_where_the_last_one_ended(run):
    rows = read_steps(run / "steps.csv")
    assert [one.kind for one in rows] == KINDS
    assert [one.step for one in rows] == [*range(1, 15), 14, 15]
    assert all(a.end == b.start for a, b in pairwise(rows))
    ended = {one.step: one.ended_by for one in rows if one.ended_by != "time"}
    assert ended[2] == "current of V1 above 1e-07 A"
    assert ended[8] == "voltage of V1 above 0.3 V"
    assert ended[11] == "voltage of V1 below 0.05 V"
    assert set(ended) == {2, 8, 11}


def test_a_step_ends_at_its_limit_and_the_next_begins_at_the_present_voltage(run):
    forming, hold = rows_of(run, 2), rows_of(run, 3)
    assert forming["current V1 [A]"][-1] == pytest.approx(1e-7, rel=2e-5)
    assert np.all(forming["current V1 [A]"][:-1] < 1e-7)
    reached = forming["voltage V1 [V]"][-1]
    # 1 V/s, as set on the command line.
    assert reached == pytest.approx(forming["time [s]"][-1], rel=1e-9)
    assert 0.1 < reached < 0.39
    rise = hold["voltage V1 [V]"]
    assert reached < rise[0] < rise[1] <= 0.4


def test_given_currents_flow_and_stop_at_the_cut_off(run):
    charge, rest = rows_of(run, 8), rows_of(run, 12)
    assert charge["current V1 [A]"] == pytest.approx(np.full(len(charge["time [s]"]), 1e-5))
    assert charge["voltage V1 [V]"][-1] == pytest.approx(0.3, rel=2e-5)
    assert np.abs(rest["current V1 [A]"]).max() < 1e-15
    cycle = rows_of(run, 11)
    assert set(np.sign(cycle["current V1 [A]"])) == {1.0, -1.0}
    assert cycle["voltage V1 [V]"].max() == pytest.approx(0.2, rel=2e-5)


def test_an_open_switch_leaves_the_resistor(run):
    hold, again = rows_of(run, 3), rows_of(run, 14)
    drops = [one["voltage V1 [V]"][-1] - one["voltage anode [V]"][-1] for one in (hold, again)]
    currents = [one["current V1 [A]"][-1] for one in (hold, again)]
    # 1 ohm beside 1 kohm before, 1 kohm beside 1 Gohm after.
    assert drops[0] / currents[0] == pytest.approx(1.0 / (1.0 + 1e-3), rel=1e-3)
    assert drops[1] / currents[1] == pytest.approx(1e3 / (1.0 + 1e-6), rel=1e-3)


def test_spectra_are_taken_where_the_protocol_says(run):
    rows = read_spectra(run / "impedance.csv")
    assert [one.step for one in rows] == [1] * 7 + [15] * 2
    assert [one.frequency for one in rows[:7]] == pytest.approx(list(np.geomspace(1e6, 1e3, 7)))
    # At zero bias a capacitor; at 0.2 V the depletion layer is thinner.
    fresh, used = rows[0], rows[7]
    assert fresh.frequency == used.frequency == 1e6
    assert abs(used.imaginary) < 0.95 * abs(fresh.imaginary)


def test_the_log_says_how_named_and_limited_steps_ended(run):
    lines = [one for one in (run / "log.txt").read_text().splitlines() if one.startswith("step ")]
    assert [one.split(":")[0] for one in lines] == [
        "step 1 (fresh, impedance)",
        "step 2 (forming, sweep)",
        "step 8 (charge, current)",
        "step 11 (gcd)",
        "step 12 (open, open_circuit)",
        "step 15 (used, impedance)",
    ]
    assert lines[1].endswith(" s by current of V1 above 1e-07 A")
    assert ", protocol of about " in (run / "log.txt").read_text()


def test_instruments_find_their_steps(run):
    names = {path.stem for path in (run / "instruments").glob("*.csv")}
    assert {"iv", "cv", "ppf_pairs", "srdp", "impedance_fresh", "impedance_used"} <= names
    assert json.loads((run / "summary.json").read_text())["completed"] is True


def test_a_protocol_that_only_measures_impedance(tmp_path):
    protocol = "protocol:\n  - impedance: {contact: anode, frequencies: 1 MHz}\n"
    run = run_of(case_with(tmp_path, protocol), [*SETTINGS[:4]])
    (row,) = read_spectra(run / "impedance.csv")
    assert row.imaginary < 0.0
    assert [one.kind for one in read_steps(run / "steps.csv")] == ["impedance"]


def test_spectra_before_and_after_a_sweep(tmp_path):
    spectrum = "  - impedance: {contact: anode, frequencies: [1 kHz, 1 MHz]}\n"
    sweep = "  - sweep: {contact: anode, points: [0.3 V], rate: 1 V/s}\n"
    case = case_with(tmp_path, "protocol:\n" + spectrum + sweep + spectrum)
    rows = read_spectra(run_of(case, SETTINGS[:4]) / "impedance.csv")
    assert [one.step for one in rows] == [1, 1, 3, 3]
    before, after = rows[0], rows[2]
    assert after.real**2 + after.imaginary**2 < 0.5 * (before.real**2 + before.imaginary**2)


def test_check_lists_the_steps(tmp_path, capsys):
    assert main(["check", str(case_with(tmp_path, PROTOCOL, CIRCUIT))]) == 0
    printed = capsys.readouterr().out
    assert "s: 15 steps, 3 cycles, 6 pulses" in printed
    assert "Protocol of about 2" in printed
    assert "  8. charge: 1e-05 A into V1 for 1 s or to 0.3 V" in printed
    assert "  14. 2 times\n    14.1. hold V1 at 0.2 V for 1 s" in printed


def test_who_reads_the_first_line_only_makes_no_mistake():
    command = f"{sys.executable} -m ionstack check {DIODE} | head -n 1"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert DIODE.name in found.stdout
    assert found.stderr == ""
