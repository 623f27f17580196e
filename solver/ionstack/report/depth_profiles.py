"""Depth profiles of a run at its named states and snapshots, for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ionstack.output.field_reader import Fields
from ionstack.output.point_columns import PointColumns, point_columns, region_of_points
from ionstack.output.profiles import Profile
from ionstack.plots.depth import layers_of
from ionstack.report.packing import FloatArray, IntArray, packed, spread
from ionstack.report.wording import quantity

_MOST_STATES, _MOST_OF_LARGE = 40, 12
_LARGE = 20_000
_MOST_NUMBERS = 120_000

Json = dict[str, Any]


def depth_profiles(fields: Fields | None, profiles: Sequence[Profile]) -> Json | None:
    """Return depth profiles for the page, or None where a run has none.

    They are those of the snapshots at the axis or the centre, or the named states alone where
    there are no snapshots or the mesh has no columns along the depth.
    """
    if fields is not None and len(fields.times):
        columns = point_columns(fields)
        if columns is not None:
            return _of_fields(fields, _centre_column(columns), profiles)
    return _of_states(profiles) if profiles else None


def _of_fields(fields: Fields, column: IntArray, profiles: Sequence[Profile]) -> Json:
    names = _shown_names(fields.names)
    named = {fields.nearest_step(one.time): one.state for one in profiles}
    steps = _steps(fields, tuple(named), len(column) * len(names))
    layer = _layer_names(fields, column)
    states = [
        (named.get(step, ""), float(fields.times[step]), _at(fields, names, step, column))
        for step in steps
    ]
    note = (
        ""
        if len(steps) == len(fields.times)
        else (f"{len(steps)} of {len(fields.times)} snapshots can be chosen")
    )
    return _table(fields.depth[column], layer, names, states, note)


def _centre_column(columns: PointColumns) -> IntArray:
    """Points of the column nearest to the axis or the centre, from the top."""
    low, high = columns.places.min(axis=0), columns.places.max(axis=0)
    centre = low if columns.arrangement == "axis" else 0.5 * (low + high)
    nearest = int(np.argmin(np.linalg.norm(columns.places - centre, axis=1)))
    return np.asarray(columns.order[nearest])


def _steps(fields: Fields, named: Sequence[int], numbers: int) -> list[int]:
    most = _MOST_STATES if len(fields.points) < _LARGE else _MOST_OF_LARGE
    most = min(most, max(_MOST_NUMBERS // max(numbers, 1), 2))
    return spread(len(fields.times), most, named)


def _layer_names(fields: Fields, column: IntArray) -> list[str]:
    return [fields.region_names[index] for index in region_of_points(fields)[column]]


def _at(
    fields: Fields, names: Sequence[str], step: int, column: IntArray
) -> Mapping[str, FloatArray]:
    return {name: fields.values(name, step)[column] for name in names}


def _shown_names(names: Sequence[str]) -> list[str]:
    """Quantities of layers; amounts on faces of contacts have no depth."""
    kept = [name for name in names if not name.endswith("[m^-2]")]
    return sorted(kept, key=lambda name: (not name.startswith("x "), "electrochemical" in name))


def _of_states(profiles: Sequence[Profile]) -> Json:
    same = [one for one in profiles if len(one.depth) == len(profiles[0].depth)][:_MOST_STATES]
    names = _shown_names(list(profiles[0].quantities))
    states = [(one.state, one.time, one.quantities) for one in same]
    return _table(profiles[0].depth, profiles[0].region, names, states, "")


def _label(name: str, time: float) -> str:
    return f"{name}, t = {quantity(time, 's')}" if name else f"t = {quantity(time, 's')}"


def _table(
    depth: FloatArray,
    layer: Sequence[str],
    names: Sequence[str],
    states: Sequence[tuple[str, float, Mapping[str, FloatArray]]],
    note: str,
) -> Json:
    """Return the JSON: depths [nm], spans of layers as rows, values by state and quantity."""
    absent = np.full(len(depth), np.nan)
    outline = layers_of(Profile("", 0.0, depth, tuple(layer), {}))
    starts = [0, *(k for k in range(1, len(layer)) if layer[k] != layer[k - 1]), len(layer)]
    return {
        "depth": packed(depth * 1e9),
        "layers": [{"name": name, "top": top, "bottom": end} for name, top, end in outline],
        "starts": starts,
        "names": list(names),
        "states": [{"name": name, "label": _label(name, time)} for name, time, _ in states],
        "values": [[packed(found.get(name, absent)) for name in names] for _, _, found in states],
        "note": note,
    }
