"""How the points of a run's fields have moved, by what mechanics has written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.mechanics import DEFLECTION, film_growth, read_mechanics
from ionstack.output.point_columns import lateral, numbered
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TIME
from ionstack.surface_analysis.contents import Contents

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


# Largest square of a slope: what a flat cell at the rim of a slit makes of its corners is no tilt.
_STEEPEST = 0.5
# How far points (n_points,) [m] have moved down at a step.
Deformation = Callable[[int], FloatArray]


def deformation_of(run: RunDirectory, fields: Fields) -> Deformation | None:
    """Return how the points of a run move, None for a run without mechanics."""
    if run.body.exists():
        return partial(displacement, fields, read_fields(run.body))
    if run.mechanics.exists() and fields.dimension == 1:
        return partial(growth, fields, read_mechanics(run.mechanics))
    return None


def tilt_of(contents: Contents, displacement: FloatArray) -> FloatArray:
    """Return how much longer films are along the vertical for their tilt (n_points,), over length.

    The vertical at a fixed place cuts 1 + w_z - w_x u_z / (1 + u_x) of a film that moves by w down
    and u sideways. Normals of a thin plate that does not stretch stay normal, u_z = -w_x, and
    1 + u_x = sqrt(1 - w_x^2): with a turn by an angle 1 + w_z is its cosine, the whole 1/cosine.
    """
    across = contents.dimension - 1
    corners = contents.points[contents.cells][:, :, : contents.dimension]
    rises = displacement[contents.cells]
    sides, steps = corners[:, 1:] - corners[:, :1], rises[:, 1:] - rises[:, :1]
    slope = np.linalg.solve(sides, steps[:, :, None])[:, :across, 0]
    square = np.minimum((slope**2).sum(axis=1), _STEEPEST)
    number = np.bincount(contents.cells.ravel(), minlength=len(contents.points))
    each = np.repeat(square, contents.cells.shape[1])
    mean = np.bincount(contents.cells.ravel(), each, len(contents.points)) / number
    return np.asarray(mean / np.sqrt(1.0 - mean))


def growth(fields: Fields, table: Mapping[str, FloatArray], step: int) -> FloatArray:
    """Return the displacement of films that grow, each evenly, by a `table` of mechanics."""
    row = int(np.argmin(np.abs(table[TIME] - fields.times[step])))
    result = np.zeros(len(fields.points))
    for name, top, bottom in fields.layers:
        below = np.clip((fields.depth - top) / (bottom - top), 0.0, 1.0)
        # A point at an interface has only moved with what lies above it.
        result += below * table[film_growth(name)][row]
    return result


def displacement(fields: Fields, body: Fields, step: int) -> FloatArray:
    """Return how far the points (n_points,) of the fields have moved down [m] at their step.

    The body has points where the fields have theirs. Where it has come apart both sides of an
    interface move by themselves. Before its first snapshot nothing has moved.

    Raises InputError for a body of another mesh.
    """
    time = fields.times[step]
    known = np.flatnonzero(body.times <= time * (1.0 + 1e-12))
    if not len(known):
        return np.zeros(len(fields.points))
    own, corners = _keys(fields, body)
    keys, first = np.unique(corners, axis=0, return_index=True)
    every, number = np.unique(np.concatenate([keys, own]), axis=0, return_inverse=True)
    held = np.full(len(every), -1)
    number = number.reshape(-1)
    held[number[: len(keys)]] = first
    corner = held[number[len(keys) :]]
    if np.any(corner < 0):
        raise InputError(f"{body.path}: lacks points of {fields.path.name}: of another mesh")
    return np.asarray(-body.values(DEFLECTION, int(known[-1]))[corner])


def _keys(fields: Fields, body: Fields) -> tuple[IntArray, IntArray]:
    """Number of place and depth of every point of both, and the side that it is looked at from."""
    place = numbered(np.concatenate([lateral(fields), lateral(body)]))
    depth = numbered(np.concatenate([fields.depth, body.depth])[:, None])
    side = np.concatenate([_from_above(fields), _from_above(body)])
    keys = np.column_stack([place, depth, side])
    return keys[: len(fields.points)], keys[len(fields.points) :]


def _from_above(fields: Fields) -> IntArray:
    """1 for points that a cell above them has, 0 for those at the top of their layer."""
    corners = fields.depth[fields.cells]
    above = corners > corners.mean(axis=1, keepdims=True)
    result = np.zeros(len(fields.points), dtype=np.int64)
    np.maximum.at(result, fields.cells.ravel(), above.ravel().astype(np.int64))
    return result
