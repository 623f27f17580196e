"""Numbering of unknowns: potentials, and one unknown per species and node.

All unknowns are in volts. That of a species is its electrochemical potential over
the elementary charge, without the excess part: level + kT/e eta + z phi, so the
density follows explicitly, stays within its bounds, and gradients of what drives
the flow lose no digits.

The nodes of a vertex share an unknown where nothing lies between their regions: the
potential unless the interface has a double layer, a species if its law merges the sides.

Unknowns of a vertex are consecutive (potentials, then the species of each region in
order, then products), so a 1-D stack gives a banded matrix in natural order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.exchange import route
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.carriers import unknowns_of
from ionstack.models.model import InterfaceModel, Model
from ionstack.models.products import nodes_with, product_names, unknown_of

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Local unknowns (owned first, then ghosts) and their global numbers.

    `phi` holds the local unknown of each node's potential, `species[name]` that of each
    node's species, gradient term or product at a contact (-1 where there is none).
    `field` tells for every local unknown which it is: 0 the potential, k the k-th of
    `names`; `node` is the first node that it belongs to.
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
    regions = [model.region(name) for name in volumes.regions]
    every = dict.fromkeys(name for region in regions for name in unknowns_of(region))
    names = (*model.valences, *(name for name in every if name not in model.valences))
    leader = [_leaders(volumes, [True] * len(regions), _shared(volumes, model, None))]
    for name in names:
        held = [name in unknowns_of(region) for region in regions]
        leader.append(_leaders(volumes, held, _shared(volumes, model, name)))
    nodes = np.arange(len(volumes.node_region))
    for product in product_names(model):
        names = (*names, unknown_of(product))
        leader.append(np.where(nodes_with(model, volumes, product), nodes, -1))
    return _number(volumes, names, np.array(leader))


def build_node_layout(volumes: ControlVolumes, joined: Iterable[tuple[int, int]]) -> Layout:
    """Number one quantity at all nodes, as `Layout.phi` (collective).

    The nodes of a vertex share it across `joined` pairs of regions.
    """
    leader = _leaders(volumes, [True] * len(volumes.regions), joined)
    return _number(volumes, (), leader[None, :])


def _shared(volumes: ControlVolumes, model: Model, species: str | None) -> list[tuple[int, int]]:
    """Pairs of regions that share an unknown: of a species, or the potential (None)."""

    def passes(interface: InterfaceModel) -> bool:
        if species is not None:
            return interface.merges(species)
        return interface.double_layer is None

    index = {name: k for k, name in enumerate(volumes.regions)}
    given = {frozenset(index[side] for side in one.sides): one for one in model.interfaces}
    # An interface without a record has no laws and no double layer.
    bare = InterfaceModel(("", ""), {})
    return [pair for pair in volumes.interfaces if passes(given.get(frozenset(pair), bare))]


def _leaders(volumes: ControlVolumes, held: list[bool], pairs: Iterable[tuple[int, int]]) -> Ints:
    """For every node the first node of its vertex that shares the unknown, -1 without one."""
    block = np.arange(len(held))
    for first, second in pairs:
        block[block == block[second]] = block[first]
    keys = volumes.node_vertex * len(held) + block[volumes.node_region]
    _, first_node, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return np.where(np.array(held)[volumes.node_region], first_node[inverse], -1)


def _number(volumes: ControlVolumes, names: tuple[str, ...], leader: Ints) -> Layout:
    """Number the leading nodes' unknowns vertex by vertex, potentials first."""
    n_nodes = leader.shape[1]
    field, node = np.nonzero(leader == np.arange(n_nodes))
    order = np.lexsort([field, node, field > 0, volumes.node_vertex[node]])
    field, node = field[order], node[order]
    local = np.full(leader.shape, -1, dtype=np.int64)
    local[field, node] = np.arange(len(node))
    found = np.where(leader >= 0, np.take_along_axis(local, np.maximum(leader, 0), axis=1), -1)
    n_owned = int(np.searchsorted(volumes.node_vertex[node], volumes.n_owned_vertices))
    comm = volumes.comm
    first = int(sum(comm.allgather(n_owned)[: comm.rank]))
    return Layout(
        n_owned=n_owned,
        n_local=len(node),
        n_global=comm.allreduce(n_owned),
        first=first,
        global_index=_global_index(volumes, first, n_owned, field, node, found),
        phi=found[0],
        species={name: found[k] for k, name in enumerate(names, start=1)},
        names=names,
        field=field,
        node=node,
    )


def _global_index(
    volumes: ControlVolumes, first: int, n_owned: int, field: Ints, node: Ints, local: Ints
) -> Ints:
    """Ask the owner of each ghost unknown for its number (collective)."""
    comm = volumes.comm
    result = np.arange(len(node), dtype=np.int64) + first
    ghost = np.arange(n_owned, len(node))
    vertex = volumes.node_vertex[node[ghost]]
    owner = volumes.vertex_owner[vertex]
    request = [volumes.vertex_id[vertex], volumes.node_region[node[ghost]], field[ghost]]
    source, (asked,) = route(comm, owner, np.column_stack(request))
    answer = local[asked[:, 2], _node(volumes, asked)] + first
    _, (reply,) = route(comm, source, answer[:, None])
    result[ghost[np.argsort(owner, kind="stable")]] = reply[:, 0]
    return result


def _node(volumes: ControlVolumes, asked: Ints) -> Ints:
    """Local nodes of given (vertex id, region)."""
    owned = volumes.vertex_id[: volumes.n_owned_vertices]
    order = np.argsort(owned)
    vertex = order[np.searchsorted(owned, asked[:, 0], sorter=order)]
    n_regions = len(volumes.regions)
    keys = volumes.node_vertex * n_regions + volumes.node_region
    return np.asarray(np.searchsorted(keys, vertex * n_regions + asked[:, 1]))
