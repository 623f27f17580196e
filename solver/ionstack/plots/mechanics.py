"""Figures of mechanics: layers in the course of time, faces that bend, strain that stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.output.field_reader import Fields
from ionstack.output.mechanics import DEFLECTION, PLASTIC
from ionstack.output.trace import TIME
from ionstack.plots.maps import Slice, draw_plane, vertical_slice
from ionstack.plots.panels import Axis, Panel, Series, draw_panels
from ionstack.plots.style import new_figure, save

FloatArray = npt.NDArray[np.float64]

# What the columns of the table begin with, title, label and unit of their panel.
_PANELS = (
    ("stress", "stress in the plane", "stress", "Pa"),
    ("growth", "growth of the layers", "growth of thickness", "m"),
    ("plastic_strain", "strain that stays", "equivalent plastic strain", ""),
    ("porosity", "pores", "porosity", ""),
    ("curvature", "bending", "curvature", "1/m"),
    ("deflection", "deflection", "largest deflection", "m"),
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
    parts = name.split(" [")[0].split(".")[1:]
    return " ".join(reversed(parts))


def draw_faces(fields: Fields, states: Sequence[tuple[str, int]], path: Path) -> Path:
    """Draw how far the faces of the layers stand above where they were made, in the last state."""
    step = states[-1][1]
    plane = vertical_slice(fields, DEFLECTION, step)
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    for name, upper, lower in fields.layers:
        for side, depth in (("upper", upper), ("lower", lower)):
            place, height = _along(plane, depth, fields, name)
            if len(place):
                axes.plot(1e6 * place, 1e9 * height, label=f"{name}, {side} face", lw=1.3)
    axes.set_xlabel("radius [µm]" if fields.axisymmetric else "lateral position [µm]")
    axes.set_ylabel("deflection, upwards [nm]")
    axes.set_title(states[-1][0])
    axes.legend(fontsize=7)
    return save(figure, path)


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
    """Draw the plastic strain of the last state on the bent layers; nothing where there is none."""
    name, step = states[-1]
    plane = vertical_slice(fields, PLASTIC, step)
    if not np.any(plane.values > 0.0):
        return None
    figure = new_figure(7.0, 4.2)
    axes = figure.subplots()
    mesh = draw_plane(axes, plane, fields, "magma")
    figure.colorbar(mesh, ax=axes, label="equivalent plastic strain")
    axes.set_xlabel("radius [µm]" if fields.axisymmetric else "lateral position [µm]")
    axes.set_ylabel("depth below the films' top [nm]")
    axes.set_title(name)
    return save(figure, path)
