"""Linear systems of mechanics: factored once by MUMPS, used for as long as that serves."""

from __future__ import annotations

from typing import Any

from petsc4py import PETSc

PREFIX = "ionstack_mechanics_"
# A factorisation costs more than this many iterations with an old one. They leave over what
# the next step of Newton's method finds anyway.
_LAGGED_ITERATIONS = 15
_TOLERANCE = 1e-3
# MUMPS' switch for the last front; ScaLAPACK, which may factor it, counts no eigenvalues.
_ROOT_IN_PARTS = 13
_NEGATIVE = 12  # where MUMPS tells how many negative pivots there were


class Factors:
    """Solves with a symmetric matrix whose entries may change from one solve to the next."""

    def __init__(self, matrix: Any, lagged: str = PETSc.KSP.Type.GMRES) -> None:
        """Take an assembled matrix; it is factored at the first solve.

        lagged: method that old factors precondition; conjugate gradients notice a matrix that
        is not positive definite.
        """
        matrix.setOption(PETSc.Mat.Option.SYMMETRIC, True)
        self.matrix = matrix
        self.count = 0
        self._lagged = lagged
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
        if changed and self.iterate(right_side, update):
            return True
        return self.direct(right_side, update, anew=changed)

    def iterate(self, right_side: Any, update: Any) -> bool:
        """Solve by a few iterations with old factors; False if that fails or there are none."""
        if not self.count:
            return False
        self._ksp.setType(self._lagged)
        self._ksp.getPC().setReusePreconditioner(True)
        return self._run(right_side, update)

    def direct(self, right_side: Any, update: Any, *, anew: bool) -> bool:
        """Solve with the factors, those of the present matrix if `anew`; False if that fails."""
        self._ksp.setType(PETSc.KSP.Type.PREONLY)
        self._ksp.getPC().setReusePreconditioner(bool(self.count) and not anew)
        self.count += int(anew or not self.count)
        return self._run(right_side, update)

    def negative(self) -> int:
        """Number of negative eigenvalues of the matrix that was factored (collective)."""
        return int(self._ksp.getPC().getFactorMatrix().getMumpsInfog(_NEGATIVE))

    def count_negative(self) -> None:
        """Have factors made such that their negative eigenvalues can be counted on many ranks."""
        pc = self._ksp.getPC()
        pc.setFactorSetUpSolverType()
        pc.getFactorMatrix().setMumpsIcntl(_ROOT_IN_PARTS, 1)

    def _run(self, right_side: Any, update: Any) -> bool:
        try:
            self._ksp.solve(right_side, update)
        except PETSc.Error:
            return False
        return bool(self._ksp.getConvergedReason() > 0)
