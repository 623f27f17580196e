"""Pixels of an image from columns: turned around an axis, drawn out, or as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import Delaunay

from ionstack.errors import InputError
from ionstack.surface_analysis.columns import Columns
from ionstack.surface_analysis.setup_schema import Mirror

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Points per side of a pixel at which the interpolation between columns is looked up.
_POINTS = 4
_BALANCING = 30
# Points on the ring of a radius that none of these meets.
_ON_A_RING = 64


@dataclass(frozen=True)
class Pixels:
    """An image of `shape` (rows along y, columns along x), pixels of `size` [m] from `low` [m]."""

    shape: tuple[int, int]
    size: float
    low: FloatArray

    def points(self) -> FloatArray:
        """Return the points (p, 2) at which columns are looked up, row by row."""
        x, y = (
            self.low[k] + self.size * (np.arange(_POINTS * self.shape[1 - k]) + 0.5) / _POINTS
            for k in (0, 1)
        )
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    def sums(self) -> sparse.csr_array:
        """Return the matrix that sums over the points of each pixel."""
        rows, columns = (
            sparse.kron(sparse.eye_array(n), np.ones((1, _POINTS))) for n in self.shape
        )
        return sparse.csr_array(sparse.kron(rows, columns))

    def holding(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Return the number of the pixel that holds each place, the nearest one outside."""
        column = np.clip((x - self.low[0]) / self.size, 0, self.shape[1] - 1).astype(np.int64)
        row = np.clip((y - self.low[1]) / self.size, 0, self.shape[0] - 1).astype(np.int64)
        return np.asarray(row * self.shape[1] + column)


@dataclass(frozen=True)
class Raster:
    """How the columns fill the pixels.

    `weights` (rows * columns, m) [m^2]: area of each column that falls into each pixel of the
    `sector`. Summed over the pixels they are the areas of the columns: an image holds all that the
    columns hold, once for every mirror image of the sector. `beam` are matrices that then spread
    the pixels along x and along y.
    """

    sector: Pixels
    weights: sparse.csr_array
    mirror: tuple[Mirror, ...] = ()
    beam: tuple[sparse.csr_array, ...] = ()

    @property
    def pixels(self) -> Pixels:
        """The pixels of the whole image."""
        rows, columns = self.sector.shape
        doubled = np.array(["x" in self.mirror, "y" in self.mirror])
        low = self.sector.low - doubled * self.sector.size * np.array([columns, rows])
        shape = (rows * (1 + int(doubled[1])), columns * (1 + int(doubled[0])))
        return Pixels(shape, self.sector.size, low)

    @property
    def copies(self) -> int:
        """How often the image holds the columns."""
        return 1 << len(self.mirror)

    @property
    def coverage(self) -> FloatArray:
        """Share of each pixel that the specimen covers, (rows, columns)."""
        covered = np.asarray(self.weights.sum(axis=1)).reshape(self.sector.shape)
        return self._whole(covered / self.sector.size**2)

    def image(self, values: FloatArray) -> FloatArray:
        """Return sums (rows, columns, n) over pixels of values (m, n) per area of the columns."""
        found = self.weights @ values
        for spread in self.beam:
            found = spread @ found
        return self._whole(np.asarray(found.reshape(*self.sector.shape, -1)))

    def _whole(self, image: FloatArray) -> FloatArray:
        """Mirror at the least x and y."""
        if "x" in self.mirror:
            image = np.concatenate([image[:, ::-1], image], axis=1)
        if "y" in self.mirror:
            image = np.concatenate([image[::-1], image], axis=0)
        return image

    def blurred(self, deviation: float) -> Raster:
        """Return the same seen with a Gaussian beam of a standard deviation [m].

        It is reflected at the edges: what is counted stays counted.
        """
        width = deviation / self.sector.size
        rows, columns = (_spreading(number, width) for number in self.sector.shape)
        along_x = sparse.csr_array(sparse.kron(sparse.eye_array(self.sector.shape[0]), columns))
        along_y = sparse.csr_array(sparse.kron(rows, sparse.eye_array(self.sector.shape[1])))
        if width > 1.0:
            return replace(self, beam=(along_x, along_y))
        # What reaches the next pixels only costs less as a part of the weights.
        return replace(self, weights=sparse.csr_array(along_y @ (along_x @ self.weights)))


def raster(
    columns: Columns, extent: tuple[float, float], count: int, mirror: Sequence[Mirror] = ()
) -> Raster:
    """Spread the columns over `count` pixels along the wider side of `extent` [m].

    A film covers the extent evenly, a plane is drawn out along y, radii turn around the axis,
    columns of a body stand where they are. With `mirror` they are a half or quarter of a device,
    at the least coordinates of which the rest is mirrored; `count` is then of the whole.

    Raises InputError for a mirror where there is no sector.
    """
    _check_mirror(columns, mirror)
    size = max(extent[0] * (1 + ("x" in mirror)), extent[1] * (1 + ("y" in mirror))) / count
    shape = (max(1, round(extent[1] / size)), max(1, round(extent[0] / size)))
    pixels = Pixels(shape, size, _lowest(columns, extent))
    weights = sparse.csr_array(pixels.sums() @ _interpolation(columns, pixels.points()))
    covered = np.asarray(weights.sum(axis=1)).ravel() * (size / _POINTS) ** 2
    missed = np.flatnonzero(np.asarray(weights.sum(axis=0)).ravel() == 0.0)
    weights = sparse.csr_array(weights + _by_place(columns, missed, pixels))
    balanced = _balanced(weights, covered, columns.areas_within(extent))
    return Raster(pixels, balanced, tuple(dict.fromkeys(mirror)))


