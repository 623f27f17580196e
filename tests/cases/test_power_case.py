"""The power mode, shortened: what is charged comes back, and less of it the faster."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.steps import read_steps
from ionstack.output.trace import read_trace

POWER = Path(__file__).parents[2] / "cases/all_in_one/power.yaml"
AREA = np.pi * 0.01**2  # cm^2
# Two currents, one scan rate, and long steps where the case takes short ones for its figures.
SHORT = (
    "protocol.1.cv.rates=[20 mV/s]",
    "protocol.2.gcd.currents=[5 nA, 500 nA]",
    "protocol.0.impedance.frequencies=[1 mHz, 1 MHz]",
    "protocol.5.impedance.frequencies=[1 mHz, 1 MHz]",
    "numerics.max_step=50 s",
    "stack.grading.first_cell=1 nm",
    "output.figures=false",
    "output.snapshots=none",
    'instruments=[{kind: gcd, step: cycles, area: 3.1416e-4 cm^2}, {kind: cv, step: scans}]',
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("power") / "out"
    options = [part for one in SHORT for part in ("--set", one)]
    assert main(["run", str(POWER), "-o", str(folder), "--quiet", *options]) == 0
    return folder


def _numbers(folder: Path) -> dict[str, float]:
    return dict(json.loads((folder / "summary.json").read_text()))


def _discharge(folder: Path, current: str) -> dict[str, float]:
    """Numbers of the discharge at a current, by name with its unit."""
    start = f"gcd.at_{current}."
    found = _numbers(folder).items()
    return {name.removeprefix(start): value for name, value in found if name.startswith(start)}


def test_lithium_is_kept_and_the_protocol_ends(run: Path) -> None:
    summary = _numbers(run)
    assert summary["completed"] is True
    assert summary["conservation.Li+"] < 1e-12


def test_the_calibrated_rows_are_met(run: Path) -> None:
    """S0-13, S0-14 and S0-15 within the 2 % of calibrated rows."""
    slow = _discharge(run, "5e-09A")
    assert slow["capacitance [F/cm^2]"] == pytest.approx(4.1e-3, rel=0.02)
    assert slow["energy [J/cm^2]"] / 3600.0 == pytest.approx(7.0e-6, rel=0.02)
    assert slow["power [W/cm^2]"] == pytest.approx(27.9e-6, rel=0.02)
    assert slow["duration [s]"] == pytest.approx(903.0, rel=0.02)


def test_the_charge_is_the_current_times_its_time(run: Path) -> None:
    slow = _discharge(run, "5e-09A")
    assert slow["charge [C/cm^2]"] == pytest.approx(5e-9 * slow["duration [s]"] / AREA, rel=1e-4)


def test_less_comes_out_at_a_larger_current(run: Path) -> None:
    """S0-13, the trend: diffusion in the hosts takes its time."""
    slow, fast = (_discharge(run, one) for one in ("5e-09A", "5e-07A"))
    assert fast["capacitance [F/cm^2]"] < 0.8 * slow["capacitance [F/cm^2]"]
    assert fast["energy [J/cm^2]"] < 0.8 * slow["energy [J/cm^2]"]
    assert fast["power [W/cm^2]"] > 10.0 * slow["power [W/cm^2]"]


def test_one_pair_of_peaks_near_two_and_a_half_volts(run: Path) -> None:
    """S0-12."""
    summary = _numbers(run)
    assert summary["cv.midpoint [V]"] == pytest.approx(2.5, abs=0.05)
    assert 0.0 < summary["cv.separation [V]"] < 0.4
    assert summary["cv.current_ratio"] == pytest.approx(1.0, abs=0.2)


def test_a_charged_cell_keeps_its_voltage(run: Path) -> None:
    """S0-17: with LiPON as measured less than a millivolt an hour leaks away."""
    trace = read_trace(run / "trace.csv")
    (rest,) = [step for step in read_steps(run / "steps.csv") if step.kind == "open_circuit"]
    inside = (trace["time [s]"] > rest.start + 60.0) & (trace["time [s]"] <= rest.end)
    volts = trace["voltage Pt [V]"][inside]
    assert volts[0] > 3.4
    assert 0.0 < volts[0] - volts[-1] < 1e-3
    assert np.abs(trace["current Pt [A]"][inside]).max() < 1e-15
