"""Columns along the depth: what a sputter beam goes through at each place, surface first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ionstack.output.point_columns import Arrangement

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Of the thickness: gaps between pieces that are round-off.
_ROUND_OFF = 1e-9


@dataclass(frozen=True)
class Pieces:
    """Pieces (p,) of columns, each within a cell or along an edge: fields are linear on them.

    They are in the order of their `column`, from the top down. `layer`: region that each is of.
    `start`: depth [m] in the mesh; `length` [m] there, `extent` [m] in the specimen, which may
    have swollen. `nodes` (p, c): points that give the values at both ends, with the shares
    `upper` and `lower` (p, c).
    """

    column: IntArray
    layer: IntArray
    start: FloatArray
    length: FloatArray
    extent: FloatArray
    nodes: IntArray
    upper: FloatArray
    lower: FloatArray

    def ends(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return values (p,) at the upper and lower ends; what is absent, NaN, counts as 0."""
        known = np.where(np.isfinite(values), values, 0.0)[self.nodes]
        return (known * self.upper).sum(axis=1), (known * self.lower).sum(axis=1)

    def tops(self) -> FloatArray:
        """Return the depth (p,) [m] of each below the surface of its column, gaps left out."""
        if not len(self.column):
            return np.zeros(0)
        opens = np.concatenate([[True], np.diff(self.column) > 0])
        first = np.flatnonzero(opens)[np.cumsum(opens) - 1]
        gap = np.concatenate([[0.0], self.start[1:] - (self.start + self.length)[:-1]])
        gap[opens | (np.abs(gap) < _ROUND_OFF * np.ptp(self.start + self.length))] = 0.0
        # Differences only are summed up, so that columns which are alike stay so.
        later = np.concatenate([[0.0], np.cumsum((self.extent - self.length)[:-1])])
        shift = later - np.cumsum(gap)
        return np.asarray(self.start - self.start[first] + shift - shift[first])


@dataclass(frozen=True)
class Columns:
    """Columns of a mesh and what lies along them.

    `arrangement`: one column for a film, radii around an axis, a plane, or a body. `places` (m, 2)
    [m]; `areas` (m,) that each stands for: 1 for a film, [m] in a plane, else [m^2]. `bounds`
    (2, 2) [m]: least and largest lateral coordinates of the mesh.
    """

    arrangement: Arrangement
    places: FloatArray
    areas: FloatArray
    bounds: FloatArray
    pieces: Pieces

    def areas_within(self, extent: tuple[float, float]) -> FloatArray:
        """Return the areas [m^2], what has no width or no breadth being drawn out to the extent."""
        drawn_out = {"film": extent[0] * extent[1], "plane": extent[1]}
        return self.areas * drawn_out.get(self.arrangement, 1.0)

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the mean over the columns of (m, ...)."""
        return np.asarray(np.tensordot(self.areas, values, axes=1) / self.areas.sum())

    @property
    def begin(self) -> FloatArray:
        """Depth (m,) [m] in the mesh at which each begins."""
        return self.pieces.start[self._first]

    @property
    def end(self) -> FloatArray:
        """Depth (m,) [m] in the mesh at which each ends."""
        return (self.pieces.start + self.pieces.length)[self._last]

    @property
    def thickness(self) -> FloatArray:
        """Thickness (m,) [m] of all pieces of each, in the specimen."""
        return np.asarray((self.pieces.tops() + self.pieces.extent)[self._last])

    def at_ends(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return values (m,) at the top and the bottom of each column."""
        upper, lower = self.pieces.ends(values)
        return upper[self._first], lower[self._last]

    def moved(self, displacement: FloatArray, tilt: FloatArray) -> Columns:
        """Return the columns of a specimen whose points have moved down by (n_points,) [m].

        `tilt` (n_points,): how much longer a vertical line is in a film for its tilt, over its
        length, see `deformation.tilt_of`. Columns stand where they stood, with all their atoms.
        """
        upper, lower = self.pieces.ends(displacement)
        longer = 0.5 * sum(self.pieces.ends(tilt))
        extent = self.pieces.length * (1.0 + longer) + lower - upper
        return replace(self, pieces=replace(self.pieces, extent=extent))

    def layered(self, thicknesses: Sequence[float]) -> Columns:
        """Return the columns as layers of these thicknesses [m] from the surface down.

        Pieces are parted at the boundaries; the last layer reaches to the end.
        """
        return replace(self, pieces=_parted(self.pieces, np.cumsum(thicknesses)[:-1]))

    def cut(self, edges: FloatArray, cover: FloatArray | float = 0.0) -> Cut:
        """Cut the columns into depth cells at `edges` (n + 1,) [m] below the surface.

        `cover` (m,) [m]: thickness of what lies on top of each column.
        """
        covered = np.broadcast_to(cover, (len(self.areas),))
        return _cut(self.pieces, edges, covered)

    @property
    def _first(self) -> IntArray:
        return np.searchsorted(self.pieces.column, np.arange(len(self.areas)))

    @property
    def _last(self) -> IntArray:
        return np.searchsorted(self.pieces.column, np.arange(len(self.areas)), "right") - 1


