"""Counts of an image in depth as bodies of colour, several signals in one and each alone.

``python -m ionstack.plots.volumes ORDER.json`` draws what the file orders: VTK crashes where
OpenGL is missing, so it draws in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyvista
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.lines import Line2D

from ionstack.output.voxels import read_voxels
from ionstack.plots.counts import signal_label
from ionstack.plots.style import RC, new_figure, prefixed, save
from ionstack.plots.volume_order import VolumeOrder, read_order

FloatArray = npt.NDArray[np.float64]

# Okabe and Ito (2008): told apart with every kind of colour vision, also in grey.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
# Height of the drawn stack as a share of its width, and how much of one is sharp.
_HEIGHT = 0.45
_PIXELS = (620, 400)
# Voxels are summed to at most so many along each axis: what paper shows, and memory stands.
_BINS = 48
# Share of the counts that lie in bins of the full colour.
_BRIGHT = 0.1
# Length over which full counts hide what lies behind them, over the width.
_OPAQUE = 0.02


@dataclass(frozen=True)
class Body:
    """Mean counts per voxel of each signal (depths, rows, columns), and its size [m]."""

    counts: dict[str, FloatArray]
    size: tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """A picture (rows, columns, 3) and where in it points of the drawn body lie."""

    image: npt.NDArray[np.uint8]
    places: FloatArray


def draw_volumes(order: VolumeOrder) -> Path:
    """Draw the states side by side: above all signals in one body, below each alone.

    A quarter is cut away. A signal has one scale of colour in all states.
    """
    bodies = [_body(Path(file), order.signals) for _, file in order.states]
    full = {name: max(_bright(one.counts[name]) for one in bodies) for name in order.signals}
    rows = [list(order.signals), *([name] for name in order.signals)]
    figure = new_figure(1.6 + 3.5 * len(bodies), 0.7 + 1.85 * len(rows))
    grid = figure.subplots(len(rows), len(bodies), squeeze=False)
    for number, (row, signals) in enumerate(zip(grid, rows, strict=True)):
        for axes, body in zip(row, bodies, strict=True):
            _draw(axes, _rendered(body, signals, full, order), body, order)
        if number == 0:
            _name_signals(row[-1], signals)
        else:
            color = _color(order.signals, signals[0])
            _name_signal(list(row), color, signals[0], full[signals[0]])
    for axes, (state, _) in zip(grid[0], order.states, strict=True):
        axes.set_title(state)
    stretch = _stretch(bodies[0])
    note = f"{order.title}; bins of voxels, a quarter cut away, depth stretched {stretch:.3g} times"
    figure.supxlabel(note, fontsize=8.5, color="0.35")
    return save(figure, Path(order.picture))


def _body(path: Path, signals: Sequence[str]) -> Body:
    image = read_voxels(path, [f"{name} [counts]" for name in signals])
    shape = tuple(size - 1 for size in image.dimensions[::-1])
    bounds = image.bounds
    counts = {
        name: _binned(np.asarray(image.cell_data[f"{name} [counts]"]).reshape(shape))
        for name in signals
    }
    return Body(counts, (bounds[1] - bounds[0], bounds[3] - bounds[2], bounds[5] - bounds[4]))


def _binned(counts: npt.NDArray[np.float32]) -> FloatArray:
    """Mean counts per voxel of bins, at most so many along every axis."""
    result = counts.astype(np.float64)
    for axis, length in enumerate(counts.shape):
        edges = np.linspace(0, length, min(_BINS, length) + 1).astype(np.int64)
        sizes = np.expand_dims(np.diff(edges), [other for other in range(3) if other != axis])
        result = np.add.reduceat(result, edges[:-1], axis=axis) / sizes
    return result


def _bright(counts: FloatArray) -> float:
    """Content of a bin above which lies a share of all counts."""
    falling = np.sort(counts, axis=None)[::-1]
    held = np.cumsum(falling)
    return float(falling[np.searchsorted(held, _BRIGHT * held[-1])]) or 1.0


def _stretch(body: Body) -> float:
    return float(f"{max(1.0, _HEIGHT * max(body.size[:2]) / body.size[2]):.2g}")


def _color(signals: Sequence[str], name: str) -> FloatArray:
    return np.array(to_rgb(COLORS[signals.index(name) % len(COLORS)]))


def _rendered(body: Body, shown: Sequence[str], full: dict[str, float], order: VolumeOrder) -> View:
    """Let VTK draw a body of colour with the frames of its layers."""
    width = max(body.size[:2])
    size = np.array(body.size) / width * np.array([1.0, 1.0, _stretch(body)])
    shares = [np.clip(body.counts[name] / full[name], 0.0, 1.0) for name in shown]
    colors = [_color(order.signals, name) for name in shown]
    volume: Any = pyvista.ImageData(
        dimensions=np.array(shares[0].shape[::-1]) + 1,
        spacing=size / shares[0].shape[::-1],
        origin=(0.0, 0.0, -size[2]),
    )
    volume.cell_data["color"] = _without_quarter(_mixed(shares, colors)).reshape(-1, 4)
    quiet: Any = pyvista.vtk_verbosity
    with quiet("off"):
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=list(_PIXELS))
        plotter.set_background("white")
        plotter.add_volume(volume, scalars="color", opacity_unit_distance=_OPAQUE, shade=False)
        for _, upper, lower in order.layers:
            depth = np.array([upper, lower]) / body.size[2] * size[2]
            plotter.add_mesh(_frame(size, depth), color="#404040", line_width=1.2)
        plotter.camera_position = "iso"
        plotter.camera.azimuth = -90.0
        plotter.camera.elevation = -8.0
        plotter.reset_camera()
        plotter.camera.zoom(1.5)
        image = np.asarray(plotter.screenshot(None, return_img=True))
        places = _projected(plotter, _marked(size, body, order))
        plotter.close()
    return View(image, places)


def _mixed(shares: Sequence[FloatArray], colors: Sequence[FloatArray]) -> npt.NDArray[np.uint8]:
    """Colours and opacities (..., 4): each signal from white to its colour, mixed by its share."""
    total = np.maximum(sum(shares), 1e-12)
    most = np.max(shares, axis=0)[..., None]
    hue = (
        sum(share[..., None] * color for share, color in zip(shares, colors, strict=True))
        / total[..., None]
    )
    body = np.concatenate([1.0 - most * (1.0 - hue), np.clip(4.0 * most**2, 0.0, 1.0)], axis=-1)
    return np.asarray(np.round(255.0 * body), dtype=np.uint8)


def _without_quarter(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Make the quarter in front on the right invisible."""
    _, rows, columns, _ = colors.shape
    colors[:, : rows // 2, columns // 2 :, 3] = 0
    return colors


def _frame(size: FloatArray, depth: FloatArray) -> Any:
    """Edges of a box without the quarter, between two depths."""
    x, y = size[:2]
    corners = np.array([(0, 0), (x / 2, 0), (x / 2, y / 2), (x, y / 2), (x, y), (0, y)])
    count = len(corners)
    points = np.concatenate([np.column_stack([corners, np.full(count, -d)]) for d in depth])
    ring = np.arange(count)
    turns = [np.column_stack([ring, np.roll(ring, -1)]) + k * count for k in (0, 1)]
    lines = np.concatenate([*turns, np.column_stack([ring, ring + count])])
    return pyvista.PolyData(points, lines=np.column_stack([np.full(len(lines), 2), lines]))


def _marked(size: FloatArray, body: Body, order: VolumeOrder) -> FloatArray:
    """Places of the labels: width, breadth, depth, then the layers at the rim on the right."""
    x, y, z = size
    edges = [(x / 4, 0.0, -z), (x, 0.75 * y, -z), (0.0, 0.0, -z / 2)]
    middles = [0.5 * (top + end) / body.size[2] * z for _, top, end in order.layers]
    return np.array([*edges, *((x, y, -middle) for middle in middles)])


def _projected(plotter: Any, points: FloatArray) -> FloatArray:
    """Columns and rows of points in the picture."""
    renderer, found = plotter.renderer, []
    for point in points:
        renderer.SetWorldPoint(*point, 1.0)
        renderer.WorldToDisplay()
        found.append(renderer.GetDisplayPoint()[:2])
    places = np.array(found)
    places[:, 1] = _PIXELS[1] - places[:, 1]
    return places


def _draw(axes: Axes, view: View, body: Body, order: VolumeOrder) -> None:
    """Show a picture with the lengths of its axes and the names of its layers."""
    axes.imshow(view.image, interpolation="auto")
    axes.set_axis_off()
    axes.set_xlim(0, 1.12 * _PIXELS[0])
    aligned = (("right", "top"), ("left", "top"), ("right", "center"))
    for length, place, (ha, va) in zip(body.size, view.places, aligned, strict=False):
        factor, unit = prefixed(np.array([length]), "m")
        text = f"{length * factor:.3g} {unit}"
        axes.annotate(text, place, (0, -3), "data", "offset points", ha=ha, va=va, fontsize=8)
    for (name, _, _), place in zip(order.layers, view.places[3:], strict=True):
        axes.annotate(name, place, (4, 0), "data", "offset points", va="center", fontsize=8)


def _name_signals(axes: Axes, signals: Sequence[str]) -> None:
    handles = [
        Line2D(
            [],
            [],
            marker="s",
            ls="",
            ms=8,
            color=tuple(_color(signals, name)),
            label=signal_label(name),
        )
        for name in signals
    ]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _name_signal(axes: Sequence[Axes], color: FloatArray, signal: str, full: float) -> None:
    shades = LinearSegmentedColormap.from_list("shades", ["white", tuple(color)])
    label = f"{signal_label(signal)} [counts per voxel]"
    figure: Any = axes[0].figure
    figure.colorbar(
        ScalarMappable(Normalize(0.0, full), shades),
        ax=list(axes),
        label=label,
        extend="max",
        shrink=0.8,
        pad=0.02,
    )


def main(arguments: Sequence[str]) -> None:
    """Draw what a file orders."""
    with mpl.rc_context(RC):
        draw_volumes(read_order(Path(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
