"""Time stepping: variable-step BDF2 on stored amounts, error control, breakpoints.

The scheme differences amounts, s(u_new) - s(u_old), so particles are conserved to
round-off whatever the step. Implicit Euler starts it, and starts it again at every
breakpoint of the protocol, where the slope of the voltages jumps. A step that fails
or is too inaccurate is rejected and repeated with a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.errors import NumericsError
from ionstack.newton import Newton, NewtonResult, Outcome, Scheme
from ionstack.physics.constants import ELEMENTARY_CHARGE

Floats = NDArray[np.float64]

# Largest growth of the step: variable-step BDF2 is zero-stable up to 2.41.
GROWTH = 2.0
SHRINK = 0.3
SAFETY = 0.9
# Largest factor of a step that was rejected before: its error does not shrink as expected.
AGAIN = 0.5
# Changes beyond this multiple of the change of the voltages are those of a jump.
JUMP = 3.0


class Drive(Protocol):
    """What the stepper asks of a protocol: breakpoints [s] and voltages at a time [V]."""

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times at which the slope of a voltage may jump, first to last [s]."""

    def levels_at(self, time: float) -> Floats:
        """Voltages of the contacts, in the order of `ControlVolumes.contacts`."""


@dataclass(frozen=True)
class StepControl:
    """Step sizes [s] and the local error allowed per step [V].

    `fixed` switches error control off and divides each interval between
    breakpoints evenly into steps of at most that size.
    """

    tolerance: float = 2e-3
    smallest: float = 1e-12
    largest: float = np.inf
    initial: float | None = None
    fixed: float | None = None


