"""Numbering of unknowns: potential per vertex, one unknown per species and node.

All unknowns are in volts. That of a species is its electrochemical potential over
the elementary charge, without the excess part: level + kT/e eta + z phi, so the
density follows explicitly, stays within its bounds, and gradients of what drives
the flow lose no digits.

Unknowns of a vertex are consecutive (potential, then the species of each region in
order), so a 1-D stack gives a banded matrix in natural order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.exchange import route
from ionstack.graph import ControlVolumes
from ionstack.model import Model, RegionModel

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Local unknowns (owned first, then ghosts) and their global numbers.

    `phi` holds the local unknown of each vertex, `species[name]` that of each node
    (-1 where the node's region does not hold the species). `field` tells for every
    local unknown which it is: 0 the potential, k the k-th of `names`.
    """

    n_owned: int
    n_local: int
    n_global: int
    first: int
    global_index: Ints
    phi: Ints
    species: Mapping[str, Ints]
    names: tuple[str, ...]
    field: Ints
    node: Ints

    @property
    def ghosts(self) -> NDArray[np.int32]:
        """Global numbers of the ghost unknowns, in local order."""
        return self.global_index[self.n_owned :].astype(np.int32)


def build_layout(volumes: ControlVolumes, model: Model) -> Layout:
    """Number the unknowns of `model` on `volumes` (collective)."""
    names = tuple(model.valences)
    present = np.array(
        [[one.find(name) is not None for name in names] for one in _by_index(volumes, model)]
    ).reshape(len(volumes.regions), len(names))
    held = present[volumes.node_region]
    per_node = held.sum(axis=1)
    n_vertices = len(volumes.vertex_id)
    per_vertex = 1 + np.bincount(volumes.node_vertex, per_node, n_vertices).astype(np.int64)
    phi = np.concatenate([[0], np.cumsum(per_vertex)[:-1]]).astype(np.int64)
    before = np.cumsum(per_node) - per_node
    # Species unknowns before this node, minus those of earlier vertices, plus the potential.
    earlier = np.concatenate([[0], np.cumsum(per_vertex - 1)[:-1]])
    start = phi[volumes.node_vertex] + 1 + before - earlier[volumes.node_vertex]
    position = start[:, None] + np.cumsum(held, axis=1) - 1
    species = {
        name: np.where(held[:, k], position[:, k], -1).astype(np.int64)
        for k, name in enumerate(names)
    }
    n_owned = int(per_vertex[: volumes.n_owned_vertices].sum())
    return _finish(volumes, names, n_owned, int(per_vertex.sum()), phi, start, species)


def _by_index(volumes: ControlVolumes, model: Model) -> list[RegionModel]:
    return [model.region(name) for name in volumes.regions]


def _finish(
    volumes: ControlVolumes,
    names: tuple[str, ...],
    n_owned: int,
    n_local: int,
    phi: Ints,
    start: Ints,
    species: Mapping[str, Ints],
) -> Layout:
    comm = volumes.comm
    first = int(sum(comm.allgather(n_owned)[: comm.rank]))
    field = np.zeros(n_local, dtype=np.int64)
    node = np.zeros(n_local, dtype=np.int64)
    node[phi[volumes.node_vertex]] = np.arange(len(volumes.node_vertex))
    for k, name in enumerate(names, start=1):
        held = np.flatnonzero(species[name] >= 0)
        field[species[name][held]] = k
        node[species[name][held]] = held
    return Layout(
        n_owned=n_owned,
        n_local=n_local,
        n_global=comm.allreduce(n_owned),
        first=first,
        global_index=_global_index(volumes, first, n_owned, n_local, phi, start),
        phi=phi,
        species=species,
        names=names,
        field=field,
        node=node,
    )


def _global_index(
    volumes: ControlVolumes, first: int, n_owned: int, n_local: int, phi: Ints, start: Ints
) -> Ints:
    """Ask the owner of each ghost node where its unknowns begin."""
    comm = volumes.comm
    result = np.arange(n_local, dtype=np.int64) + first
    ghost = np.arange(volumes.n_owned_nodes, len(volumes.node_vertex))
    owner = volumes.vertex_owner[volumes.node_vertex[ghost]]
    request = np.column_stack(
        [volumes.vertex_id[volumes.node_vertex[ghost]], volumes.node_region[ghost]]
    )
    source, (asked,) = route(comm, owner, request)
    answer = _answer(volumes, asked, phi + first, start + first)
    _, (reply,) = route(comm, source, answer)
    asked_for = ghost[np.argsort(owner, kind="stable")]
    heads = phi[volumes.node_vertex[asked_for]]
    _spread(result, n_owned, n_local, heads, start[asked_for], reply)
    return result


def _answer(volumes: ControlVolumes, asked: Ints, phi: Ints, start: Ints) -> Ints:
    owned = volumes.vertex_id[: volumes.n_owned_vertices]
    order = np.argsort(owned)
    vertex = order[np.searchsorted(owned, asked[:, 0], sorter=order)]
    n_regions = len(volumes.regions)
    keys = volumes.node_vertex * n_regions + volumes.node_region
    node = np.searchsorted(keys, vertex * n_regions + asked[:, 1])
    return np.column_stack([phi[vertex], start[node]])


def _spread(result: Ints, n_owned: int, n_local: int, phi: Ints, start: Ints, reply: Ints) -> None:
    """Write the owners' numbers of ghost potentials and of runs of species unknowns."""
    heads = np.concatenate([phi, start])
    numbers = np.concatenate([reply[:, 0], reply[:, 1]])
    inside = heads < n_local
    order = np.argsort(heads[inside], kind="stable")
    heads, numbers = heads[inside][order], numbers[inside][order]
    local = np.arange(n_owned, n_local)
    run = np.searchsorted(heads, local, side="right") - 1
    result[local] = numbers[run] + local - heads[run]
