"""From strain to stress at every quadrature point, with a solid for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionstack.mechanics.kinematics import Points, axes, quadrature, strain_size
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.physics.cohesion import Separation
from ionstack.physics.plasticity import elastic_stiffness, flow
from ionstack.physics.solids import Solid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Flowed(NamedTuple):
    """What stays when the load goes, in cells of solids that flow.

    `strain` (cells, points, components) plastic strain, creep included; `equivalent`
    (cells, points) the equivalent plastic strain.
    """

    strain: Floats
    equivalent: Floats


class Response(NamedTuple):
    """Stress (cells, points, components) [Pa], what has flowed by then, and the tangent.

    `tangent` (cells that flow, points, components, components) [Pa] is None where nothing
    flows in this step: then the elastic one holds. `separation` of the faces of slits, or None.
    """

    stress: Floats
    flowed: Flowed
    tangent: Floats | None
    separation: Separation | None = None


class Materials:
    """The solids of the rank's own cells.

    `flowing` are the cells whose solid may flow, layer by layer.
    """

    def __init__(self, mesh: MechanicalMesh, solids: Sequence[Solid]) -> None:
        """Take one solid for each region of the mesh."""
        self.points: Points = quadrature(mesh)
        self._size = strain_size(mesh)
        self.axes = axes(mesh)
        self._region = mesh.cell_region[: mesh.n_owned]
        self._solids = tuple(solids)
        cells = [np.flatnonzero(self._region == k) for k in range(len(solids))]
        kept = [k for k, solid in enumerate(solids) if solid.flows]
        self.flowing: Ints = np.concatenate(
            [np.zeros(0, dtype=np.int64), *(cells[k] for k in kept)]
        )
        ends = np.cumsum([0, *(len(cells[k]) for k in kept)])
        self._parts = [
            (self._solids[k], slice(*bounds))
            for k, *bounds in zip(kept, ends[:-1], ends[1:], strict=True)
        ]
        self._lame = self._by_cell([solid.lame_modulus for solid in solids])
        self._twice_shear = self._by_cell([2.0 * solid.shear_modulus for solid in solids])

    def _by_cell(self, values: Sequence[float]) -> Floats:
        """One number for each solid as an array that multiplies (cells, points)."""
        return np.asarray(values, dtype=np.float64)[self._region][:, None]

    def nothing_flowed(self) -> Flowed:
        """The state of a body as it was made."""
        shape = (len(self.flowing), self.points.count)
        return Flowed(np.zeros((*shape, self._size)), np.zeros(shape))

    def elastic_tangent(self) -> Floats:
        """Elastic stiffness (cells, points, components, components) [Pa]."""
        each = np.array([elastic_stiffness(solid, self._size) for solid in self._solids])
        shape = (len(self._region), self.points.count, self._size, self._size)
        return np.broadcast_to(each[self._region][:, None], shape)

    def free_strain(self, volume_strain: Floats, temperature_change: Floats | float) -> Floats:
        """Strain (cells, points, components) that a body would have if nothing held it.

        volume_strain: (cells, corners), a third along each axis; or (cells, corners, 3), the
        strains along the first and second lateral axis and along the stack.
        temperature_change: [K], a number or (cells, corners).
        """
        each = volume_strain if volume_strain.ndim == 3 else volume_strain[..., None] / 3.0
        expansion = self._by_cell([solid.thermal_expansion for solid in self._solids])
        swelling = each + (expansion * temperature_change)[..., None]
        result = np.zeros((len(self._region), self.points.count, self._size))
        result[..., self.axes] = self.points.interpolate(
            np.broadcast_to(swelling, (*swelling.shape[:2], 3))
        )
        return result

    def respond(self, strain: Floats, free: Floats, before: Flowed, step: float) -> Response:
        """Stress of a total strain (cells, points, components) at the end of a step [s]."""
        stress = self.held_stress(strain, free, before)
        pieces = [
            flow(solid, stress[self.flowing[part]], before.equivalent[part], step)
            for solid, part in self._parts
        ]
        if not any(piece.equivalent.any() for piece in pieces):
            return Response(stress, before, None)
        stress[self.flowing] = np.concatenate([piece.stress for piece in pieces])
        flowed = Flowed(
            before.strain + np.concatenate([piece.strain for piece in pieces]),
            before.equivalent + np.concatenate([piece.equivalent for piece in pieces]),
        )
        return Response(stress, flowed, np.concatenate([piece.tangent for piece in pieces]))

    def held_stress(self, strain: Floats, free: Floats, before: Flowed) -> Floats:
        """Stress of a total strain if nothing flows any more."""
        elastic = strain - free
        elastic[self.flowing] -= before.strain
        return self._elastic_stress(elastic)

    def _elastic_stress(self, strain: Floats) -> Floats:
        """Stress of an elastic strain, with that of deposition."""
        stress = self._twice_shear[..., None] * strain
        stress[..., :3] += (self._lame * strain[..., :3].sum(axis=-1))[..., None]
        deposited = self._by_cell([solid.residual_stress for solid in self._solids])
        stress[..., self.axes[:2]] += deposited[..., None]
        return stress
