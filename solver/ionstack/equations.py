"""From model, geometry and numbering to the list of terms that make up the equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack import terms as make
from ionstack.errors import InputError
from ionstack.graph import ControlVolumes
from ionstack.layout import Layout
from ionstack.model import BoundLaw, InterfaceModel, Model, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.terms import Term

Ints = NDArray[np.int64]
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Equations:
    """Terms and the arrays and numbers that they evaluate from.

    `metal` gives for every local unknown the contact whose potential it is, or -1.
    """

    model: Model
    volumes: ControlVolumes
    layout: Layout
    terms: tuple[Term, ...]
    arrays: Arrays
    numbers: Mapping[str, Any]
    metal: Ints


@dataclass(frozen=True)
class _Region:
    """A region's index, its laws, and the mesh nodes that it holds."""

    index: int
    laws: RegionModel
    nodes: Ints
    n_owned: int
    local: Ints  # node of the mesh -> node of the region


def transient_equations(model: Model, volumes: ControlVolumes, layout: Layout) -> Equations:
    """Poisson and species balances with all laws of the model."""
    regions = _regions(model, volumes)
    builder = _Builder(model, volumes, layout, regions)
    terms = (
        *builder.poisson(),
        *builder.balances(),
        *builder.interface_flows(),
        *builder.contact_flows(),
    )
    return builder.finish(terms)


def equilibrium_equations(
    model: Model, volumes: ControlVolumes, layout: Layout, group_of: Mapping[tuple[str, str], int]
) -> Equations:
    """Poisson with every electrochemical potential pinned to a level per group.

    `group_of[region, species]` is the position of the level [V] in ``arrays["levels"]``.
    """
    regions = _regions(model, volumes)
    builder = _Builder(model, volumes, layout, regions)
    terms = (*builder.poisson(), *builder.pins(group_of))
    return builder.finish(terms, levels=np.zeros(len(set(group_of.values()))))


def _regions(model: Model, volumes: ControlVolumes) -> tuple[_Region, ...]:
    result = []
    for index, name in enumerate(volumes.regions):
        nodes = np.flatnonzero(volumes.node_region == index)
        local = np.full(len(volumes.node_region), -1, dtype=np.int64)
        local[nodes] = np.arange(len(nodes))
        owned = int(np.searchsorted(nodes, volumes.n_owned_nodes))
        result.append(_Region(index, model.region(name), nodes, owned, local))
    return tuple(result)


