"""A file of another program as the subject of an instrument, read as a setup's `source` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError, nearest
from ionstack.output.names import density, species_in
from ionstack.output.point_columns import Simplices
from ionstack.surface_analysis.films import Films
from ionstack.surface_analysis.foreign_file import ForeignFile, Snapshot, open_foreign
from ionstack.surface_analysis.foreign_schema import ArrayModel, MaterialsModel, SourceModel
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.subject import Subject, chosen_states

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_AXES = ("x", "y", "z")
# Of the largest extent: a mesh that reaches no further along an axis is flat there.
_FLAT = 1e-9


@dataclass(frozen=True)
class Foreign(Simplices):
    """A foreign file in the axes of a specimen, see `Contents`.

    `origin`: point of the file that each point is; `cell`: cell of the file that holds it.
    """

    file: ForeignFile
    species: Mapping[str, ArrayModel]
    times: FloatArray
    points: FloatArray
    cells: IntArray
    region: IntArray
    region_names: tuple[str, ...]
    axisymmetric: bool
    origin: IntArray
    cell: IntArray

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the densities."""
        return tuple(density(name) for name in self.species)

    def values(self, name: str, step: int) -> FloatArray:
        """Return a density (n_points,) [1/m^3]; raises InputError for a mesh that has changed."""
        given = self.species[species_in([name])[0]]
        now = self.file.read(step)
        if now.points.shape != self.file.read(0).points.shape:
            raise InputError(f"{self.path}: has another mesh at step {step} than at the first")
        held = now.of_points.get(given.array)
        values = now.of_cells[given.array][self.cell] if held is None else held[self.origin]
        return np.asarray(given.unit * values.astype(np.float64))


def foreign_subject(path: Path, wanted: Sequence[str], setup: Setup) -> Subject:
    """Open a foreign file, at its first and last time or at those wanted, in seconds.

    Raises InputError where the setup has no `source`, or one that does not fit the file.
    """
    source = setup.given.source
    file = open_foreign(path)
    first = file.read(0)
    if source is None:
        held = ", ".join((*first.of_points, *first.of_cells))
        raise InputError(
            f"{setup.path}: source: missing; it tells which array of {path} is what: {held}"
        )
    for name, one in source.species.items():
        where = f"{setup.path}: source.species.{name}.array"
        _check_array(path, where, one.array, {**first.of_cells, **first.of_points})
    contents = _contents(file, source, setup)
    states = chosen_states(path, contents.times, _named(contents, file), wanted)
    thicknesses = tuple(layer.thickness for layer in source.layers)
    films = _films(contents, source, setup)
    return Subject(contents, films, states, layering=thicknesses)


def _named(contents: Foreign, file: ForeignFile) -> tuple[tuple[str, int], ...]:
    if len(file.times) < 2:
        return (("as it is", 0),)
    steps = dict.fromkeys((0, len(file.times) - 1))
    return tuple((f"t = {contents.times[step]:.4g} s", step) for step in steps)


def _check_array(path: Path, where: str, name: str, held: Mapping[str, Any]) -> None:
    if name not in held:
        listed = f"it has {', '.join(held) or 'none'}{nearest(name, list(held))}"
        raise InputError(f"{where}: {path} has no array {name!r}; {listed}")
    if held[name].ndim != 1:
        parts = held[name].shape[1]
        raise InputError(f"{where}: array {name!r} of {path} has {parts} numbers at each place")
    if not np.issubdtype(held[name].dtype, np.number):
        raise InputError(f"{where}: array {name!r} of {path} does not hold numbers")


def _contents(file: ForeignFile, source: SourceModel, setup: Setup) -> Foreign:
    first = file.read(0)
    region, names = _regions(file.path, first, source, setup)
    of_cells = any(one.array not in first.of_points for one in source.species.values())
    origin, cell, cells = _split(first.cells, region, of_cells)
    points = _in_depth(file.path, first, source, setup)[origin]
    return Foreign(
        file,
        source.species,
        file.times if len(file.times) else np.zeros(1),
        points,
        cells,
        region,
        names,
        source.around_axis,
        origin,
        cell,
    )


