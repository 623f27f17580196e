"""Figures of mechanics: layers in the course of time, faces that bend, strain that stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.output.field_reader import Fields
from ionstack.output.mechanics import DEFLECTION, PLASTIC
from ionstack.output.trace import TIME
from ionstack.plots.maps import Slice, lateral_axis, vertical_slice
from ionstack.plots.panels import Axis, Panel, Series, draw_panels
from ionstack.plots.style import new_figure, save

# Okabe and Ito (2008): told apart with every kind of colour vision.
_COLORS = ("#56b4e9", "#e69f00", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#000000")

FloatArray = npt.NDArray[np.float64]

# What the columns of the table begin with, title, label and unit of their panel.
_PANELS = (
    ("stress", "stress", "stress", "Pa"),
    ("growth", "growth of the layers", "growth of thickness", "m"),
    ("plastic_strain", "strain that stays", "equivalent plastic strain", ""),
    ("porosity", "pores", "porosity", ""),
    ("curvature", "bending", "curvature", "1/m"),
    ("deflection", "deflection", "largest deflection", "m"),
    ("opening", "interfaces", "largest opening", "m"),
    ("failed_area", "interfaces that failed", "area", "m^2"),
)


def draw_layers(table: Mapping[str, FloatArray], path: Path) -> Path:
    """Draw what every layer does in the course of time."""
    panels = [
        Panel(title, Axis("time", "s"), Axis(label, unit), series)
        for kind, title, label, unit in _PANELS
        if (series := _series(table, kind))
    ]
    return draw_panels(tuple(panels), path)


def _series(table: Mapping[str, FloatArray], kind: str) -> tuple[Series, ...]:
    """Columns of a kind that are not zero all the time."""
    found = [name for name in table if name.split(" [")[0].split(".")[0] == kind]
    moving = [name for name in found if np.any(table[name])]
    return tuple(Series(table[TIME], table[name], _label(name)) for name in moving)


def _label(name: str) -> str:
    """Layer of a column, with what tells it from others."""
    return ", ".join(name.split(" [")[0].split(".")[1:])


def draw_faces(fields: Fields, states: Sequence[tuple[str, int]], path: Path) -> Path:
    """Draw how far the faces of the layers stand above where they were made, in the last state."""
    step = states[-1][1]
    plane = vertical_slice(fields, DEFLECTION, step)
    figure = new_figure(7.6, 4.2)
    axes = figure.subplots()
    factor, lateral = lateral_axis(fields)
    for number, (label, place, height) in enumerate(_faces(fields, plane)):
        # The first below and wide: faces that move together are all seen.
        color, width = _COLORS[number % len(_COLORS)], max(3.5 - 0.5 * number, 1.2)
        axes.plot(factor * place, 1e9 * height, label=label, color=color, lw=width)
    axes.set_xlabel(lateral)
    axes.set_ylabel("deflection, upwards [nm]")
    axes.set_title(states[-1][0])
    figure.legend(loc="outside right upper", fontsize=8)
    return save(figure, path)


def _faces(fields: Fields, plane: Slice) -> list[tuple[str, FloatArray, FloatArray]]:
    """Every face with its curve; two that move as one are one."""
    found: list[tuple[str, FloatArray, FloatArray]] = []
    below = ""
    for name, upper, lower in fields.layers:
        place, height = _along(plane, upper, fields, name)
        if found and np.array_equal(height, found[-1][2]):
            found[-1] = (f"{below}/{name}", place, height)
        else:
            found.append((f"{name}, upper face", place, height))
        found.append((f"{name}, lower face", *_along(plane, lower, fields, name)))
        below = name
    return [one for one in found if len(one[1])]


def _along(plane: Slice, depth: float, fields: Fields, name: str) -> tuple[FloatArray, FloatArray]:
    """Places and values at one depth of a region, in order."""
    inside = fields.cells[fields.region == fields.region_names.index(name)].reshape(-1)
    if fields.dimension == 3:
        inside = np.arange(len(plane.depth))
    size = np.ptp(plane.depth) or 1.0
    there = inside[np.abs(plane.depth[inside] - depth) <= 1e-9 * size]
    place, first = np.unique(plane.lateral[there], return_index=True)
    return place, plane.values[there][first]


def draw_plastic(fields: Fields, states: Sequence[tuple[str, int]], path: Path) -> Path | None:
    """Draw the plastic strain of the last state in the layers that have any; None without."""
    name, step = states[-1]
    plane = vertical_slice(fields, PLASTIC, step)
    if fields.dimension == 3 or not np.any(plane.values > 0.0):
        return None
    moving = np.unique(fields.region[plane.values[fields.cells].max(axis=1) > 0.0])
    figure = new_figure(7.0, 1.2 + 1.9 * len(moving))
    grid = figure.subplots(len(moving), 1, sharex=True, squeeze=False)
    factor, lateral = lateral_axis(fields)
    for axes, region in zip(grid[:, 0], moving, strict=True):
        cells = fields.cells[fields.region == region]
        strain = plane.values[cells].mean(axis=1)
        mesh = axes.tripcolor(
            factor * plane.lateral,
            1e9 * plane.depth,
            cells,
            facecolors=strain,
            cmap="magma",
            vmin=0.0,
            vmax=float(strain.max()),
        )
        axes.set_ylim(1e9 * plane.depth[cells].max(), 1e9 * plane.depth[cells].min())
        axes.set_xlim(factor * plane.lateral.min(), factor * plane.lateral.max())
        axes.grid(visible=False)
        axes.set_ylabel("depth [nm]")
        axes.set_title(f"{fields.region_names[region]}, {name}")
        figure.colorbar(mesh, ax=axes, label="equivalent plastic strain")
    grid[-1, 0].set_xlabel(lateral)
    return save(figure, path)
