"""Snapshots of an interrupted run carried over into the file of the run that resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.output import vtkhdf


def carry_over(old_path: Path, new_path: Path, steps: int) -> tuple[str, ...]:
    """Copy the first snapshots of one ``fields.vtkhdf`` into another without any.

    Both have the same cells, but points on the border of two ranks appear once per rank:
    points are found again by place and region. Returns the names of the arrays.
    Raises InputError when the old file has fewer snapshots or lacks a point.
    """
    lost = f"{old_path}: has lost snapshots that the checkpoint has seen; run anew"
    if not old_path.exists():
        raise InputError(lost)
    with h5py.File(old_path, "r") as old, h5py.File(new_path, "r+") as new:
        if int(old["VTKHDF/Steps"].attrs["NSteps"]) < steps:
            raise InputError(lost)
        source = _same_points(old["VTKHDF"], new["VTKHDF"])
        if source is None:
            raise InputError(f"{old_path}: holds another mesh than the checkpoint")
        names = tuple(old["VTKHDF/PointData"])
        for step in range(steps):
            _copy_step(old, new, names, step, source)
    return names


def _copy_step(
    old: h5py.File, new: h5py.File, names: tuple[str, ...], step: int, source: NDArray[np.int64]
) -> None:
    count = int(old["VTKHDF/NumberOfPoints"][0])
    for name in names:
        values = old[f"VTKHDF/PointData/{name}"][step * count : (step + 1) * count]
        vtkhdf.store(new, f"PointData/{name}", values[source], step * len(source))
    vtkhdf.add_step(new, float(old["VTKHDF/Steps/Values"][step]), names)


def _same_points(old: h5py.Group, new: h5py.Group) -> NDArray[np.int64] | None:
    """For every new point the old one at the same place in the same region."""
    places = [points_and_regions(root) for root in (old, new)]
    keys, inverse = np.unique(np.concatenate(places), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    first = np.full(len(keys), -1, dtype=np.int64)
    first[inverse[: len(places[0])]] = np.arange(len(places[0]))
    source = first[inverse[len(places[0]) :]]
    return source if np.all(source >= 0) else None


def points_and_regions(root: h5py.Group) -> NDArray[Any]:
    """Rows (x, y, z, region) of the points."""
    points = root["Points"][:]
    regions = root["CellData/region"][:]
    corners = root["Connectivity"][:].reshape(len(regions), -1)
    region = np.empty(len(points))
    region[corners] = regions[:, None]
    return np.column_stack([points, region])
