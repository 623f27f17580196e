"""Steady states: smaller steps where Newton's method fails, and currents that add up."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.benchmarks.devices import Device, diode_line, set_up
from ionstack.errors import NumericsError
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from ionstack.solving.steady import Steady


@pytest.fixture(scope="module")
def diode() -> Device:
    return set_up(*diode_line(100), {})


@pytest.fixture(autouse=True)
def _start(diode: Device):
    unknowns = diode.unknowns()
    yield
    diode.restore(unknowns)


def test_one_point_and_many_lead_to_the_same_state(diode: Device) -> None:
    start = diode.unknowns()
    steps = [np.array([bias, 0.0]) for bias in np.linspace(0.0, 0.6, 7)]
    many = list(Steady(diode.system, diode.newton).follow(steps))[-1]
    diode.restore(start)
    (one,) = Steady(diode.system, diode.newton).follow([steps[-1]])
    np.testing.assert_allclose(one.currents, many.currents, rtol=1e-9)
    assert many.currents.sum() == pytest.approx(0.0, abs=1e-7 * many.currents.max())


def test_a_turn_of_the_sweep_leads_back(diode: Device) -> None:
    biases = [0.2, 0.4, 0.2, 0.0]
    states = Steady(diode.system, diode.newton).follow(np.array([one, 0.0]) for one in biases)
    currents = [state.currents[1] for state in states]
    assert currents[2] == pytest.approx(currents[0], rel=1e-10)
    assert abs(currents[3]) < 1e-12 * abs(currents[0])


def test_a_step_that_fails_is_divided(diode: Device) -> None:
    hasty = Newton(diode.system, diode.newton._solver, NewtonControl(limit=0.05, most=6))
    target = np.array([0.6, 0.0])
    scheme = Scheme(np.zeros(diode.system.layout.n_owned), 0.0, 1.0, target)
    start = diode.unknowns()
    assert hasty.solve(scheme).outcome is Outcome.TOO_MANY
    diode.restore(start)
    (state,) = Steady(diode.system, hasty).follow([target])
    assert state.newton > 6
    np.testing.assert_array_equal(state.voltages, target)


def test_failure_names_the_voltages(diode: Device) -> None:
    hopeless = Newton(diode.system, diode.newton._solver, NewtonControl(most=1))
    steady = Steady(diode.system, hopeless)
    with pytest.raises(NumericsError, match=r"no steady state found at anode"):
        next(steady.follow([np.array([0.5, 0.0])]))
