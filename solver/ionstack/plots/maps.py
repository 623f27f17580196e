"""Lateral-depth maps of a species; lateral and depth scales differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import TriMesh
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation

from ionstack.output.field_reader import Fields
from ionstack.output.names import TEMPERATURE, density, first_positive_ion, site_fraction
from ionstack.plots.style import new_figure, prefixed, save, species_label

FloatArray = npt.NDArray[np.float64]

DIVERGING = "RdBu_r"


@dataclass(frozen=True)
class Slice:
    """Triangles of a lateral-depth plane.

    `lateral`, `depth` (n,) [m], `triangles` (m, 3), `values` (n,).
    """

    lateral: FloatArray
    depth: FloatArray
    triangles: npt.NDArray[np.int64]
    values: FloatArray


def ion_quantity(fields: Fields) -> tuple[str, str]:
    """Return array name and label of the first positive ion, site fraction if there."""
    return species_quantity(fields, first_positive_ion(fields.names) or "")


def species_quantity(fields: Fields, species: str) -> tuple[str, str]:
    """Return array name and label of a species, site fraction if there."""
    if site_fraction(species) in fields.names:
        return site_fraction(species), f"{species_label(species)} site fraction"
    return density(species), f"{species_label(species)} [m$^{{-3}}$]"


def draw_map(fields: Fields, states: Sequence[tuple[str, int]], path: Path, species: str) -> Path:
    """Draw a species' states side by side on one colour scale, below their change since the first.

    In 3-D the plane through the centre is drawn.
    """
    name, label = species_quantity(fields, species)
    planes = [vertical_slice(fields, name, step) for _, step in states]
    changes = [_change(plane, planes[0]) for plane in planes[1:]]
    rows = 2 if changes else 1
    figure = new_figure(1.6 + 3.4 * len(states), 0.7 + 3.1 * rows)
    space = {"wspace": 0.06}
    grid = figure.subplots(
        rows, len(states), sharex=True, sharey=True, squeeze=False, gridspec_kw=space
    )
    _draw_row(figure, list(grid[0]), fields, planes, (label, "viridis"))
    for axes, (state, _) in zip(grid[0], states, strict=True):
        axes.set_title(state)
    if changes:
        shown = list(grid[1, 1:])
        _draw_row(figure, shown, fields, changes, (f"change of {label}", DIVERGING))
        grid[1, 0].set_axis_off()
        grid[1, 0].text(
            0.95,
            0.5,
            f"change since\n{states[0][0]}",
            ha="right",
            va="center",
            transform=grid[1, 0].transAxes,
        )
        grid[0, 0].tick_params(labelbottom=True)
    for axes in (*grid[-1], grid[0, 0]):
        axes.set_xlabel(lateral_axis(fields)[1])
    grid[0, 0].set_ylabel("depth below the top electrode [nm]")
    figure.supxlabel(_scale_note(planes[0]), fontsize=8.5, color="0.35")
    return save(figure, path)


def draw_temperature(fields: Fields, path: Path) -> Path:
    """Draw the temperature of the hottest snapshot; in 3-D in the plane through the centre."""
    planes = [vertical_slice(fields, TEMPERATURE, step) for step in range(len(fields.times))]
    hottest = max(range(len(planes)), key=lambda step: float(np.nanmax(planes[step].values)))
    figure = new_figure(5.0, 3.8)
    axes = figure.subplots()
    _draw_row(figure, [axes], fields, [planes[hottest]], (TEMPERATURE, "inferno"))
    axes.set_title(f"t = {fields.times[hottest]:.4g} s")
    axes.set_xlabel(lateral_axis(fields)[1])
    axes.set_ylabel("depth below the top electrode [nm]")
    return save(figure, path)


def _change(plane: Slice, start: Slice) -> Slice:
    """Return the difference, exactly zero where it is round-off."""
    change = plane.values - start.values
    noise = 1e-12 * np.abs(start.values)
    return replace(plane, values=np.where(np.abs(change) <= noise, 0.0, change))


def _draw_row(
    figure: Figure,
    row: list[Axes],
    fields: Fields,
    planes: Sequence[Slice],
    look: tuple[str, str],
) -> None:
    label, colormap = look
    inner = [plane.values[fields.away_from_faces(plane.depth)] for plane in planes]
    limits = value_limits(np.concatenate(inner))
    if colormap == DIVERGING:
        limits = (-max(map(abs, limits)), max(map(abs, limits)))
    factor, _ = lateral_axis(fields)
    for axes, plane in zip(row, planes, strict=True):
        mesh = draw_slice(axes, plane, factor, limits, colormap)
        mark_layers(axes, fields)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    figure.colorbar(mesh, ax=row, label=label, pad=0.02, extend="both")


def value_limits(values: FloatArray) -> tuple[float, float]:
    """Return the finite extremes, widened where they coincide."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    # Differences of round-off are no structure: they get no colours.
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.01 * (abs(low) or 1.0)
        return low - margin, high + margin
    return low, high


