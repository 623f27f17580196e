"""Mechanics of a 2-D, axisymmetric or 3-D device: the body of all layers by finite elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.casefile.case import Case
from ionstack.geometry.graph import ControlVolumes
from ionstack.geometry.stack import Layer
from ionstack.mechanics.areas import Zone
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions
from ionstack.mechanics.mesh import build_mechanical_mesh
from ionstack.mechanics.transfer import Transfer
from ionstack.output.checkpoint import Memory, Places
from ionstack.stress.body_closures import BodyClosures
from ionstack.stress.body_interfaces import BodyInterfaces, joints
from ionstack.stress.mechanical_layers import SUBSTRATE, clamped_films, solid_choices
from ionstack.stress.stress_field import Stressed, Unsolved

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Most times that a metal follows a rough face within a round; growth hardly depends on it.
_MOST = 6
# Cells of a metal or substrate: the first over the thickness, and the growth from there.
_FIRST, _GROWTH = 0.125, 2.0


class BodyMechanics:
    """Stress at the nodes from displacements of second order, see `stress.Solver`."""

    local = followed = False

    def __init__(self, case: Case, volumes: ControlVolumes) -> None:
        """Mesh and assemble the body of a case with a section `mechanics` (collective)."""
        assert case.mechanics is not None
        self._comm = volumes.comm
        above, below = _metals(case)
        zones = [
            Zone(one.name, one.layer, radius=one.radius, between=one.between)
            for one in case.mechanics.zones
        ]
        solids = solid_choices(case)
        parting = joints(case, (*above, *below), solids)
        self.mesh = build_mechanical_mesh(case.stack, above, below, self._comm, parting, zones)
        bodies = [solids[name].solid() for name in self.mesh.regions]
        read = case.mechanics
        conditions = Conditions("free" if read.clamp == "substrate" else "rigid")
        self.body = Body(self.mesh, bodies, conditions, rotations=read.rotations)
        self._pressure: dict[str, float] = {}
        if read.rotations == "large" and read.debonds:
            self._pressure["slit"] = self.body.lifting_pressure(read.lift)
        self._interfaces = BodyInterfaces(case, self.body)
        self._transfer = Transfer(volumes, self.mesh)
        thickness = {one.name: one.thickness for one in case.stack.layers}
        self.closures = BodyClosures(read, volumes, self.body, thickness)
        self._places = Places(self._comm, self.body.keys())
        self._clamped = clamped_films(solids, volumes)
        self._share = self._clamped.share
        self.trial: Trial | None = None

    @property
    def solved(self) -> bool:
        """Whether there is a solution to tell of."""
        return self.trial is not None

    def clamped(self) -> Stressed:
        """Residual stress, as if all films were clamped and elastic."""
        return Stressed(self._clamped.stress, self._clamped.slope)

    def solve(self, strain: Floats, step: float, heating: float) -> Stressed | Unsolved:
        """Stress at volume strains after a step [s] and a rise of the temperature [K]."""
        shares = np.stack([self._share, self._share, 1.0 - 2.0 * self._share], axis=1)
        free = self._transfer.to_cells(shares * strain[:, None])
        trial = self._followed(free, step, heating)
        if isinstance(trial, Unsolved):
            self.closures.forget()
            return trial
        self.trial = trial
        along = self.trial.corner_stress()[..., self.body.materials.axes]
        first, second, across = np.moveaxis(self._transfer.to_nodes(along), -1, 0)
        stress = self._share * (first + second) + (1.0 - 2.0 * self._share) * across
        return Stressed(stress, self._clamped.slope)

    def _followed(self, free: Floats, step: float, heating: float) -> Trial | Unsolved:
        """The body in equilibrium, with metals that follow their rough faces."""
        for _ in range(_MOST):
            strain = free + self.closures.free_strain()
            trial = self.body.solve(strain, step, heating, self._pressure)
            if not trial.newton.converged:
                left = f"{trial.newton.imbalance:.1e} of the forces stay out of balance"
                return Unsolved(f"the body finds no mechanical equilibrium: {left}")
            if self.closures.follow(trial):
                return trial
        return Unsolved("metals and the rough faces below them find no common strain")

    def accept(self) -> None:
        """Take the last solution as the state; pores open with the plastic strain."""
        if self.trial is not None:
            self.closures.accept(self.trial)
            self.body.accept(self.trial)

    def opened(self, metal: str, nodes: Ints) -> Floats:
        """Porosity that plastic strain has opened in a metal over nodes of its face."""
        return self.closures.opened(metal, nodes)

    def crests(self, metal: str, nodes: Ints, distance: Floats | float = 0.0) -> Floats:
        """Field over the crests of a metal's face over the mean one, at nodes of its columns."""
        return self.closures.crests(metal, nodes, distance)

    def memory(self) -> Mapping[str, Any]:
        """Plastic strains and displacement by cell, complete on rank 0; pores (collective)."""
        owned = self.body.memory().owned
        cells = {name: self._places.gather(one) for name, one in owned.items()}
        return {"body": cells, "closures": self.closures.memory()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood (collective)."""
        owned = {}
        for name in sorted(memory["body"]):
            whole = np.array(memory["body"][name], dtype=np.float64)
            here = whole if self._comm.rank == 0 else whole[..., :0]
            owned[name] = self._places.scatter(here)
        self.body.recall(Memory({}, owned))
        self.closures.recall(memory["closures"])

    @property
    def names(self) -> list[str]:
        """Names of the entries, with units."""
        layers = self.mesh.regions
        stress = [f"stress.{name}.{end} [Pa]" for name in layers for end in ("least", "most")]
        plastic = [f"plastic_strain.{name} [1]" for name in layers]
        ends = ["deflection.most [m]", *self._interfaces.names]
        return [*stress, *plastic, *self.closures.names, *ends]

    def entries(self) -> Mapping[str, float]:
        """Extremes of stress, plastic strain and deflection, parting of interfaces (collective)."""
        trial = self.trial
        assert trial is not None
        hydrostatic, plastic = trial.hydrostatic(), trial.corner_plastic()
        region = self.mesh.cell_region[: self.mesh.n_owned]
        layers = [region == index for index in range(len(self.mesh.regions))]
        stress = [end for own in layers for end in self._extremes(hydrostatic[own])]
        strain = [self._extremes(plastic[own])[1] for own in layers]
        # The stack runs down, deflection is told upwards.
        deflection = -self._extremes(trial.corner_displacement()[..., -1])[0]
        closures, parting = self.closures.entries(trial), self._interfaces.entries(trial)
        found = [*stress, *strain, *closures, deflection, *parting]
        return dict(zip(self.names, found, strict=True))

    def _extremes(self, values: Floats) -> tuple[float, float]:
        low = self._comm.allreduce(float(values.min(initial=np.inf)), MPI.MIN)
        return low, self._comm.allreduce(float(values.max(initial=-np.inf)), MPI.MAX)


def _metals(case: Case) -> tuple[list[Layer], list[Layer]]:
    """Mechanical layers above and below the films."""
    read = case.mechanics
    assert read is not None
    top, bottom = case.stack.electrodes
    above, below = (
        [_layer(one.name, one.material, read.metals[one.name])] if one.name in read.metals else []
        for one in (top, bottom)
    )
    if read.substrate is not None:
        below.append(_layer(SUBSTRATE, read.substrate.material, read.substrate.thickness))
    return above, below


def _layer(name: str, material: str, thickness: float) -> Layer:
    return Layer(name, material, thickness, _FIRST * thickness, _GROWTH)
