"""Static equilibrium of a body: the forces, their balance, and Newton's method for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.mechanics.conditions import Conditions, Holds
from ionstack.mechanics.factors import Factors
from ionstack.mechanics.kinematics import Forms
from ionstack.mechanics.material import Flowed, Materials, Response
from ionstack.mechanics.mesh import MechanicalMesh

Floats = NDArray[np.float64]

_TINY = 1e-300
# An imbalance below this, over all forces, that no longer falls is one of round-off.
_ROUND_OFF = 1e-7
# An elastic body is solved exactly, and once more for round-off. That across long and thin
# cells weighs more than forces along them, but does not bear on the stress.
_REFINED = 2
_ELASTIC_ROUND_OFF = 1e-3


@dataclass(frozen=True)
class Control:
    """When Newton's method is done.

    tolerance: forces out of balance, over those of the loads and of the supports.
    most: iterations after which a step has failed.
    """

    tolerance: float = 1e-10
    most: int = 40


@dataclass(frozen=True)
class NewtonReport:
    """How a solve went: linear solves, forces out of balance over all forces, and success."""

    iterations: int
    imbalance: float
    converged: bool


class Task(NamedTuple):
    """What a step asks: free strain (cells, points, components), state before, duration [s]."""

    free: Floats
    before: Flowed
    step: float


class Balance:
    """Finds the displacement at which the forces are in balance.

    `displacement` is a DOLFINx function that every search overwrites.
    """

    def __init__(
        self,
        mesh: MechanicalMesh,
        materials: Materials,
        conditions: Conditions,
        control: Control,
    ) -> None:
        """Assemble the elastic stiffness (collective)."""
        self._mesh = mesh
        self._materials = materials
        self._control = control
        self._forms = Forms(mesh)
        self._holds = Holds(mesh, self._forms.space, conditions)
        self._cells = np.arange(mesh.n_owned)
        self.displacement = self._forms.displacement
        self._forms.put(self._forms.tangent, self._cells, materials.elastic_tangent())
        self.elastic = Factors(self._stiffness())
        self.flowing: Factors | None = None
        self._bent = False  # whether the tangent is another than the elastic one
        # PETSc's vectors use the memory of these functions.
        self._functions = [fem.Function(self._forms.space) for _ in range(4)]
        self._force, self._right_side, self._update, self._load = (
            function.x.petsc_vec for function in self._functions
        )
        self._pressures: dict[str, tuple[Any, Any]] = {}

    def find(
        self, start: Floats, task: Task, pressure: Mapping[str, float], *, warm: bool
    ) -> tuple[Response, NewtonReport]:
        """Iterate from a displacement (local values); the result is `displacement` (collective).

        Unless the start is `warm`, near the result, the first step takes all as elastic: a body
        that is unloaded would otherwise seem to flow far the other way.
        """
        self.displacement.x.array[:] = start
        loads = self._loads(pressure)
        scale = self._load_size(task, loads)
        previous = np.inf
        for count in range(self._control.most + 1):
            predicts = count == 0 and not warm
            response = self._response(task, predicts)
            flows = self._put_tangent(response)
            imbalance, force = self._residual(response, loads)
            if count <= 1:  # later, a body that gives way may be under any stress
                scale = max(scale, force, _TINY)
            done = not predicts and self._is_done(imbalance / scale, previous / scale, count, flows)
            failed = not np.isfinite(imbalance) or count == self._control.most
            if done or failed or not self._advance(flows):
                break
            previous = imbalance
        return response, NewtonReport(count, imbalance / scale, done)

    def _response(self, task: Task, predicts: bool) -> Response:
        strain = self._forms.strain()
        if predicts:
            stress = self._materials.held_stress(strain, task.free, task.before)
            return Response(stress, task.before, None)
        return self._materials.respond(strain, task.free, task.before, task.step)

    def _is_done(self, imbalance: float, previous: float, count: int, flows: bool) -> bool:
        """Whether the balance is as good as asked for, or as round-off lets it be."""
        if imbalance <= self._control.tolerance:
            return True
        if not flows and count >= _REFINED:
            return imbalance <= _ELASTIC_ROUND_OFF
        return _ROUND_OFF >= imbalance > 0.5 * previous

    def _load_size(self, task: Task, loads: Any) -> float:
        """Norm of the forces that would hold the body in its place."""
        stress = self._materials.held_stress(np.zeros_like(task.free), task.free, task.before)
        self._forms.put(self._forms.stress, self._cells, stress)
        return float(self._assembled_force().norm() + (loads.norm() if loads else 0.0))

    def _put_tangent(self, response: Response) -> bool:
        """Give the tangent to the stiffness form; return whether any rank's cells flow."""
        flows = self._mesh.mesh.comm.allreduce(response.tangent is not None, op=MPI.LOR)
        if flows or self._bent:
            cells = self._materials.flowing
            elastic = self._materials.elastic_tangent()[cells]
            tangent = elastic if response.tangent is None else response.tangent
            self._forms.put(self._forms.tangent, cells, tangent)
        self._bent = flows
        return bool(flows)

    def _residual(self, response: Response, loads: Any) -> tuple[float, float]:
        """Put the forces out of balance into the right side; their norm and that of all forces."""
        self._forms.put(self._forms.stress, self._cells, response.stress)
        force = self._assembled_force()
        size = force.norm()
        self._right_side.set(0.0)
        if loads:
            self._right_side.axpy(1.0, loads)
        self._right_side.axpy(-1.0, force)
        self._hold(self.displacement.x.petsc_vec)
        return self._right_side.norm(), size

    def _hold(self, at: Any) -> None:
        """Let the update bring held displacements to their values."""
        conditions = self._holds.conditions
        if self._holds.moving:
            fem_petsc.apply_lifting(
                self._right_side, [self._forms.stiffness], [conditions], x0=[at], alpha=1.0
            )
            self._add_ghosts(self._right_side)
        fem_petsc.set_bc(self._right_side, conditions, at, 1.0)

    def _advance(self, flows: bool) -> bool:
        """Add Newton's update to the displacement; False if there is none."""
        factors = self._tangent_factors() if flows else self.elastic
        solved = factors.solve(self._right_side, self._update, changed=flows)
        self.displacement.x.petsc_vec.axpy(1.0, self._update)
        self.displacement.x.scatter_forward()
        return solved

    # ------------------------------------------------------------ assembly

    def _tangent_factors(self) -> Factors:
        """The system of the present tangent, assembled."""
        if self.flowing is None:
            self.flowing = Factors(self._stiffness())
        else:
            self._stiffness(self.flowing.matrix)
        return self.flowing

    def _stiffness(self, matrix: Any = None) -> Any:
        if matrix is None:
            matrix = fem_petsc.create_matrix(self._forms.stiffness)
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(  # type: ignore[misc]
            matrix, self._forms.stiffness, bcs=self._holds.conditions
        )
        matrix.assemble()
        return matrix

    def _assembled_force(self) -> Any:
        return self._vector(self._forms.force, self._force)

    def _vector(self, form: Any, vector: Any) -> Any:
        with vector.localForm() as local:
            local.set(0.0)
        fem_petsc.assemble_vector(vector, form)
        self._add_ghosts(vector)
        return vector

    @staticmethod
    def _add_ghosts(vector: Any) -> None:
        vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)

    def _loads(self, pressure: Mapping[str, float]) -> Any:
        """Forces of the pressures on faces, None without any."""
        if not pressure:
            return None
        self._load.set(0.0)
        for face, value in pressure.items():
            if face not in self._pressures:
                size = fem.Constant(self._mesh.mesh, np.float64(0.0))
                form = self._forms.pressure(self._mesh.faces[face], size)
                self._pressures[face] = (size, form)
            size, form = self._pressures[face]
            size.value = value
            self._load.axpy(1.0, self._vector(form, self._force))
        return self._load
