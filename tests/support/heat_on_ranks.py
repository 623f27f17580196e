"""A program for ``mpirun``: a heated device on any number of ranks, as JSON.

``python -m support.heat_on_ranks FILE``
"""

from __future__ import annotations

import json
import sys
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.compute import configure
from ionstack.geometry.stack import Lateral
from ionstack.models.heat_model import HeatModel, Medium, Sink
from support.heated import LENGTH, START, HeatedDevice, Heater, resistor
from support.layers import Device, layer, stack

COMM = MPI.COMM_WORLD
FILMS = ("upper", "lower")
DISC = stack(
    *(layer(name, LENGTH, LENGTH / 4) for name in FILMS),
    dimension="axisymmetric",
    lateral=Lateral("disc", 4e-6, None, None, 6, 1.0),
)


def laws(**changes: Any) -> HeatModel:
    """Two films that touch badly, the one on glass, the other cooled by air that blows."""
    sinks = {"top": Sink(1e5), "bottom": Sink(inf, 1e4)}
    media = {"upper": Medium(2.0, 1.5e6), "lower": Medium(0.5, 2e6)}
    joint = {frozenset(FILMS): 1e-7}
    return HeatModel(START, media, sinks, joint, **changes)


def spot() -> dict[str, Any]:
    """Two steps of a hot spot at the axis."""
    disc = Heater(DISC, laws(), COMM)
    radius = disc.volumes.coordinates[disc.volumes.node_vertex, 0]
    for _ in range(2):
        found = disc.heat(1e16 * np.exp(-((radius / 5e-7) ** 2)), 1e-7)
    owned = slice(disc.volumes.n_owned_nodes)
    weight = disc.volumes.node_volume[owned]
    mean = COMM.allreduce(float(weight @ disc.at_nodes[owned]))
    highest = COMM.allreduce(float(disc.at_nodes[owned].max(initial=-inf)), MPI.MAX)
    return {"highest": highest, "content": mean, "stored": found.stored} | _named(found.outflow)


def resistors() -> dict[str, Any]:
    """Power and heat of films with activated conductivity."""
    device = Device(DISC, resistor(1e3, 0.1, FILMS), {name: {"e-": 0.1} for name in FILMS}, COMM)
    heated = HeatedDevice(device, laws(steady=True, tolerance=1e-7), tolerance=1e-12)
    heated.steady(0.1, 0.0)
    field = heated.field
    return {"power": heated.power, "rise": field.highest} | _named(field.out)


def _named(outflow: Any) -> dict[str, float]:
    return dict(zip(("top", "bottom"), map(float, outflow), strict=True))


def main(path: Path) -> None:
    """Do the work and write the file."""
    configure()
    found = {"spot": spot(), "resistors": resistors()}
    if COMM.rank == 0:
        path.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
