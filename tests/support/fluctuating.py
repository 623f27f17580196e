"""A film of a solution whose flow or reaction fluctuates, and what its modes should have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.models.model import NoiseModel, ReactionModel, RegionModel
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from ionstack.stepping.thermal_noise import ThermalNoise
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.phase_fields import KT, STILL, T

Floats = NDArray[np.float64]

THICK, SITES = 8e-9, 1e20
INTERACTION, KAPPA = KT, 4.0 * KT * (1e-9) ** 2
DIFFUSIVITY, RATE = 1e-14, 1.0
EXCESS = bound(
    "excess", "regular_solution", interaction=INTERACTION, gradient_energy=KAPPA, wetting=0.0
)
HOP = bound("transport", "site_hopping", diffusivity=DIFFUSIVITY)
GROWTH = ReactionModel(
    "growth", (), (("Ag", 1),), bound("reaction", "allen_cahn", rate=SITES * RATE)
)


@dataclass(frozen=True)
class Film:
    """Cells of a film at half filling, of 1 m^2, and the correlation time [s]."""

    kind: Literal["flow", "reaction"]
    cells: int
    time: float

    def device(self, comm: MPI.Comm = MPI.COMM_SELF) -> Device:
        """Its equations, at rest."""
        flows = self.kind == "flow"
        silver = replace(
            species("Ag", 0, "lattice_gas", SITES, HOP if flows else STILL), excess=EXCESS
        )
        region = RegionModel("film", 10.0, 0.0, (silver,), () if flows else (GROWTH,))
        chosen = {"flows": (("film", "Ag"),)} if flows else {"reactions": (("film", "growth"),)}
        laws = replace(model((region,), temperature=T), noise=NoiseModel(self.time, **chosen))
        device = Device(stack(layer("film", THICK, THICK / self.cells)), laws, comm=comm)
        device.system.unknowns.set(0.0)
        device.system.refresh_ghosts()
        return device

    @property
    def waves(self) -> Floats:
        """Wave numbers of the modes [1/m]; that of the mean where it is not conserved."""
        return np.pi * np.arange(self.kind == "flow", self.cells + 1) / THICK

    @property
    def stiffness(self) -> Floats:
        """Second derivative of the energy per site along every mode on the mesh [eV]."""
        return 4.0 * KT - 2.0 * INTERACTION + KAPPA * self._squares

    @property
    def _squares(self) -> Floats:
        cell = THICK / self.cells
        return 2.0 * (1.0 - np.cos(self.waves * cell)) / cell**2

    @property
    def relaxation(self) -> Floats:
        """Rates [1/s] at which the modes decay."""
        moved = 0.25 * DIFFUSIVITY * self._squares if self.kind == "flow" else RATE
        return moved * self.stiffness / KT

    def modes(self, device: Device, contents: Floats) -> tuple[Floats, Floats]:
        """Amplitudes (n, modes) of contents (n, nodes), and their variance in equilibrium."""
        volume = device.volumes.node_volume
        shapes = np.cos(np.outer(self.waves, device.depth))
        norms = shapes**2 @ volume
        amplitudes = (contents - 0.5) @ (volume * shapes).T / norms
        return amplitudes, KT / (SITES * norms * self.stiffness)


def march(device: Device, duration: float, seed: int = 1, **control: float) -> Iterator[State]:
    """Accepted states with noise."""
    system = device.system
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl())
    ramp = Ramp((0.0, duration), ((0.0, 0.0),) * 2)
    noise = ThermalNoise(system, seed)
    return Stepper(system, newton, ramp, StepControl(**control), noise=noise).run()


def content(device: Device, state: State) -> Floats:
    """Contents at this rank's own nodes."""
    owned = device.volumes.n_owned_nodes
    amounts = state.amounts[device.layout.species["Ag"][:owned]]
    return np.asarray(amounts / (SITES * device.volumes.node_volume[:owned]))
