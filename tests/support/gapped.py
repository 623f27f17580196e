"""Films of oxide with metal in them, made by hand: for electrons that tunnel through the gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.gaps.gap_field import GapField
from ionstack.geometry.stack import Lateral, Stack
from ionstack.models.gap_model import GapLayer, GapModel
from ionstack.models.model import (
    Arrhenius,
    BoundLaw,
    ContactModel,
    InterfaceModel,
    Model,
    RegionModel,
)
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]
Profile = Callable[[Floats], Floats]

BARRIER, THRESHOLD = 1.5, 0.5
METAL, OXIDE = 1e4, 1e-12  # S/m
# Contents of oxide and of metal with a sharp face: the threshold is in the middle of a cell.
BARE, FULL = 0.01, 0.99
STILL = bound("transport", "immobile")


def conductivity(x, T):
    """Of oxide below the threshold, of metal above [S/m]."""
    return jnp.where(x < THRESHOLD, OXIDE, METAL)


def tunnelling(barrier: float = BARRIER, mass: float = 1.0) -> BoundLaw:
    """The law, with the content of Ag."""
    values = {
        "barrier_height": barrier,
        "metallic_content": THRESHOLD,
        "effective_mass": mass,
    }
    numbers = {name: Arrhenius(value, 0.0, 298.15) for name, value in values.items()}
    curves = {"conductivity": conductivity}
    return BoundLaw(laws("transport")["gap_tunnelling"], numbers, "Ag", curves)


def oxide(law: BoundLaw, *films: str) -> Model:
    """Films of a neutral layer that holds metal, between metals that take electrons."""
    silver = species("Ag", 0, "lattice_gas", 1e28, STILL)
    electron = species("e-", -1, "boltzmann", 1e29, law)
    regions = tuple(RegionModel(one, 4.0, 1e29, (silver, electron), neutral=True) for one in films)
    wires = [
        ContactModel(name, None, {"e-": bound("contact", "ohmic")}) for name in ("top", "bottom")
    ]
    merged = {"e-": bound("interface", "continuous"), "Ag": bound("interface", "blocking")}
    joints = tuple(InterfaceModel(pair, merged) for pair in pairwise(films))
    return model(regions, joints, *wires)


class Gapped:
    """A device with metal where `content` of the place says so."""

    def __init__(
        self,
        made: Stack,
        content: Profile | Mapping[str, Profile],
        law: BoundLaw | None = None,
        comm: MPI.Comm = MPI.COMM_SELF,
    ) -> None:
        law = law or tunnelling()
        films = [one.name for one in made.layers]
        given = content if isinstance(content, Mapping) else dict.fromkeys(films, content)
        self.device = Device(
            made, oxide(law, *films), {name: {"Ag": one} for name, one in given.items()}, comm
        )
        numbers = {name: one.value for name, one in law.numbers.items()}
        gap = GapLayer("Ag", *(numbers[name] for name in ("metallic_content", "barrier_height",
                                                          "effective_mass")))  # fmt: skip
        self.system, self.volumes = self.device.system, self.device.volumes
        self.field = GapField(self.system, GapModel(dict.fromkeys(films, gap), ("top", "bottom")))
        self.device.settle("as_given")
        self.field.begin(0.0)
        self.field.solve()
        self.field.accept()

    def currents(self, voltage: float) -> Floats:
        """Currents into top and bottom [A] where the top is at a voltage [V]."""
        newton = Newton(self.system, LinearSolver(self.system, "auto"), NewtonControl())
        still = self.system.evaluate(np.zeros(self.system.layout.n_owned), 1.0, 0.0, np.zeros(2))
        names = self.device.volumes.contacts
        volts = np.array([voltage if name == "top" else 0.0 for name in names])
        scheme = Scheme(-still.amounts, 1.0, 1.0, volts)
        result = newton.solve(scheme)
        assert result.outcome is Outcome.CONVERGED, result
        self.iterations = result.iterations
        outflow = self.system.comm.allreduce(newton.evaluate(scheme).outflow)
        found = dict(zip(names, -ELEMENTARY_CHARGE * outflow, strict=True))
        return np.array([found["top"], found["bottom"]])


def film(thickness: float, cell: float) -> Stack:
    """A film of 1 m^2."""
    return stack(layer("film", thickness, cell))


def disc(thickness: float, cell: float, radius: float, cells: int) -> Stack:
    """A film about an axis."""
    lateral = Lateral("disc", 2.0 * radius, None, None, cells, 1.0)
    return stack(layer("film", thickness, cell), dimension="axisymmetric", lateral=lateral)


def diffuse(distance: Floats, width: float) -> Floats:
    """Content at distances [m] into the oxide from a face of the metal of a width [m]."""
    return np.clip(1.0 / (1.0 + np.exp(np.clip(distance / width, -60.0, 60.0))), BARE, FULL)


def tip(depth: float, radius: float, width: float = 5e-11) -> Profile:
    """Metal from the top down to a `depth` on the axis, rounded with a radius [m]."""
    centre = depth - radius

    def content(points: Floats) -> Floats:
        r, z = points[:, 0], points[:, 1]
        ball = np.hypot(r, z - centre) - radius
        return diffuse(np.where(z < centre, r - radius, ball), width)

    return content
