"""Newton's method with potential-limited damping. Failure is data, not an exception."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from time import perf_counter

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.assemble import Evaluation, System
from ionstack.checkpoint import Memory
from ionstack.linear import LOOSEST, TOLERANCE, LinearResult, LinearSolver

Floats = NDArray[np.float64]

# Relative error allowed to an estimate of the local error.
ESTIMATE = 0.03


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
        self._lead = 0.0
        # The scheme of the matrix, and unknowns and scheme of the factors that are kept.
        self._scheme: Scheme | None = None
        self._factored: tuple[PETSc.Vec | None, Scheme | None] = None, None
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
            result = self._solve_linear(evaluation.residual, precision)
            if not result.converged:
                return NewtonResult(Outcome.LINEAR, iteration, size, volts)
            shift = self._float(scheme, evaluation, precision)
            size = self._largest(shift)
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
        self._scheme = scheme
        return result

    def _solve_linear(self, residual: Floats, precision: float) -> LinearResult:
        begin = perf_counter()
        self.system.right_side.setArray(-residual)
        result = self._solver.solve(precision)
        self.linear_iterations += result.iterations
        self.linear_seconds += perf_counter() - begin
        if self._solver.factored is not self._factored[0]:
            self._factored = self._solver.factored, self._scheme
        return result

    def memory(self) -> Memory:
        """What `recall` needs to make the factors of the matrix that are kept once more."""
        plain = {"linear_iterations": self.linear_iterations}
        unknowns, scheme = self._factored
        if unknowns is None or scheme is None:
            return Memory(plain)
        made = {"lead": scheme.lead, "step": scheme.step, "voltages": scheme.voltages}
        return Memory({**plain, **made}, {"factored": unknowns.getArray().copy()})

    def recall(self, memory: Memory) -> None:
        """Factor the same matrix as the run before; this changes the unknowns (collective)."""
        own = memory.plain
        if "factored" in memory.owned:
            zero = np.zeros(self.system.layout.n_owned)
            self.system.unknowns.setArray(memory.owned["factored"])
            self.system.refresh_ghosts()
            self._linearise(Scheme(zero, own["lead"], own["step"], np.array(own["voltages"])))
            self._solve_linear(zero, TOLERANCE)
        self.linear_iterations = own["linear_iterations"]

    def response(self, amounts: Floats, charge: Floats) -> float:
        """Largest change [V] that errors of a time scheme's sums cause (collective).

        The matrix is the last one. `amounts`: errors per owned unknown, `charge`: errors
        of the charges of the metals [e].
        """
        result = self._solve_linear(self.system.balanced(amounts), ESTIMATE)
        if not result.converged:
            return np.inf
        shift = self._complete(np.zeros_like(charge), charge, ESTIMATE)
        return self._largest(shift)

    def _float(self, scheme: Scheme, evaluation: Evaluation, precision: float) -> Floats:
        """Complete the update for floating metals; change of all voltages [V] (collective)."""
        if scheme.charge is None:
            return np.zeros_like(scheme.voltages)
        self._lead = scheme.lead
        own = scheme.lead * evaluation.metal_charge - evaluation.outflow
        return self._complete(own, scheme.charge, precision)

    def _complete(self, own: Floats, given: Floats, precision: float) -> Floats:
        """Complete the last update such that no floating metal lacks charge (collective).

        The charges [e] that the metals lack before are this rank's `own` and `given` ones.
        Returns the changes of all voltages [V].
        """
        shift, floating = np.zeros_like(given), list(self.system.floating)
        if not floating:
            return shift
        border, update = self.system.border(self._lead), self.system.update
        plain = update.getArray().copy()
        responses = []
        for column in border.columns.T:
            self._solve_linear(column, precision)
            responses.append(update.getArray().copy())
        terms = [border.rows @ self.system.with_ghosts(one) for one in (plain, *responses)]
        parts = [own[floating] + terms[0], border.corner + np.column_stack(terms[1:])]
        lacking, slopes = (self.system.comm.allreduce(part) for part in parts)
        shift[floating] = np.linalg.solve(slopes, -(lacking + given[floating]))
        update.setArray(plain + np.array(responses).T @ shift[floating])
        return shift

    def _largest(self, shift: Floats) -> float:
        """Largest entry of the update and of the changes of voltages [V] (collective)."""
        unknowns = float(self.system.update.norm(PETSc.NormType.NORM_INFINITY))
        return max(unknowns, float(np.abs(shift).max(initial=0.0)))

    def _finite(self, evaluation: Evaluation) -> bool:
        good = bool(np.isfinite(evaluation.residual).all())
        return good if self.system.comm.size == 1 else self.system.comm.allreduce(good, MPI.LAND)

    def _apply(self, damping: float) -> None:
        unknowns = self.system.unknowns
        unknowns.axpy(damping, self.system.update)
        self.system.refresh_ghosts()