def _split(cells: IntArray, region: IntArray, every: bool) -> tuple[IntArray, IntArray, IntArray]:
    """Give each region, or every cell, points of its own.

    Returns the point that each one was, a cell that has it, and the cells.
    """
    corners = cells.ravel()
    owner = np.repeat(np.arange(len(cells)), cells.shape[1])
    if every:
        return corners, owner, np.arange(len(corners)).reshape(cells.shape)
    keys = np.stack([region[owner], corners], axis=1)
    _, first, number = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return corners[first], owner[first], number.reshape(cells.shape)


def _regions(
    path: Path, first: Snapshot, source: SourceModel, setup: Setup
) -> tuple[IntArray, tuple[str, ...]]:
    """Region of every cell, and the material of each region."""
    given = source.materials
    if given is None:
        layers = tuple(layer.material for layer in source.layers)
        return np.zeros(len(first.cells), dtype=np.int64), layers
    where = f"{setup.path}: source.materials"
    if given.array in first.of_points and given.array not in first.of_cells:
        raise InputError(f"{where}.array: {given.array!r} of {path} is of points, not of cells")
    _check_array(path, f"{where}.array", given.array, first.of_cells)
    return _numbered_materials(path, where, given, first.of_cells[given.array])


def _numbered_materials(
    path: Path, where: str, given: MaterialsModel, found: npt.NDArray[Any]
) -> tuple[IntArray, tuple[str, ...]]:
    region = np.full(len(found), -1)
    for number, values in enumerate(given.values.values()):
        region[np.isin(found, values)] = number
    if np.any(region < 0):
        left = ", ".join(f"{value:g}" for value in np.unique(found[region < 0]))
        raise InputError(f"{where}.values: no material for {left} in {given.array!r} of {path}")
    return region, tuple(given.values)


def _in_depth(path: Path, first: Snapshot, source: SourceModel, setup: Setup) -> FloatArray:
    """Points (n, 3) [m], the last coordinate of the mesh the depth below the surface."""
    points = source.length * first.points
    extent = np.ptp(points, axis=0)
    down = _AXES.index(source.depth)
    wide = [axis for axis in range(3) if extent[axis] > _FLAT * extent.max()]
    if down not in wide or len(wide) != first.dimension:
        along = ", ".join(_AXES[axis] for axis in wide)
        message = f"cells of dimension {first.dimension} that reach along {along}"
        raise InputError(f"{setup.path}: source.depth: {source.depth}: {path} has {message}")
    result = np.zeros_like(points)
    across = [axis for axis in wide if axis != down]
    result[:, : len(across)] = points[:, across]
    upwards = source.surface == "highest"
    level = points[:, down]
    result[:, len(across)] = level.max() - level if upwards else level - level.min()
    if source.around_axis and (len(across) != 1 or result[:, 0].min() < 0.0):
        message = f"{path} is no plane of radii and heights"
        raise InputError(f"{setup.path}: source.around_axis: {message}")
    return result


def _films(contents: Foreign, source: SourceModel, setup: Setup) -> Films:
    """Materials, and the size of an image."""
    specimen, given = setup.given.specimen, source.electrodes
    if given is None and (specimen.top or specimen.bottom):
        raise InputError(
            f"{setup.path}: source.electrodes: missing; specimen has electrodes of "
            f"{specimen.top * 1e9:g} nm (top) and {specimen.bottom * 1e9:g} nm (bottom)"
        )
    top, bottom = ("", "") if given is None else (given.top, given.bottom)
    extent = np.ptp(contents.points, axis=0)
    dimension = contents.dimension
    width = extent[0] if dimension > 1 else source.breadth
    breadth = extent[1] if dimension == 3 else source.breadth
    if contents.axisymmetric:
        width = breadth = 2.0 * contents.points[:, 0].max()
    layers = {name: name for name in contents.region_names}
    return Films(layers, top, bottom, float(width), float(breadth))
