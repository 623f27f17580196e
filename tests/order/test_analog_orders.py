"""Measured orders of the complete equations on the analog device, by regression.

Quantities at the first turning point: terminal current and Li content of WO3. The
layers are 2 nm thin so that uniform refinement resolves the space charge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.case import Case, load_case
from ionstack.simulation import prepare
from ionstack.stack import Stack

ANALOG = Path(__file__).parents[2] / "cases" / "all_in_one" / "analog.yaml"
SWEEP = (
    "protocol.0.sweep.amplitude=-0.5 V",
    "protocol.0.sweep.cycles=1",
    "protocol.1.sweep.cycles=1",
    "numerics.max_step=1 s",
)
EXPECTED = 1.9


def _observed(case: Case) -> tuple[float, float]:
    """Current [A] and number of Li in the first layer at the first turning point."""
    prepared = prepare(case, MPI.COMM_SELF)
    lithium = prepared.system.members("Li+", ["WO3"])
    for state in prepared.stepper().run():
        if state.at_breakpoint and state.time > 0.0:
            return float(state.currents[0]), float(state.amounts[lithium].sum())
    raise AssertionError("the sweep has no turning point")


def _order(sizes: Sequence[float], errors: Sequence[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def _case(*settings: str) -> Case:
    return load_case(ANALOG, [*SWEEP, *settings])


def _thin(cell: float) -> Callable[[Stack], Stack]:
    def refine(stack: Stack) -> Stack:
        layers = tuple(
            dataclasses.replace(layer, thickness=2e-9, first_cell=cell, growth=1.0)
            for layer in stack.layers
        )
        return dataclasses.replace(stack, layers=layers)

    return refine


def test_second_order_in_time() -> None:
    steps = [0.05, 0.025, 0.0125, 0.00625]
    results = np.array([_observed(_case(f"numerics.fixed_step={h} s")) for h in (*steps, 0.001)])
    for quantity in results.T:
        assert _order(steps, np.abs(quantity[:-1] - quantity[-1])) >= EXPECTED


@pytest.mark.parametrize("dimension", ["1d", "2d"])
def test_second_order_in_space(dimension: str) -> None:
    cells = [0.1e-9 / 2**k for k in range(5)]
    settings = (f"stack.dimension={dimension}", "stack.lateral.cells=2")
    case = _case(*settings, "numerics.fixed_step=0.05 s")
    results = np.array(
        [_observed(dataclasses.replace(case, stack=_thin(h)(case.stack))) for h in cells]
    )
    for quantity in results.T:
        differences = np.abs(np.diff(quantity))
        assert _order(cells[:-1], differences) >= EXPECTED
