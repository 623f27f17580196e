"""Sums and comparisons over control volumes, on any number of ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes

Floats = NDArray[np.float64]


def region_volumes(volumes: ControlVolumes) -> Floats:
    """Volume of each region [m^3] (collective)."""
    own = slice(volumes.n_owned_nodes)
    count = len(volumes.regions)
    local = np.bincount(volumes.node_region[own], volumes.node_volume[own], count)
    return np.asarray(volumes.comm.allreduce(local))


def contact_areas(volumes: ControlVolumes) -> Floats:
    """Area of each contact [m^2] (collective)."""
    own = volumes.node_vertex[volumes.face_node] < volumes.n_owned_vertices
    count = len(volumes.contacts)
    local = np.bincount(volumes.face_contact[own], volumes.face_area[own], count)
    return np.asarray(volumes.comm.allreduce(local))


def interface_areas(volumes: ControlVolumes) -> Floats:
    """Area of each interface [m^2] (collective)."""
    own = volumes.node_vertex[volumes.pair_nodes[:, 0]] < volumes.n_owned_vertices
    count = len(volumes.interfaces)
    local = np.bincount(volumes.pair_interface[own], volumes.pair_area[own], count)
    return np.asarray(volumes.comm.allreduce(local))


def laplace_defect(volumes: ControlVolumes, phi: Floats) -> Floats:
    """Sum of factor (phi_K - phi_L) at each vertex, over the sum of its parts' moduli.

    `phi` is given per vertex; serial graphs only.
    """
    ends = volumes.node_vertex[volumes.edge_nodes]
    flow = volumes.edge_factor * (phi[ends[:, 0]] - phi[ends[:, 1]])
    count = len(volumes.vertex_id)
    net = np.bincount(ends[:, 0], flow, count) - np.bincount(ends[:, 1], flow, count)
    scale = sum(np.bincount(ends[:, k], np.abs(flow), count) for k in (0, 1))
    return np.abs(net) / np.where(scale > 0.0, scale, 1.0)


def table(volumes: ControlVolumes) -> dict[str, dict[tuple[int, ...], Any]]:
    """Complete entries of this rank, by vertex ids and region, contact or interface."""
    ids = volumes.vertex_id[volumes.node_vertex]
    owned = volumes.node_vertex < volumes.n_owned_vertices
    edges = np.column_stack(
        [ids[volumes.edge_nodes], volumes.node_region[volumes.edge_nodes[:, 0]]]
    )
    nodes = np.column_stack([ids, volumes.node_region])[owned]
    pairs = np.column_stack([ids[volumes.pair_nodes[:, 0]], volumes.pair_interface])
    faces = np.column_stack([ids[volumes.face_node], volumes.face_contact])
    lengths = np.column_stack([volumes.edge_factor, volumes.edge_length])
    return {
        "vertices": _by(volumes.vertex_id[:, None], volumes.coordinates),
        "edges": _by(edges, lengths),
        "nodes": _by(nodes, volumes.node_volume[owned]),
        "pairs": _by(pairs, volumes.pair_area),
        "faces": _by(faces, volumes.face_area),
    }


def _by(keys: NDArray[np.int64], values: Floats) -> dict[tuple[int, ...], Any]:
    found = {tuple(key): value for key, value in zip(keys.tolist(), values.tolist(), strict=True)}
    assert len(found) == len(keys), "an entry occurs twice on one rank"
    return found
