"""Films with a temperature field, made by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Stack
from ionstack.heat.heat_equation import HeatEquation, between_nodes
from ionstack.heat.temperature import TemperatureField
from ionstack.models.heat_model import HeatModel, Medium, Sink
from ionstack.models.model import (
    Arrhenius,
    BoundLaw,
    ContactModel,
    InterfaceModel,
    Model,
    RegionModel,
)
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]

START = 300.0
LENGTH = 100e-9


def slab(cells: int = 20, *films: str, length: float = LENGTH) -> Stack:
    """Films of equal thickness and 1 m^2, by default one."""
    return stack(*(layer(name, length, length / cells) for name in films or ("film",)))


def heat_model(**changes: object) -> HeatModel:
    """One film, k = 2 W/(m K), 1.5 MJ/(m^3 K), steady, both faces held at 300 K."""
    held = Sink(inf)
    plain = HeatModel(
        START, {"film": Medium(2.0, 1.5e6)}, {"top": held, "bottom": held}, steady=True
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class Heater:
    """The balance of heat alone, with given sources."""

    def __init__(self, layers: Stack, laws: HeatModel, comm: MPI.Comm = MPI.COMM_SELF) -> None:
        self.volumes: ControlVolumes = build_control_volumes(build_mesh(layers, comm))
        self.equation = HeatEquation(self.volumes, laws)
        self.rise: Floats = np.zeros(self.equation.layout.n_local)

    def heat(
        self,
        density: Floats | float,
        step: float = inf,
        around: float = START,
        conductivity: Floats | None = None,
    ):
        """Solve with a source [W/m^3] and a conductivity at the nodes, and go on from there."""
        source = density * self.volumes.node_volume
        if conductivity is not None:
            conductivity = between_nodes(self.volumes, conductivity)
        found = self.equation.solve(source, self.rise, step, around, conductivity)
        self.rise = found.rise
        return found

    @property
    def at_nodes(self) -> Floats:
        """Rise at all nodes [K]."""
        return self.rise[self.equation.layout.phi]


def activated(law: BoundLaw, energy: float) -> BoundLaw:
    """The law with its conductivity or diffusivity activated about 300 K."""
    able = ("conductivity", "diffusivity", "exchange_current_density", "rate", "velocity")
    numbers = {
        name: Arrhenius(one.value, energy if name in able else 0.0, START)
        for name, one in law.numbers.items()
    }
    return replace(law, numbers=numbers)


def resistor(conductivity: float, energy: float = 0.0, films: tuple[str, ...] = ("film",)) -> Model:
    """Films of one conductivity [S/m] and many electrons, with ohmic contacts."""
    law = activated(bound("transport", "ohmic", conductivity=conductivity), energy)
    electron = species("e-", -1, "boltzmann", 1e25, law)
    wires = [
        ContactModel(name, None, {"e-": bound("contact", "ohmic")}) for name in ("top", "bottom")
    ]
    regions = tuple(RegionModel(name, 10.0, 1e24, (electron,)) for name in films)
    merged = {"e-": bound("interface", "continuous")}
    joints = tuple(InterfaceModel(pair, merged) for pair in pairwise(films))
    return replace(model(regions, joints, *wires, temperature=START), heated=True)


class HeatedDevice:
    """A device in equilibrium with a temperature field beside its unknowns."""

    def __init__(self, device: Device, laws: HeatModel, **control: float) -> None:
        device.settle()
        self.device, self.system = device, device.system
        self.field = TemperatureField(device.system, laws)
        solver = LinearSolver(self.system, "auto")
        self.newton = Newton(self.system, solver, NewtonControl(**control))  # type: ignore[arg-type]

    def steady(self, *voltages: float, rounds: int = 100) -> int:
        """Solve for the steady state; rounds that it took, -1 if that was not enough.

        Sums of energy are those of 1 s.
        """
        self.scheme = Scheme(np.zeros(self.system.layout.n_owned), 0.0, 1.0, np.array(voltages))
        self.field.begin(1.0)
        for count in range(1, rounds + 1):
            result = self.newton.solve(self.scheme)
            assert result.outcome is Outcome.CONVERGED, result
            used = self.system.outer
            if self.field.solve() <= 1.0:
                # What the unknowns were solved with, as in a time step.
                self.system.outer = used
                self.field.accept()
                return count
        return -1

    @property
    def power(self) -> float:
        """Sum of current times voltage at the contacts [W]."""
        outflow = self.system.comm.allreduce(self.newton.evaluate(self.scheme).outflow)
        return float(-outflow @ self.scheme.voltages * ELEMENTARY_CHARGE)
