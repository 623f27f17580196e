"""Single films made by hand, without files: for problems with known solutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.equations import transient_equations
from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack
from ionstack.models.layout import Layout, build_layout
from ionstack.models.model import (
    Arrhenius,
    BoundLaw,
    ContactModel,
    Model,
    RegionModel,
    SpeciesModel,
)
from ionstack.physics.catalogue import laws
from ionstack.physics.registry import Kind
from ionstack.solving.equilibrium import find_equilibrium
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import Ramp

Floats = NDArray[np.float64]

AREA = Lateral("rectangle", None, 1.0, 1.0, 1, 1.0)  # 1 m^2: results per area


def bound(kind: Kind, name: str, **values: float) -> BoundLaw:
    """A registered law with numbers that do not depend on temperature."""
    numbers = {key: Arrhenius(value, 0.0, 298.15) for key, value in values.items()}
    return BoundLaw(laws(kind)[name], numbers)


def species(
    name: str, z: int, statistics: str, sites: float, transport: BoundLaw, level: float = 0.0
) -> SpeciesModel:
    """A species without excess potential."""
    return SpeciesModel(name, z, level, sites, bound("statistics", statistics), None, transport)


def model(
    held: tuple[SpeciesModel, ...],
    permittivity: float,
    temperature: float,
    fixed_charge: float = 0.0,
    work_functions: tuple[float, float] = (0.0, 0.0),
    contacts: Mapping[str, Mapping[str, BoundLaw]] | None = None,
) -> Model:
    """One region ``film`` between ``cathode`` (top) and ``anode``; blocking unless told."""
    chosen = contacts or {}
    metals = tuple(
        ContactModel(name, work, chosen.get(name, {}))
        for name, work in zip(("cathode", "anode"), work_functions, strict=True)
    )
    region = RegionModel("film", permittivity, fixed_charge, held)
    return Model(temperature, {one.name: one.z for one in held}, (region,), (), metals)


def slab(thickness: float, first_cell: float, growth: float = 1.0) -> Stack:
    """A 1-D film of 1 m^2."""
    return Stack(
        name="slab",
        path=Path("slab.yaml"),
        dimension="1d",
        layers=(Layer("film", "film", thickness, first_cell, growth),),
        top=Electrode("cathode", "cathode"),
        bottom=Electrode("anode", "anode"),
        lateral=AREA,
    )


@dataclass(frozen=True)
class Film:
    """A film's equations, ready to be put into a state."""

    model: Model
    volumes: ControlVolumes
    layout: Layout
    system: System

    def settle(self, contents: Mapping[str, float]) -> None:
        """Put the film into equilibrium at 0 V with the given site fractions."""
        find_equilibrium(self.system, {"film": dict(contents)}, "auto")

    def drive(self, ramp: Ramp, **control: float) -> Iterator[State]:
        """Accepted states along a drive."""
        solver = LinearSolver(self.system, "auto")
        newton = Newton(self.system, solver, NewtonControl())
        settings = replace(StepControl(), **control)  # type: ignore[arg-type]
        return Stepper(self.system, newton, ramp, settings).run()

    def potential(self) -> Floats:
        """Potential at the nodes [V]."""
        return self.system.local_unknowns()[self.layout.phi]

    def metal_charge(self, voltages: tuple[float, float] = (0.0, 0.0)) -> Floats:
        """Charge of the contacts [e]."""
        zero = np.zeros(self.layout.n_owned)
        return self.system.evaluate(zero, 1.0, 0.0, np.array(voltages)).metal_charge


def film(stack: Stack, chosen: Model) -> Film:
    """Mesh the stack and set up the equations, on one rank."""
    volumes = build_control_volumes(build_mesh(stack, MPI.COMM_SELF))
    layout = build_layout(volumes, chosen)
    return Film(chosen, volumes, layout, System(transient_equations(chosen, volumes, layout)))
