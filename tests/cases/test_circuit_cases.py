"""The cases of circuits, shortened: limits that hold, and charge where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.steps import StepRow, read_steps
from ionstack.output.trace import read_trace

CIRCUITS = Path(__file__).parents[2] / "cases/circuits"
QUICK = ("output.figures=false", "output.snapshots=none", "instruments=none",
         "stack.grading.first_cell=1 nm", "stack.grading.growth=2")  # fmt: skip

# A device of a few nodes per film: nine of them are solved together.
COARSE = ("protocol.4.pulses.number=1", "stack.grading.first_cell=5 nm", "stack.grading.growth=4")

Trace = Mapping[str, np.ndarray]


def _run(name: str, folder: Path, *settings: str) -> tuple[Trace, tuple[StepRow, ...]]:
    options = [part for one in (*QUICK, *settings) for part in ("--set", one)]
    case = CIRCUITS / f"{name}.yaml"
    assert main(["run", str(case), "-o", str(folder), "--quiet", *options]) == 0
    return read_trace(folder / "trace.csv"), read_steps(folder / "steps.csv")


def _within(trace: Trace, steps: tuple[StepRow, ...], name: str) -> np.ndarray:
    """Rows of the step of that name."""
    (step,) = [one for one in steps if one.name == name]
    time = trace["time [s]"]
    return np.flatnonzero((time > step.start) & (time <= step.end * (1.0 + 1e-12)))


def test_the_compliance_holds_behind_the_resistor(tmp_path: Path) -> None:
    one = [f"protocol.{step}.sweep.cycles=1" for step in (0, 2)]
    trace, steps = _run("compliance", tmp_path / "out", *one, "numerics.max_step=0.2 s")
    current = np.abs(trace["current V1 [A]"])
    assert current[_within(trace, steps, "limited")].max() == pytest.approx(2e-6, rel=1e-4)
    assert current.max() > 5.0 * 2e-6
    assert current[_within(trace, steps, "limited")].max() < 2e-6
    # Ohm's law of the resistor, and the same current through it and the device.
    drop = trace["voltage V1 [V]"] - trace["voltage Pt [V]"]
    np.testing.assert_allclose(drop, 1e5 * trace["current V1 [A]"], atol=1e-9)
    np.testing.assert_allclose(
        trace["current Pt [A]"], trace["current V1 [A]"], atol=1e-9 * current.max()
    )


def test_the_transistor_limits_the_charge_of_a_pulse(tmp_path: Path) -> None:
    one = [f"protocol.{step}.pulses.number=1" for step in (3, 8)]
    trace, steps = _run("one_transistor_one_resistor", tmp_path / "out", *one)
    time, current = trace["time [s]"], trace["current VW [A]"]
    limited, free = (_within(trace, steps, name) for name in ("with_transistor", "without"))
    # Saturation of the long-channel model, transconductance/(2 n) threshold^2.
    assert current[limited].max() == pytest.approx(20e-6 / 2.6 * 0.25, rel=2e-3)
    assert current[free].max() > 10.0 * current[limited].max()
    charges = [np.trapezoid(current[rows], time[rows]) for rows in (limited, free)]
    assert 0.0 < charges[0] < 0.5 * charges[1]
    # What the transistor does not let through falls on it.
    pulse = limited[np.argmax(current[limited])]
    assert 0.5 < trace["V(inner) [V]"][pulse] < 2.0


@pytest.fixture(scope="module")
def crossbar(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, tuple[StepRow, ...]]:
    folder = tmp_path_factory.mktemp("crossbar") / "out"
    return _run("crossbar", folder, *COARSE)


def _reads(run: tuple[Trace, tuple[StepRow, ...]], when: str) -> np.ndarray:
    """Currents of all cells, each while its row is read."""
    trace, steps = run
    found = np.zeros((3, 3))
    for i in range(3):
        last = _within(trace, steps, f"{when}_row{i + 1}")[-1]
        found[i] = [trace[f"current M{i + 1}_{j}.Pt [A]"][last] for j in (1, 2, 3)]
    return found


def test_half_selected_cells_change_less_than_the_selected_one(crossbar) -> None:
    change = _reads(crossbar, "after") / _reads(crossbar, "before") - 1.0
    neighbours = change[[0, 1, 1, 2], [1, 0, 2, 1]]
    corners = change[[0, 0, 2, 2], [0, 2, 0, 2]]
    assert change[1, 1] > neighbours.max() > 0.0
    assert neighbours.min() > 2.0 * np.abs(corners).max()


def test_a_column_carries_the_current_of_its_cells(crossbar) -> None:
    trace, _ = crossbar
    cells = sum(trace[f"current M{i}_2.ITO [A]"] for i in (1, 2, 3))
    largest = np.abs(cells).max()
    np.testing.assert_allclose(trace["current column2 [A]"], cells, atol=1e-8 * largest)
