"""Time stepping of a circuit without field devices: many steps per compiled call.

Steps are taken as they come until a limit of the protocol cuts one; that one is repeated
such that it ends there. Random events happen within the calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit import Circuit
from ionstack.circuits.circuit_step import ORDER, Limits, Ramp
from ionstack.errors import NumericsError
from ionstack.output.checkpoint import Memory
from ionstack.protocols.drive import Drive, Limit
from ionstack.randomness.random_events import Waiting
from ionstack.solving.newton import NewtonControl
from ionstack.stepping.circuit_events import CircuitEvents
from ionstack.stepping.circuit_march import MOST, Batch, march
from ionstack.stepping.course import Course
from ionstack.stepping.states import Meter, State, StepControl
from ionstack.stepping.traveller import Traveller
from ionstack.stepping.watch import Watch

Floats = NDArray[np.float64]

# A step may be repeated with less at no loss of a matrix: Newton's method gets few iterations.
_ITERATIONS = 12
_NONE = np.zeros(0)
_REMEMBERED = ("_time", "_step", "accepted", "rejected", "newton_steps")


class CircuitStepper(Traveller):
    """Runs a circuit along a drive and yields the accepted states; all ranks do the same."""

    def __init__(
        self,
        circuit: Circuit,
        drive: Drive,
        control: StepControl,
        newton: NewtonControl,
        meter: Meter,
        seed: int = 0,
    ) -> None:
        """Run `drive`; random events are those of the `seed`."""
        super().__init__()
        self.circuit, self._control = circuit, control
        self.course = Course(drive.intervals, circuit)
        self._watch = Watch(self.course, meter)
        self.events = Waiting(CircuitEvents(circuit), seed)
        fixed = control.fixed is not None
        self._limits = Limits(
            control.smallest, control.largest, control.tolerance,
            newton.tolerance, newton.limit, _ITERATIONS, fixed,
        )  # fmt: skip
        stores = tuple(bool(one) for one in circuit.stores)
        self._march = march(circuit.wiring, stores, len(circuit.nodes))
        self._unknowns = circuit.rest
        self._time, self._step = 0.0, np.inf
        self._state: State

    def memory(self) -> Memory:
        """What `recall` needs to go on after the last accepted state."""
        plain = {name: getattr(self, name) for name in _REMEMBERED} | {
            "circuit": self._unknowns,
            "course": self.course.memory(),
            "margins": self._watch.memory(),
            "events": self.events.memory(),
        }
        nothing = np.zeros((1, 0))
        return Memory(plain, {"unknowns": nothing, "amounts": nothing})

    def recall(self, memory: Memory) -> None:
        """Stand where another stepper of this drive stood."""
        plain = memory.plain
        for name in _REMEMBERED:
            setattr(self, name, plain[name])
        self._unknowns = np.array(plain["circuit"])
        self.course.recall(plain["course"])
        self._watch.recall(plain["margins"])
        self.events.recall(plain["events"])
        self._state = self._start()
        self._resumed = True

    def _initial(self) -> State:
        self._state = self._start()
        return self._state

    def _start(self) -> State:
        """A state that no step led to."""
        return State(
            time=self.course.time(self._time),
            step=0.0,
            voltages=_NONE,
            currents=_NONE,
            unknowns=_NONE,
            amounts=_NONE,
            newton=0,
            rejected=0,
            at_breakpoint=True,
            charges=_NONE,
            applied=self.course.settings(self._time).value,
            circuit=self._unknowns,
            passed=self.course.passed,
        )

    def _begin(self) -> None:
        self.course.begin(self._time, self._unknowns)
        self._time = 0.0
        self._watch.begin(None if self.course.abrupt else self._state)
        self._step = min(self._step, self.course.first_step(self._control))

    def _to_the_end_of_interval(self) -> Iterator[State]:
        while self._time < self.course.interval.duration and not self.course.over:
            yield from self._advance()

    def _advance(self) -> Iterator[State]:
        """Accept the steps of one call, those beyond a limit of the protocol excepted."""
        batch = self._marched(self._step, MOST)
        for row in range(int(batch.count)):
            state = self._state_of(batch, row)
            if self._watch.crossing(state, 0) is not None:
                yield self._cut(batch, row, state)
                return
            yield self._accept(batch, row, state)
            if self.course.over:
                return

    def _cut(self, batch: Batch, row: int, state: State) -> State:
        """Accept the step to a state, ended at the first limit or event in it."""
        tries = 0
        while (crossing := self._watch.crossing(state, tries)) is not None:
            size = crossing.share * state.step
            if not self._control.smallest < size < state.step:
                return self._accept(batch, row, state, crossing.limit)
            batch, row, tries = self._marched(size, 1, exact=True), 0, tries + 1
            state = self._state_of(batch, row)
        return self._accept(batch, row, state)

    def _accept(self, batch: Batch, row: int, state: State, limit: Limit | None = None) -> State:
        """Take a row of a batch as the last accepted state; return it, ended if a limit is reached.

        A limit may be an event that the protocol waits for.
        """
        for event in state.events:
            limit = limit or self.course.awaited.get(event.name)
        if limit is not None:
            state = replace(state, at_breakpoint=True, ended=limit, following=limit.following)
        self._state, self._unknowns = state, batch.after[row]
        self._time, self._step = float(batch.time[row]), float(batch.following[row])
        self.events.take(batch.waits[row, :-1], int(batch.site[row]))
        self.accepted += 1
        self.rejected += state.rejected
        self.newton_steps += state.newton
        self._watch.accept(state)
        self.course.accept(state)
        return state

    def _marched(self, step: float, most: int, exact: bool = False) -> Batch:
        """Steps from the last accepted state on, the first one of a size [s]."""
        interval, settings = self.course.interval, self.course.settings(self._time)
        ramp = Ramp(
            interval.begin, interval.end, interval.duration, settings.current * 1.0,
            settings.positive, settings.negative, settings.closed * 1.0,
        )  # fmt: skip
        limits = self._limits._replace(largest=min(self._limits.largest, interval.largest))
        found = self._march(
            self._unknowns, self._time, step, most, exact, self.events.ahead(MOST + 1),
            ramp, limits, self.circuit.numbers, self.circuit.warmth,
        )  # fmt: skip
        batch = Batch(*map(np.asarray, found))
        if not batch.count:
            raise NumericsError(self._failure(batch))
        return batch

    def _state_of(self, batch: Batch, row: int) -> State:
        elapsed, size, circuit = float(batch.time[row]), float(batch.step[row]), batch.unknowns[row]
        return State(
            time=self.course.time(elapsed),
            step=size,
            voltages=_NONE,
            currents=_NONE,
            unknowns=_NONE,
            amounts=_NONE,
            newton=int(batch.newton[row]),
            rejected=int(batch.rejected[row]),
            at_breakpoint=elapsed == self.course.interval.duration,
            charges=_NONE,
            applied=self.course.interval.levels(elapsed),
            circuit=circuit,
            passed=self.course.passed + self.circuit.source_currents(circuit) * size,
            kirchhoff=float(batch.left[row]),
            order=ORDER,
            interval=self.course.begun,
            following=self.course.begun,
            events=self.events.told(int(batch.site[row])),
        )

    def _failure(self, batch: Batch) -> str:
        when = self.course.time(self._time)
        names = zip(self.circuit.unknowns, self._unknowns, strict=True)
        levels = ", ".join(f"{name} {value:.4g}" for name, value in names)
        error = float(batch.error)
        reason = "Newton's method did not converge"
        if np.isfinite(error):
            reason = f"the local error stays {error:.3g} times the tolerance"
        return (
            f"step rejected down to {self._control.smallest:.3g} s at t = {when:.9g} s: {reason}; "
            f"last accepted {levels}"
        )
