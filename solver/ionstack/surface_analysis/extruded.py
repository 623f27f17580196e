"""Columns of an extruded mesh: its vertices lie in columns, all with the same depths.

Along a column a field is linear between vertices, so amounts are those of the linear elements.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from ionstack.output.point_columns import lateral, point_columns
from ionstack.surface_analysis.columns import Columns, Pieces
from ionstack.surface_analysis.contents import Contents

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def extruded_columns(contents: Contents) -> Columns | None:
    """Return the columns of an extruded mesh, None for any other."""
    found = point_columns(contents)
    # Where all cells have points of their own, fields may jump between them.
    own = len(contents.points) == contents.cells.size
    if found is None or (own and contents.cells.size > found.order.size):
        return None
    areas = column_areas(contents, found.places)
    pieces = _pieces(found.order, found.depths, found.layers)
    return Columns(found.arrangement, found.places, areas, bounds_of(contents), pieces)


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


def bounds_of(contents: Contents) -> FloatArray:
    """Return the least and largest coordinates (2, 2) [m] across the depth."""
    places = lateral(contents)
    return np.stack([places.min(axis=0), places.max(axis=0)])


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