@dataclass(frozen=True)
class _Builder:
    model: Model
    volumes: ControlVolumes
    layout: Layout
    regions: tuple[_Region, ...]

    def finish(self, terms: tuple[Term, ...], **extra: NDArray[Any]) -> Equations:
        metal = _metals(self.volumes, self.layout)
        arrays: Arrays = {
            "nodes": [self._node_arrays(region) for region in self.regions],
            "edges": [self._edge_arrays(region) for region in self.regions],
            "pairs": [dict(part[-1]) for part in self._pairs()],
            "faces": [dict(part[-1]) for part in self._faces()],
            "metals": [self._metal_arrays(metal, c) for c in range(len(self.volumes.contacts))],
            **extra,
        }
        metals = tuple(self._metal_term(metal, c) for c in range(len(self.volumes.contacts)))
        numbers = numbers_of(self.model, self.volumes)
        return Equations(
            self.model, self.volumes, self.layout, (*terms, *metals), arrays, numbers, metal
        )

    def poisson(self) -> Iterator[Term]:
        """Electric flux and charge of every region."""
        for region in self.regions:
            K, L = (self._phi(nodes) for nodes in self._edge_nodes(region).T)
            flux = make.displacement(region.index, region.laws)
            yield Term("displacement", "algebraic", ((K, 1), (L, -1)), (K, L), flux)
            owned = region.nodes[: region.n_owned]
            species = (self.layout.species[one.name][owned] for one in region.laws.species)
            columns = (self._phi(owned), *species)
            charge = make.charge(region.index, region.laws)
            yield Term("charge", "algebraic", ((self._phi(owned), 1),), columns, charge)

    def balances(self) -> Iterator[Term]:
        """Stored amounts and flows along edges of every species in every region."""
        for region in self.regions:
            edges = self._edge_nodes(region)
            owned = region.nodes[: region.n_owned]
            for one in region.laws.species:
                rows = self.layout.species[one.name]
                stored = make.stored(region.index, one.name)
                columns = (self._phi(owned), rows[owned])
                yield Term("stored", "stored", ((rows[owned], 1),), columns, stored)
                key = f"{region.laws.name}/{one.name}/transport"
                flow = make.flux(key, region.index, region.laws, one.name, one.transport)
                ends = [self._columns(region.laws, one.name, one.transport, n) for n in edges.T]
                sides = ((rows[edges[:, 0]], 1), (rows[edges[:, 1]], -1))
                yield Term("flux", "flow", sides, (*ends[0], *ends[1]), flow)

    def pins(self, group_of: Mapping[tuple[str, str], int]) -> Iterator[Term]:
        """Electrochemical potentials equal to their level."""
        for region in self.regions:
            owned = region.nodes[: region.n_owned]
            for one in region.laws.species:
                rows = self.layout.species[one.name][owned]
                pin = make.pinned(region.index, one.name, group_of[region.laws.name, one.name])
                columns = (self._phi(owned), rows)
                yield Term("pinned", "algebraic", ((rows, 1),), columns, pin)

    def interface_flows(self) -> Iterator[Term]:
        """Exchange between the regions of every interface."""
        for position, (interface, name, law, nodes, _) in enumerate(self._pairs()):
            sides = [self._region(side) for side in interface.sides]
            key = f"{'/'.join(interface.sides)}/{name}"
            flow = make.pair_flow(key, position, tuple((s.index, s.laws) for s in sides), name, law)
            rows = self.layout.species[name]
            columns = [
                column
                for side, ends in zip(sides, nodes.T, strict=True)
                for column in self._columns(side.laws, name, law, ends)
            ]
            signs = ((rows[nodes[:, 0]], 1), (rows[nodes[:, 1]], -1))
            yield Term("exchange", "flow", signs, tuple(columns), flow)

    def contact_flows(self) -> Iterator[Term]:
        """Exchange between layers and metals."""
        for position, (contact, region, name, law, nodes, _) in enumerate(self._faces()):
            key = f"{self.volumes.contacts[contact]}/{name}"
            flow = make.contact_flow(key, position, contact, region.index, region.laws, name, law)
            rows = self.layout.species[name][nodes]
            columns = self._columns(region.laws, name, law, nodes)
            charge = self.model.valences[name]
            yield Term("contact", "flow", ((rows, 1),), columns, flow, contact, charge)

    def _phi(self, nodes: Ints) -> Ints:
        return self.layout.phi[self.volumes.node_vertex[nodes]]

    def _columns(
        self, laws: RegionModel, name: str, law: BoundLaw, nodes: Ints
    ) -> tuple[Ints, ...]:
        species = make.inputs_of(laws, name, law)[1:]
        return (self._phi(nodes), *(self.layout.species[one][nodes] for one in species))

    def _region(self, name: str) -> _Region:
        return next(region for region in self.regions if region.laws.name == name)

    def _edge_nodes(self, region: _Region) -> Ints:
        inside = self.volumes.node_region[self.volumes.edge_nodes[:, 0]] == region.index
        nodes: Ints = self.volumes.edge_nodes[inside]
        return nodes

    def _pairs(self) -> Iterator[tuple[InterfaceModel, str, BoundLaw, Ints, Arrays]]:
        """Interface, species, law, node pairs (K, L) and arrays of each exchange term."""
        for interface in self.model.interfaces:
            K, L = (self._region(side) for side in interface.sides)
            inside = np.flatnonzero(self._interface_mask(K.index, L.index))
            nodes = self.volumes.pair_nodes[inside]
            nodes = nodes if K.index < L.index else nodes[:, ::-1]
            arrays = {
                "K": K.local[nodes[:, 0]],
                "L": L.local[nodes[:, 1]],
                "area": self.volumes.pair_area[inside],
            }
            for name, law in interface.laws.items():
                if K.laws.find(name) and L.laws.find(name) and law.law.name != "blocking":
                    yield interface, name, law, nodes, arrays

    def _interface_mask(self, first: int, second: int) -> NDArray[np.bool_]:
        regions = self.volumes.node_region[self.volumes.pair_nodes]
        wanted = np.array(sorted((first, second)))
        return np.asarray((regions == wanted).all(axis=1), dtype=np.bool_)

    def _faces(self) -> Iterator[tuple[int, _Region, str, BoundLaw, Ints, Arrays]]:
        """Contact, region, species, law, nodes and arrays of each contact term."""
        for contact, name in enumerate(self.volumes.contacts):
            chosen = next(one for one in self.model.contacts if one.name == name)
            for region in self.regions:
                mask = self.volumes.face_contact == contact
                mask &= self.volumes.node_region[self.volumes.face_node] == region.index
                nodes = self.volumes.face_node[mask]
                arrays = {"K": region.local[nodes], "area": self.volumes.face_area[mask]}
                for species, law in chosen.laws.items():
                    if region.laws.find(species) and law.law.name != "blocking":
                        yield contact, region, species, law, nodes, arrays

    def _node_arrays(self, region: _Region) -> Arrays:
        unknowns = {"phi": self._phi(region.nodes)}
        for one in region.laws.species:
            unknowns[one.name] = self.layout.species[one.name][region.nodes]
        owned = region.nodes[: region.n_owned]
        return {"unknowns": unknowns, "volume": self.volumes.node_volume[owned]}

    def _edge_arrays(self, region: _Region) -> Arrays:
        inside = self.volumes.node_region[self.volumes.edge_nodes[:, 0]] == region.index
        nodes = region.local[self.volumes.edge_nodes[inside]]
        return {
            "K": nodes[:, 0],
            "L": nodes[:, 1],
            "factor": self.volumes.edge_factor[inside],
            "length": self.volumes.edge_length[inside],
        }

    def _metal_rows(self, metal: Ints, contact: int) -> Ints:
        return np.flatnonzero(metal[: self.layout.n_owned] == contact)

    def _metal_term(self, metal: Ints, contact: int) -> Term:
        rows = self._metal_rows(metal, contact)
        evaluate = make.metal_potential(contact)
        return Term("metal", "algebraic", ((rows, 1),), (rows,), evaluate)

    def _metal_arrays(self, metal: Ints, contact: int) -> Arrays:
        """Rows of a metal and a scale of the size of the Poisson rows next to it."""
        permittivity = np.array([region.laws.permittivity for region in self.regions])
        edges = self.volumes.edge_nodes
        weight = permittivity[self.volumes.node_region[edges[:, 0]]] * self.volumes.edge_factor
        size = np.zeros(self.layout.n_local)
        for end in (0, 1):
            size += np.bincount(self._phi(edges[:, end]), weight, self.layout.n_local)
        rows = self._metal_rows(metal, contact)
        return {"phi": rows, "scale": VACUUM_PERMITTIVITY / ELEMENTARY_CHARGE * size[rows]}


