"""Observer of depth profiles on the centre line of every device, into ``profiles.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.circuits.circuit import Circuit
from ionstack.errors import raise_together
from ionstack.observing.observers import bounds, shown
from ionstack.output.names import electrochemical_potential
from ionstack.output.profiles import Profile, ProfileWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.output.states import BY_THEMSELVES
from ionstack.protocols.protocol import Protocol
from ionstack.stepping.states import State

Floats = NDArray[np.float64]


class Profiles:
    """Depth profiles on the centre line at start, extreme biases and end."""

    def __init__(
        self,
        run: RunDirectory,
        system: System,
        fields: NodeFields,
        protocol: Protocol,
        circuit: Circuit,
        axisymmetric: bool,
    ) -> None:
        self._system, self._fields = system, fields
        sources, copies = circuit.sources, circuit.copies
        self._columns = centre_columns(system, axisymmetric, copies)
        self._protocol = protocol
        self._source = sources.index(protocol.driven())
        self._lowest = self._highest = 0.0
        first = system.comm.rank == 0
        self._writer = ProfileWriter(run.profiles) if first else None
        self._drops: dict[str, float] = {}

    def _names(self, state: State) -> list[str]:
        bias = float(state.applied[self._source])
        start, negative, positive, end = BY_THEMSELVES
        names = [start] if state.step == 0.0 else []
        if bias < 0.0 and bias <= self._lowest:
            self._lowest = bias
            names.append(negative)
        if bias > 0.0 and bias >= self._highest:
            self._highest = bias
            names.append(positive)
        return names + ([end] if state.following == len(self._protocol.laid) else [])

    def see(self, state: State) -> None:
        """Add or replace the profiles that this state is."""
        names = self._names(state) if shown(state, self._protocol) else []
        if not names:
            return
        fields = self._fields.evaluate()
        for copy, column in self._columns.items():
            profile = self._profile(fields, column)
            for name in names:
                full = f"{copy} {name}".strip()
                if self._writer is not None:
                    self._writer.add(Profile(full, state.time, *profile))
                    self._drops |= electron_drops(full, *profile)

    def memory(self) -> Mapping[str, Any]:
        """The file, the drops and the extreme biases."""
        extremes = {"lowest": self._lowest, "highest": self._highest}
        if self._writer is None:
            return extremes
        return {**extremes, "text": self._writer.text(), "drops": self._drops}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Write the file as it was."""
        self._lowest, self._highest = memory["lowest"], memory["highest"]
        with raise_together(self._system.comm, "writing the profiles"):
            if self._writer is not None:
                self._writer.restore(memory["text"])
                self._drops = dict(memory["drops"])

    def _profile(
        self, fields: Mapping[str, Floats], column: NDArray[np.int64]
    ) -> tuple[Floats, tuple[str, ...], dict[str, Floats]]:
        volumes = self._system.equations.volumes
        parts = [volumes.depth[column], volumes.node_region[column].astype(float)]
        table = np.array([*parts, *(fields[name][column] for name in fields)])
        gathered = np.concatenate(self._system.comm.allgather(table), axis=1)
        gathered = gathered[:, np.lexsort((gathered[1], gathered[0]))]
        regions = tuple(volumes.regions[int(index)] for index in gathered[1])
        return gathered[0], regions, dict(zip(fields, gathered[2:], strict=True))

    def found(self) -> Mapping[str, Any]:
        """Where the electrons' electrochemical potential drops, per layer and interface."""
        return self._drops


def centre_columns(
    system: System, axisymmetric: bool, copies: tuple[str, ...]
) -> dict[str, NDArray[np.int64]]:
    """Owned nodes of the column of vertices nearest to the axis or centre, by copy (collective)."""
    volumes = system.equations.volumes
    column = centre_column(system, axisymmetric)
    copy = volumes.vertex_copy[volumes.node_vertex[column]]
    return {name: column[copy == number] for number, name in enumerate(copies)}


def centre_column(system: System, axisymmetric: bool) -> NDArray[np.int64]:
    """Owned nodes of the column of vertices nearest to the axis or centre (collective)."""
    volumes = system.equations.volumes
    owned = volumes.coordinates[: volumes.n_owned_vertices]
    lateral = np.delete(owned, volumes.stack_axis, axis=1)
    if lateral.shape[1] == 0:
        return np.arange(volumes.n_owned_nodes)
    low, high = bounds(volumes.comm, lateral)
    centre = low if axisymmetric else 0.5 * (low + high)
    # Rounded, so that columns at equal distances are told apart by position on all ranks.
    distance = np.round(np.linalg.norm((lateral - centre) / np.max(high - low), axis=1), 9)
    ranking = np.lexsort((*lateral.T[::-1], distance))[:1]
    candidates = [(float(distance[i]), *lateral[i].tolist()) for i in ranking]
    best = min(one for part in volumes.comm.allgather(candidates) for one in part)
    inside = np.all(lateral == np.array(best[1:]), axis=1)
    vertex = volumes.node_vertex[: volumes.n_owned_nodes]
    return np.flatnonzero(inside[vertex])


def electron_drops(
    state: str, depth: Floats, regions: tuple[str, ...], fields: Mapping[str, Floats]
) -> dict[str, float]:
    """Fall of the electrons' electrochemical potential over layers and interfaces [eV]."""
    psi = fields.get(electrochemical_potential("e-"))
    if psi is None:
        return {}
    order = list(dict.fromkeys(regions))
    ends = {name: [i for i, one in enumerate(regions) if one == name] for name in order}
    drops = {
        f"electron_energy_drop.{state}.{name} [eV]": float(psi[ends[name][0]] - psi[ends[name][-1]])
        for name in order
    }
    for upper, lower in pairwise(order):
        value = float(psi[ends[upper][-1]] - psi[ends[lower][0]])
        drops[f"electron_energy_drop.{state}.{upper}/{lower} [eV]"] = value
    return drops
