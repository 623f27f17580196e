"""Iterative methods that others would use on the same matrix, one unknown per row and field."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from petsc4py import PETSc

from ionstack.assembly.assemble import System

_PRECISION = 1e-6


def iterative_seconds(system: System) -> float:
    """Return the time of the faster of ILU(1)-GMRES on blocks and field-split AMG [s].

    Rows are scaled by the inverse diagonal blocks first, which is not timed.
    """
    size = int(system.layout.field[: system.layout.n_owned].max()) + 1
    blocks = _blocked(system.matrix, size)
    scaled, right = _scaled(blocks, system.right_side, size)
    return min(_seconds(scaled, right, _ilu), _seconds(scaled, right, _split))


def _blocked(matrix: PETSc.Mat, size: int) -> PETSc.Mat:
    copy = matrix.copy()
    copy.setBlockSize(size)
    return copy


def _scaled(matrix: PETSc.Mat, right: PETSc.Vec, size: int) -> tuple[PETSc.Mat, PETSc.Vec]:
    """Multiply from the left by the inverses of the diagonal blocks."""
    inverse = np.asarray(matrix.invertBlockDiagonal()).reshape(-1, size, size)
    # PETSc stores every block by columns.
    inverse = inverse.transpose(0, 2, 1)
    count = len(inverse)
    starts = np.arange(count * size + 1, dtype=PETSc.IntType) * size
    first = np.repeat(np.arange(count) * size, size)
    columns = (first[:, None] + np.arange(size)).astype(PETSc.IntType).ravel()
    left = PETSc.Mat().createAIJ(
        matrix.getSize(), csr=(starts, columns, inverse.ravel()), comm=matrix.comm
    )
    scaled = left.matMult(matrix)
    scaled.setBlockSize(size)
    result = right.duplicate()
    left.mult(right, result)
    return scaled, result


def _seconds(matrix: PETSc.Mat, right: PETSc.Vec, choose: Callable[[PETSc.KSP], None]) -> float:
    """Time of set-up and solve; infinite where it fails."""
    ksp = PETSc.KSP().create(matrix.comm)
    ksp.setTolerances(rtol=_PRECISION, max_it=300)
    own = matrix if choose is _split else matrix.copy().convert("baij")
    ksp.setOperators(own)
    choose(ksp)
    solution = right.duplicate()
    times = []
    for _ in range(3):
        own.stateIncrease()
        begin = perf_counter()
        try:
            ksp.solve(right, solution)
        except PETSc.Error:
            return float("inf")
        times.append(perf_counter() - begin)
    return min(times) if ksp.getConvergedReason() > 0 else float("inf")


def _ilu(ksp: PETSc.KSP) -> None:
    ksp.setType(PETSc.KSP.Type.GMRES)
    ksp.setGMRESRestart(100)
    ksp.getPC().setType(PETSc.PC.Type.ILU)
    ksp.getPC().setFactorLevels(1)


def _split(ksp: PETSc.KSP) -> None:
    ksp.setType(PETSc.KSP.Type.FGMRES)
    pc = ksp.getPC()
    pc.setType(PETSc.PC.Type.FIELDSPLIT)
    pc.setFieldSplitType(PETSc.PC.CompositeType.MULTIPLICATIVE)
    pc.setFieldSplitFields(pc.getOperators()[0].getBlockSize(), *_fields(pc))
    ksp.setUp()
    for inner in pc.getFieldSplitSubKSP():
        inner.setType(PETSc.KSP.Type.PREONLY)
        inner.getPC().setType(PETSc.PC.Type.HYPRE)


def _fields(pc: PETSc.PC) -> list[tuple[str, list[int]]]:
    size = pc.getOperators()[0].getBlockSize()
    return [(str(field), [field]) for field in range(size)]
