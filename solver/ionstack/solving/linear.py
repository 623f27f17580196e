"""Linear solvers: PETSc's, chosen by size and dimension, with fall-back on failure.

Options with the prefix ``ionstack_`` change the first choice; then nothing is kept
from one solve to the next. The method that it falls back to is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from petsc4py import PETSc

from ionstack.assembly.assemble import System
from ionstack.solving.aggregates import build_aggregates

Choice = Literal["auto", "lu", "mumps", "iterative"]

PREFIX = "ionstack_"
# Mesh vertices above which iterating beats a factorisation; measured, see docs/performance.md.
DIRECT_LIMIT_2D = 100_000
DIRECT_LIMIT_3D = 2_000
# Mesh vertices in 3-D above which a factorisation fits neither memory nor patience: where
# iterations fail a shorter time step is tried instead.
FALLBACK_LIMIT_3D = 80_000
MOST_ITERATIONS = 200
# Error of an update relative to the update: far below what Newton's method leaves over
# itself, and 1e-15 V for the last one.
TOLERANCE = 1e-6
# While updates are still large, Newton's method itself leaves more over than this.
LOOSEST = 1e-3
# A factorisation costs about as much as this many iterations with an old one.
LAGGED_ITERATIONS = 8
# Largest change of an unknown [V] since a factorisation that may serve again: where a
# density has changed by much more, the error of its unknown does not show in the norm.
LAGGED_CHANGE = 0.1
_SMALLEST_PIVOT = 1e-200
# Failures in a row after which a method is not tried again.
_PATIENCE = 3


@dataclass(frozen=True)
class LinearResult:
    """Outcome of one solve: whether it converged, iterations, and the method used."""

    converged: bool
    iterations: int
    method: str


class LinearSolver:
    """Solves with the system's matrix; tries the next method when one fails."""

    def __init__(self, system: System, choice: Choice = "auto") -> None:
        self._system = system
        self._order = list(_order(system, choice))
        self._customised = any(key.startswith(PREFIX) for key in PETSc.Options().getAll())
        self._ksp: dict[str, PETSc.KSP] = {}
        self._failures = 0
        self._old: PETSc.Vec | None = None
        self._tolerance = TOLERANCE
        self._start = 0.0

    @property
    def method(self) -> str:
        """Name of the method that will be tried first."""
        return self._order[0]

    def solve(self, tolerance: float = TOLERANCE) -> LinearResult:
        """Solve matrix * update = right_side of the system (collective).

        `tolerance` bounds the relative error of methods that iterate.
        """
        self._tolerance = tolerance
        for method in tuple(self._order):
            ksp = self._ksp.get(method) or self._create(method)
            lagged = method == "mumps" and not self._changed(method)
            if method == "iterative" and not self._changed(method):
                ksp.setTolerances(rtol=self._tolerance)
            if self._lagged(ksp) if lagged else self._run(ksp):
                self._failures = 0 if method == self._order[0] else self._failures
                return LinearResult(True, ksp.getIterationNumber(), method)
            self._ksp.pop(method)  # MUMPS does not recover from a singular matrix
            self._count_failure(method)
        return LinearResult(False, 0, self._order[-1])

    def forget(self) -> None:
        """Do not use an old factorisation: the unknowns are no longer near those it is of."""
        self._old = None

    @property
    def factored(self) -> PETSc.Vec | None:
        """Unknowns [V] of the factorisation that later solves may use, None without one."""
        return self._old

    def types(self) -> tuple[str, str]:
        """PETSc's names of the Krylov method and the preconditioner tried first."""
        ksp = self._ksp.get(self.method) or self._create(self.method)
        return str(ksp.getType()), str(ksp.getPC().getType())

    def _changed(self, method: str) -> bool:
        """Whether the user's options change this method."""
        return self._customised and method == self._order[0]

    def _count_failure(self, method: str) -> None:
        """Give a method up for good once it has failed several times in a row."""
        if method == self._order[0] and len(self._order) > 1:
            self._failures += 1
            if self._failures == _PATIENCE:
                self._order.remove(method)
                self._failures = 0
                self._customised = False

    def _run(self, ksp: PETSc.KSP) -> bool:
        try:
            ksp.solve(self._system.right_side, self._system.update)
        except PETSc.Error:
            # The solve was left with its vectors locked.
            self._system.renew_vectors()
            return False
        return bool(ksp.getConvergedReason() > 0)

    def _lagged(self, ksp: PETSc.KSP) -> bool:
        """Iterate with an old factorisation while that is cheaper than a new one."""
        if self._old is not None and self._near(self._old):
            ksp.setType(PETSc.KSP.Type.GMRES)
            ksp.setConvergenceTest(self._worth_while)
            ksp.getPC().setReusePreconditioner(True)
            if self._run(ksp):
                return True
        ksp.setType(PETSc.KSP.Type.PREONLY)
        ksp.getPC().setReusePreconditioner(False)
        good = self._run(ksp)
        self._old = self._system.unknowns.copy() if good else None
        return good

    def _near(self, old: PETSc.Vec) -> bool:
        """Whether the unknowns are close to those of the factorisation."""
        change = self._system.unknowns.duplicate()
        change.waxpy(-1.0, old, self._system.unknowns)
        return bool(change.norm(PETSc.NormType.INFINITY) < LAGGED_CHANGE)

    def _worth_while(self, ksp: PETSc.KSP, count: int, norm: float) -> int:
        """Converged, or so slow that a new factorisation is cheaper; from the first norm on."""
        if count == 0:
            self._start = norm
        if norm <= self._tolerance * self._start:
            return int(PETSc.KSP.ConvergedReason.CONVERGED_RTOL)
        # At the least half of the mean rate that is needed.
        late = norm > self._start * TOLERANCE ** (0.5 * count / LAGGED_ITERATIONS)
        if count >= LAGGED_ITERATIONS or (count >= 2 and late):
            return int(PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT)
        return int(PETSc.KSP.ConvergedReason.ITERATING)

    def _create(self, method: str) -> PETSc.KSP:
        ksp = PETSc.KSP().create(self._system.comm)
        first = method == self._order[0]
        ksp.setOptionsPrefix(PREFIX if first else f"{PREFIX}fallback_")
        ksp.setOperators(self._system.matrix)
        {"lu": _lu, "mumps": _mumps, "iterative": _iterative}[method](ksp, self._system)
        ksp.setFromOptions()
        self._ksp[method] = ksp
        return ksp


