"""What lies in an instrument: atoms by kind along columns from the surface down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.field_reader import Fields
from ionstack.output.names import CARRIERS, density, species_in
from ionstack.reading.schema import not_among
from ionstack.surface_analysis.columns import Columns, columns_of
from ionstack.surface_analysis.setup import Setup

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Films:
    """Materials of the layers by name, and of the electrodes; lateral size [m] of a film."""

    layers: Mapping[str, str]
    top: str
    bottom: str
    width: float = 1.0
    breadth: float = 1.0


@dataclass(frozen=True)
class Specimen:
    """Columns below the surface.

    `edges` (n + 1,) [m] of depth cells of one width; `shares` of every material (n,), which sum to
    1; `atoms` of every kind, (n,) or (m, n) [1/m^3]; `boundaries`: depth [m] at which each material
    begins, with its name. The deepest one goes on below the `bottom` [m] of what is analysed, as
    far as anything from there is seen.
    """

    columns: Columns
    edges: FloatArray
    shares: Mapping[str, FloatArray]
    atoms: Mapping[str, FloatArray]
    boundaries: tuple[tuple[str, float], ...]
    bottom: float

    def material_at(self, depth: float) -> str:
        """Return the material at a depth [m]."""
        return [name for name, top in self.boundaries if top <= depth][-1]


def specimen_of(fields: Fields, step: int, films: Films, setup: Setup) -> Specimen:
    """Lay electrodes, films and substrate below each other, and fill in what the run holds.

    Raises InputError where the setup does not know a material or a species of the run.
    """
    columns = columns_of(fields)
    boundaries = _boundaries(fields, films, setup)
    bottom = boundaries[-1][1] + (_extent(setup) or fields.layers[-1][2] - fields.layers[-1][1])
    edges = _edges(bottom + setup.resolution.reach(bottom), setup.given.depth_step)
    shares = _shares(boundaries, edges)
    known = list(setup.given.materials)
    for name in shares:
        if name not in known:
            raise InputError(f"{setup.path}: materials: {not_among('material', name, known)}")
    atoms = {atom: _hosts(setup, shares, atom) for atom in setup.atoms}
    below = edges - setup.given.specimen.top
    for name, per_particle in _moved(fields, setup).items():
        content = columns.averages(fields.values(density(name), step), below)
        for atom, number in per_particle.items():
            atoms[atom] = atoms[atom] + number * content
    return Specimen(columns, edges, shares, atoms, boundaries, bottom)


def _extent(setup: Setup) -> float:
    """Thickness of what lies below all films, 0 if nothing does."""
    below = setup.given.specimen.below
    return below[-1].thickness if below else setup.given.specimen.bottom


def _boundaries(fields: Fields, films: Films, setup: Setup) -> tuple[tuple[str, float], ...]:
    given = setup.given.specimen
    found = [(films.top, 0.0)] if given.top else []
    found += [(films.layers[name], given.top + top) for name, top, _ in fields.layers]
    depth = given.top + fields.layers[-1][2]
    if given.bottom:
        found.append((films.bottom, depth))
        depth += given.bottom
    for layer in given.below:
        found.append((layer.material, depth))
        depth += layer.thickness
    return tuple(found)


def _edges(depth: float, step: float) -> FloatArray:
    return np.asarray(step * np.arange(math.ceil(depth / step - 1e-9) + 1), dtype=np.float64)


def _shares(boundaries: tuple[tuple[str, float], ...], edges: FloatArray) -> dict[str, FloatArray]:
    """Share of each cell that every material takes; the deepest one fills the rest."""
    ends = [*(top for _, top in boundaries[1:]), edges[-1]]
    shares: dict[str, FloatArray] = {}
    for (name, top), bottom in zip(boundaries, ends, strict=True):
        covered = np.diff(np.clip(edges, top, bottom)) / np.diff(edges)
        shares[name] = shares.get(name, 0.0) + covered
    return shares


def _hosts(setup: Setup, shares: Mapping[str, FloatArray], atom: str) -> FloatArray:
    materials = setup.given.materials
    parts = (shares[name] * materials[name].atoms.get(atom, 0.0) for name in shares)
    return np.asarray(sum(parts, np.zeros(len(next(iter(shares.values()))))))


def _moved(fields: Fields, setup: Setup) -> dict[str, Mapping[str, float]]:
    """What each species of the run brings; a species of atoms that the setup lacks is a mistake."""
    known = setup.given.species
    held = [name for name in species_in(fields.names) if name not in CARRIERS]
    for name in held:
        if name not in known:
            listed = not_among("species of the run", name, list(known))
            raise InputError(f"{setup.path}: species: {listed}; write 'species: {{{name}: …}}'")
    return {name: known[name] for name in held}
