"""Equilibria of all shipped cases and of the device of every law, on any number of ranks.

``python -m support.equilibria FILE NAME...`` under ``mpirun`` writes what is found as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.casefile.case import Case, load_case
from ionstack.compute import configure
from ionstack.output.names import site_fraction
from ionstack.runs.preparation import prepare
from ionstack.solving.equilibrium import Equilibrium
from support.devices import ROOT
from support.everything import CONTENTS, every_law, every_layer
from support.layers import Device

Floats = NDArray[np.float64]
Found = tuple[System, Equilibrium]

# Circuits have the devices of other cases, or what counts beside them.
CASES = {
    str(path.relative_to(ROOT / "cases").with_suffix("")): path
    for path in sorted((ROOT / "cases").rglob("*.yaml"))
    if "protocol:" in path.read_text() and "\ncircuit:" not in path.read_text()
}


def refined(case: Case, times: float) -> Case:
    """The case in 1-D with every cell divided into about `times`."""
    layers = tuple(
        replace(one, first_cell=one.first_cell / times, growth=one.growth ** (1.0 / times))
        for one in case.stack.layers
    )
    return replace(case, stack=replace(case.stack, dimension="1d", layers=layers))


def shipped(path: Path) -> Callable[[MPI.Comm, float], Found]:
    """Equilibrium of a case file."""

    def find(comm: MPI.Comm, times: float) -> Found:
        prepared = prepare(refined(load_case(path, ["start=equilibrium"]), times), comm)
        return prepared.system, prepared.equilibrium

    return find


def every_term(comm: MPI.Comm, times: float) -> Found:
    """Equilibrium of the device that uses every kind of term."""
    films = every_layer()
    layers = tuple(replace(one, first_cell=one.first_cell / 4 / times) for one in films.layers)
    device = Device(replace(films, layers=layers), every_law(), CONTENTS, comm)
    return device.system, device.settle()


# Those whose films, with other numbers or a reaction in air, are those of another case, and
# those with contents by place, which start as given.
_ALIKE = (
    "air",
    "pulses",
    "conversion",
    "dome",
    "converted_dome",
    "vacancy",
    "competition",
    "focus",
)
DEVICES: dict[str, Callable[[MPI.Comm, float], Found]] = {
    **{name: shipped(path) for name, path in CASES.items() if path.stem not in _ALIKE},
    "every term": every_term,
}


def quantities(system: System, found: Equilibrium) -> dict[str, float]:
    """Free levels, drops of the potential, contents of the layers (collective)."""
    names = [f"level {group.species} in {group.regions[0]} [V]" for group in found.groups]
    result = dict(zip(names, found.levels.tolist(), strict=True))
    return result | _potentials(system) | _contents(system)


def _potentials(system: System) -> dict[str, float]:
    """Mean potential at every contact less that at the first one [V]: the built-in voltage."""
    volumes, layout = system.equations.volumes, system.layout
    own = volumes.node_vertex[volumes.face_node] < volumes.n_owned_vertices
    area, contact = volumes.face_area[own], volumes.face_contact[own]
    phi = system.local_unknowns()[layout.phi[volumes.face_node[own]]]
    count = len(volumes.contacts)
    parts = [np.bincount(contact, weight, count) for weight in (area * phi, area)]
    total, whole = (volumes.comm.allreduce(part) for part in parts)
    mean = total / whole
    return {
        f"built-in voltage {name} [V]": float(value - mean[0])
        for name, value in zip(volumes.contacts[1:], mean[1:], strict=True)
    }


def _contents(system: System) -> dict[str, float]:
    """Mean content of every species in every layer (collective)."""
    volumes, fields = system.equations.volumes, NodeFields(system).evaluate()
    own = slice(volumes.n_owned_nodes)
    region, weight = volumes.node_region[own], volumes.node_volume[own]
    count = len(volumes.regions)
    volume = volumes.comm.allreduce(np.bincount(region, weight, count))
    result = {}
    for name in system.equations.model.valences:
        held = np.nan_to_num(fields[site_fraction(name)][own])
        mean = volumes.comm.allreduce(np.bincount(region, weight * held, count)) / volume
        for layer, value in zip(volumes.regions, mean.tolist(), strict=True):
            result[f"content {name} in {layer}"] = value
    return result


def everywhere(comm: MPI.Comm, names: Iterable[str]) -> dict[str, dict[str, float]]:
    """Quantities of some devices on meshes of half the cells (collective)."""
    return {name: quantities(*DEVICES[name](comm, 0.5)) for name in names}


def main(file: Path, names: Iterable[str]) -> None:
    """Write the quantities of some devices."""
    configure()
    comm = MPI.COMM_WORLD
    found = everywhere(comm, names)
    if comm.rank == 0:
        file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