def _metals(volumes: ControlVolumes, layout: Layout) -> Ints:
    """Contact of each local potential unknown, -1 elsewhere."""
    metal = np.full(layout.n_local, -1, dtype=np.int64)
    rows = layout.phi[volumes.node_vertex[volumes.face_node]]
    taken = metal[rows]
    metal[rows] = volumes.face_contact
    if np.any((taken >= 0) & (taken != volumes.face_contact)):
        raise InputError("two contacts share a mesh vertex; leave a gap between electrodes")
    return metal


def numbers_of(model: Model, volumes: ControlVolumes) -> dict[str, Any]:
    """All numbers of the model by key, as the terms look them up."""
    numbers: dict[str, Any] = {}
    for region in model.regions:
        numbers[region.name] = {
            "permittivity": region.permittivity,
            "fixed_charge": region.fixed_charge,
        }
        for one in region.species:
            key = f"{region.name}/{one.name}"
            numbers[key] = {"level": one.level, "site_density": one.site_density}
            statistics = one.statistics.numbers.items()
            numbers[f"{key}/statistics"] = {name: number.value for name, number in statistics}
            numbers[f"{key}/transport"] = dict(one.transport.numbers)
            if one.excess is not None:
                excess = one.excess.numbers.items()
                numbers[f"{key}/excess"] = {name: number.value for name, number in excess}
    for interface in model.interfaces:
        for name, law in interface.laws.items():
            numbers[f"{'/'.join(interface.sides)}/{name}"] = dict(law.numbers)
    for contact in model.contacts:
        for name, law in contact.laws.items():
            numbers[f"{contact.name}/{name}"] = dict(law.numbers)
    works = {contact.name: contact.work_function for contact in model.contacts}
    numbers["contacts"] = np.array([works[name] for name in volumes.contacts])
    return numbers
