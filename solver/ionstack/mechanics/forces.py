"""Forces in a body of layers: of its stress, of faces on each other, of loads; the stiffness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dolfinx.cpp
import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.mechanics.conditions import Conditions, Holds
from ionstack.mechanics.interfaces import Interfaces
from ionstack.mechanics.kinematics import Forms, Rotations
from ionstack.mechanics.material import Flowed, Materials, Response
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.physics.cohesion import Cohesion, Separation

Floats = NDArray[np.float64]


class Task(NamedTuple):
    """What a step asks: free strain (cells, points, components), state before, duration [s].

    `reached` (facets, points) largest opening of interfaces [m] before.
    """

    free: Floats
    before: Flowed
    step: float
    reached: Floats


class Forces:
    """Assembles the forces out of balance at a displacement.

    `displacement` is a DOLFINx function that whoever searches overwrites. `right_side` and
    `update` are PETSc vectors: the forces out of balance, and room for what they ask for.
    """

    def __init__(
        self,
        mesh: MechanicalMesh,
        materials: Materials,
        conditions: Conditions,
        rotations: Rotations = "small",
        laws: Sequence[Cohesion] = (),
    ) -> None:
        """Compile the forms; one law for each seam of the mesh (collective)."""
        self._mesh = mesh
        self._materials = materials
        self.forms = Forms(mesh, rotations)
        self.holds = Holds(mesh, self.forms.space, conditions)
        self.interfaces = Interfaces(mesh, self.forms.space, laws) if mesh.seams else None
        self._separation: Separation | None = None
        self._cells = np.arange(mesh.n_owned)
        self.displacement = self.forms.displacement
        self.forms.put(self.forms.tangent, self._cells, materials.elastic_tangent())
        self._bent = False  # whether the tangent is another than the elastic one
        # PETSc's vectors use the memory of these functions.
        self._functions = [fem.Function(self.forms.space) for _ in range(4)]
        self._force, self.right_side, self.update, self._load = (
            function.x.petsc_vec for function in self._functions
        )
        self._pressures: dict[str, tuple[Any, Any]] = {}

    def move(self, start: Floats, length: float) -> None:
        """Put the displacement `length` updates away from `start` (local values)."""
        self.displacement.x.array[:] = start
        self.displacement.x.petsc_vec.axpy(length, self.update)
        self.displacement.x.scatter_forward()

    def stride(self) -> Floats:
        """Move by one update; return the strain up to the linear part of its change."""
        start = self.displacement.x.array.copy()
        before = self.forms.strain()
        self.move(start, -1.0)
        behind = self.forms.strain()
        self.move(start, 1.0)
        return before + 0.5 * (self.forms.strain() - behind)

    def respond(self, task: Task, strain: Floats | None = None) -> Response:
        """Stress at the end of the step, at the strain of the displacement or another one."""
        strain = self.forms.strain() if strain is None else strain
        found = self._materials.respond(strain, task.free, task.before, task.step)
        return found._replace(separation=self._separated(task.reached))

    def _separated(self, reached: Floats) -> Separation | None:
        if self.interfaces is None:
            return None
        return self.interfaces.separate(self.displacement.x.array, reached)

    def nothing_reached(self) -> Floats:
        """Largest openings (facets, points) of a body as it was made."""
        return np.zeros((0, 0) if self.interfaces is None else self.interfaces.shape)

    def predict(self, task: Task) -> Response:
        """Stress at the displacement if nothing flows in the step."""
        stress = self._materials.held_stress(self.forms.strain(), task.free, task.before)
        return Response(stress, task.before, None)

    def load_size(self, task: Task, loads: Any) -> float:
        """Norm of the forces that would hold the body in its place."""
        stress = self._materials.held_stress(np.zeros_like(task.free), task.free, task.before)
        self.forms.put(self.forms.stress, self._cells, stress)
        return float(self._assembled_force().norm() + (loads.norm() if loads else 0.0))

    def load_flat(self, pressure: Mapping[str, float]) -> None:
        """Make the forms those of the body as it was made; its loads are the right side."""
        self.displacement.x.array[:] = 0.0
        self.forms.put(self.forms.tangent, self._cells, self._materials.elastic_tangent())
        self._bent = False
        flowed = self._materials.nothing_flowed()
        self._separation = self._separated(self.nothing_reached())
        stress = np.zeros_like(self.forms.strain())
        self.residual(Response(stress, flowed, None, self._separation), self.loads(pressure))

    def put(self, response: Response) -> None:
        """Give stress and tangent to the forms."""
        self.put_tangent(response)
        self.forms.put(self.forms.stress, self._cells, response.stress)

    def put_tangent(self, response: Response) -> bool:
        """Give the tangent to the stiffness form; return whether any rank's cells flow."""
        self._separation = response.separation
        flows = self._mesh.mesh.comm.allreduce(response.tangent is not None, op=MPI.LOR)
        if flows or self._bent:
            cells = self._materials.flowing
            elastic = self._materials.elastic_tangent()[cells]
            tangent = elastic if response.tangent is None else response.tangent
            self.forms.put(self.forms.tangent, cells, tangent)
        self._bent = flows
        return bool(flows)

    def residual(self, response: Response, loads: Any) -> tuple[float, float]:
        """Put the forces out of balance into the right side; their norm and that of all forces."""
        self.forms.put(self.forms.stress, self._cells, response.stress)
        force = self._assembled_force(response.separation)
        size = force.norm()
        self.right_side.set(0.0)
        if loads:
            self.right_side.axpy(1.0, loads)
        self.right_side.axpy(-1.0, force)
        self._hold(self.displacement.x.petsc_vec)
        return self.right_side.norm(), size

    def _hold(self, at: Any) -> None:
        """Let the update bring held displacements to their values."""
        conditions = self.holds.conditions
        if self.holds.moving:
            fem_petsc.apply_lifting(
                self.right_side, [self.forms.stiffness], [conditions], x0=[at], alpha=1.0
            )
            self._add_ghosts(self.right_side)
        fem_petsc.set_bc(self.right_side, conditions, at, 1.0)

    def stiffness(self, matrix: Any = None) -> Any:
        """Assemble the matrix of the present tangent, into one that exists if given."""
        if matrix is None:
            matrix = self._empty_matrix()
        matrix.zeroEntries()
        # Before the cells, after which diagonals of held displacements are set.
        if self.interfaces is not None:
            separation = self._separation or self._separated(self.nothing_reached())
            assert separation is not None
            weight = float(self.forms.weight.value)
            self.interfaces.add_stiffness(separation, weight, self.holds.free, matrix)
        fem_petsc.assemble_matrix(  # type: ignore[misc]
            matrix, self.forms.stiffness, bcs=self.holds.conditions
        )
        matrix.assemble()
        return matrix

    def _empty_matrix(self) -> Any:
        """A matrix with room for what cells and the faces of slits couple."""
        pattern = fem.create_sparsity_pattern(self.forms.stiffness)
        if self.interfaces is not None:
            for dofs in self.interfaces.coupled():
                pattern.insert(dofs, dofs)
        pattern.finalize()
        return dolfinx.cpp.la.petsc.create_matrix(self._mesh.mesh.comm, pattern)

    def _assembled_force(self, separation: Separation | None = None) -> Any:
        return self._vector(self.forms.force, self._force, separation)

    def _vector(self, form: Any, vector: Any, separation: Separation | None = None) -> Any:
        with vector.localForm() as local:
            local.set(0.0)
        fem_petsc.assemble_vector(vector, form)
        if separation is not None and self.interfaces is not None:
            self.interfaces.add_forces(separation, vector)
        self._add_ghosts(vector)
        return vector

    @staticmethod
    def _add_ghosts(vector: Any) -> None:
        vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)

    def loads(self, pressure: Mapping[str, float]) -> Any:
        """Forces of the pressures on faces, as the faces were made; None without any."""
        if not pressure:
            return None
        self._load.set(0.0)
        for face, value in pressure.items():
            if face not in self._pressures:
                size = fem.Constant(self._mesh.mesh, np.float64(0.0))
                form = self.forms.pressure(self._mesh.faces[face], size)
                self._pressures[face] = (size, form)
            size, form = self._pressures[face]
            size.value = value
            self._load.axpy(1.0, self._vector(form, self._force))
        return self._load
