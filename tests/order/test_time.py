"""Second order in time along a smooth sweep, though implicit Euler takes the first step."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from support.convergence import richardson_order
from support.devices import analog, owned, ready

COUNTS = (80, 160, 320, 640)
AMPLITUDE = 0.3  # V at 1 V/s


@cache
def device():
    prepared = ready(analog(f"protocol.0.sweep.amplitude=-{AMPLITUDE} V"))
    return prepared, prepared.system.unknowns.getArray().copy()


@cache
def after(count: int) -> dict[str, np.ndarray]:
    """State at the first turning point, reached in `count` equal steps."""
    prepared, start = device()
    system = prepared.system
    system.unknowns.setArray(start)
    stepper = prepared.stepper()
    stepper.control = replace(stepper.control, fixed=AMPLITUDE / count)
    states = [state for state in stepper.run() if state.time <= AMPLITUDE]
    assert len(states) == count + 1
    last = states[-1]
    layout, volumes = system.layout, system.equations.volumes
    first = volumes.node_region[layout.node[: layout.n_owned]] == 0
    return {
        "lithium in WO3": np.array([last.amounts[owned(system, "Li+") & first].sum()]),
        "current": last.currents[:1],
        "unknowns": last.unknowns,
    }


@pytest.mark.parametrize("quantity", ["lithium in WO3", "current", "unknowns"])
def test_order_along_a_sweep(quantity, record_property):
    values = [after(count)[quantity] for count in COUNTS]
    found = richardson_order([AMPLITUDE / count for count in COUNTS], values)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)