def _order(system: System, choice: Choice) -> tuple[str, ...]:
    """Methods in the order in which they are tried (collective)."""
    volumes = system.equations.volumes
    serial = system.comm.size == 1
    count = system.comm.allreduce(volumes.n_owned_vertices)
    if choice != "auto":
        first: str = "mumps" if choice == "lu" and not serial else choice
    elif volumes.dimension == 1:
        first = "lu" if serial else "mumps"
    else:
        limit = DIRECT_LIMIT_2D if volumes.dimension == 2 else DIRECT_LIMIT_3D
        first = "mumps" if count <= limit else "iterative"
    large = volumes.dimension == 3 and count > FALLBACK_LIMIT_3D
    return (first,) if first == "mumps" or large else (first, "mumps")


def _lu(ksp: PETSc.KSP, system: System) -> None:
    """PETSc's own factorisation in natural order: the fastest for banded 1-D systems."""
    ksp.setType(PETSc.KSP.Type.PREONLY)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.LU)
    pc.setFactorOrdering("natural")
    # Columns scale with densities: where those fall steeply, small pivots are right.
    pc.setFactorPivot(_SMALLEST_PIVOT)


def _mumps(ksp: PETSc.KSP, system: System) -> None:
    ksp.setType(PETSc.KSP.Type.PREONLY)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.LU)
    pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)


def _iterative(ksp: PETSc.KSP, system: System) -> None:
    """GMRES with two levels: incomplete factors along the columns, and aggregates.

    The norm is that of the preconditioned residual, an estimate of the error in volts:
    rows of different fields and cells differ in scale by ten orders and more.
    """
    ksp.setType(PETSc.KSP.Type.GMRES)
    ksp.setGMRESRestart(60)
    ksp.setTolerances(rtol=TOLERANCE, max_it=MOST_ITERATIONS)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.MG)
    pc.setMGLevels(2)
    pc.setMGInterpolation(1, _interpolation(system))
    _galerkin(pc)
    smoother = pc.getMGSmoother(1)
    smoother.setType(PETSc.KSP.Type.RICHARDSON)
    smoother.setTolerances(max_it=1)
    smoother.setNormType(PETSc.KSP.NormType.NONE)
    coarse = pc.getMGCoarseSolve()
    if system.comm.size == 1:
        smoother.getPC().setType(PETSc.PC.Type.ILU)
        _mumps(coarse, system)
    else:
        # Overlap, since a partition may cut columns; a small system is not worth sharing.
        smoother.getPC().setType(PETSc.PC.Type.ASM)
        coarse.setType(PETSc.KSP.Type.PREONLY)
        coarse.getPC().setType(PETSc.PC.Type.REDUNDANT)


def _galerkin(pc: PETSc.PC) -> None:
    """Let PETSc form the coarse matrix; petsc4py has no other way to ask for it."""
    options = PETSc.Options(pc.getOptionsPrefix())
    if not options.hasName("pc_mg_galerkin"):
        options.setValue("pc_mg_galerkin", "both")
        pc.setFromOptions()
        options.delValue("pc_mg_galerkin")


def _interpolation(system: System) -> PETSc.Mat:
    """Piecewise constant interpolation; its transpose adds rows, which keeps sums exact."""
    layout = system.layout
    aggregates = build_aggregates(system.equations.volumes, layout)
    starts = np.arange(layout.n_owned + 1, dtype=PETSc.IntType)
    columns = aggregates.coarse.astype(PETSc.IntType)
    sizes = ((layout.n_owned, layout.n_global), (None, aggregates.count))
    matrix = PETSc.Mat().createAIJ(
        sizes, csr=(starts, columns, np.ones(layout.n_owned)), comm=system.comm
    )
    matrix.assemble()
    return matrix
