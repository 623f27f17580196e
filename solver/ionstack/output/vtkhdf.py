"""The layout of a transient VTKHDF unstructured grid with static geometry.

VTKHDF 2.0 (VTK file formats, "VTKHDF"): all steps of an array lie one after the
other; the group ``Steps`` says where each step begins. Geometry, regions and field
data are stored once, every step refers to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

# 512 kB of doubles: below HDF5's chunk cache of 1 MB, so pieces are compressed once.
_CHUNK = 65536
_COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def create(file: h5py.File, n_points: int, n_cells: int, cell_size: int) -> None:
    """Write everything about the grid that is known by its sizes alone."""
    root = file.create_group("VTKHDF")
    root.attrs["Version"] = np.array([2, 0], dtype=np.int64)
    kind = b"UnstructuredGrid"
    root.attrs.create("Type", kind, dtype=h5py.string_dtype("ascii", len(kind)))
    root["NumberOfPoints"] = np.array([n_points], dtype=np.int64)
    root["NumberOfCells"] = np.array([n_cells], dtype=np.int64)
    root["NumberOfConnectivityIds"] = np.array([n_cells * cell_size], dtype=np.int64)
    offsets = cell_size * np.arange(n_cells + 1, dtype=np.int64)
    root.create_dataset("Offsets", data=offsets, **_COMPRESSION)
    for group in ("PointData", "CellData", "FieldData"):
        root.create_group(group)
    _create_steps(root)


def _create_steps(root: h5py.Group) -> None:
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = np.int64(0)
    _growing(steps, "Values", (), np.float64)
    for name in ("PartOffsets", "NumberOfParts", "PointOffsets", "CellDataOffsets/region"):
        _growing(steps, name, (), np.int64)
    for name in ("CellOffsets", "ConnectivityIdOffsets"):
        _growing(steps, name, (1,), np.int64)


def _growing(
    group: h5py.Group, name: str, tail: tuple[int, ...], dtype: type[np.generic]
) -> h5py.Dataset:
    shape, limit, chunk = (0, *tail), (None, *tail), (256, *tail)
    return group.create_dataset(name, shape, dtype, maxshape=limit, chunks=chunk)


def add_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    """Store texts as field data; VTK reads only variable-length ASCII-typed strings."""
    data = np.array([text.encode() for text in texts], dtype=object)
    file["VTKHDF/FieldData"].create_dataset(name, data=data, dtype=h5py.string_dtype("ascii"))
    _index_field(file, name)


def add_numbers(file: h5py.File, name: str, numbers: Sequence[int]) -> None:
    """Store integers as field data."""
    file["VTKHDF/FieldData"][name] = np.array(numbers, dtype=np.int64)
    _index_field(file, name)


def _index_field(file: h5py.File, name: str) -> None:
    steps = file["VTKHDF/Steps"]
    _growing(steps, f"FieldDataOffsets/{name}", (), np.int64)
    _growing(steps, f"FieldDataSizes/{name}", (2,), np.int64)


def store(file: h5py.File, name: str, piece: npt.NDArray[Any], position: int) -> None:
    """Write a piece into an array from `position` on, extending the array as needed."""
    root = file["VTKHDF"]
    if name not in root:
        tail = piece.shape[1:]
        chunk = (max(1, _CHUNK // max(1, int(np.prod(tail)))), *tail)
        shape, limit = (0, *tail), (None, *tail)
        root.create_dataset(name, shape, piece.dtype, maxshape=limit, chunks=chunk, **_COMPRESSION)
    array = root[name]
    end = position + len(piece)
    if len(array) < end:
        array.resize(end, axis=0)
    array[position:end] = piece


def oriented(
    points: npt.NDArray[np.float64], cells: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the cells ordered as VTK expects: positive area (in x, y) or volume.

    Meshes come with either order; VTK then shades and cuts the reversed cells wrongly.
    """
    dimension = cells.shape[1] - 1
    if dimension < 2:
        return cells
    corners = points[cells][:, :, :dimension]
    reverse = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0.0
    result = cells.copy()
    result[reverse, -2:] = cells[reverse][:, [-1, -2]]
    return result


def add_step(file: h5py.File, time: float, point_arrays: Sequence[str]) -> None:
    """Announce the next step, whose point arrays are already stored."""
    root = file["VTKHDF"]
    steps = root["Steps"]
    number = int(steps.attrs["NSteps"])
    points = int(root["NumberOfPoints"][0])
    for name in point_arrays:
        if f"PointDataOffsets/{name}" not in steps:
            _growing(steps, f"PointDataOffsets/{name}", (), np.int64)
        _put(steps, f"PointDataOffsets/{name}", number, number * points)
    _put(steps, "Values", number, time)
    _put(steps, "NumberOfParts", number, 1)
    for name in ("PartOffsets", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets"):
        _put(steps, name, number, 0)
    _put(steps, "CellDataOffsets/region", number, 0)
    for name, data in root["FieldData"].items():
        _put(steps, f"FieldDataOffsets/{name}", number, 0)
        _put(steps, f"FieldDataSizes/{name}", number, (1, len(data)))
    steps.attrs["NSteps"] = np.int64(number + 1)


def _put(steps: h5py.Group, name: str, number: int, value: object) -> None:
    array = steps[name]
    array.resize(number + 1, axis=0)
    array[number] = value
