"""A file of fields as columns along the depth: what a sputter beam goes through at one place.

Meshes of stacks are extruded: their vertices lie in columns, and along a column a field is linear
between them. Averages over depth cells are exact, and amounts are those of the linear elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from ionstack.errors import InputError
from ionstack.output.field_reader import Fields

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Of the extent: places nearer to each other are the same.
_ROUND_OFF = 1e-9

Arrangement = Literal["film", "axis", "plane", "body"]


@dataclass(frozen=True)
class Columns:
    """Where the columns stand and which points lie along them.

    `arrangement`: one column for a film, radii around an axis, a plane, or a body. `places` (m, 2)
    [m]; `areas` (m,) that each stands for: 1 for a film, [m] in a plane, else [m^2]. `order`
    (m, k): points along each, from the top; their `depths` (k,) [m] and `layers` (k,).
    """

    arrangement: Arrangement
    places: FloatArray
    areas: FloatArray
    order: IntArray
    depths: FloatArray
    layers: IntArray

    def averages(self, values: FloatArray, edges: FloatArray) -> FloatArray:
        """Return averages (m, n) over depth cells, a field being absent where it is NaN.

        `values` at all points; `edges` (n + 1,) [m], of which cells may reach beyond the columns.
        """
        present = np.isfinite(values)
        known = np.where(present, values, 0.0)[self.order]
        return np.asarray(known @ self._weights(edges).T)

    def shares(self, layer: int, edges: FloatArray) -> FloatArray:
        """Return the share (n,) of each depth cell that a layer takes."""
        return np.asarray(self._weights(edges)[:, self.layers == layer].sum(axis=1))

    def areas_within(self, extent: tuple[float, float]) -> FloatArray:
        """Return the areas [m^2], what has no width or no breadth being drawn out to the extent."""
        drawn_out = {"film": extent[0] * extent[1], "plane": extent[1]}
        return self.areas * drawn_out.get(self.arrangement, 1.0)

    def _weights(self, edges: FloatArray) -> FloatArray:
        """Return the matrix (n, k) that averages linear interpolants layer by layer."""
        result = np.zeros((len(edges) - 1, len(self.depths)))
        for layer in np.unique(self.layers):
            chosen = np.flatnonzero(self.layers == layer)
            result[:, chosen] = _hat_averages(self.depths[chosen], edges)
        return result


def columns_of(fields: Fields) -> Columns:
    """Find the columns of an extruded mesh; raises InputError for any other.

    A point that several ranks have written is taken once.
    """
    lateral = np.zeros((len(fields.points), 2))
    lateral[:, : fields.dimension - 1] = fields.points[:, : fields.dimension - 1]
    layer = _layer_of_points(fields)
    place, depth = _numbered(lateral), _numbered(fields.depth[:, None])
    keys = np.column_stack([place, layer_ranks(fields)[layer], depth])
    _, order = np.unique(keys, axis=0, return_index=True)
    number = int(place.max()) + 1
    regular = len(order) % number == 0
    table = order.reshape(number, -1) if regular else order[None]
    if not regular or np.any(keys[table][:, :, 1:] != keys[table[0]][:, 1:]):
        raise InputError(f"{fields.path}: its vertices do not lie in columns along the depth")
    places, first = lateral[table[:, 0]], table[0]
    areas = column_areas(fields, places)
    return Columns(_arrangement(fields), places, areas, table, fields.depth[first], layer[first])


def _numbered(coordinates: FloatArray) -> IntArray:
    """Number places (n, d) in their order, those that differ by round-off alike."""
    extent = float(np.ptp(coordinates, axis=0).max()) or 1.0
    keys = np.round((coordinates - coordinates.min(axis=0)) / (_ROUND_OFF * extent))
    _, number = np.unique(keys.astype(np.int64), axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).reshape(-1)


def _arrangement(fields: Fields) -> Arrangement:
    if fields.dimension == 2:
        return "axis" if fields.axisymmetric else "plane"
    return "film" if fields.dimension == 1 else "body"


def layer_ranks(fields: Fields) -> IntArray:
    """Return the rank of every region from the top."""
    tops = {name: top for name, top, _ in fields.layers}
    middle = [tops.get(name, np.inf) for name in fields.region_names]
    return np.argsort(np.argsort(middle))


def column_areas(fields: Fields, places: FloatArray) -> FloatArray:
    """Return the area that the linear interpolation between columns gives to each."""
    if fields.dimension == 1:
        return np.ones(1)
    if fields.dimension == 2:
        return _along_a_line(places[:, 0], fields.axisymmetric)
    triangles = Delaunay(places).simplices
    corners = places[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = 0.5 * np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    return np.asarray(np.bincount(triangles.ravel(), np.repeat(area / 3.0, 3), len(places)))


def _along_a_line(x: FloatArray, around_an_axis: bool) -> FloatArray:
    """Integrals of hat functions over a line, or over the disc that it sweeps."""
    order = np.argsort(x)
    left, right = x[order][:-1], x[order][1:]
    width = right - left
    inner = np.pi * width * (2.0 * left + right) / 3.0 if around_an_axis else 0.5 * width
    outer = np.pi * width * (left + 2.0 * right) / 3.0 if around_an_axis else 0.5 * width
    result = np.zeros(len(x))
    result[order[:-1]] += inner
    result[order[1:]] += outer
    return result


def _layer_of_points(fields: Fields) -> IntArray:
    layer = np.zeros(len(fields.points), dtype=np.int64)
    layer[fields.cells.ravel()] = np.repeat(fields.region, fields.cells.shape[1])
    return layer


def _hat_averages(nodes: FloatArray, edges: FloatArray) -> FloatArray:
    """Return (n, k): averages over cells of the hat functions of nodes, 0 outside of them."""
    inside = np.clip(edges, nodes[0], nodes[-1])
    grid = np.union1d(nodes, inside)
    hats = np.stack([np.interp(grid, nodes, row) for row in np.eye(len(nodes))], axis=1)
    steps = 0.5 * (hats[:-1] + hats[1:]) * np.diff(grid)[:, None]
    integral = np.vstack([np.zeros(len(nodes)), np.cumsum(steps, axis=0)])
    at_edges = integral[np.searchsorted(grid, inside)]
    return np.asarray(np.diff(at_edges, axis=0) / np.diff(edges)[:, None])
