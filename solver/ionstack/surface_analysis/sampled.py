"""Columns of any mesh of simplices: vertical lines, each cut into pieces by the cells it meets.

In a plane and around an axis the lines stand at the Gauss points between all vertices. What a
line meets of a linear field is there a polynomial of the place of third degree at most, so
amounts are those of the linear elements. In a body the lines stand beside the vertices and,
where these are few, between them; amounts are met in the second order of their distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, Delaunay

from ionstack.output.point_columns import arrangement_of, lateral, numbered
from ionstack.surface_analysis.columns import Columns, Pieces, spread
from ionstack.surface_analysis.contents import Contents
from ionstack.surface_analysis.extruded import bounds_of, column_areas

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Most columns, so that a fine mesh does not fill the memory, and how many there are at least
# across a plane and in a body, so that a slope does not look like stairs.
_MOST = 2048
_ACROSS, _IN_A_BODY = 256, 1024
# Of the extent: how far beside a vertex a line stands. It meets no edge of a regular mesh.
_BESIDE = 1e-6
_OFF_CENTRE = (0.4371, 0.5619)
# Of the box around a cell: one that takes no more of it has no inside.
_FLAT = 1e-9
# Of the depth: what is met of a cell and is no more than round-off.
_ROUND_OFF = 1e-12
# Pairs of lines and cells that are looked at together.
_PAIRS = 2_000_000


def sampled_columns(contents: Contents) -> Columns:
    """Return columns of a mesh; those that meet no cell are left out."""
    places, areas = _places(contents)
    met = _met(contents, places)
    held, column = np.unique(met.column, return_inverse=True)
    order = np.lexsort((met.start, column))
    length = (met.end - met.start)[order]
    pieces = Pieces(
        column=column[order],
        layer=contents.region[met.cell[order]],
        start=met.start[order],
        length=length,
        extent=length,
        nodes=contents.cells[met.cell[order]],
        upper=met.upper[order],
        lower=met.lower[order],
    )
    leading = arrangement_of(contents), places[held], areas[held]
    return Columns(*leading, bounds_of(contents), pieces)


def _places(contents: Contents) -> tuple[FloatArray, FloatArray]:
    """Places (m, 2) of the lines, and the areas (m,) that they stand for."""
    places = lateral(contents)
    _, first = np.unique(numbered(places), return_index=True)
    if contents.dimension == 3:
        return _beside(contents, places[first])
    return _between(contents, np.sort(places[first, 0]))


def _between(contents: Contents, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two Gauss points between each two vertices; with too many, between every few of them."""
    if contents.dimension == 1:
        return np.zeros((1, 2)), np.ones(1)
    x = np.union1d(x, np.linspace(x[0], x[-1], _ACROSS // 2 + 1))
    x = x[np.unique(numbered(x[:, None]), return_index=True)[1]]
    chosen = np.linspace(0, len(x) - 1, min(len(x), _MOST // 2)).round().astype(np.int64)
    left, right = x[chosen][:-1], x[chosen][1:]
    gauss = np.array([-1.0, 1.0]) / np.sqrt(3.0)
    place = (0.5 * (left + right)[:, None] + 0.5 * (right - left)[:, None] * gauss).ravel()
    width = np.repeat(0.5 * (right - left), 2)
    areas = 2.0 * np.pi * place * width if contents.axisymmetric else width
    return np.column_stack([place, np.zeros_like(place)]), areas


def _beside(contents: Contents, vertices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lines beside the vertices, or beside as many of them as are allowed."""
    low, extent = vertices.min(axis=0), np.ptp(vertices, axis=0)
    while len(vertices) < _IN_A_BODY:
        vertices = _with_middles(vertices)
    if len(vertices) > _MOST:
        squares = np.floor((vertices - low) / extent * np.sqrt(_MOST)).astype(np.int64)
        _, first = np.unique(squares, axis=0, return_index=True)
        vertices = vertices[np.union1d(first, ConvexHull(vertices).vertices)]
    areas = column_areas(contents, vertices)
    towards = low + extent * np.array(_OFF_CENTRE)
    return vertices + _BESIDE * (towards - vertices), areas


def _with_middles(vertices: FloatArray) -> FloatArray:
    """Add the middles between neighbours."""
    triangles = Delaunay(vertices).simplices
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    middles = vertices[np.unique(np.sort(pairs, axis=1), axis=0)].mean(axis=1)
    return np.concatenate([vertices, middles])


@dataclass(frozen=True)
class _Met:
    """What lines meet: `column` and `cell` (p,), depths [m] of `start` and `end`.

    `upper`, `lower` (p, d + 1): shares of the corners of the cell at both.
    """

    column: IntArray
    cell: IntArray
    start: FloatArray
    end: FloatArray
    upper: FloatArray
    lower: FloatArray


def _met(contents: Contents, places: FloatArray) -> _Met:
    """Cut vertical lines by cells: all shares of a point in a cell are positive."""
    corners = contents.points[contents.cells][:, :, : contents.dimension]
    sides = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)
    box = np.prod(np.ptp(corners, axis=1), axis=1)
    solid = np.flatnonzero(np.abs(np.linalg.det(sides)) > _FLAT * box)
    across = contents.dimension - 1
    found = []
    for column, among in _pairs(corners[solid], places[:, :across]):
        cell = solid[among]
        inverse = np.asarray(np.linalg.inv(sides[cell]), dtype=np.float64)
        aside = places[column, :across] - corners[cell, 0, :across]
        share = _with_first(np.einsum("pij,pj->pi", inverse[:, :, :across], aside), 1.0)
        slope = _with_first(inverse[:, :, across], 0.0)
        start, end = _interval(share, slope)
        kept = np.flatnonzero(end - start > _ROUND_OFF * np.ptp(contents.depth))
        upper, lower = (share[kept] + slope[kept] * depth[kept, None] for depth in (start, end))
        zero = corners[cell[kept], 0, across]
        found.append(
            _Met(column[kept], cell[kept], zero + start[kept], zero + end[kept], upper, lower)
        )
    parts = ([getattr(one, name) for one in found] for name in _Met.__dataclass_fields__)
    return _Met(*(np.concatenate(part) for part in parts))


def _with_first(rest: FloatArray, total: float) -> FloatArray:
    """Put the share of the first corner before those of the others: they sum to `total`."""
    return np.concatenate([total - rest.sum(axis=1, keepdims=True), rest], axis=1)


def _interval(share: FloatArray, slope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Depths between which all `share + slope * depth` are positive."""
    flat = slope == 0.0
    zero = -share / np.where(flat, 1.0, slope)
    start = np.where(slope > 0.0, zero, -np.inf).max(axis=1)
    end = np.where(slope < 0.0, zero, np.inf).min(axis=1)
    missed = np.any(flat & (share < 0.0), axis=1)
    return start, np.where(missed, start, end)


def _pairs(corners: FloatArray, places: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield numbers of lines and of cells whose boxes they may meet."""
    across = places.shape[1]
    low, high = corners[:, :, :across].min(axis=1), corners[:, :, :across].max(axis=1)
    order = np.argsort(places[:, 0]) if across else np.zeros(1, dtype=np.int64)
    x = places[order, 0] if across else np.zeros(1)
    first = np.searchsorted(x, low[:, 0]) if across else np.zeros(len(corners), dtype=np.int64)
    last = np.searchsorted(x, high[:, 0]) if across else first + 1
    groups = np.cumsum(last - first) // _PAIRS
    for group in np.unique(groups):
        cells = np.flatnonzero(groups == group)
        among, rank = spread((last - first)[cells])
        cell = cells[among]
        column = order[first[cell] + rank]
        if across == 2:
            y = places[column, 1]
            inside = np.flatnonzero((y >= low[cell, 1]) & (y <= high[cell, 1]))
            column, cell = column[inside], cell[inside]
        yield column, cell
