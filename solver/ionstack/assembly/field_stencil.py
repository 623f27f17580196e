"""The electric field at nodes, from the potentials of the neighbours within the region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Directions whose share of a node's second moment is smaller than this have no neighbour.
_NO_NEIGHBOUR = 1e-6


@dataclass(frozen=True)
class FieldStencil:
    """Gradient of the straight line that fits the differences to the neighbours best.

    The squares of the differences are weighted by area over length, so that in 1-D the result
    is the central difference; it is exact for uniform fields on every mesh and at every
    border. Where a node has no neighbour in a direction the gradient along it is 0.

    `neighbours` (n, slots) are nodes, a node itself where it has fewer; `weights`
    (n, slots, dimension) [1/m].
    """

    neighbours: Ints
    weights: Floats


def field_stencil(volumes: ControlVolumes, nodes: Ints) -> FieldStencil:
    """Stencil at nodes that this rank owns, in ascending order."""
    ends, factor = volumes.directed_edges
    mine = np.flatnonzero(np.isin(ends[:, 0], nodes))
    mine = mine[np.argsort(ends[mine, 0], kind="stable")]
    row = np.searchsorted(nodes, ends[mine, 0])
    slot = np.arange(len(mine)) - np.searchsorted(row, row)
    points = volumes.coordinates[volumes.node_vertex][:, : volumes.dimension]
    shape = (len(nodes), int(slot.max(initial=-1)) + 1)
    neighbours = np.repeat(nodes[:, None], shape[1], axis=1)
    neighbours[row, slot] = ends[mine, 1]
    weight = np.zeros(shape)
    weight[row, slot] = np.maximum(factor[mine], 0.0)
    away = points[neighbours] - points[nodes][:, None, :]
    pulls = weight[:, :, None] * away
    moments = np.einsum("nsd,nse->nde", away, pulls)
    return FieldStencil(neighbours, np.einsum("nde,nse->nsd", inverse_moments(moments), pulls))


def inverse_moments(moments: Floats) -> Floats:
    """Inverses of second moments (n, d, d); 0 along directions without a neighbour."""
    return np.asarray(np.linalg.pinv(moments, rcond=_NO_NEIGHBOUR, hermitian=True))