def _check_mirror(columns: Columns, mirror: Sequence[Mirror]) -> None:
    """Only what stands in a plane or a body may be a sector of a device."""
    allowed = {"plane": ("x",), "body": ("x", "y")}.get(columns.arrangement, ())
    for one in mirror:
        if one not in allowed:
            named = {"film": "a film of one column", "axis": "what turns around an axis"}
            what = named.get(columns.arrangement, "a plane")
            raise InputError(f"imaging.mirror: {what} is not mirrored along {one}")


def _balanced(
    weights: sparse.csr_array, covered: FloatArray, areas: FloatArray
) -> sparse.csr_array:
    """Scale rows and columns until pixels are as full as they are covered and columns keep areas.

    Columns that are nearer to each other than the points would else hold too much or too
    little by turns. The areas of the columns are met to round-off.
    """
    of_columns = np.ones(len(areas))
    for _ in range(_BALANCING):
        filled = weights @ of_columns
        of_pixels = covered / np.where(filled > 0.0, filled, 1.0)
        of_pixels[(covered == 0.0) & (filled > 0.0)] = of_pixels[covered > 0.0].mean()
        of_columns = areas / (weights.T @ of_pixels)
    both = sparse.diags_array(of_pixels) @ weights @ sparse.diags_array(of_columns)
    return sparse.csr_array(both)


def _spreading(number: int, width: float) -> sparse.csr_array:
    """Return the matrix that spreads `number` pixels of a line by a width in pixels."""
    same = np.eye(number)
    if width == 0.0 or number == 1:
        return sparse.csr_array(same)
    return sparse.csr_array(gaussian_filter1d(same, width, axis=0, mode="reflect"))


def _lowest(columns: Columns, extent: tuple[float, float]) -> FloatArray:
    if columns.arrangement == "axis":
        return -0.5 * np.asarray(extent)
    return np.asarray(columns.bounds[0])


def _by_place(columns: Columns, chosen: IntArray, pixels: Pixels) -> sparse.csr_array:
    """Put columns that stand between the points of all pixels where they stand, on their ring."""
    ring = np.linspace(0.0, 2.0 * np.pi, _ON_A_RING, endpoint=False)
    angle = ring if columns.arrangement == "axis" else np.zeros(1)
    x, y = columns.places[chosen, :1], columns.places[chosen, 1:]
    turned = (x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle))
    pixel = pixels.holding(*turned).ravel()
    shape = (pixels.shape[0] * pixels.shape[1], len(columns.places))
    place = (pixel, np.repeat(chosen, len(angle)))
    return sparse.csr_array((np.ones(len(pixel)), place), shape=shape)


def _interpolation(columns: Columns, points: FloatArray) -> sparse.csr_array:
    """Shares (p, m) of linear interpolation between columns, none outside of them."""
    x = columns.places[:, 0]
    match columns.arrangement:
        case "film":
            return sparse.csr_array(np.ones((len(points), 1)))
        case "axis":
            return _on_a_line(x, np.hypot(points[:, 0], points[:, 1]), columns.bounds[:, 0])
        case "plane":
            return _on_a_line(x, points[:, 0], columns.bounds[:, 0])
        case "body":
            return _on_triangles(columns.places, points)


def _on_a_line(nodes: FloatArray, x: FloatArray, bounds: FloatArray) -> sparse.csr_array:
    order = np.argsort(nodes)
    inside = np.flatnonzero((x >= bounds[0]) & (x <= bounds[1]))
    right = np.clip(np.searchsorted(nodes[order], x[inside]), 1, len(nodes) - 1)
    ends = order[np.stack([right - 1, right], axis=1)]
    share = (x[inside] - nodes[ends[:, 0]]) / (nodes[ends[:, 1]] - nodes[ends[:, 0]])
    # Between the last column and the bounds it is as in the last column.
    share = np.clip(share, 0.0, 1.0)
    return _sparse(inside, ends, np.stack([1.0 - share, share], axis=1), (len(x), len(nodes)))


def _on_triangles(nodes: FloatArray, points: FloatArray) -> sparse.csr_array:
    grid = Delaunay(nodes)
    simplex = grid.find_simplex(points)
    inside = np.flatnonzero(simplex >= 0)
    transform = grid.transform[simplex[inside]]
    first = np.einsum("pij,pj->pi", transform[:, :2], points[inside] - transform[:, 2])
    shares = np.column_stack([first, 1.0 - first.sum(axis=1)])
    ends = grid.simplices[simplex[inside]].astype(np.int64)
    return _sparse(inside, ends, shares, (len(points), len(nodes)))


def _sparse(
    rows: IntArray, ends: IntArray, shares: FloatArray, shape: tuple[int, int]
) -> sparse.csr_array:
    spread = np.repeat(rows, ends.shape[1])
    return sparse.csr_array((shares.ravel(), (spread, ends.ravel())), shape=shape)
