"""Time stepping: BDF of variable order on stored amounts, error control, breakpoints.

The scheme differences amounts, s(u_new) - s(u_old), so particles are conserved to
round-off whatever the step. Implicit Euler starts it, and starts it again at every
breakpoint of the protocol, where the slope of the voltages jumps. From then on the
order is the one that allows the longest step. A step that fails or is too inaccurate
is rejected and repeated with a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.checkpoint import Memory
from ionstack.drive import Drive, Interval
from ionstack.errors import NumericsError
from ionstack.history import HIGHEST, Differences, History, Point
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


# What a stepper remembers besides its history.
_REMEMBERED = ("_step", "_begun", "_fresh", "accepted", "rejected", "newton_steps")


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

    `charges` are those on the metals [C], `order` is that of the formula that led here,
    `interval` the number of intervals that have begun.
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
    order: int = 0
    interval: int = 0


class Stepper:
    """Runs a system along a drive and yields the accepted states."""

    def __init__(self, system: System, newton: Newton, drive: Drive, control: StepControl) -> None:
        self.system, self.newton, self.drive, self.control = system, newton, drive, control
        self._history: History
        self._interval: Interval
        self._begun, self._fresh = 0, True
        self._step = np.inf
        self._resumed = False
        self._given: tuple[Floats, Floats] | None = None
        self.accepted = 0
        self.rejected = 0
        self.newton_steps = 0

    def run(self) -> Iterator[State]:
        """Yield the initial state, then every accepted one (collective).

        After `recall` those that follow the one remembered.

        Raises:
            NumericsError: when the step would fall below the smallest allowed.
        """
        if not self._resumed:
            yield self._initial()
        elif self._begun:
            yield from self._to_the_end_of_interval()
        for interval in self.drive.intervals[self._begun :]:
            self._begin(interval)
            self._step = min(self._step, self._first_step())
            yield from self._to_the_end_of_interval()

    def _to_the_end_of_interval(self) -> Iterator[State]:
        end = self._interval.duration
        while self._history.last.time < end:
            state, self._step = self._advance(self._step, end)
            yield state

    def memory(self) -> Memory:
        """What `recall` needs to go on after the last accepted state."""
        plain = {name: getattr(self, name) for name in _REMEMBERED}
        history, newton = self._history.memory(), self.newton.memory()
        parts = {"history": history.plain, "newton": newton.plain}
        return Memory({**plain, **parts}, {**history.owned, **newton.owned})

    def recall(self, memory: Memory) -> None:
        """Stand where another stepper of this drive stood (collective)."""
        for name in _REMEMBERED:
            setattr(self, name, memory.plain[name])
        self.newton.recall(Memory(memory.plain["newton"], memory.owned))
        history = Memory(memory.plain["history"], memory.owned)
        self._history = History.recalled(history, self._highest)
        self._interval = self.drive.intervals[max(self._begun - 1, 0)]
        self.system.unknowns.setArray(self._history.last.unknowns)
        self.system.refresh_ghosts()
        self._resumed = True

    def begin_with(self, voltages: Floats, currents: Floats) -> None:
        """Begin with a device at given voltages [V] and currents [A] of all contacts."""
        self._given = voltages, currents

    @property
    def _highest(self) -> int:
        return HIGHEST if self.control.fixed is None else FIXED_ORDER

    def _begin(self, interval: Interval) -> None:
        """Start the clock of an interval at the last point."""
        self._interval, self._fresh = interval, True
        self._begun += 1
        self._history.restart(replace(self._history.last, time=0.0))

    def _initial(self) -> State:
        self._interval = self.drive.intervals[0]
        time, voltages = self._interval.start, self._interval.levels(0.0)
        currents: Floats = np.zeros(len(voltages))
        if self._given is not None:
            voltages, currents = self._given
        evaluation = self.newton.evaluate(Scheme(self._zeros(), 0.0, 0.0, voltages))
        charge = self._sum(evaluation.metal_charge)
        unknowns = self.system.unknowns.getArray().copy()
        first = Point(0.0, unknowns, evaluation.amounts, charge, voltages)
        self._history = History(first, self._highest)
        amounts, metal = evaluation.amounts, charge * ELEMENTARY_CHARGE
        return State(time, 0.0, voltages, currents, unknowns, amounts, 0, 0, True, metal)

    def _zeros(self) -> Floats:
        return np.zeros(self.system.layout.n_owned)

    def _first_step(self) -> float:
        """First step of an interval: the voltage moves by less than half of the tolerance."""
        if self.control.fixed is not None:
            return self.control.fixed
        if self.control.initial is not None:
            return self.control.initial
        swing, length = self._interval.swing, self._interval.duration
        if swing == 0.0:
            return 1e-4 * length
        return min(0.4 * self.control.tolerance / swing, 0.1) * length

    def _advance(self, step: float, end: float) -> tuple[State, float]:
        """Take one accepted step towards `end`; return it and the next step size."""
        rejected = 0
        while True:
            size, last = self._fit(step, end)
            time = end if last else self._history.last.time + size
            result, errors, state = self._try(time, rejected, last)
            self.newton_steps += result.iterations
            if state is not None:
                self.accepted += 1
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
    ) -> tuple[NewtonResult, Errors, State | None]:
        """Newton's result, errors by order (none unless solved), state if acceptable."""
        history, unknowns = self._history, self.system.unknowns
        unknowns.setArray(history.unknowns_at(time))
        self.system.refresh_ghosts()
        old = history.differences(time)
        size = time - history.last.time
        scheme = Scheme(old.amounts, old.lead, size, self._voltages(time), old.charge)
        result = self.newton.solve(scheme)
        if result.outcome is not Outcome.CONVERGED:
            return result, {}, None
        new = unknowns.getArray().copy()
        voltages = result.voltages
        evaluation = self.newton.evaluate(replace(scheme, voltages=voltages))
        charge = self._sum(evaluation.metal_charge)
        errors = self._errors(time, evaluation.amounts, charge)
        if errors.get(history.order, 0.0) > 1.0:
            return result, errors, None
        point = Point(time, new, evaluation.amounts, charge, voltages)
        outflow = self._sum(evaluation.outflow)
        state = self._state(point, old, outflow, result.iterations, rejected, last)
        if self._jumped(new, voltages):
            history.restart(point)
        else:
            history.add(point)
        return result, errors, state

    def _state(
        self,
        point: Point,
        old: Differences,
        outflow: Floats,
        newton: int,
        rejected: int,
        last: bool,
    ) -> State:
        size = point.time - self._history.last.time
        rate = old.lead * point.charge + old.charge - outflow
        return State(
            time=self._interval.time(point.time),
            step=size,
            voltages=point.voltages,
            currents=rate * (ELEMENTARY_CHARGE / size),
            unknowns=point.unknowns,
            amounts=point.amounts,
            newton=newton,
            rejected=rejected,
            at_breakpoint=last,
            charges=point.charge * ELEMENTARY_CHARGE,
            order=self._history.order,
            interval=self._begun,
        )

    def _voltages(self, time: float) -> Floats:
        """Voltages of the drive; floating ones extrapolated, as a first guess."""
        voltages = self._interval.levels(time)
        if not self.system.floating:
            return voltages
        floating = list(self.system.floating)
        voltages[floating] = self._history.voltages_at(time)[floating]
        return voltages

    def _jumped(self, new: Floats, voltages: Floats) -> bool:
        """Whether the first step after a breakpoint left the state before far behind.

        That state then says nothing about the slope: the scheme starts again after it.
        """
        fresh, self._fresh = self._fresh, False
        if not fresh or self.control.fixed is not None:
            return False
        largest = float(np.abs(new - self._history.last.unknowns).max(initial=0.0))
        if self.system.comm.size > 1:
            largest = self.system.comm.allreduce(largest, MPI.MAX)
        swing = float(np.abs(voltages - self._history.last.voltages).max(initial=0.0))
        return largest > self.control.tolerance + JUMP * swing

    def _sum(self, local: Floats) -> Floats:
        if self.system.comm.size == 1:
            return local
        return np.asarray(self.system.comm.allreduce(local))

    def _errors(self, time: float, amounts: Floats, charge: Floats) -> Errors:
        """Local errors over the tolerance by order, none where steps are given."""
        if self.control.fixed is not None:
            return {}
        found = {}
        for order in self._history.orders():
            defects = self._history.defects(order, time, amounts, charge)
            largest = self.newton.response(defects.amounts, defects.charge)
            found[order] = largest / self.control.tolerance
        return found

    def _failure(self, time: float, size: float, result: NewtonResult, error: float) -> str:
        levels = ", ".join(
            f"{name} {value:.4g} V"
            for name, value in zip(
                self.system.equations.volumes.contacts, self._interval.levels(time), strict=True
            )
        )
        reason = result.outcome.value
        if result.outcome is Outcome.CONVERGED:
            reason = f"the local error stays {error:.3g} times the tolerance"
        when = self._interval.time(time)
        return (
            f"step rejected down to {size:.3g} s at t = {when:.9g} s ({levels}): {reason}; "
            f"last Newton update {result.update:.3g} V, largest {self.system.worst_unknown()}"
        )


def _longest(errors: Errors) -> tuple[int, float]:
    """Order that allows the longest step, and the step over the last one."""
    factors = {
        order: SAFETY * max(error, 1e-12) ** (-1.0 / (order + 1)) for order, error in errors.items()
    }
    return max(factors.items(), key=lambda one: one[1])
