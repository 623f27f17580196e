"""One phase as a field in one film, made by hand: for fronts, drops and threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.node_fields import NodeFields
from ionstack.geometry.stack import Lateral
from ionstack.models.model import BoundLaw, ReactionModel, RegionModel
from ionstack.physics.constants import thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]
Profile = Callable[[Floats, Floats], Floats]

T = 300.0
KT = thermal_voltage(T)
SITES = 5.86e28  # silver [1/m^3]
# A surface of the width l = 0.5 nm and 0.3 J/m^2.
WELL, WIDTH = 0.192, 0.5e-9
KAPPA = 2.0 * WELL * WIDTH**2
QUARTIC = bound(
    "excess",
    "double_well",
    well=WELL,
    gradient_energy=KAPPA,
    wetting=0.0,
    lower_content=1e-3,
    upper_content=0.999,
)
STILL = bound("transport", "immobile")


@dataclass(frozen=True)
class Shape:
    """A film of a thickness and, if it has a radius, a disc about the axis; cells [m]."""

    thickness: float
    cell: float
    radius: float | None = None
    lateral_cells: int = 1

    def device(
        self,
        rate: float | None,
        excess: BoundLaw = QUARTIC,
        transport: BoundLaw = STILL,
        level: float = 0.0,
    ) -> Device:
        """The phase in this film; with a `rate` [1/s per kT] it grows by `allen_cahn`."""
        silver = replace(
            species("Ag", 0, "lattice_gas", SITES, transport, level=level), excess=excess
        )
        law = bound("reaction", "allen_cahn", rate=SITES * (rate or 0.0))
        grows = (ReactionModel("growth", (), (("Ag", 1),), law),) if rate else ()
        films = layer("film", self.thickness, self.cell)
        if self.radius is None:
            made = stack(films)
        else:
            disc = Lateral("disc", 2.0 * self.radius, None, None, self.lateral_cells, 1.0)
            made = stack(films, dimension="axisymmetric", lateral=disc)
        region = RegionModel("film", 10.0, 0.0, (silver,), grows)
        return Device(made, model((region,), temperature=T))


def places(device: Device) -> tuple[Floats, Floats]:
    """Radius (0 in one dimension) and depth of every node [m]."""
    where = device.volumes.coordinates[device.volumes.node_vertex]
    return (where[:, 0] if where.shape[1] > 1 else 0.0 * where[:, 0]), device.depth


def begin(device: Device, distance: Profile, width: float = WIDTH) -> None:
    """Put the phase where the `distance` (r, z) into it is positive, with its own profile."""
    layout = device.layout
    (region,) = device.model.regions
    inside = np.clip(distance(*places(device)) / width, -7.0, 7.0)
    u = np.zeros(layout.n_owned)
    u[layout.species["Ag"]] = region.held("Ag").level + KT * inside
    device.system.unknowns.setArray(u)
    device.system.refresh_ghosts()


def contents(device: Device) -> Floats:
    """Content at the nodes."""
    return NodeFields(device.system).evaluate()["x Ag [1]"]


def volume(device: Device) -> float:
    """Volume of the phase [m^3]."""
    return float(device.volumes.node_volume @ contents(device))


def march(device: Device, *times: float, **control: float):
    """Accepted states, with the times [s] among them."""
    every = (0.0, *times)
    return device.march(Ramp(every, ((0.0, 0.0),) * len(every)), **control)
