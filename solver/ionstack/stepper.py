"""Time stepping: BDF of variable order on stored amounts, error control, breakpoints.

The scheme differences amounts, s(u_new) - s(u_old), so particles are conserved to
round-off whatever the step. Implicit Euler starts it, and starts it again at every
breakpoint of the protocol, where the slope of the voltages jumps. From then on the
order is the one that allows the longest step. A step that fails or is too inaccurate
is rejected and repeated with a smaller one. A step that goes beyond a limit of the
protocol is repeated such that it ends there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.circuit import Circuit, Settings, plain_circuit
from ionstack.crossing import Crossing, first_crossing
from ionstack.drive import Drive, Interval, Limit
from ionstack.errors import NumericsError
from ionstack.history import HIGHEST, Differences, History, Point
from ionstack.network import CircuitScheme, Network
from ionstack.newton import Newton, NewtonResult, Outcome, Scheme
from ionstack.physics.constants import ELEMENTARY_CHARGE

Floats = NDArray[np.float64]
# Local errors over the tolerance by order of the scheme.
Errors = dict[int, float]

# Largest growth of the step; variable-step BDF2 is zero-stable up to 2.41.
GROWTH = 2.0
# Order of steps of fixed size: the start by implicit Euler spoils a higher one.
FIXED_ORDER = 2
SHRINK = 0.3
SAFETY = 0.9
# Largest factor of a step that was rejected before: its error does not shrink as expected.
AGAIN = 0.5
# Changes beyond this multiple of the change of the voltages are those of a jump.
JUMP = 3.0
# First step over the length of an interval: at rest, and where a current is given.
AT_REST, FORCED = 1e-4, 1e-7


@dataclass(frozen=True)
class StepControl:
    """Step sizes [s] and the local error allowed per step [V].

    `fixed` switches error control off and divides each interval between
    breakpoints evenly into steps of at most that size.
    """

    tolerance: float = 5e-4
    smallest: float = 1e-12
    largest: float = np.inf
    initial: float | None = None
    fixed: float | None = None


@dataclass(frozen=True)
class State:
    """An accepted state. `unknowns` [V] are this rank's owned ones (see `Layout`).

    `voltages` and `currents` are those of the contacts, `charges` those on the metals [C],
    `applied` what the sources are set to [V or A],
    `passed` those [C] that went through each source since the start. `circuit` are the unknowns
    of the circuit and `kirchhoff` the largest sum of currents at one of its nodes [A].
    `order` is that of the formula that led here, `interval` the number of intervals that have
    begun, `following` the one that comes next (the same number, unless `ended` by a limit).
    """

    time: float
    step: float
    voltages: Floats
    currents: Floats
    unknowns: Floats
    amounts: Floats
    newton: int
    rejected: int
    at_breakpoint: bool
    charges: Floats
    applied: Floats
    circuit: Floats
    passed: Floats
    kirchhoff: float = 0.0
    order: int = 0
    interval: int = 0
    following: int = 0
    ended: Limit | None = None


# Reads the quantity of a limit from a state and the charge that passed before its step began.
Meter = Callable[[Limit, State, Floats], float]


class Stepper:
    """Runs a system along a drive and yields the accepted states."""

    def __init__(
        self,
        system: System,
        newton: Newton,
        drive: Drive,
        control: StepControl,
        network: Network | None = None,
        meter: Meter | None = None,
        warm: Callable[[float], None] | None = None,
    ) -> None:
        """Run `drive`; `warm` brings the system to another temperature [K].

        Without a `network` the drive gives the voltages of all contacts that do not float.
        """
        self.system, self.newton, self.drive, self.control = system, newton, drive, control
        self.intervals = drive.intervals
        self.network = network or Network(system, plain_circuit_of(system))
        self._order = None if network else _driven(system)
        self._meter, self._warm = meter, warm
        self._history: History
        self._interval: Interval
        self._passed: Floats
        self._passed_at: dict[int, Floats] = {}
        self._base = np.longdouble(0.0)
        self._begun, self._fresh, self._abrupt = 0, True, False
        self._state: State
        self._cold = system.equations.model.temperature
        self._margins: dict[Limit, float] = {}
        self.accepted = 0
        self.rejected = 0
        self.newton_steps = 0

    def run(self) -> Iterator[State]:
        """Yield the initial state, then every accepted one (collective).

        Raises:
            NumericsError: when the step would fall below the smallest allowed.
        """
        yield self._initial()
        step, number = np.inf, 0
        while number < len(self.intervals):
            self._begin(number)
            number += 1
            step = min(step, self._first_step())
            while self._history.last.time < self._interval.duration:
                state, step = self._advance(step, self._interval.duration)
                if state.at_breakpoint:
                    number = state.following
                yield state
                if state.at_breakpoint:
                    break

    def _begin(self, number: int) -> None:
        """Start the clock of an interval at the last point."""
        last = self._history.last
        self._base += np.longdouble(last.time)
        before, self._interval = self._interval, self._picked(number).resolved(self._present())
        self._abrupt = self._interval.abrupt_after(before)
        self._fresh, self._begun = True, number + 1
        self._passed_at[number] = self._passed
        self._cold = self.system.equations.model.temperature
        self._history.restart(replace(last, time=0.0))
        # After a jump the state before says nothing.
        self._margins = {} if self._abrupt else self._margins_at(self._state)

    def _picked(self, number: int) -> Interval:
        """An interval with its values in the order of the sources."""
        interval, order = self.intervals[number], self._order
        if order is None:
            return interval
        return replace(interval, begin=interval.begin[order], end=interval.end[order])

    def _present(self) -> Floats:
        """Voltage across every source [V]."""
        return self.network.source_voltages(self._history.last.circuit)

    def _initial(self) -> State:
        n_sources = len(self.network.circuit.sources)
        start = self._picked(0).resolved(np.zeros(n_sources))
        self._interval, self._passed = start, np.zeros(n_sources)
        settings = self._settings(0.0)
        circuit = self.network.with_held(np.zeros(self.network.circuit.size), settings)
        voltages = self.network.voltages(circuit)
        evaluation = self.newton.evaluate(Scheme(self._zeros(), 0.0, 0.0, voltages))
        charge = self._charge(evaluation.metal_charge, circuit, settings)
        unknowns = self.system.unknowns.getArray().copy()
        first = Point(0.0, unknowns, evaluation.amounts, charge, circuit)
        self._history = History(first, HIGHEST if self.control.fixed is None else FIXED_ORDER)
        self._state = State(
            time=0.0,
            step=0.0,
            voltages=voltages,
            currents=np.zeros(len(voltages)),
            unknowns=unknowns,
            amounts=evaluation.amounts,
            newton=0,
            rejected=0,
            at_breakpoint=True,
            charges=charge[: len(voltages)] * ELEMENTARY_CHARGE,
            applied=settings.value,
            circuit=circuit,
            passed=self._passed,
        )
        return self._state

    def _zeros(self) -> Floats:
        return np.zeros(self.system.layout.n_owned)

    def _settings(self, elapsed: float) -> Settings:
        """What the interval sets the sources and switches to at a time [s] after its start."""
        interval, circuit = self._interval, self.network.circuit
        count = len(circuit.sources)
        return Settings(
            value=interval.levels(elapsed),
            current=_or_default(interval.current, count, False),
            positive=_or_default(interval.positive, count, np.inf),
            negative=_or_default(interval.negative, count, np.inf),
            closed=_or_default(interval.closed, len(circuit.switches), True),
        )

    def _first_step(self) -> float:
        """First step of an interval: the voltage moves by less than half of the tolerance."""
        if self.control.fixed is not None:
            return self.control.fixed
        if self.control.initial is not None:
            return self.control.initial
        swing, length = self._interval.swing, self._interval.duration
        if self._interval.forced:
            return FORCED * length
        if swing == 0.0:
            return AT_REST * length
        return min(0.4 * self.control.tolerance / swing, 0.1) * length

    def _advance(self, step: float, end: float) -> tuple[State, float]:
        """Take one accepted step towards `end`; return it and the next step size."""
        rejected = tries = 0
        while True:
            size, last = (step, False) if tries else self._fit(step, end)
            time = end if last else self._history.last.time + size
            result, errors, found = self._try(time, rejected, last)
            self.newton_steps += result.iterations
            if found is not None:
                crossing = self._crossing(found[1], tries)
                # What jumps at once is reached by no step, however small.
                if crossing is not None and self.control.smallest < crossing.share * size < size:
                    step, tries = crossing.share * size, tries + 1
                    continue
                state = self._accept(*found, crossing)
                return state, self._next(step if last else size, errors)
            rejected += 1
            self.rejected += 1
            error = errors.get(self._history.order, np.inf)
            step = size * self._shrunk(errors, 1.0 if rejected == 1 else AGAIN)
            if step < self.control.smallest:
                raise NumericsError(self._failure(time, size, result, error))

    def _fit(self, step: float, end: float) -> tuple[float, bool]:
        """Step size that reaches `end` without leaving a sliver, and whether it does."""
        left = end - self._history.last.time
        pieces = max(1, int(np.ceil(left / min(step, self.control.largest) - 1e-9)))
        if self.control.fixed is not None or pieces <= 2:
            return left / pieces, pieces == 1
        return min(step, self.control.largest), False

    def _next(self, size: float, errors: Errors) -> float:
        """Step after an accepted one, of the order that allows the longest."""
        if self.control.fixed is not None:
            return self.control.fixed
        if not errors:
            return size * GROWTH
        order, factor = _longest(errors)
        self._history.change(order)
        return size * float(np.clip(factor, SHRINK, GROWTH))

    def _shrunk(self, errors: Errors, most: float) -> float:
        """Factor of a rejected step, whose order may fall but not rise."""
        order = self._history.order
        if not errors:
            self._history.change(max(1, order - 1))
            return SHRINK
        lower = {one: error for one, error in errors.items() if one <= order}
        order, factor = _longest(lower)
        self._history.change(order)
        return float(np.clip(factor, SHRINK, most))

    def _try(
        self, time: float, rejected: int, last: bool
    ) -> tuple[NewtonResult, Errors, tuple[Point, State] | None]:
        """Newton's result, errors by order (none unless solved), point and state if accurate."""
        history, unknowns = self._history, self.system.unknowns
        self._set_temperature(time)
        unknowns.setArray(history.unknowns_at(time))
        self.system.refresh_ghosts()
        old = history.differences(time)
        size = time - history.last.time
        settings = self._settings(time)
        circuit = CircuitScheme(self.network, settings, old.charge, history.circuit_at(time))
        voltages = self.network.voltages(circuit.unknowns)
        scheme = Scheme(old.amounts, old.lead, size, voltages, circuit)
        result = self.newton.solve(scheme)
        if result.outcome is not Outcome.CONVERGED:
            return result, {}, None
        scheme = replace(scheme, voltages=result.voltages)
        evaluation = self.newton.evaluate(scheme)
        charge = self._charge(evaluation.metal_charge, result.circuit, settings)
        scheme = replace(scheme, circuit=replace(circuit, unknowns=result.circuit))
        errors = self._errors(scheme, time, evaluation.amounts, charge)
        if errors.get(history.order, 0.0) > 1.0:
            if not self._unresolved(size):
                return result, errors, None
            self._fresh = True
        if self._fresh:
            errors = {}
        new = unknowns.getArray().copy()
        outflow = self._sum(evaluation.outflow)
        point = Point(time, new, evaluation.amounts, charge, result.circuit)
        return result, errors, self._found(point, scheme, old, outflow, (rejected, last, result))

    def _set_temperature(self, elapsed: float) -> None:
        """Bring the system to the temperature that the interval wants at a time [s]."""
        goal = self._interval.temperature
        if self._warm is not None and goal is not None and goal != self._cold:
            share = elapsed / self._interval.duration
            self._warm(goal if share >= 1.0 else self._cold + share * (goal - self._cold))

    def _found(
        self,
        point: Point,
        scheme: Scheme,
        old: Differences,
        outflow: Floats,
        how: tuple[int, bool, NewtonResult],
    ) -> tuple[Point, State]:
        """The point with all circuit unknowns, and the state at it."""
        size, count = scheme.step, len(outflow)
        rate = old.lead * point.charge[:count] + old.charge[:count] - outflow
        currents = rate * (ELEMENTARY_CHARGE / size)
        assert scheme.circuit is not None
        circuit, left = self.network.solved(point.circuit, scheme.circuit, old.lead, size, currents)
        through = self.network.source_currents(circuit)
        rejected, last, result = how
        state = State(
            time=float(self._base + np.longdouble(point.time)),
            step=size,
            voltages=scheme.voltages,
            currents=currents,
            unknowns=point.unknowns,
            amounts=point.amounts,
            newton=result.iterations,
            rejected=rejected,
            at_breakpoint=last,
            charges=point.charge[:count] * ELEMENTARY_CHARGE,
            applied=scheme.circuit.settings.value,
            circuit=circuit,
            passed=self._passed + through * size,
            kirchhoff=left,
            order=self._history.order,
            interval=self._begun,
            following=self._begun,
        )
        return replace(point, circuit=circuit), state

    def _accept(self, point: Point, state: State, crossing: Crossing | None) -> State:
        """Let later steps build on a point; return its state, marked if a limit is reached."""
        self._passed, self._state = state.passed, state
        if self._jumped(point):
            self._history.restart(point)
        else:
            self._history.add(point)
        self.accepted += 1
        self._margins = self._margins_at(state)
        if crossing is None:
            return state
        limit = crossing.limit
        return replace(state, at_breakpoint=True, ended=limit, following=limit.following)

    def _crossing(self, state: State, tries: int) -> Crossing | None:
        """The first limit that a step goes beyond."""
        if not self._interval.limits:
            return None
        return first_crossing(self._margins, self._margins_at(state), tries)

    def _margins_at(self, state: State) -> dict[Limit, float]:
        if self._meter is None:
            return {}
        none = np.zeros_like(state.passed)
        return {
            limit: limit.margin(self._meter(limit, state, self._passed_at.get(limit.first, none)))
            for limit in self._interval.limits
        }

    def _jumped(self, point: Point) -> bool:
        """Whether the first step after a breakpoint left the state before far behind.

        That state then says nothing about the slope: the scheme starts again after it.
        """
        fresh, self._fresh = self._fresh, False
        if not fresh or self.control.fixed is not None:
            return False
        last = self._history.last
        largest = float(np.abs(point.unknowns - last.unknowns).max(initial=0.0))
        if self.system.comm.size > 1:
            largest = self.system.comm.allreduce(largest, MPI.MAX)
        change = point.circuit - last.circuit
        if self._abrupt:
            nodes = float(np.abs(change[: self.network.n_nodes]).max(initial=0.0))
            return max(largest, nodes) > JUMP * self.control.tolerance
        swing = float(np.abs(self.network.voltages(change)).max(initial=0.0))
        return largest > self.control.tolerance + JUMP * swing

    def _charge(self, metal: Floats, circuit: Floats, settings: Settings) -> Floats:
        """Charges of the metals, then of the circuit's nodes [e]."""
        return np.concatenate([self._sum(metal), self.network.node_charges(circuit, settings)])

    def _sum(self, local: Floats) -> Floats:
        if self.system.comm.size == 1:
            return local
        return np.asarray(self.system.comm.allreduce(local))

    def _errors(self, scheme: Scheme, time: float, amounts: Floats, charge: Floats) -> Errors:
        """Local errors over the tolerance by order, none where steps are given."""
        if self.control.fixed is not None:
            return {}
        found = {}
        # Usually the first step of an interval has no estimate. Where something jumps it
        # counts by how far the stored charges move.
        first = self._fresh and self._abrupt
        for order in (1,) if first else self._history.orders():
            defects = self._history.defects(order, time, amounts, charge)
            largest = self.newton.response(scheme, defects.amounts, defects.charge)
            found[order] = largest / self.control.tolerance
        return found

    def _unresolved(self, step: float) -> bool:
        """Whether what follows a jump is faster than the smallest step: Euler's rule damps it."""
        return self._abrupt and SHRINK * step < self.control.smallest

    def _failure(self, time: float, size: float, result: NewtonResult, error: float) -> str:
        names = self.system.equations.volumes.contacts
        levels = ", ".join(
            f"{name} {value:.4g} V" for name, value in zip(names, result.voltages, strict=True)
        )
        reason = result.outcome.value
        if result.outcome is Outcome.CONVERGED:
            reason = f"the local error stays {error:.3g} times the tolerance"
        when = float(self._base + np.longdouble(time))
        return (
            f"step rejected down to {size:.3g} s at t = {when:.9g} s ({levels}): {reason}; "
            f"last Newton update {result.update:.3g} V, largest {self.system.worst_unknown()}"
        )


def plain_circuit_of(system: System) -> Circuit:
    """A source at every contact that does not float."""
    contacts = system.equations.volumes.contacts
    floating = tuple(contacts[k] for k in system.floating)
    return plain_circuit(contacts, floating, system.equations.model.temperature)


def _driven(system: System) -> NDArray[np.int64]:
    """Contacts that do not float, by position."""
    count = len(system.equations.volumes.contacts)
    return np.setdiff1d(np.arange(count), system.floating)


def _or_default(given: NDArray[Any] | None, count: int, value: float | bool) -> NDArray[Any]:
    return np.full(count, value) if given is None else given


def _longest(errors: Errors) -> tuple[int, float]:
    """Order that allows the longest step, and the step over the last one."""
    factors = {
        order: SAFETY * max(error, 1e-12) ** (-1.0 / (order + 1)) for order, error in errors.items()
    }
    return max(factors.items(), key=lambda one: one[1])
