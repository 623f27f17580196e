"""Stacks of several films made by hand: for laws that need an interface or a reaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities
from ionstack.assembly.equations import transient_equations
from ionstack.assembly.neutrality import work_functions
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack
from ionstack.models.layout import build_layout
from ionstack.models.model import ContactModel, InterfaceModel, Model, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.solving.equilibrium import Equilibrium, Start, find_equilibrium
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import Ramp

Floats = NDArray[np.float64]
Contents = Mapping[str, Mapping[str, float]]

AREA = Lateral("rectangle", None, 1.0, 1.0, 1, 1.0)  # 1 m^2: results per area


def layer(name: str, thickness: float, first_cell: float, growth: float = 1.0) -> Layer:
    """A film of the stack."""
    return Layer(name, name, thickness, first_cell, growth)


def stack(*layers: Layer, dimension: str = "1d", lateral: Lateral = AREA) -> Stack:
    """Films between ``top`` and ``bottom``."""
    top, bottom = Electrode("top", "top"), Electrode("bottom", "bottom")
    return Stack("stack", Path("stack.yaml"), dimension, layers, top, bottom, lateral)


def model(
    regions: tuple[RegionModel, ...],
    interfaces: tuple[InterfaceModel, ...] = (),
    top: ContactModel | None = None,
    bottom: ContactModel | None = None,
    temperature: float = 300.0,
) -> Model:
    """Laws of a stack; contacts that block everything, with work function 0, unless told."""
    contacts = (top or ContactModel("top", 0.0, {}), bottom or ContactModel("bottom", 0.0, {}))
    valences = {one.name: one.z for region in regions for one in region.species}
    return Model(temperature, valences, regions, interfaces, contacts)


class Device:
    """A stack's equations."""

    def __init__(
        self,
        layers: Stack,
        laws: Model,
        contents: Contents | None = None,
        comm: MPI.Comm = MPI.COMM_SELF,
    ) -> None:
        self.contents = contents or {}
        self.model = laws
        self.volumes = build_control_volumes(build_mesh(layers, comm))
        self.layout = build_layout(self.volumes, laws)
        entities = Entities(laws, self.volumes, self.layout)
        self.works = work_functions(entities, self.contents)
        self.system = System(transient_equations(laws, self.volumes, self.layout, self.works))

    def settle(self, start: Start = "equilibrium") -> Equilibrium:
        """Put the device into its state at the start, at 0 V."""
        return find_equilibrium(self.system, self.contents, "auto", start)

    def march(self, ramp: Ramp, **control: float) -> Iterator[State]:
        """Accepted states along a drive, one by one; voltages in the mesh's order of contacts."""
        newton = Newton(self.system, LinearSolver(self.system, "auto"), NewtonControl())
        return Stepper(self.system, newton, ramp, StepControl(**control)).run()

    def drive(self, ramp: Ramp, **control: float) -> list[State]:
        """Accepted states along a drive."""
        return list(self.march(ramp, **control))

    def rest(self, duration: float, **control: float) -> list[State]:
        """Accepted states at 0 V."""
        zero = (0.0,) * len(self.volumes.contacts)
        return self.drive(Ramp((0.0, duration), (zero, zero)), **control)

    @property
    def depth(self) -> Floats:
        """Depth from the top of every node [m]."""
        return self.volumes.depth

    def inside(self, region: str) -> NDArray[np.int64]:
        """Nodes of a region, from the top down."""
        nodes = np.flatnonzero(self.volumes.node_region == self.volumes.regions.index(region))
        return np.asarray(nodes[np.argsort(self.depth[nodes])])

    def potential(self) -> Floats:
        """Potential at the nodes [V]."""
        return self.system.local_unknowns()[self.layout.phi]

    def charges(self, voltages: tuple[float, ...] = (0.0, 0.0)) -> dict[str, float]:
        """Charge of the contacts [C]."""
        zero = np.zeros(self.layout.n_owned)
        found = self.system.evaluate(zero, 1.0, 0.0, np.array(voltages)).metal_charge
        return dict(zip(self.volumes.contacts, found * ELEMENTARY_CHARGE, strict=True))
