"""The filament of vacancies, coarse: set from a gap, and whole cycles of reset and set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.trace import read_trace

CASE = Path(__file__).parents[2] / "cases/filament/vacancy.yaml"
COARSE = (
    "stack.grading.first_cell=0.5 nm",
    "stack.lateral.cells=8",
    "numerics={max_step: 40 ms, step_tolerance: 10 mV}",
    "heat.tolerance=50 mK",
    "output.figures=false",
)
RESET, SET, AGAIN = 1, 2, 3
FORMING = CASE.parent / "forming.yaml"
# A filament with a gap of 1.5 nm above the bottom electrode, and the way up alone.
GAP = "(0.002 + 0.6/(1 + exp((r - (9e-9 - 0.5*z))/0.8e-9)))/(1 + exp((z - 8.5e-9)/0.2e-9)) + 1e-3"
UP = "{sweep: {contact: TE, points: [0.6 V], rate: 1 V/s}, compliance: 300 uA}"
FROM_A_GAP = (
    "stack.lateral.cells=4",
    f"content.oxide.V_O+={{formula: '{GAP}', unit: '1', source: a gap}}",
    f"protocol=[{UP}]",
    "instruments=none",
)


def test_a_gap_closes_at_once_and_the_compliance_holds_the_current(tmp_path: Path) -> None:
    """Within 10 mV of the sweep the current rises from a third of the compliance to all of it."""
    folder = run(tmp_path / "out", *COARSE, *FROM_A_GAP)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["conservation.V_O+"] < 1e-12
    assert summary["heat.closure"] < 1e-8
    assert summary["heat.rise [K]"] > 200.0
    time, volts, amperes = curve(folder, 1)
    full = int(np.argmax(amperes > 0.98 * 3e-4))
    low = int(np.flatnonzero(amperes[:full] < 1e-4)[-1])
    assert 0.2 < volts[low] < 0.7
    assert time[full] - time[low] < 1e-2
    assert amperes.max() < 3e-4 * (1.0 + 1e-3)
    # The device snaps back: closed, it needs less voltage than to be set.
    assert volts[-1] < 0.9 * volts.max()


def cycle(folder: Path, compliance: float) -> Path:
    return run(folder, *COARSE, f"protocol.1.compliance={compliance} A")


def run(folder: Path, *options: str, case: Path = CASE) -> Path:
    settings = [part for one in options for part in ("--set", one)]
    assert main(["run", str(case), "-o", str(folder), "--quiet", *settings]) == 0
    return folder


def curve(folder: Path, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, voltage of the device and its current in one step of the protocol."""
    trace = read_trace(folder / "trace.csv")
    own = trace["step [1]"] == step
    return tuple(trace[name][own] for name in ("time [s]", "voltage TE [V]", "current TE [A]"))


def resistance(folder: Path, step: int, read: float = 0.1) -> float:
    """Resistance on the way back, where the voltage falls through that of the read."""
    _, volts, amperes = curve(folder, step)
    back = slice(int(np.argmax(np.abs(volts))), None)
    order = np.argsort(np.abs(volts[back]))
    return read / float(np.interp(read, np.abs(volts[back])[order], np.abs(amperes[back])[order]))


def reset_voltage(folder: Path, step: int) -> float:
    """Voltage of the largest current in the first third of the way, before the gap has opened."""
    _, volts, amperes = curve(folder, step)
    forth = np.arange(len(volts)) <= np.argmax(np.abs(volts))
    early = forth & (np.abs(volts) < 0.5)
    return float(np.abs(volts[early][np.argmax(np.abs(amperes[early]))]))


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cycle(tmp_path_factory.mktemp("half") / "out", 5e-4)


@pytest.mark.long
def test_vacancies_current_and_heat_are_kept(half: Path) -> None:
    summary = json.loads((half / "summary.json").read_text())
    assert summary["conservation.V_O+"] < 1e-12
    assert summary["current_sum"] < 1e-9
    assert summary["heat.closure"] < 1e-8
    assert summary["heat.rise [K]"] > 300.0


@pytest.mark.long
def test_reset_opens_a_gap_and_set_closes_it(half: Path) -> None:
    off, on, off_again = (resistance(half, step) for step in (RESET, SET, AGAIN))
    assert off > 4.0 * on
    assert off_again > 4.0 * on
    assert 300.0 < on < 3000.0


@pytest.mark.long
def test_set_is_abrupt_and_reset_gradual(half: Path) -> None:
    """Set is done within 20 mV of the sweep; reset goes on for more than 0.1 V beyond its peak."""
    time, _, amperes = curve(half, SET)
    full = int(np.argmax(amperes > 0.98 * 5e-4))
    low = int(np.flatnonzero(amperes[:full] < 0.3 * 5e-4)[-1])
    assert time[full] - time[low] < 2e-2
    assert amperes.max() < 5e-4 * (1.0 + 1e-3)
    time, volts, amperes = curve(half, AGAIN)
    peak = int(np.argmax(np.abs(amperes)))
    turn = int(np.argmax(np.abs(volts)))
    assert np.abs(volts[peak]) < 0.5
    assert time[turn] - time[peak] > 0.1


@pytest.mark.long
def test_compliance_sets_the_resistance_and_not_the_reset_voltage(
    half: Path, tmp_path: Path
) -> None:
    """R I_CC is the same within 20 % over a factor of 2.5, the reset voltage within 40 %."""
    low = cycle(tmp_path / "low", 2e-4)
    products = [resistance(one, SET) * i for one, i in ((low, 2e-4), (half, 5e-4))]
    assert max(products) < 1.2 * min(products)
    resets = [reset_voltage(one, AGAIN) for one in (low, half)]
    assert max(resets) < 1.4 * min(resets)


@pytest.mark.long
def test_bonds_break_at_once_and_leave_a_filament_at_the_axis(tmp_path: Path) -> None:
    """Forming from a film that has hardly any vacancies, on few nodes."""
    coarse = (
        "stack.lateral.cells=3",
        "stack.grading.first_cell=1 nm",
        "protocol=[{sweep: {contact: TE, points: [5 V], rate: 1 V/s}, compliance: 200 uA}]",
        "numerics={step_tolerance: 30 mV, max_step: 200 ms, min_step: 1e-17 s}",
        "heat.tolerance=500 mK",
        "instruments=none",
        "output.figures=false",
    )
    folder = run(tmp_path / "out", *coarse, case=FORMING)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["heat.closure"] < 1e-8
    assert summary["current_sum"] < 1e-9
    time, volts, amperes = curve(folder, 1)
    full = int(np.argmax(amperes > 0.98 * 2e-4))
    low = int(np.flatnonzero(amperes[:full] < 1e-5)[-1])
    assert 4.0 < volts[low] < 5.0
    assert time[full] - time[low] < 1e-9
    assert volts[-1] < 0.2 * volts.max()
    # "hard from 0 to 5 s: ...": the log tells where.
    assert "hard from" in (folder / "log.txt").read_text()