def draw_slice(
    axes: Axes, plane: Slice, lateral: float, limits: tuple[float, float], colormap: str
) -> TriMesh:
    """Draw a plane, whose lateral axis is scaled by a factor."""
    known = np.isfinite(plane.values)[plane.triangles].all(axis=1)
    shown = np.where(np.isfinite(plane.values), plane.values, 0.0)
    grid = Triangulation(plane.lateral * lateral, plane.depth * 1e9, plane.triangles, mask=~known)
    axes.set_facecolor("0.8")
    axes.grid(visible=False)
    drawn = axes.tripcolor(
        grid, shown, shading="gouraud", cmap=colormap, vmin=limits[0], vmax=limits[1]
    )
    margin = 1e-4 * np.ptp(grid.x)
    axes.set_xlim(grid.x.min() - margin, grid.x.max() + margin)
    axes.set_ylim(grid.y.max(), grid.y.min())
    return drawn


def mark_layers(axes: Axes, fields: Fields) -> None:
    """Draw the interfaces and name the layers."""
    box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.8}
    for name, upper, lower in fields.layers:
        if upper > fields.layers[0][1]:
            axes.axhline(upper * 1e9, color="black", lw=1.8)
            axes.axhline(upper * 1e9, color="white", lw=0.8)
        axes.annotate(
            name,
            (0.04, 0.5e9 * (upper + lower)),
            va="center",
            bbox=box,
            xycoords=("axes fraction", "data"),
        )


def lateral_axis(fields: Fields) -> tuple[float, str]:
    """Factor to the unit of the axis along the films, and the label of that axis."""
    factor, unit = prefixed(fields.points[:, :-1], "m")
    return factor, f"{'radius' if fields.axisymmetric else 'lateral position'} [{unit}]"


def _scale_note(plane: Slice) -> str:
    ratio = np.ptp(plane.lateral) / np.ptp(plane.depth)
    return f"scales differ: the lateral extent is {ratio:.3g} times the depth of the stack"


def vertical_slice(fields: Fields, name: str, step: int) -> Slice:
    """Return the plane of a 2-D result, or of a 3-D result its plane y = centre."""
    values = fields.values(name, step)
    if fields.dimension == 2:
        return Slice(fields.points[:, 0], fields.points[:, 1], fields.cells, values)
    return cut_tetrahedra(fields.points, fields.cells, values)


def cut_tetrahedra(points: FloatArray, cells: npt.NDArray[np.int64], values: FloatArray) -> Slice:
    """Cut tetrahedra by the plane through the middle of their extent in y.

    A plane meets a tetrahedron in a triangle (one vertex apart) or a quadrilateral
    (two and two); values are interpolated linearly along the edges, so each cell
    keeps its own side of a jump.
    """
    y = points[:, 1]
    # Off the exact middle, where a structured mesh has whole planes of vertices.
    level = 0.5 * (y.min() + y.max()) + 1e-7 * np.ptp(y)
    above = (y > level)[cells]
    pairs: list[npt.NDArray[np.int64]] = [np.empty((0, 3, 2), dtype=np.int64)]
    for count in (1, 2, 3):
        chosen = above.sum(axis=1) == count
        order = np.argsort(~above[chosen], axis=1, kind="stable")
        pairs.append(_cut_edges(np.take_along_axis(cells[chosen], order, axis=1), count))
    ends = np.concatenate(pairs).reshape(-1, 2)
    share = (level - y[ends[:, 0]]) / (y[ends[:, 1]] - y[ends[:, 0]])

    def at(quantity: FloatArray) -> FloatArray:
        return np.asarray((1.0 - share) * quantity[ends[:, 0]] + share * quantity[ends[:, 1]])

    triangles = np.arange(len(ends), dtype=np.int64).reshape(-1, 3)
    return Slice(at(points[:, 0]), at(points[:, 2]), triangles, at(values))


def _cut_edges(sorted_cells: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return (n_triangles, 3, 2) vertex pairs; the first `count` vertices lie above."""
    a, b, c, d = sorted_cells.T
    triangles = {
        1: [[(a, b), (a, c), (a, d)]],
        2: [[(a, c), (a, d), (b, d)], [(a, c), (b, d), (b, c)]],
        3: [[(a, d), (b, d), (c, d)]],
    }[count]
    stacked = [[np.stack(pair, axis=-1) for pair in triangle] for triangle in triangles]
    return np.concatenate([np.stack(triangle, axis=1) for triangle in stacked])
