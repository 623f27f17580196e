"""Newton's method with potential-limited damping. Failure is data, not an exception."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from time import perf_counter

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.assembly.assemble import Evaluation, System
from ionstack.output.checkpoint import Memory
from ionstack.solving.linear import LOOSEST, TOLERANCE, LinearResult, LinearSolver
from ionstack.solving.network import CircuitScheme, contact_charge
from ionstack.solving.traces import Traces

Floats = NDArray[np.float64]

# Relative error allowed to an estimate of the local error.
ESTIMATE = 0.03
# Most iterations that a jump of the circuit's nodes may cost besides.
FARTHEST = 200
# Iterations after which steps that go back and forth are halved: about a kink of a rate full ones
# may do so for ever. Two steps do if the cosine of the angle between them is below this.
FORBEARING, BACKWARD = 6, -0.8


class Outcome(Enum):
    """How a Newton solve ended; the values are messages for people."""

    CONVERGED = "converged"
    LINEAR = "the linear solver failed"
    NOT_FINITE = "the equations gave a value that is not finite"
    TOO_MANY = "Newton's method did not converge"
    COUPLING = "transport and the fields coupled to it did not converge together"


@dataclass(frozen=True)
class NewtonControl:
    """`tolerance` of the largest update [V], `limit` of one update [V], `most` iterations."""

    tolerance: float = 1e-9
    limit: float = 0.2
    most: int = 25


@dataclass(frozen=True)
class NewtonResult:
    """Outcome, number of linear solves, the last largest update [V].

    `voltages` are those of the contacts [V], `circuit` the circuit's unknowns (none without).
    `trouble` says more than the outcome where a field coupled to the unknowns has none,
    `feedback` how near a coupled field is to having none, see `companions.Companion`.
    """

    outcome: Outcome
    iterations: int
    update: float
    voltages: Floats
    circuit: Floats
    trouble: str = ""
    feedback: float = 0.0


@dataclass(frozen=True)
class Scheme:
    """Arguments of an evaluation: see `System.evaluate`.

    Without a `circuit` the voltages are given; with one they follow from its unknowns.
    """

    history: Floats
    lead: float
    step: float
    voltages: Floats
    circuit: CircuitScheme | None = None


class Newton:
    """Solves the system's equations for its unknowns, in place."""

    def __init__(
        self,
        system: System,
        solver: LinearSolver,
        control: NewtonControl,
        traces: Traces | None = None,
    ) -> None:
        """Solve `system`; without `traces` every content counts, however small."""
        self.system = system
        self.control = control
        self._solver, self._traces = solver, traces
        # Particles per owned unknown at the last linearisation.
        self._amounts: Floats = np.zeros(0)
        # The scheme of the matrix, and unknowns and scheme of the factors that are kept.
        self._scheme: Scheme | None = None
        self._factored: tuple[PETSc.Vec | None, Scheme | None] = None, None
        self.linear_iterations = 0
        self.assembly_seconds = self.linear_seconds = 0.0

    def solve(self, scheme: Scheme, tolerance: float | None = None) -> NewtonResult:
        """Iterate from the current unknowns until the update is below the tolerance [V]."""
        result = self._iterate(scheme, tolerance or self.control.tolerance)
        if result.outcome is not Outcome.CONVERGED:
            # Where the iteration went astray the matrix is of no use to later solves.
            self._solver.forget()
        return result

    def _iterate(self, scheme: Scheme, tolerance: float) -> NewtonResult:
        size = np.inf
        circuit: Floats = np.zeros(0)
        if scheme.circuit is not None:
            circuit = scheme.circuit.begin()
        most, last = self.control.most, None
        for iteration in count(1):
            scheme = _with_circuit(scheme, circuit)
            evaluation = self._linearise(scheme)
            if not self._finite(evaluation):
                return NewtonResult(Outcome.NOT_FINITE, iteration, size, scheme.voltages, circuit)
            precision = self._precision(size)
            result = self._solve_linear(evaluation.residual, precision)
            if not result.converged:
                return NewtonResult(Outcome.LINEAR, iteration, size, scheme.voltages, circuit)
            change = self._couple(scheme, evaluation, precision)
            size = self._largest(scheme, change)
            if not np.isfinite(size):
                return NewtonResult(Outcome.NOT_FINITE, iteration, size, scheme.voltages, circuit)
            if iteration == 1:
                most += self._way(scheme, change)
            damping = min(1.0, self.control.limit / max(size, 1e-300))
            if iteration >= FORBEARING and size >= tolerance:
                step = self._step(damping)
                damping *= 0.5 if last is not None and self._backward(step, last) else 1.0
                last = step
            self._apply(damping)
            circuit = circuit + damping * change
            small = size < tolerance and self._missed(evaluation.residual) < tolerance
            if small and self._exact(size * precision, tolerance, result):
                scheme = _with_circuit(scheme, circuit)
                return NewtonResult(Outcome.CONVERGED, iteration, size, scheme.voltages, circuit)
            if iteration >= most:
                break
        return NewtonResult(Outcome.TOO_MANY, most, size, scheme.voltages, circuit)

    def _way(self, scheme: Scheme, change: Floats) -> int:
        """Iterations that the limit of an update costs where nodes of the circuit jump.

        A switch or an instrument moves nodes at once, however small the step is.
        """
        if scheme.circuit is None:
            return 0
        jump = np.abs(change[: scheme.circuit.network.n_nodes]).max(initial=0.0)
        return int(min(jump / self.control.limit, FARTHEST))

    def _precision(self, before: float) -> float:
        """Relative error allowed to the next update: a hundredth of what Newton leaves over."""
        if not np.isfinite(before):
            return LOOSEST
        left_over = before / self.system.thermal_voltage
        return float(np.clip(1e-2 * left_over, TOLERANCE, LOOSEST))

    def _exact(self, left_over: float, tolerance: float, result: LinearResult) -> bool:
        """Whether the linear solver left nothing of the update over that counts [V]."""
        return result.method == "lu" or left_over <= TOLERANCE * tolerance

    def evaluate(self, scheme: Scheme) -> Evaluation:
        """Evaluate at the present unknowns."""
        return self.system.evaluate(scheme.history, scheme.lead, scheme.step, scheme.voltages)

    @property
    def method(self) -> str:
        """Name of the linear solver in use."""
        return self._solver.method

    def _linearise(self, scheme: Scheme) -> Evaluation:
        begin = perf_counter()
        keep = scheme.circuit is not None and scheme.circuit.sought
        result = self.system.linearise(
            scheme.history, scheme.lead, scheme.step, scheme.voltages, keep
        )
        self.assembly_seconds += perf_counter() - begin
        self._scheme, self._amounts = scheme, result.amounts
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

    def response(self, scheme: Scheme, amounts: Floats, charge: Floats) -> float:
        """Largest change [V] that errors of a time scheme's sums cause (collective).

        The matrix is the last one, at `scheme`. `amounts`: errors per owned unknown, `charge`:
        errors of the charges of the metals [e] and of what the circuit stores.
        """
        result = self._solve_linear(self.system.balanced(amounts), ESTIMATE)
        if not result.converged:
            return np.inf
        change: Floats = np.zeros(0)
        if scheme.circuit is not None:
            change = scheme.circuit.network.respond(
                scheme.circuit, scheme.lead, scheme.step, charge, self._column(ESTIMATE)
            )
        return self._largest(scheme, change)

    def _couple(self, scheme: Scheme, evaluation: Evaluation, precision: float) -> Floats:
        """Complete the update for the circuit; change of its unknowns (collective)."""
        if scheme.circuit is None:
            return np.zeros(0)
        own = contact_charge(evaluation, scheme.lead)
        return scheme.circuit.network.couple(
            scheme.circuit, scheme.lead, scheme.step, own, self._column(precision)
        )

    def _column(self, precision: float) -> Callable[[Floats], None]:
        """Solver of the last linear system for other right sides."""

        def solve(column: Floats) -> None:
            self._solve_linear(column, precision)

        return solve

    def _largest(self, scheme: Scheme, change: Floats) -> float:
        """Largest entry of the update and of the changes of nodes and states (collective)."""
        unknowns = self._size()
        if scheme.circuit is None:
            return unknowns
        counted = change[scheme.circuit.network.circuit.stores]
        return max(unknowns, float(np.abs(counted).max(initial=0.0)))

    def _size(self) -> float:
        """Largest entry of the update as it counts [V] (collective)."""
        if self._traces is None:
            return float(self.system.update.norm(PETSc.NormType.NORM_INFINITY))
        counted = self._traces.counted(self.system.update.getArray(readonly=1), self._amounts)
        return self._most(counted)

    def _most(self, values: Floats) -> float:
        """Largest modulus of what all ranks have (collective)."""
        largest, comm = float(np.abs(values).max(initial=0.0)), self.system.comm
        return largest if comm.size == 1 else float(comm.allreduce(largest, MPI.MAX))

    def _missed(self, residual: Floats) -> float:
        """What balances with a trace miss [V], besides what the update tells (collective)."""
        if self._traces is None:
            return 0.0
        return self._most(self._traces.missing(residual, self._amounts))

    def _finite(self, evaluation: Evaluation) -> bool:
        good = bool(np.isfinite(evaluation.residual).all())
        return good if self.system.comm.size == 1 else self.system.comm.allreduce(good, MPI.LAND)

    def _step(self, damping: float) -> Floats:
        """Change of the owned unknowns that a share of the update makes."""
        damped = damping * self.system.update.getArray(readonly=1)
        return np.asarray(damped if self._traces is None else self._traces.followed(damped))

    def _backward(self, step: Floats, last: Floats) -> bool:
        """Whether a step takes back most of the last one (collective)."""
        comm, sums = self.system.comm, np.array([step @ last, step @ step, last @ last])
        along, own, before = sums if comm.size == 1 else comm.allreduce(sums)
        return bool(along < BACKWARD * np.sqrt(own * before))

    def _apply(self, damping: float) -> None:
        unknowns, update = self.system.unknowns, self.system.update
        if self._traces is None:
            unknowns.axpy(damping, update)
        else:
            unknowns.setArray(unknowns.getArray(readonly=1) + self._step(damping))
        self.system.refresh_ghosts()


def _with_circuit(scheme: Scheme, unknowns: Floats) -> Scheme:
    """The scheme at other unknowns of the circuit, with the voltages that follow."""
    if scheme.circuit is None:
        return scheme
    circuit = replace(scheme.circuit, unknowns=unknowns)
    return replace(scheme, circuit=circuit, voltages=circuit.network.voltages(unknowns))