@dataclass(frozen=True)
class State:
    """An accepted state. `unknowns` [V] are this rank's owned ones (see `Layout`).

    `charges` are those on the metals [C].
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


@dataclass(frozen=True)
class _Past:
    """An accepted point that later steps extrapolate and difference from."""

    time: float
    unknowns: Floats
    amounts: Floats
    charge: Floats
    voltages: Floats


class Stepper:
    """Runs a system along a drive and yields the accepted states."""

    def __init__(self, system: System, newton: Newton, drive: Drive, control: StepControl) -> None:
        self.system, self.newton, self.drive, self.control = system, newton, drive, control
        self._past: list[_Past] = []
        self._fresh = True
        self.accepted = 0
        self.rejected = 0
        self.newton_steps = 0

    def run(self) -> Iterator[State]:
        """Yield the initial state, then every accepted one (collective).

        Raises:
            NumericsError: when the step would fall below the smallest allowed.
        """
        first = self._initial()
        yield first
        step = self._first_step(0)
        for index, end in enumerate(self.drive.breakpoints[1:]):
            self._past, self._fresh = self._past[-1:], True
            step = min(step, self._first_step(index))
            while self._past[-1].time < end:
                state, step = self._advance(step, end)
                yield state

    def _initial(self) -> State:
        time = self.drive.breakpoints[0]
        voltages = self.drive.levels_at(time)
        evaluation = self.newton.evaluate(Scheme(self._zeros(), 0.0, 0.0, voltages))
        charge = self._sum(evaluation.metal_charge)
        unknowns = self.system.unknowns.getArray().copy()
        self._past = [_Past(time, unknowns, evaluation.amounts, charge, voltages)]
        currents = np.zeros(len(voltages))
        amounts, metal = evaluation.amounts, charge * ELEMENTARY_CHARGE
        return State(time, 0.0, voltages, currents, unknowns, amounts, 0, 0, True, metal)

    def _zeros(self) -> Floats:
        return np.zeros(self.system.layout.n_owned)

    def _first_step(self, index: int) -> float:
        """Step after a breakpoint: the voltage moves by a tenth of the tolerance."""
        if self.control.fixed is not None:
            return self.control.fixed
        if self.control.initial is not None:
            return self.control.initial
        start, end = self.drive.breakpoints[index : index + 2]
        swing = np.abs(self.drive.levels_at(end) - self.drive.levels_at(start)).max()
        length = end - start
        if swing == 0.0:
            return 1e-4 * length
        return float(min(0.1 * self.control.tolerance / swing, 0.1) * length)

    def _advance(self, step: float, end: float) -> tuple[State, float]:
        """Take one accepted step towards `end`; return it and the next step size."""
        rejected = 0
        while True:
            size, last = self._fit(step, end)
            time = end if last else self._past[-1].time + size
            result, error, state = self._try(time, rejected, last)
            self.newton_steps += result.iterations
            if state is not None:
                self.accepted += 1
                return state, self._next(size if not last else step, error)
            rejected += 1
            self.rejected += 1
            most = 1.0 if rejected == 1 else AGAIN
            step = size * float(np.clip(SAFETY * error ** (-1.0 / 3.0), SHRINK, most))
            if step < self.control.smallest:
                raise NumericsError(self._failure(time, size, result, error))

    def _fit(self, step: float, end: float) -> tuple[float, bool]:
        """Step size that reaches `end` without leaving a sliver, and whether it does."""
        left = end - self._past[-1].time
        pieces = max(1, int(np.ceil(left / min(step, self.control.largest) - 1e-9)))
        if self.control.fixed is not None or pieces <= 2:
            return left / pieces, pieces == 1
        return min(step, self.control.largest), False

    def _next(self, size: float, error: float) -> float:
        if self.control.fixed is not None:
            return self.control.fixed
        factor = SAFETY * max(error, 1e-6) ** (-1.0 / 3.0)
        return size * float(np.clip(factor, SHRINK, GROWTH))

    def _try(
        self, time: float, rejected: int, last: bool
    ) -> tuple[NewtonResult, float, State | None]:
        """Newton's result, error over tolerance (inf unless solved), state if acceptable."""
        past = self._past
        guess = _extrapolate(past, time, [point.unknowns for point in past])
        unknowns = self.system.unknowns
        unknowns.setArray(guess)
        self.system.refresh_ghosts()
        lead, old = _coefficients(past, time)
        history = sum(c * p.amounts for c, p in zip(old, past[::-1], strict=False))
        before = sum(c * p.charge for c, p in zip(old, past[::-1], strict=False))
        size = time - past[-1].time
        scheme = Scheme(np.asarray(history), lead, size, self._voltages(time), np.asarray(before))
        result = self.newton.solve(scheme)
        if result.outcome is not Outcome.CONVERGED:
            return result, np.inf, None
        new = unknowns.getArray().copy()
        error = self._error(new - guess, time)
        if error > 1.0:
            return result, error, None
        voltages = result.voltages
        evaluation = self.newton.evaluate(replace(scheme, voltages=voltages))
        charge = self._sum(evaluation.metal_charge)
        rate = lead * charge + before
        currents = np.asarray(rate - self._sum(evaluation.outflow)) * (ELEMENTARY_CHARGE / size)
        point = _Past(time, new, evaluation.amounts, charge, voltages)
        self._past = [point] if self._jumped(new, voltages) else [*past[-2:], point]
        amounts, metal = evaluation.amounts, charge * ELEMENTARY_CHARGE
        count = result.iterations
        state = State(time, size, voltages, currents, new, amounts, count, rejected, last, metal)
        return result, error, state

    def _voltages(self, time: float) -> Floats:
        """Voltages of the drive; floating ones extrapolated, as a first guess."""
        voltages = self.drive.levels_at(time)
        if not self.system.floating:
            return voltages
        floating = list(self.system.floating)
        past = _extrapolate(self._past, time, [point.voltages for point in self._past])
        voltages[floating] = past[floating]
        return voltages

    def _jumped(self, new: Floats, voltages: Floats) -> bool:
        """Whether the first step after a breakpoint left the state before far behind.

        That state then says nothing about the slope: the scheme starts again after it.
        """
        fresh, self._fresh = self._fresh, False
        if not fresh or self.control.fixed is not None:
            return False
        largest = float(np.abs(new - self._past[-1].unknowns).max(initial=0.0))
        if self.system.comm.size > 1:
            largest = self.system.comm.allreduce(largest, MPI.MAX)
        swing = float(np.abs(voltages - self._past[-1].voltages).max(initial=0.0))
        return largest > self.control.tolerance + JUMP * swing

    def _sum(self, local: Floats) -> Floats:
        if self.system.comm.size == 1:
            return local
        return np.asarray(self.system.comm.allreduce(local))

    def _error(self, difference: Floats, time: float) -> float:
        """Local error over the tolerance, from the distance to the extrapolation."""
        ratio = _error_ratio(self._past, time)
        if self.control.fixed is not None or ratio == 0.0:
            return 0.0
        largest = float(np.abs(difference).max(initial=0.0))
        if self.system.comm.size > 1:
            largest = self.system.comm.allreduce(largest, MPI.MAX)
        return ratio * largest / self.control.tolerance

    def _failure(self, time: float, size: float, result: NewtonResult, error: float) -> str:
        levels = ", ".join(
            f"{name} {value:.4g} V"
            for name, value in zip(
                self.system.equations.volumes.contacts, self.drive.levels_at(time), strict=True
            )
        )
        reason = result.outcome.value
        if result.outcome is Outcome.CONVERGED:
            reason = f"the local error stays {error:.3g} times the tolerance"
        return (
            f"step rejected down to {size:.3g} s at t = {time:.9g} s ({levels}): {reason}; "
            f"last Newton update {result.update:.3g} V, largest {self.system.worst_unknown()}"
        )


def _coefficients(past: list[_Past], time: float) -> tuple[float, tuple[float, ...]]:
    """Leading coefficient and those of the last and last but one amounts."""
    size = time - past[-1].time
    if len(past) < 2:
        return 1.0, (-1.0,)
    ratio = size / (past[-1].time - past[-2].time)
    # lead + a + b = 0 exactly, so that constants are differenced to zero.
    second = ratio * ratio / (1.0 + ratio)
    lead = 1.0 + ratio / (1.0 + ratio)
    return lead, (-(lead + second), second)


def _extrapolate(past: list[_Past], time: float, values: list[Floats]) -> Floats:
    """Polynomial through values at the accepted points since the last breakpoint."""
    result = np.zeros_like(values[-1])
    for i, point in enumerate(past):
        weight = 1.0
        for j, other in enumerate(past):
            if i != j:
                weight *= (time - other.time) / (point.time - other.time)
        result += weight * values[i]
    return result


def _error_ratio(past: list[_Past], time: float) -> float:
    """Local error of the scheme over (solution - extrapolation).

    With p points since the breakpoint the extrapolation errs by y^(p) times the
    product of distances over p!. For BDF2 with three points both are third order;
    with two points the extrapolation is one order lower and the ratio pessimistic.
    """
    if len(past) < 2:
        return 0.0
    size = time - past[-1].time
    lead, _ = _coefficients(past, time)
    own = size / lead
    return float(own / (time - past[0].time + own))
