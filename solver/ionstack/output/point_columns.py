"""The points of an extruded mesh as columns along the depth, all with the same depths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.field_reader import Fields

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Arrangement = Literal["film", "axis", "plane", "body"]

# Of the extent: places nearer to each other are the same.
_ROUND_OFF = 1e-9


@dataclass(frozen=True)
class PointColumns:
    """Where the columns stand and which points lie along them.

    `arrangement`: one column for a film, radii around an axis, a plane, or a body. `places` (m, 2)
    [m]; `order` (m, k): points along each, from the top; their `depths` (k,) [m] and `layers` (k,).
    """

    arrangement: Arrangement
    places: FloatArray
    order: IntArray
    depths: FloatArray
    layers: IntArray


def point_columns(fields: Fields) -> PointColumns:
    """Find the columns of an extruded mesh; raises InputError for any other.

    A point that several ranks have written is taken once.
    """
    lateral = np.zeros((len(fields.points), 2))
    lateral[:, : fields.dimension - 1] = fields.points[:, : fields.dimension - 1]
    layer = region_of_points(fields)
    place, depth = _numbered(lateral), _numbered(fields.depth[:, None])
    keys = np.column_stack([place, _ranks(fields)[layer], depth])
    _, order = np.unique(keys, axis=0, return_index=True)
    number = int(place.max()) + 1
    regular = len(order) % number == 0
    table = order.reshape(number, -1) if regular else order[None]
    if not regular or np.any(keys[table][:, :, 1:] != keys[table[0]][:, 1:]):
        raise InputError(f"{fields.path}: its vertices do not lie in columns along the depth")
    first = table[0]
    arrangement = _arrangement(fields)
    return PointColumns(arrangement, lateral[table[:, 0]], table, fields.depth[first], layer[first])


def region_of_points(fields: Fields) -> IntArray:
    """Return the region (n_points,) of every point; points at interfaces are of one each."""
    region = np.zeros(len(fields.points), dtype=np.int64)
    region[fields.cells.ravel()] = np.repeat(fields.region, fields.cells.shape[1])
    return region


def _numbered(coordinates: FloatArray) -> IntArray:
    """Number places (n, d) in their order, those that differ by round-off alike."""
    extent = float(np.ptp(coordinates, axis=0).max()) or 1.0
    keys = np.round((coordinates - coordinates.min(axis=0)) / (_ROUND_OFF * extent))
    _, number = np.unique(keys.astype(np.int64), axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).reshape(-1)


def _arrangement(fields: Fields) -> Arrangement:
    if fields.dimension == 2:
        return "axis" if fields.axisymmetric else "plane"
    return "film" if fields.dimension == 1 else "body"


def _ranks(fields: Fields) -> IntArray:
    """Rank of every region from the top."""
    tops = {name: top for name, top, _ in fields.layers}
    return np.argsort(np.argsort([tops.get(name, np.inf) for name in fields.region_names]))
