"""The device in three dimensions for the page: layers as surfaces, coloured by what they hold.

What is axisymmetric is revolved, what is one-dimensional or plane is drawn out to the size of
the device. A quarter is cut away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from ionstack.output.field_reader import DOUBLE_LAYER, Fields
from ionstack.output.names import (
    POTENTIAL,
    TEMPERATURE,
    density,
    first_neutral_species,
    first_positive_ion,
    site_fraction,
)
from ionstack.output.point_columns import PointColumns, point_columns
from ionstack.plots.maps import value_limits
from ionstack.report.packing import FloatArray, IntArray, levels, packed, spread
from ionstack.report.solid import disc_rim, outline, plan, rectangle_rim, surface
from ionstack.report.stack_drawing import LAYER_COLORS

_MOST_STATES, _MOST_LEVELS, _MOST_RINGS = 6, 14, 22
# Values at points of surfaces that a page carries.
_MOST_VALUES = 120_000

Json = dict[str, Any]


@dataclass(frozen=True)
class _Device:
    """Columns of points, the rim (n, 2) [m] around their centre, and rings as shares of it."""

    columns: PointColumns
    centre: FloatArray
    rim: FloatArray
    rings: FloatArray

    @property
    def places(self) -> FloatArray:
        """Places of the plan [m]."""
        return plan(self.rim, self.rings)

    @property
    def unit(self) -> str:
        """The unit in which the page tells lateral places."""
        return "µm" if np.ptp(self.rim) >= 1e-6 else "nm"

    @property
    def scaled(self) -> FloatArray:
        """Places of the plan in that unit."""
        return self.places * (1e6 if self.unit == "µm" else 1e9)


def scene(fields: Fields, states: Sequence[tuple[str, int]], lateral: Mapping[str, Any]) -> Json:
    """Return the scene: layers, quantities and their values at some of the named states.

    `lateral` is the section of the stack with shape and sizes [m]. Raises InputError for a mesh
    whose points do not lie in columns along the depth.
    """
    device = _device(point_columns(fields), lateral)
    names = _quantities(fields)
    chosen = [states[k] for k in spread(len(states), _states(device, names))]
    steps = [step for _, step in chosen]
    values = {
        (name, step): _on_plan(device, fields.values(name, step))
        for name in names
        for step in steps
    }
    bodies = [
        _layer(device, int(index), fields.region_names, names, steps, values)
        for index in dict.fromkeys(device.columns.layers)
    ]
    extent = np.ptp(device.rim, axis=0)
    return {
        "unit": device.unit,
        "layers": [body | {"color": _color(number)} for number, body in enumerate(bodies)],
        "names": names,
        "states": [name for name, _ in chosen],
        "note": _note(device, len(chosen), len(states)),
        "limits": [_limits(device, fields, name, steps) for name in names],
        "width": float(extent.max()),
        "depth": float(np.ptp(device.columns.depths)),
        "aspect": float(extent[1] / extent[0]),
    }


def _states(device: _Device, names: Sequence[str]) -> int:
    """How many states the page has room for."""
    layers, levels_of = np.unique(device.columns.layers, return_counts=True)
    levels_drawn = int(np.minimum(levels_of, _MOST_LEVELS).sum())
    rays, rings = len(device.rim), len(device.rings)
    points = 2 * len(layers) * rays * rings + levels_drawn * (rays + 2 * rings)
    return min(_MOST_STATES, max(_MOST_VALUES // (points * max(len(names), 1)), 2))


def _note(device: _Device, shown: int, states: int) -> str:
    """What is left out of the scene."""
    _, levels_of = np.unique(device.columns.layers, return_counts=True)
    fine = levels_of.max() > _MOST_LEVELS or len(device.columns.places) > len(device.rings)
    found = ["The mesh is thinned to what a screen shows."] if fine else []
    found += [f"{shown} of {states} named states can be chosen."] if shown < states else []
    return " ".join(found)


def _color(number: int) -> str:
    return LAYER_COLORS[number % len(LAYER_COLORS)]


def _quantities(fields: Fields) -> list[str]:
    """Contents of the first ion and of the first neutral species, potential, temperature."""
    species = [first_positive_ion(fields.names), first_neutral_species(fields.names)]
    wanted = [
        site_fraction(one) if site_fraction(one) in fields.names else density(one)
        for one in species
        if one is not None
    ]
    return [name for name in (*wanted, TEMPERATURE, POTENTIAL) if name in fields.names]


def _device(columns: PointColumns, lateral: Mapping[str, Any]) -> _Device:
    places = columns.places
    low, high = places.min(axis=0), places.max(axis=0)
    if columns.arrangement == "axis":
        radii = np.sort(places[:, 0])
        rings = radii[levels(radii, _MOST_RINGS)] / radii[-1]
        rings[0] = 0.0
        return _Device(columns, np.zeros(2), disc_rim(float(radii[-1])), rings)
    half = 0.5 * (high - low)
    width = float(lateral.get("diameter") or lateral.get("width") or 1e-6)
    given = np.array([width, float(lateral.get("depth") or width)])
    half = np.where(half > 0.0, half, 0.5 * given)
    disc = lateral.get("shape") == "disc" and columns.arrangement != "plane"
    rim = disc_rim(float(half[0])) if disc else rectangle_rim(*half.tolist())
    count = 2 if columns.arrangement == "film" else _MOST_RINGS
    rings = np.asarray(np.linspace(0.0, 1.0, count), dtype=np.float64)
    return _Device(columns, 0.5 * (low + high), rim, rings)


def _on_plan(device: _Device, values: FloatArray) -> FloatArray:
    """Return a field (places of the plan, depths) between the columns, linearly."""
    along = values[device.columns.order]
    places = device.columns.places
    match device.columns.arrangement:
        case "film":
            return np.repeat(along, len(device.places), axis=0)
        case "axis":
            return _between(places[:, 0], along, np.linalg.norm(device.places, axis=1))
        case "plane":
            return _between(places[:, 0], along, device.places[:, 0] + device.centre[0])
        case "body":
            at = device.places + device.centre
            linear = LinearNDInterpolator(places, along)(at)
            # A chord of the rim lies inside of it: what is beyond takes the nearest column.
            outside = np.isnan(linear).all(axis=1)
            linear[outside] = NearestNDInterpolator(places, along)(at[outside])
            return np.asarray(linear)


def _between(places: FloatArray, along: FloatArray, at: FloatArray) -> FloatArray:
    order = np.argsort(places)
    columns = [np.interp(at, places[order], one[order]) for one in along.T]
    return np.stack(columns, axis=1)


def _layer(
    device: _Device,
    index: int,
    names_of_layers: Sequence[str],
    names: Sequence[str],
    steps: Sequence[int],
    values: Mapping[tuple[str, int], FloatArray],
) -> Json:
    own = np.flatnonzero(device.columns.layers == index)
    own = own[levels(device.columns.depths[own], _MOST_LEVELS)]
    depths = device.columns.depths[own]
    rays, rings = len(device.rim), len(device.rings)
    body = surface(rays, rings, len(own))
    places = device.scaled[body.place]
    return {
        "name": names_of_layers[index],
        "x": packed(places[:, 0]),
        "y": packed(places[:, 1]),
        "z": packed(depths[body.level] * 1e9),
        "triangles": [packed(body.triangles[:, k]) for k in range(3)],
        "values": [
            [_seen(values[name, step][:, own][body.place, body.level]) for step in steps]
            for name in names
        ],
        "edges": _edges(device, depths),
    }


def _seen(values: FloatArray) -> dict[str, str] | None:
    return packed(values) if np.isfinite(values).any() else None


def _edges(device: _Device, depths: FloatArray) -> Json:
    """Return the edges of a layer as one broken line, NaN between its parts."""
    face = outline(len(device.rim), len(device.rings))
    scaled = device.scaled
    corners = scaled[face]
    ends = [np.column_stack([corners, np.full(len(corners), z * 1e9)]) for z in depths[[0, -1]]]
    n_rings = len(device.rings)
    uprights = [
        np.array([[*scaled[place], z * 1e9] for z in depths[[0, -1]]])
        for place in (0, n_rings - 1, len(scaled) - 1)
    ]
    gap = np.full((1, 3), np.nan)
    line = np.concatenate([part for one in (*ends, *uprights) for part in (one, gap)])
    return {axis: packed(line[:, k]) for k, axis in enumerate("xyz")}


def _limits(
    device: _Device, fields: Fields, name: str, steps: Sequence[int]
) -> tuple[float, float]:
    """Return the limits of the colours: those of the films, without their double layers."""
    inner = _away_from_faces(device.columns)
    found = [fields.values(name, step)[device.columns.order[:, inner]].ravel() for step in steps]
    return value_limits(np.concatenate(found))


def _away_from_faces(columns: PointColumns) -> IntArray:
    depths = columns.depths
    faces = [depths[columns.layers == one][[0, -1]] for one in np.unique(columns.layers)]
    distance = np.abs(depths[:, None] - np.concatenate(faces)).min(axis=1)
    inside = np.flatnonzero(distance > DOUBLE_LAYER * np.ptp(depths))
    return inside if len(inside) else np.arange(len(depths))
