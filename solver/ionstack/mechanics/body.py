"""A body of layers in static equilibrium at small strain: elastic, plastic, creeping.

Displacements are quadratic in every cell. The stiffness is assembled and factored once;
where solids flow, Newton's method uses the tangent of the returned stress.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.checkpoint import Memory
from ionstack.mechanics.conditions import Conditions, Holds
from ionstack.mechanics.factors import Factors
from ionstack.mechanics.kinematics import Forms
from ionstack.mechanics.material import Flowed, Materials, Response
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.physics.plasticity import hydrostatic
from ionstack.physics.solids import Solid

Ints = NDArray[np.int64]
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


@dataclass(frozen=True)
class Trial:
    """A state that a body may accept; cells are those of the mesh that this rank owns.

    displacement: DOLFINx function [m]. stress: (cells, points, components) [Pa] in Mandel's order.
    plastic: equivalent plastic strain (cells, points), creep included.
    newton: how the solve went; a trial that did not converge must not be accepted.
    """

    displacement: Any
    stress: Floats
    plastic: Floats
    newton: NewtonReport
    flowed: Flowed
    materials: Materials

    def hydrostatic(self) -> Floats:
        """Hydrostatic stress [Pa] at the corners (cells, corners), positive in tension."""
        return self.materials.points.to_corners(hydrostatic(self.stress))

    def corner_stress(self) -> Floats:
        """Stress (cells, corners, components) [Pa], linear in every cell."""
        return self.materials.points.to_corners(self.stress)

    def corner_plastic(self) -> Floats:
        """Equivalent plastic strain at the corners (cells, corners), linear in every cell."""
        return self.materials.points.to_corners(self.plastic)

    def corner_displacement(self) -> Floats:
        """Displacement [m] of the corners (cells, corners, coordinates)."""
        space = self.displacement.function_space
        size = space.dofmap.bs
        rows = space.dofmap.list[: len(self.stress), : size + 1]
        return np.asarray(self.displacement.x.array.reshape(-1, size)[rows])


class Body:
    """A body and the state that it has accepted."""

    def __init__(
        self,
        mesh: MechanicalMesh,
        solids: Sequence[Solid],
        conditions: Conditions,
        control: Control | None = None,
    ) -> None:
        """Assemble the stiffness of a body with one solid per region (collective).

        Raises InputError for conditions that do not suit the mesh.
        """
        self.mesh = mesh
        self.materials = Materials(mesh, solids)
        self._control = control or Control()
        self._forms = Forms(mesh)
        self._holds = Holds(mesh, self._forms.space, conditions)
        self._cells = np.arange(mesh.n_owned)
        self._forms.put(self._forms.tangent, self._cells, self.materials.elastic_tangent())
        self._elastic = Factors(self._stiffness())
        self._flowing: Factors | None = None
        self._bent = False  # whether the tangent is another than the elastic one
        self._force, self._right_side, self._update = (
            fem_petsc.create_vector(self._forms.force) for _ in range(3)
        )
        self._pressures: dict[str, tuple[Any, Any]] = {}
        self._flowed = self.materials.nothing_flowed()
        self._accepted = self._forms.displacement.x.array.copy()
        self._guess: Floats | None = None

    def solve(
        self,
        volume_strain: Floats,
        step: float,
        temperature_change: Floats | float = 0.0,
        pressure: Mapping[str, float] | None = None,
    ) -> Trial:
        """Find equilibrium at the end of a step of `step` seconds (collective).

        volume_strain: of the rank's own cells, (cells, corners), or (cells, corners, 3) for
        strains along the lateral axes and the stack; see `transfer.Transfer.to_cells`.
        temperature_change: [K] since deposition, a number or (cells, corners).
        pressure: [Pa] on named faces.
        The accepted state stays as it is.
        """
        free = self.materials.free_strain(volume_strain, temperature_change)
        loads = self._loads(pressure or {})
        response, report = self._from_guess(free, loads, step)
        plastic = np.zeros(response.stress.shape[:2])
        plastic[self.materials.flowing] = response.flowed.equivalent
        return Trial(
            displacement=self._forms.displacement.copy(),
            stress=response.stress,
            plastic=plastic,
            newton=report,
            flowed=response.flowed,
            materials=self.materials,
        )

    def accept(self, trial: Trial) -> None:
        """Make a trial the state from which the next step starts."""
        self._flowed = trial.flowed
        self._accepted = trial.displacement.x.array.copy()
        self._guess = None

    def keys(self) -> Ints:
        """Number of each own cell, the same for any number of ranks, for `checkpoint.Places`."""
        numbers = self.mesh.mesh.topology.original_cell_index[: self.mesh.n_owned]
        return np.asarray(numbers, dtype=np.int64)

    def memory(self) -> Memory:
        """The accepted state, arrays (..., own cells) in the order of `keys`."""
        shape = (self.mesh.n_owned, self.materials.points.count)
        strain = np.zeros((*shape, self._flowed.strain.shape[-1]))
        equivalent = np.zeros(shape)
        strain[self.materials.flowing] = self._flowed.strain
        equivalent[self.materials.flowing] = self._flowed.equivalent
        whole = {
            "plastic_strain": strain,
            "equivalent": equivalent,
            "displacement": self._accepted.reshape(-1, self.mesh.dimension)[self._nodes()],
        }
        return Memory({}, {name: np.moveaxis(one, 0, -1) for name, one in whole.items()})

    def recall(self, memory: Memory) -> None:
        """Accept a state that was remembered, by any number of ranks (collective)."""
        whole = {name: np.moveaxis(one, -1, 0) for name, one in memory.owned.items()}
        flowing = self.materials.flowing
        self._flowed = Flowed(whole["plastic_strain"][flowing], whole["equivalent"][flowing])
        displacement = self._forms.displacement
        displacement.x.array.reshape(-1, self.mesh.dimension)[self._nodes()] = whole["displacement"]
        displacement.x.scatter_forward()
        self._accepted = displacement.x.array.copy()
        self._guess = None

    def _nodes(self) -> Any:
        """Points of the displacement in each own cell."""
        return self._forms.space.dofmap.list[: self.mesh.n_owned]

    # ------------------------------------------------------------ Newton's method

    def _from_guess(self, free: Floats, loads: Any, step: float) -> tuple[Response, NewtonReport]:
        """Start from the last trial of this step, or from what was accepted."""
        found = self._forms.displacement.x.array
        if self._guess is not None:
            found[:] = self._guess
            response, report = self._equilibrium(free, loads, step, warm=True)
        if self._guess is None or not report.converged:
            found[:] = self._accepted
            response, report = self._equilibrium(free, loads, step, warm=False)
        self._guess = found.copy() if report.converged else None
        return response, report

    def _equilibrium(
        self, free: Floats, loads: Any, step: float, warm: bool
    ) -> tuple[Response, NewtonReport]:
        """Iterate from the present displacement; unless that is `warm`, the first step is elastic.

        A body that is unloaded would otherwise seem to flow far the other way.
        """
        scale = self._load_size(free, loads)
        previous = np.inf
        for count in range(self._control.most + 1):
            predicts = count == 0 and not warm
            response = self._response(free, step, predicts)
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

    def _response(self, free: Floats, step: float, predicts: bool) -> Response:
        strain = self._forms.strain()
        if predicts:
            stress = self.materials.held_stress(strain, free, self._flowed)
            return Response(stress, self._flowed, None)
        return self.materials.respond(strain, free, self._flowed, step)

    def _is_done(self, imbalance: float, previous: float, count: int, flows: bool) -> bool:
        """Whether the balance is as good as asked for, or as round-off lets it be."""
        if imbalance <= self._control.tolerance:
            return True
        if not flows and count >= _REFINED:
            return imbalance <= _ELASTIC_ROUND_OFF
        return _ROUND_OFF >= imbalance > 0.5 * previous

    def _load_size(self, free: Floats, loads: Any) -> float:
        """Norm of the forces that would hold the body in its place."""
        stress = self.materials.held_stress(np.zeros_like(free), free, self._flowed)
        self._forms.put(self._forms.stress, self._cells, stress)
        return self._assembled_force().norm() + (loads.norm() if loads else 0.0)

    def _put_tangent(self, response: Response) -> bool:
        """Give the tangent to the stiffness form; return whether any rank's cells flow."""
        flows = self.mesh.mesh.comm.allreduce(response.tangent is not None, op=MPI.LOR)
        if flows or self._bent:
            cells = self.materials.flowing
            elastic = self.materials.elastic_tangent()[cells]
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
        self._hold(self._forms.displacement.x.petsc_vec)
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
        factors = self._tangent_factors() if flows else self._elastic
        solved = factors.solve(self._right_side, self._update, changed=flows)
        displacement = self._forms.displacement
        displacement.x.petsc_vec.axpy(1.0, self._update)
        displacement.x.scatter_forward()
        return solved

    # ------------------------------------------------------------ assembly

    def _tangent_factors(self) -> Factors:
        """The system of the present tangent, assembled."""
        if self._flowing is None:
            self._flowing = Factors(self._stiffness())
        else:
            self._stiffness(self._flowing.matrix)
        return self._flowing

    def _stiffness(self, matrix: Any = None) -> Any:
        if matrix is None:
            matrix = fem_petsc.create_matrix(self._forms.stiffness)
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self._forms.stiffness, bcs=self._holds.conditions)
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
        total = fem_petsc.create_vector(self._forms.force)
        for face, value in pressure.items():
            if face not in self._pressures:
                size = fem.Constant(self.mesh.mesh, 0.0)
                form = self._forms.pressure(self.mesh.faces[face], size)
                self._pressures[face] = (size, form)
            size, form = self._pressures[face]
            size.value = value
            total.axpy(1.0, self._vector(form, self._force))
        return total
