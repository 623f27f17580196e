"""Linear solvers: PETSc's, chosen by size and dimension, with fall-back on failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from petsc4py import PETSc

from ionstack.assemble import System

Choice = Literal["auto", "lu", "mumps", "iterative"]

# Above this number of mesh vertices a 2-D factorisation costs more than iterating.
DIRECT_LIMIT_2D = 30_000
# 3-D fill makes factorisation lose much earlier.
DIRECT_LIMIT_3D = 4_000
ITERATIVE_TOLERANCE = 1e-8


@dataclass(frozen=True)
class LinearResult:
    """Outcome of one solve: PETSc's reason (positive = converged) and its iterations."""

    converged: bool
    iterations: int
    method: str


class LinearSolver:
    """Solves with the system's matrix; tries the next method when one fails."""

    def __init__(self, system: System, choice: Choice = "auto") -> None:
        self._system = system
        self._order = _order(system, choice)
        self._ksp: dict[str, PETSc.KSP] = {}

    @property
    def method(self) -> str:
        """Name of the method that will be tried first."""
        return self._order[0]

    def solve(self) -> LinearResult:
        """Solve matrix * update = right_side of the system."""
        for method in self._order:
            ksp = self._ksp.get(method) or self._create(method)
            try:
                ksp.solve(self._system.right_side, self._system.update)
            except PETSc.Error:
                continue
            if ksp.getConvergedReason() > 0:
                return LinearResult(True, ksp.getIterationNumber(), method)
        return LinearResult(False, 0, self._order[-1])

    def _create(self, method: str) -> PETSc.KSP:
        ksp = PETSc.KSP().create(self._system.comm)
        ksp.setOptionsPrefix("ionstack_")
        ksp.setOperators(self._system.matrix)
        {"lu": _lu, "mumps": _mumps, "iterative": _iterative}[method](ksp, self._system)
        ksp.setFromOptions()
        self._ksp[method] = ksp
        return ksp


def _order(system: System, choice: Choice) -> tuple[str, ...]:
    volumes = system.equations.volumes
    serial = system.comm.size == 1
    if choice != "auto":
        first: str = "mumps" if choice == "lu" and not serial else choice
    elif volumes.dimension == 1:
        first = "lu" if serial else "mumps"
    else:
        count = system.comm.allreduce(volumes.n_owned_vertices)
        limit = DIRECT_LIMIT_2D if volumes.dimension == 2 else DIRECT_LIMIT_3D
        first = "mumps" if count <= limit else "iterative"
    return (first, "mumps") if first != "mumps" else ("mumps",)


def _lu(ksp: PETSc.KSP, system: System) -> None:
    """PETSc's own factorisation in natural order: the fastest for banded 1-D systems."""
    ksp.setType(PETSc.KSP.Type.PREONLY)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.LU)
    pc.setFactorOrdering("natural")


def _mumps(ksp: PETSc.KSP, system: System) -> None:
    ksp.setType(PETSc.KSP.Type.PREONLY)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.LU)
    pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)


def _iterative(ksp: PETSc.KSP, system: System) -> None:
    ksp.setType(PETSc.KSP.Type.FGMRES)
    ksp.setGMRESRestart(100)
    ksp.setTolerances(rtol=ITERATIVE_TOLERANCE, max_it=400)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.ASM if system.comm.size > 1 else PETSc.PC.Type.ILU)
    if system.comm.size == 1:
        pc.setFactorLevels(1)
