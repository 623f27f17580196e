"""Columns of an extruded mesh: its vertices lie in columns, all with the same depths.

Along a column a field is linear between vertices, so amounts are those of the linear elements.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from ionstack.surface_analysis.columns import Arrangement, Columns, Pieces
from ionstack.surface_analysis.contents import Contents

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Of the extent: places nearer to each other are the same.
_ROUND_OFF = 1e-9


def extruded_columns(contents: Contents) -> Columns | None:
    """Return the columns of an extruded mesh, None for any other.

    A point that several ranks have written is taken once.
    """
    places = lateral(contents)
    layer = _layer_of_points(contents)
    place, depth = numbered(places), numbered(contents.depth[:, None])
    keys = np.column_stack([place, _layer_ranks(contents)[layer], depth])
    _, order = np.unique(keys, axis=0, return_index=True)
    number = int(place.max()) + 1
    jumping = len(contents.points) == contents.cells.size > len(order)
    # Where all cells have points of their own, fields may jump between them.
    if jumping or len(order) % number:
        return None
    table = order.reshape(number, -1)
    alike = np.all(keys[table][:, :, 1:] == keys[table[0]][:, 1:])
    if not alike or np.any(np.diff(depth[table[0]]) < 0):
        return None
    there = places[table[:, 0]]
    areas = column_areas(contents, there)
    pieces = _pieces(table, contents.depth[table[0]], layer[table[0]])
    return Columns(arrangement_of(contents), there, areas, bounds_of(contents), pieces)


def _pieces(table: IntArray, depth: FloatArray, layer: IntArray) -> Pieces:
    """Make pieces between neighbours within a layer, of columns (m, k) with one `depth` (k,)."""
    upper = np.flatnonzero((np.diff(layer) == 0) & (np.diff(depth) > 0.0))
    count, each = len(table), len(upper)
    length = np.tile(np.diff(depth)[upper], count)
    return Pieces(
        column=np.repeat(np.arange(count), each),
        layer=np.tile(layer[upper], count),
        start=np.tile(depth[upper], count),
        length=length,
        extent=length,
        nodes=np.stack([table[:, upper].ravel(), table[:, upper + 1].ravel()], axis=1),
        upper=np.tile([1.0, 0.0], (count * each, 1)),
        lower=np.tile([0.0, 1.0], (count * each, 1)),
    )


def lateral(contents: Contents) -> FloatArray:
    """Return the coordinates (n_points, 2) [m] across the depth, 0 where there are none."""
    result = np.zeros((len(contents.points), 2))
    result[:, : contents.dimension - 1] = contents.points[:, : contents.dimension - 1]
    return result


def bounds_of(contents: Contents) -> FloatArray:
    """Return the least and largest coordinates (2, 2) [m] across the depth."""
    places = lateral(contents)
    return np.stack([places.min(axis=0), places.max(axis=0)])


def numbered(coordinates: FloatArray) -> IntArray:
    """Number places (n, d) in their order, those that differ by round-off alike."""
    extent = float(np.ptp(coordinates, axis=0).max()) or 1.0
    keys = np.round((coordinates - coordinates.min(axis=0)) / (_ROUND_OFF * extent))
    _, number = np.unique(keys.astype(np.int64), axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).reshape(-1)


def arrangement_of(contents: Contents) -> Arrangement:
    """Return how the columns of a mesh stand."""
    if contents.dimension == 2:
        return "axis" if contents.axisymmetric else "plane"
    return "film" if contents.dimension == 1 else "body"


def _layer_ranks(contents: Contents) -> IntArray:
    """Rank of every region from the top."""
    tops = np.full(len(contents.region_names), np.inf)
    depth = contents.depth[contents.cells].min(axis=1)
    np.minimum.at(tops, contents.region, depth)
    return np.argsort(np.argsort(tops))


def column_areas(contents: Contents, places: FloatArray) -> FloatArray:
    """Return the area that the linear interpolation between columns gives to each."""
    if contents.dimension == 1:
        return np.ones(1)
    if contents.dimension == 2:
        return _along_a_line(places[:, 0], contents.axisymmetric)
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


def _layer_of_points(contents: Contents) -> IntArray:
    layer = np.zeros(len(contents.points), dtype=np.int64)
    layer[contents.cells.ravel()] = np.repeat(contents.region, contents.cells.shape[1])
    return layer
