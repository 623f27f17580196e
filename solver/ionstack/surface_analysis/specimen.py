"""What lies in an instrument: atoms by kind along columns from the surface down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.names import CARRIERS, areal_amount, density, products_in, species_in
from ionstack.surface_analysis.columns import Columns, Cut
from ionstack.surface_analysis.contents import Contents
from ionstack.surface_analysis.films import Films, Pile
from ionstack.surface_analysis.setup import Setup

FloatArray = npt.NDArray[np.float64]

# Shares that differ by no more are the same in all columns.
_ROUND_OFF = 1e-12


@dataclass(frozen=True)
class Specimen:
    """Columns below the surface.

    `edges` (n + 1,) [m] of depth cells of one width, below the surface of each column; `shares` of
    every material, (n,) or (m, n), which sum to 1; `atoms` of every kind, (n,) or (m, n) [1/m^3];
    `boundaries`: mean depth [m] at which each material begins, with its name. The deepest one
    goes on below the `bottom` [m] of what is analysed, as far as anything from there is seen.
    """

    columns: Columns
    edges: FloatArray
    shares: Mapping[str, FloatArray]
    atoms: Mapping[str, FloatArray]
    boundaries: tuple[tuple[str, float], ...]
    bottom: float

    def material_at(self, depth: float) -> str:
        """Return the material at a depth [m]."""
        passed = sum(top <= depth for _, top in self.boundaries)
        return self.boundaries[max(passed, 1) - 1][0]


def specimen_of(
    columns: Columns, contents: Contents, step: int, films: Films, setup: Setup
) -> Specimen:
    """Lay electrodes, films and substrate below each other, and fill in what the run holds.

    Raises InputError where the setup does not know a material or a species of the run.
    """
    layers = tuple(films.layers[name] for name in contents.region_names)
    pile = Pile(columns, films, layers, setup.given.specimen)
    boundaries = pile.boundaries()
    _check(setup, contents, [name for name, _ in boundaries])
    bottom = float(pile.endless.top.max())
    edges = _edges(bottom + setup.resolution.reach(bottom), setup.given.depth_step)
    cut = columns.cut(edges, pile.cover)
    shares, hosts = _shares(pile, cut, edges)
    atoms = {atom: _hosts(setup, hosts, atom) for atom in setup.atoms}
    for name, content in _moved(contents, step, cut, pile, edges):
        for atom, number in setup.given.species[name].items():
            atoms[atom] = atoms[atom] + number * _even(content)
    return Specimen(columns, edges, shares, atoms, boundaries, bottom)


def _check(setup: Setup, contents: Contents, materials: Iterable[str]) -> None:
    """Refuse materials, species and products that the setup does not know."""
    moved = (name for name in species_in(contents.names) if name not in CARRIERS)
    for wrong in setup.lacking(materials, [*moved, *products_in(contents.names)]):
        raise InputError(f"{setup.path}: {wrong}")


def _edges(depth: float, step: float) -> FloatArray:
    return np.asarray(step * np.arange(math.ceil(depth / step - 1e-9) + 1), dtype=np.float64)


def _shares(
    pile: Pile, cut: Cut, edges: FloatArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Share of each cell that every material takes, and how much it holds of the unswollen one."""
    shares: dict[str, FloatArray] = {}
    hosts: dict[str, FloatArray] = {}
    for name, share, host in _parts(pile, cut, edges):
        shares[name] = shares.get(name, 0.0) + _even(share)
        hosts[name] = hosts.get(name, 0.0) + _even(host)
    return shares, hosts


def _parts(pile: Pile, cut: Cut, edges: FloatArray) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    for band in (*pile.bands, pile.endless):
        share = band.shares(edges)
        if np.any(share > 0.0):
            yield band.material, share, share
    for index in np.unique(cut.pieces.layer):
        yield pile.layers[int(index)], cut.shares(int(index)), cut.hosts(int(index))


def _even(values: FloatArray) -> FloatArray:
    """Values (m, n) of the columns, as (n,) where all columns are the same."""
    scale = np.abs(values).max(initial=0.0)
    alike = len(values) == 1 or np.ptp(values, axis=0).max() <= _ROUND_OFF * scale
    return np.asarray(values[0] if alike else values)


def _hosts(setup: Setup, hosts: Mapping[str, FloatArray], atom: str) -> FloatArray:
    materials = setup.given.materials
    parts = (hosts[name] * materials[name].atoms.get(atom, 0.0) for name in hosts)
    return np.asarray(sum(parts, np.zeros(len(next(iter(hosts.values())).T))))


def _moved(
    contents: Contents, step: int, cut: Cut, pile: Pile, edges: FloatArray
) -> Iterator[tuple[str, FloatArray]]:
    """Densities (m, n) [1/m^3] of species and of products that contacts hold."""
    for name in species_in(contents.names):
        if name not in CARRIERS:
            yield name, cut.averages(contents.values(density(name), step))
    for name in products_in(contents.names):
        amounts = pile.columns.at_ends(contents.values(areal_amount(name), step))
        yield name, pile.at_contacts(*amounts, edges)
