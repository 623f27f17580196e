"""``open_in_paraview.py``: how ParaView shows the results that lie beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import product
from pathlib import Path
from pprint import pformat
from typing import Any

import numpy as np
import numpy.typing as npt

from ionstack.output.atomic import write_text
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.names import first_neutral_species, first_positive_ion, site_fraction
from ionstack.output.run_directory import SCRIPT, RunDirectory

_EMPTY = "SCENE: dict[str, Any] = {}\n"
# Drawn height of the stack over its drawn width; how far a plane is drawn out over its width.
_HEIGHT = 0.3
_BREADTH = 0.4
# Where names of layers stand, over the half width; the right of the view, for a round stack.
_BESIDE = 1.06
_RIGHT = (0.876, 0.482)
# What spans more than this many times is coloured by decades, of which these many are shown.
_SPAN = 1e3
_MOST = 1e12

# Share of the voxels that is not brighter than the scale; of so many one is looked at.
_ALL = 0.9995
_EVERY = 7

FloatArray = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]
Layers = Sequence[tuple[str, float, float]]


def script(scene: Mapping[str, Any]) -> str:
    """Return the script with what is particular to some results filled in, as plain data.

    Names are written as Python's literals: whatever they hold, nothing of it is run.
    """
    template = resources.files("ionstack").joinpath("data/viewers/open_in_paraview.py")
    before, after = template.read_text(encoding="utf-8").split(_EMPTY)
    filled = pformat(dict(scene), width=96, sort_dicts=False)
    return before + _EMPTY.replace("{}", filled) + after


def write_field_script(run: RunDirectory) -> list[Path]:
    """Write the script beside the field file of a run, if it has one; return what is written."""
    if not run.fields.exists():
        return []
    write_text(run.paraview, script(field_scene(read_fields(run.fields))))
    return [run.paraview]


def write_map_script(
    files: Sequence[Path], states: Sequence[str], layers: Layers, signals: Sequence[str]
) -> Path:
    """Write the script beside voxel grids of some states and return its path.

    `layers`: name, upper and lower depth [m]; `signals` as they are offered.
    """
    from ionstack.output.voxels import read_voxels

    most = {f"{name} [counts]": 1.0 for name in signals}
    for file, name in product(files, most):
        grid = read_voxels(file, [name])
        most[name] = max(most[name], _bright(grid[name]))
    x0, x1, y0, y1, *_ = grid.bounds
    notes = [f"time {number}: {state}" for number, state in enumerate(states)]
    scene = {
        **_scene("voxels", files, (x0, x1, y0, y1), layers),
        "arrays": [_array_record(name, 0.0, largest) for name, largest in most.items()],
        "notes": ["the half behind the middle", *notes],
    }
    target = files[0].with_name(SCRIPT)
    write_text(target, script(scene))
    return target


def _bright(counts: FloatArray) -> float:
    """Return what all but single voxels stay below."""
    return float(np.quantile(counts[::_EVERY], _ALL))


def field_scene(fields: Fields) -> dict[str, Any]:
    """Return how a field file is shown: the last step sets the colours."""
    kinds = {1: "film", 2: "axis" if fields.axisymmetric else "plane", 3: "body"}
    regions = {name: number for number, name in enumerate(fields.region_names)}
    kind = kinds[fields.dimension]
    scene = _scene(kind, [fields.path], _bounds(fields), fields.layers)
    for layer in scene["layers"]:
        layer["region"] = regions[layer["name"]]
    found = (_array(fields, name) for name in _by_interest(fields))
    notes = ["the half behind the middle"] if kind == "body" else []
    return scene | {"arrays": [one for one in found if one], "notes": notes}


def _scene(kind: str, files: Sequence[Path], bounds: Bounds, layers: Layers) -> dict[str, Any]:
    width, depth = bounds[1] - bounds[0], layers[-1][2] - layers[0][1]
    unit, scale = ("nm", 1e9) if width < 1e-6 else ("µm", 1e6)
    return {
        "title": files[0].parent.resolve().name,
        "files": [file.name for file in files],
        "kind": kind,
        "unit": unit,
        "scale": scale,
        "stretch": float(f"{max(1.0, _HEIGHT * width / depth):.2g}"),
        "depth": depth,
        "breadth": bounds[3] - bounds[2],
        "label": _label_place(kind, bounds),
        "layers": [{"name": name, "top": top, "bottom": end} for name, top, end in layers],
    }


def _bounds(fields: Fields) -> Bounds:
    """Least and largest x and y as drawn: radii turned, a plane drawn out."""
    (x0, y0), (x1, y1) = fields.points[:, :2].min(axis=0), fields.points[:, :2].max(axis=0)
    if fields.axisymmetric:
        return float(-x1), float(x1), float(-x1), float(x1)
    if fields.dimension == 2:
        return float(x0), float(x1), 0.0, float(_BREADTH * (x1 - x0))
    return float(x0), float(x1), float(y0), float(y1)


def _label_place(kind: str, bounds: Bounds) -> list[float]:
    """Return x and y [m] beside the rim, or the corner of the half, on the right of the view."""
    x0, x1, y0, y1 = bounds
    right, back = _RIGHT if kind == "axis" else (1.0, 0.9)
    reach = 0.5 * _BESIDE
    return [
        0.5 * (x0 + x1) + reach * right * (x1 - x0),
        0.5 * (y0 + y1) + reach * back * (y1 - y0),
    ]


def _by_interest(fields: Fields) -> list[str]:
    """Names of the arrays, first what moves: the ion, then the metal of a filament."""
    species = (first_positive_ion(fields.names), first_neutral_species(fields.names))
    first = [site_fraction(one) for one in species if one]
    return sorted(fields.names, key=lambda name: (name not in first, name))


def _array(fields: Fields, name: str) -> dict[str, Any] | None:
    values = fields.values(name, len(fields.times) - 1)
    known = values[np.isfinite(values) & fields.inside()]
    if not known.size:
        return None
    return _array_record(name, float(known.min()), float(known.max()))


def _array_record(name: str, least: float, most: float) -> dict[str, Any]:
    """Return name, label, limits and kind of scale of an array."""
    by_decades = least > 0.0 and most > _SPAN * least
    low = max(least, most / _MOST) if by_decades else least
    margin = 0.0 if most - low > 1e-9 * abs(most) else 0.01 * (abs(most) or 1.0)
    of = "CELLS" if name.endswith("counts]") else "POINTS"
    limits = [low - margin, most + margin]
    return {
        "name": name,
        "of": of,
        "label": name.replace(" [1]", ""),
        "limits": limits,
        "log": by_decades,
    }
