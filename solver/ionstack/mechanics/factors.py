"""Linear systems of mechanics: factored once by MUMPS, used for as long as that serves."""

from __future__ import annotations

from typing import Any

from petsc4py import PETSc

PREFIX = "ionstack_mechanics_"
# A factorisation costs more than this many iterations with an old one. They leave over what
# the next step of Newton's method finds anyway.
_LAGGED_ITERATIONS = 15
_TOLERANCE = 1e-3


class Factors:
    """Solves with a symmetric matrix whose entries may change from one solve to the next."""

    def __init__(self, matrix: Any) -> None:
        """Take an assembled matrix; it is factored at the first solve."""
        matrix.setOption(PETSc.Mat.Option.SYMMETRIC, True)
        self.matrix = matrix
        self.count = 0
        self._ksp = PETSc.KSP().create(matrix.comm)
        self._ksp.setOptionsPrefix(PREFIX)
        self._ksp.setOperators(matrix)
        self._ksp.setTolerances(rtol=_TOLERANCE, max_it=_LAGGED_ITERATIONS)
        pc = self._ksp.getPC()
        pc.setType(PETSc.PC.Type.CHOLESKY)
        pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
        self._ksp.setFromOptions()

    def solve(self, right_side: Any, update: Any, *, changed: bool = False) -> bool:
        """Solve matrix * update = right_side; False if that fails (collective).

        changed: the matrix is no longer that which was factored. The old factors then
        precondition a few iterations before new ones are made.
        """
        if self.count and changed:
            self._ksp.setType(PETSc.KSP.Type.GMRES)
            self._ksp.getPC().setReusePreconditioner(True)
            if self._run(right_side, update):
                return True
        self._ksp.setType(PETSc.KSP.Type.PREONLY)
        self._ksp.getPC().setReusePreconditioner(bool(self.count) and not changed)
        self.count += int(changed or not self.count)
        return self._run(right_side, update)

    def _run(self, right_side: Any, update: Any) -> bool:
        try:
            self._ksp.solve(right_side, update)
        except PETSc.Error:
            return False
        return bool(self._ksp.getConvergedReason() > 0)
