"""A body of layers in static equilibrium at small strain: elastic, plastic, creeping.

Displacements are quadratic in every cell. Where rotations are small, the stiffness is assembled
and factored once; where solids flow, Newton's method uses the tangent of the returned stress.
Where rotations are large, a film over a slit may buckle, and where layers may part, an interface
gives way at once: see `buckling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.mechanics.areas import Cohesive, Seam
from ionstack.mechanics.balance import Balance, Control, NewtonReport
from ionstack.mechanics.buckling import Descent
from ionstack.mechanics.conditions import Conditions
from ionstack.mechanics.factors import Factors
from ionstack.mechanics.forces import Forces, Task
from ionstack.mechanics.kinematics import Rotations
from ionstack.mechanics.material import Flowed, Materials, Response
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.output.checkpoint import Memory
from ionstack.physics.cohesion import Cohesion, Separation, contact_stiffness
from ionstack.physics.plasticity import hydrostatic
from ionstack.physics.solids import Solid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Iterations in which a crack may run through an interface: it moves by a few facets in each.
_MOST_PARTING = 400
# Films that lie on a slit bend far by forces that are hardly there: those are brought to round-off.
_TO_ROUND_OFF = 1e-15


@dataclass(frozen=True)
class Trial:
    """A state that a body may accept; cells are those of the mesh that this rank owns.

    displacement: DOLFINx function [m]. stress: (cells, points, components) [Pa] in Mandel's order.
    flowed: the plastic strain where solids flow.
    separation: of the faces of slits, in the order of `Interfaces`; None without any.
    newton: how the solve went; a trial that did not converge must not be accepted.
    """

    displacement: Any
    stress: Floats
    flowed: Flowed
    newton: NewtonReport
    materials: Materials
    separation: Separation | None = None

    @property
    def plastic(self) -> Floats:
        """Equivalent plastic strain (cells, points), creep included."""
        result = np.zeros(self.stress.shape[:2])
        result[self.materials.flowing] = self.flowed.equivalent
        return result

    def hydrostatic(self) -> Floats:
        """Hydrostatic stress [Pa] at the corners (cells, corners), positive in tension."""
        return self.materials.points.to_corners(hydrostatic(self.stress))

    def corner_stress(self) -> Floats:
        """Stress (cells, corners, components) [Pa], linear in every cell."""
        return self.materials.points.to_corners(self.stress)

    def corner_plastic(self) -> Floats:
        """Equivalent plastic strain at the corners (cells, corners), at least 0."""
        return np.maximum(self.materials.points.to_corners(self.plastic), 0.0)

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
        rotations: Rotations = "small",
    ) -> None:
        """Assemble the stiffness of a body with one solid per region (collective).

        rotations: ``small``, or ``large`` where a film may bend far or buckle. Strains are small
        in both. Pressures keep the directions that faces had when they were made. Which way
        a film buckles is left to the least force that bends it: give `solve` a
        `lifting_pressure` in the slit.
        Joints of the mesh bear on each other by their laws, debonds by contact without friction.
        Raises InputError for conditions that do not suit the mesh.
        """
        self.mesh = mesh
        self.materials = Materials(mesh, solids)
        self.laws = tuple(_law(seam, solids) for seam in mesh.seams)
        self.forces = Forces(mesh, self.materials, conditions, rotations, self.laws)
        # Faces that part or touch have several equilibria, too.
        search = Descent if rotations == "large" or mesh.seams else Balance
        holds = any(law.strength for law in self.laws)
        usual = Control(
            tolerance=_TO_ROUND_OFF if mesh.seams and rotations == "small" else Control.tolerance,
            most=_MOST_PARTING if holds else Control.most,
        )
        self.balance: Balance | Descent = search(self.forces, control or usual)
        self._flowed = self.materials.nothing_flowed()
        self._reached = self.forces.nothing_reached()
        self._accepted = self.forces.displacement.x.array.copy()
        # Where the last trial from the accepted state ended: the next one ends nearby.
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
        response, report = self._search(
            Task(free, self._flowed, step, self._reached), pressure or {}
        )
        found = self.forces.displacement
        self._guess = found.x.array.copy() if report.converged else None
        return Trial(
            displacement=found.copy(),
            stress=response.stress,
            flowed=response.flowed,
            newton=report,
            materials=self.materials,
            separation=response.separation,
        )

    def _search(self, task: Task, pressure: Mapping[str, float]) -> tuple[Response, NewtonReport]:
        """Start from the last trial, and where that fails from what was accepted."""
        if self._guess is not None:
            found = self.balance.find(self._guess, task, pressure, warm=True)
            if found[1].converged:
                return found
        return self.balance.find(self._accepted, task, pressure, warm=False)

    def accept(self, trial: Trial) -> None:
        """Make a trial the state from which the next step starts."""
        self._flowed = trial.flowed
        if trial.separation is not None:
            self._reached = trial.separation.reached
        self._accepted = trial.displacement.x.array.copy()
        self._guess = None

    def lifting_pressure(self, height: float) -> float:
        """Pressure [Pa] in the slits that lifts what lies above by `height` [m] (collective).

        At small deflections, elastic and free of other stress. A thousandth to a hundredth
        of its thickness is enough to let a film buckle upwards.
        Raises InputError without a slit.
        """
        comm = self.mesh.mesh.comm
        if not comm.allreduce(len(self.mesh.faces["slit"])):
            raise InputError("nothing can be lifted: no layers have come apart")
        self.forces.load_flat({"slit": 1.0})
        Factors(self.forces.stiffness()).solve(self.forces.right_side, self.forces.update)
        along = self.forces.update.array.reshape(-1, self.mesh.dimension)[:, -1]
        return height / float(comm.allreduce(-float(along.min(initial=0.0)), op=MPI.MAX))

    @property
    def plastic(self) -> Floats:
        """Equivalent plastic strain (own cells, points) of the accepted state."""
        result = np.zeros((self.mesh.n_owned, self.materials.points.count))
        result[self.materials.flowing] = self._flowed.equivalent
        return result

    def keys(self) -> Ints:
        """Number of each own cell, the same for any number of ranks, for `checkpoint.Places`."""
        numbers = self.mesh.mesh.topology.original_cell_index[: self.mesh.n_owned]
        return np.asarray(numbers, dtype=np.int64)

    def memory(self) -> Memory:
        """The accepted state, arrays (..., own cells) in the order of `keys`."""
        shape = (self.mesh.n_owned, self.materials.points.count)
        strain = np.zeros((*shape, self._flowed.strain.shape[-1]))
        strain[self.materials.flowing] = self._flowed.strain
        whole = {
            "plastic_strain": strain,
            "equivalent": self.plastic,
            "displacement": self._accepted.reshape(-1, self.mesh.dimension)[self._nodes()],
        }
        if self.forces.interfaces is not None:
            reached = np.zeros((self.mesh.n_owned, self._reached.shape[1]))
            reached[self.forces.interfaces.upper] = self._reached
            whole["reached"] = reached
        return Memory({}, {name: np.moveaxis(one, 0, -1) for name, one in whole.items()})

    def recall(self, memory: Memory) -> None:
        """Accept a state that was remembered, by any number of ranks (collective)."""
        whole = {name: np.moveaxis(one, -1, 0) for name, one in memory.owned.items()}
        flowing = self.materials.flowing
        self._flowed = Flowed(whole["plastic_strain"][flowing], whole["equivalent"][flowing])
        if self.forces.interfaces is not None:
            self._reached = whole["reached"][self.forces.interfaces.upper]
        displacement = self.forces.displacement
        displacement.x.array.reshape(-1, self.mesh.dimension)[self._nodes()] = whole["displacement"]
        displacement.x.scatter_forward()
        self._accepted = displacement.x.array.copy()
        self._guess = None

    def _nodes(self) -> Any:
        """Points of the displacement in each own cell."""
        return self.forces.displacement.function_space.dofmap.list[: self.mesh.n_owned]


def _law(seam: Seam, solids: Sequence[Solid]) -> Cohesion:
    """The law of a joint; a debond is one that has failed from the start."""
    if isinstance(seam.joint, Cohesive):
        return seam.joint.law
    moduli = [solids[layer].young_modulus for layer in seam.layers]
    return Cohesion(contact_stiffness(zip(moduli, seam.thickness, strict=True)))