@dataclass(frozen=True)
class Cut:
    """The parts (q,) of pieces that lie in the depth cells of each column.

    `cell`: number in a table of `shape` (m, n) of columns and depths. `share` of the cell that
    each takes, `content` the same over how far its piece has swollen; `along` the place of its
    middle on the piece, 0 to 1.
    """

    shape: tuple[int, int]
    pieces: Pieces
    piece: IntArray
    cell: IntArray
    share: FloatArray
    content: FloatArray
    along: FloatArray

    def averages(self, values: FloatArray) -> FloatArray:
        """Return averages (m, n) of a field over the cells, atoms kept; NaN is absent.

        They are exact for a field that is linear on the pieces.
        """
        upper, lower = self.pieces.ends(values)
        there = upper[self.piece] + (lower - upper)[self.piece] * self.along
        return self._summed(self.content * there)

    def shares(self, layer: int) -> FloatArray:
        """Return the share (m, n) of each cell that a layer takes."""
        return self._summed(self.share * self._of(layer))

    def hosts(self, layer: int) -> FloatArray:
        """Return how much of a layer as it was before it swelled each cell holds, (m, n)."""
        return self._summed(self.content * self._of(layer))

    def _of(self, layer: int) -> npt.NDArray[np.bool_]:
        return np.asarray(self.pieces.layer[self.piece] == layer)

    def _summed(self, parts: FloatArray) -> FloatArray:
        total = np.bincount(self.cell, parts, self.shape[0] * self.shape[1])
        return np.asarray(total.reshape(self.shape))


def _cut(pieces: Pieces, edges: FloatArray, cover: FloatArray) -> Cut:
    count = len(edges) - 1
    top = pieces.tops() + cover[pieces.column]
    bottom = top + pieces.extent
    first = np.clip(np.searchsorted(edges, top, "right") - 1, 0, count - 1)
    last = np.clip(np.searchsorted(edges, bottom, "left") - 1, first, count - 1)
    piece, rank = spread(last - first + 1)
    cell = first[piece] + rank
    low = np.maximum(top[piece], edges[cell])
    high = np.minimum(bottom[piece], edges[cell + 1])
    inside = np.flatnonzero(high > low)
    piece, cell, low, high = piece[inside], cell[inside], low[inside], high[inside]
    share = (high - low) / np.diff(edges)[cell]
    extent = pieces.extent[piece]
    content = share * pieces.length[piece] / extent
    along = (0.5 * (low + high) - top[piece]) / extent
    number = pieces.column[piece] * count + cell
    return Cut((len(cover), count), pieces, piece, number, share, content, along)


def _parted(pieces: Pieces, boundaries: FloatArray) -> Pieces:
    """Part pieces at depths [m] below the surface and number the layers between these."""
    top = pieces.tops()
    bottom = top + pieces.extent
    first = np.searchsorted(boundaries, top, "right")
    last = np.maximum(np.searchsorted(boundaries, bottom, "left"), first)
    piece, rank = spread(last - first + 1)
    layer = first[piece] + rank
    ends = np.concatenate([[-np.inf], boundaries, [np.inf]])
    low, high = (
        (np.clip(ends[layer + side], top[piece], bottom[piece]) - top[piece]) / pieces.extent[piece]
        for side in (0, 1)
    )
    slope = (pieces.lower - pieces.upper)[piece]
    return Pieces(
        column=pieces.column[piece],
        layer=layer,
        start=pieces.start[piece] + low * pieces.length[piece],
        length=(high - low) * pieces.length[piece],
        extent=(high - low) * pieces.extent[piece],
        nodes=pieces.nodes[piece],
        upper=pieces.upper[piece] + low[:, None] * slope,
        lower=pieces.upper[piece] + high[:, None] * slope,
    )


def spread(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return each index as often as it counts, and the rank of each among its likes."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
