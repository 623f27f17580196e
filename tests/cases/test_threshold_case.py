"""The lumped filament that nucleates at random, on a few sweeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from ionstack.cli import main
from ionstack.output.trace import read_trace
from ionstack.randomness.random_streams import Stream
from ionstack.stepping.circuit_events import site_number
from support.launch import ROOT

CASE = ROOT / "cases" / "filament" / "threshold.yaml"
CYCLES = 3
RATE, VOLTAGE, SEED = 5e7, 1.6, 7


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("threshold") / "out"
    # Few losses, so that it is fast; each takes a larger part of the filament.
    settings = [
        f"protocol.0.sweep.cycles={CYCLES}",
        "output.figures=false",
        "circuit.elements.F1.atoms_lost=500",
    ]
    options = [part for one in settings for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *options]) == 0
    return folder


def test_every_sweep_finds_the_device_open_and_nucleates_anew(run):
    summary = json.loads((run / "summary.json").read_text())
    assert summary["seed"] == SEED
    assert summary["events.F1.nucleation"] == CYCLES
    assert summary["iv.positive.threshold.slope.count"] == CYCLES
    assert summary["events.F1.loss"] > CYCLES
    assert 1e-3 < summary["iv.positive.hold.slope.variation"] < 0.3
    assert 0.05 < summary["iv.positive.hold.slope [V]"] < 0.15
    assert summary["current_sum"] < 1e-9


def test_thresholds_are_where_the_integrated_rate_reaches_the_drawn_numbers(run):
    """Ramps of 1 V/s: the integral of the rate up to V_th."""

    def passed(volts: float) -> float:
        return quad(lambda v: RATE * np.exp(-((VOLTAGE / v) ** 2)), 0.1, volts, epsabs=1e-9)[0]

    trace = read_trace(run / "trace.csv")
    nucleus, time = trace["nucleus(F1) [1]"], trace["time [s]"]
    events = [k for k in range(len(time) - 1) if nucleus[k] < 0.5 < nucleus[k + 1]]
    found = [passed(time[k] % 1.6) for k in events]
    drawn = Stream(SEED, "events of circuit elements").exponential(
        site_number("F1.nucleation"), range(CYCLES)
    )
    # Every sweep back passes a little of the rate before the nucleus has gone, and steps are long.
    assert found == pytest.approx(drawn.ravel(), rel=0.05)


def test_current_jumps_by_decades_within_microvolts(run):
    trace = read_trace(run / "trace.csv")
    current, time = trace["current V1 [A]"], trace["time [s]"]
    up = np.flatnonzero((time < 0.8) & (current > 1e-8))[0]
    limited = np.flatnonzero((time < 0.8) & (current > 9.9e-6))[0]
    assert time[limited] - time[up] < 1e-4
