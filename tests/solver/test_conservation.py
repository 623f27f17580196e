"""What a run must keep: ions, current, lateral uniformity, and its own history."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.assembly.assemble import Evaluation
from ionstack.errors import NumericsError
from ionstack.runs.preparation import Prepared
from ionstack.solving.newton import Newton, NewtonResult, Outcome, Scheme
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import analog, area, owned, ready, total

COMM = MPI.COMM_WORLD


@cache
def device(*overrides: str) -> tuple[Prepared, np.ndarray]:
    """A device and its unknowns in equilibrium, to start from again."""
    prepared = ready(analog(*overrides), COMM)
    return prepared, prepared.system.unknowns.getArray().copy()


def start(*overrides: str) -> Prepared:
    prepared, unknowns = device(*overrides)
    prepared.system.unknowns.setArray(unknowns)
    prepared.system.refresh_ghosts()
    return prepared


def run(prepared: Prepared, **control: float) -> tuple[Stepper, list[State]]:
    stepper = prepared.stepper()
    stepper.control = replace(stepper.control, **control)
    return stepper, list(stepper.run())


@pytest.fixture(scope="module")
def sweep() -> tuple[Prepared, list[State]]:
    prepared = start()
    return prepared, run(prepared)[1]


def test_lithium_is_conserved(sweep):
    prepared, states = sweep
    totals = np.array([total(prepared.system, state, "Li+") for state in states])
    assert len(states) > 20
    assert np.abs(totals / totals[0] - 1.0).max() < 1e-12


def test_lithium_moves(sweep):
    """Conservation is no test of a device in which nothing happens."""
    prepared, states = sweep
    mask = owned(prepared.system, "Li+")
    moved = max(np.abs(state.amounts - states[0].amounts)[mask].max() for state in states)
    largest = COMM.allreduce(states[0].amounts[mask].max(), MPI.MAX)
    assert COMM.allreduce(moved, MPI.MAX) > 0.01 * largest


def test_currents_of_all_contacts_sum_to_zero(sweep):
    currents = np.array([state.currents for state in sweep[1]])
    assert np.abs(currents.sum(axis=1)).max() < 1e-9 * np.abs(currents).max()


def test_states_lie_on_the_protocol(sweep):
    prepared, states = sweep
    protocol = prepared.case.protocol
    times = np.array([state.time for state in states])
    assert np.all(np.diff(times) > 0.0)
    assert [state.time for state in states if state.at_breakpoint] == list(protocol.breakpoints)
    for state in states:
        expected = list(protocol.voltages(state.time).values())
        assert state.voltages == pytest.approx(expected, rel=0.0, abs=1e-14)
    # No slivers: no accepted step is much smaller than both of its neighbours.
    steps = np.array([state.step for state in states[1:]])
    assert np.all(steps[1:-1] > 0.2 * np.minimum(steps[:-2], steps[2:]))


QUARTER = (
    "numerics.fixed_step=5 ms",
    "protocol.0.sweep.amplitude=-0.02 V",
    "protocol.1.sweep.amplitude=0.005 V",
)


def density(dimension: str) -> np.ndarray:
    """Current density [A/m^2] along a few fixed steps."""
    overrides = (f"stack.dimension={dimension}", "stack.lateral.cells=4")
    prepared = start(*overrides, *QUARTER)
    states = run(prepared)[1]
    return np.array([state.currents[0] for state in states[1:]]) / area(prepared)


@pytest.mark.slow
@pytest.mark.parametrize("dimension", ["axisymmetric", "3d"])
def test_uniform_stack_has_the_same_current_density_in_every_dimension(dimension):
    expected, found = density("1d"), density(dimension)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


# Rejected attempts leave no trace.


class Replay(Stepper):
    """Takes given steps of given orders, without looking at the error."""

    def take(self, states: list[State]) -> None:
        self._states = iter(states)
        self.control = replace(self.control, tolerance=np.inf)

    def _fit(self, step: float, end: float) -> tuple[float, bool]:
        state = next(self._states)
        self._history.change(state.order)
        size = state.step
        return size, bool(np.isclose(self._history.last.time + size, end, rtol=1e-12))


def replayed(prepared: Prepared, states: list[State]) -> list[State]:
    model = prepared.stepper()  # only for its parts
    stepper = Replay(model.system, model.newton, model.drive, model.control)
    stepper.take(states[1:])
    return list(stepper.run())


def same(first: list[State], second: list[State]) -> bool:
    """Whether all states agree: to the last bit, where the linear solver repeats itself.

    The parallel factorisation sums in the order in which messages arrive.
    """
    allowed = 0.0 if COMM.size == 1 else 1e-9
    return len(first) == len(second) and all(
        a.time == b.time
        and np.allclose(a.unknowns, b.unknowns, rtol=0.0, atol=allowed)
        and np.allclose(a.amounts, b.amounts, rtol=allowed, atol=0.0)
        and np.allclose(a.currents, b.currents, rtol=1e3 * allowed, atol=0.0)
        for a, b in zip(first, second, strict=True)
    )


def test_inaccurate_steps_leave_no_trace():
    stepper, states = run(start(), tolerance=1e-4, initial=2e-2)
    assert stepper.rejected > 0
    assert sum(state.rejected for state in states) == stepper.rejected
    assert same(states, replayed(start(), states))


class Failing:
    """A Newton solver of which every fourth solve or so fails halfway."""

    def __init__(self, newton: Newton) -> None:
        self._newton, self._draw = newton, np.random.default_rng(4)

    def evaluate(self, scheme: Scheme) -> Evaluation:
        return self._newton.evaluate(scheme)

    def response(self, scheme: Scheme, amounts: np.ndarray, charge: np.ndarray) -> float:
        return self._newton.response(scheme, amounts, charge)

    def solve(self, scheme: Scheme) -> NewtonResult:
        if self._draw.random() > 0.25:
            return self._newton.solve(scheme)
        self._newton.system.unknowns.scale(1.1)
        return NewtonResult(Outcome.TOO_MANY, 1, 1.0, scheme.voltages, np.zeros(0))


def test_failed_steps_leave_no_trace():
    prepared = start()
    model = prepared.stepper()
    stepper = Stepper(model.system, Failing(model.newton), model.drive, model.control)
    states = list(stepper.run())
    assert stepper.rejected > 5
    assert same(states, replayed(start(), states))
    totals = np.array([total(prepared.system, state, "Li+") for state in states])
    assert np.abs(totals / totals[0] - 1.0).max() < 1e-12


def test_smallest_step_ends_the_run_with_a_message():
    prepared = start()
    model = prepared.stepper()
    control = StepControl(tolerance=1e-15, smallest=1e-5)
    stepper = Stepper(model.system, model.newton, model.drive, control)
    with pytest.raises(NumericsError, match=r"step rejected down to .* s at t = .*Pt .* V"):
        list(stepper.run())
