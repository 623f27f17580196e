"""Errors follow the tolerance, in few steps: the order rises where the solution is smooth."""

from __future__ import annotations

from functools import cache

import numpy as np

from ionstack.benchmarks.devices import ion_film, set_up
from ionstack.benchmarks.work import STEP, STEP_CHARGES, adaptive_charges, jump
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper

TOLERANCES = (1e-3, 1e-4, 1e-5)


@cache
def charged(tolerance: float) -> tuple[float, list[State]]:
    """Error of the charge of a film of ions after a jump of the voltage, and its states."""
    device = set_up(*ion_film(2e-11, 1.025), {"film": {"ions": 1.0}})
    start = device.unknowns()
    control = StepControl(tolerance=tolerance, initial=1e-6)
    error = adaptive_charges(device, STEP, control, STEP_CHARGES).numbers["error"]
    device.restore(start)
    jump(device, np.array(STEP.voltages[0]))
    return error, list(Stepper(device.system, device.newton, STEP, control).run())


def test_errors_follow_the_tolerance():
    coarse, middle, _ = (charged(tolerance)[0] for tolerance in TOLERANCES)
    # The mesh itself errs by 5e-5.
    assert coarse < 0.02
    assert middle < 0.1 * coarse


def test_a_hundredth_of_the_tolerance_takes_less_than_four_times_the_steps():
    counts = [len(charged(tolerance)[1]) for tolerance in TOLERANCES]
    # Second order would take 100^(1/3) = 4.6 times as many.
    assert counts[2] < 4.0 * counts[0]


def test_the_order_rises_and_falls():
    orders = [state.order for state in charged(TOLERANCES[-1])[1][1:]]
    assert orders[0] == 1
    assert max(orders) == 4
    assert np.any(np.diff(orders) < 0)
