"""Several copies of one device side by side: meshes that do not touch, and their model.

All copies share regions, interfaces and laws, so kernels are compiled once; only the
contacts are told apart, ``M1.Pt`` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.circuits.circuit import contact_of
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.model import Model

Array = NDArray[Any]
Ints = NDArray[np.int64]


def repeated_model(model: Model, names: Sequence[str]) -> Model:
    """The model with the contacts of every copy."""
    contacts = (
        replace(contact, name=contact_of(name, contact.name))
        for name in names
        for contact in model.contacts
    )
    return replace(model, contacts=tuple(contacts))


def repeated(volumes: ControlVolumes, names: Sequence[str]) -> ControlVolumes:
    """The control volumes of every copy, at the same place (collective).

    Owned vertices and nodes come first, copy by copy, then ghosts in the same order.
    """
    count, copy = len(names), np.arange(len(names))
    vertices = _Renumbered(len(volumes.vertex_id), volumes.n_owned_vertices, count)
    nodes = _Renumbered(len(volumes.node_vertex), volumes.n_owned_nodes, count)
    stride = 1 + volumes.comm.allreduce(int(volumes.vertex_id.max(initial=-1)), MPI.MAX)
    faces = volumes.face_contact + len(volumes.contacts) * copy[:, None]
    return replace(
        volumes,
        contacts=tuple(contact_of(name, one) for name in names for one in volumes.contacts),
        n_owned_vertices=count * volumes.n_owned_vertices,
        vertex_id=vertices.repeat(volumes.vertex_id) + stride * vertices.copy,
        vertex_owner=vertices.repeat(volumes.vertex_owner),
        coordinates=vertices.repeat(volumes.coordinates),
        node_vertex=vertices.of(nodes.repeat(volumes.node_vertex), nodes.copy),
        node_region=nodes.repeat(volumes.node_region),
        node_volume=nodes.repeat(volumes.node_volume),
        edge_nodes=nodes.each(volumes.edge_nodes),
        edge_factor=np.tile(volumes.edge_factor, count),
        edge_length=np.tile(volumes.edge_length, count),
        pair_nodes=nodes.each(volumes.pair_nodes),
        pair_interface=np.tile(volumes.pair_interface, count),
        pair_area=np.tile(volumes.pair_area, count),
        face_node=nodes.each(volumes.face_node),
        face_contact=faces.reshape(-1),
        face_area=np.tile(volumes.face_area, count),
        cell_nodes=nodes.each(volumes.cell_nodes),
        copies=count,
        vertex_copy=vertices.copy,
    )


class _Renumbered:
    """Numbers of repeated things of which the owned ones come first."""

    def __init__(self, size: int, owned: int, count: int) -> None:
        self._owned, self._ghosts, self._count = owned, size - owned, count
        copies = np.arange(count)
        self.copy: Ints = np.concatenate(
            [np.repeat(copies, owned), np.repeat(copies, self._ghosts)]
        )

    def repeat(self, values: Array) -> Array:
        """Values of all copies in the new order."""
        owned, ghosts = np.split(values, [self._owned])
        return np.concatenate([owned] * self._count + [ghosts] * self._count)

    def of(self, old: Array, copy: Array) -> Array:
        """New numbers of old ones in some copies."""
        inside = old < self._owned
        ghost = self._count * self._owned + copy * self._ghosts + old - self._owned
        return np.asarray(np.where(inside, copy * self._owned + old, ghost))

    def each(self, old: Array) -> Array:
        """Old numbers in an array, for one copy after the other."""
        copies = np.arange(self._count).reshape(-1, *([1] * old.ndim))
        return self.of(old[None], copies).reshape(-1, *old.shape[1:])
