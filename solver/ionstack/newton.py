"""Newton's method with potential-limited damping. Failure is data, not an exception."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from time import perf_counter

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import Evaluation, System
from ionstack.linear import LOOSEST, TOLERANCE, LinearResult, LinearSolver

Floats = NDArray[np.float64]


class Outcome(Enum):
    """How a Newton solve ended; the values are messages for people."""

    CONVERGED = "converged"
    LINEAR = "the linear solver failed"
    NOT_FINITE = "the equations gave a value that is not finite"
    TOO_MANY = "Newton's method did not converge"


@dataclass(frozen=True)
class NewtonControl:
    """`tolerance` of the largest update [V], `limit` of one update [V], `most` iterations."""

    tolerance: float = 1e-9
    limit: float = 0.2
    most: int = 25


@dataclass(frozen=True)
class NewtonResult:
    """Outcome, number of linear solves, the last largest update [V], voltages of the contacts."""

    outcome: Outcome
    iterations: int
    update: float
    voltages: Floats


@dataclass(frozen=True)
class Scheme:
    """Arguments of an evaluation: see `System.evaluate`.

    `charge` is what the time scheme adds to the charges of the metals [e], for floating ones.
    """

    history: Floats
    lead: float
    step: float
    voltages: Floats
    charge: Floats | None = None


class Newton:
    """Solves the system's equations for its unknowns, in place."""

    def __init__(self, system: System, solver: LinearSolver, control: NewtonControl) -> None:
        self.system = system
        self.control = control
        self._solver = solver
        self.linear_iterations = 0
        self.assembly_seconds = self.linear_seconds = 0.0

    def solve(self, scheme: Scheme) -> NewtonResult:
        """Iterate from the current unknowns until the update is below the tolerance."""
        result = self._iterate(scheme)
        if result.outcome is not Outcome.CONVERGED:
            # Where the iteration went astray the matrix is of no use to later solves.
            self._solver.forget()
        return result

    def _iterate(self, scheme: Scheme) -> NewtonResult:
        size, volts = np.inf, scheme.voltages
        for iteration in range(1, self.control.most + 1):
            scheme = replace(scheme, voltages=volts)
            evaluation = self._linearise(scheme)
            if not self._finite(evaluation):
                return NewtonResult(Outcome.NOT_FINITE, iteration, size, volts)
            precision = self._precision(size)
            result = self._solve_linear(evaluation, precision)
            if not result.converged:
                return NewtonResult(Outcome.LINEAR, iteration, size, volts)
            shift = self._float(scheme, evaluation, precision)
            size = max(self.system.update.norm(3), float(np.abs(shift).max(initial=0.0)))
            if not np.isfinite(size):
                return NewtonResult(Outcome.NOT_FINITE, iteration, size, volts)
            damping = min(1.0, self.control.limit / max(size, 1e-300))
            self._apply(damping)
            volts = volts + damping * shift
            if size < self.control.tolerance and self._exact(size, precision, result):
                return NewtonResult(Outcome.CONVERGED, iteration, size, volts)
        return NewtonResult(Outcome.TOO_MANY, self.control.most, size, volts)

    def _precision(self, before: float) -> float:
        """Relative error allowed to the next update: a hundredth of what Newton leaves over."""
        if not np.isfinite(before):
            return LOOSEST
        left_over = before / self.system.thermal_voltage
        return float(np.clip(1e-2 * left_over, TOLERANCE, LOOSEST))

    def _exact(self, size: float, precision: float, result: LinearResult) -> bool:
        """Whether the linear solver left nothing of the update over that counts."""
        return result.method == "lu" or size * precision <= TOLERANCE * self.control.tolerance

    def evaluate(self, scheme: Scheme) -> Evaluation:
        """Evaluate at the present unknowns."""
        return self.system.evaluate(scheme.history, scheme.lead, scheme.step, scheme.voltages)

    @property
    def method(self) -> str:
        """Name of the linear solver in use."""
        return self._solver.method

    def _linearise(self, scheme: Scheme) -> Evaluation:
        begin = perf_counter()
        result = self.system.linearise(scheme.history, scheme.lead, scheme.step, scheme.voltages)
        self.assembly_seconds += perf_counter() - begin
        return result

    def _solve_linear(self, evaluation: Evaluation, precision: float) -> LinearResult:
        begin = perf_counter()
        self.system.right_side.setArray(-evaluation.residual)
        result = self._solver.solve(precision)
        self.linear_iterations += result.iterations
        self.linear_seconds += perf_counter() - begin
        return result

    def _float(self, scheme: Scheme, evaluation: Evaluation, precision: float) -> Floats:
        """Complete the update for floating metals; change of all voltages [V] (collective)."""
        shift, floating = np.zeros_like(scheme.voltages), list(self.system.floating)
        if not floating or scheme.charge is None:
            return shift
        border, update = self.system.border(scheme.lead), self.system.update
        plain = update.getArray().copy()
        responses = []
        for column in border.columns.T:
            self.system.right_side.setArray(-column)
            self._solver.solve(precision)
            responses.append(update.getArray().copy())
        charge = scheme.lead * evaluation.metal_charge - evaluation.outflow
        terms = [border.rows @ self.system.with_ghosts(one) for one in (plain, *responses)]
        parts = [charge[floating] + terms[0], border.corner + np.column_stack(terms[1:])]
        lacking, slopes = (self.system.comm.allreduce(part) for part in parts)
        shift[floating] = np.linalg.solve(slopes, -(lacking + scheme.charge[floating]))
        update.setArray(plain + np.array(responses).T @ shift[floating])
        return shift

    def _finite(self, evaluation: Evaluation) -> bool:
        good = bool(np.isfinite(evaluation.residual).all())
        return good if self.system.comm.size == 1 else self.system.comm.allreduce(good, MPI.LAND)

    def _apply(self, damping: float) -> None:
        unknowns = self.system.unknowns
        unknowns.axpy(damping, self.system.update)
        self.system.refresh_ghosts()
