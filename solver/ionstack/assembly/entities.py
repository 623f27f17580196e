"""Which nodes, edges, pairs and faces a model's laws act on, as arrays for the terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.field_stencil import FieldStencil, field_stencil
from ionstack.errors import InputError, raise_together
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.carriers import unknowns_of
from ionstack.models.layout import Layout
from ionstack.models.model import (
    BoundLaw,
    ContactModel,
    InterfaceModel,
    Model,
    RegionModel,
)
from ionstack.models.place_profile import Profile
from ionstack.models.products import products_of, unknown_of
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Region:
    """A region's index, its laws, and the nodes and edges of the mesh that it holds."""

    index: int
    laws: RegionModel
    nodes: Ints
    owned: Ints
    local: Ints  # node of the mesh -> node of the region
    edges: Ints  # (n, 2) nodes of the mesh


@dataclass(frozen=True)
class Joint:
    """An interface on the mesh: sides K and L, node pairs (n, 2), areas [m^2]."""

    model: InterfaceModel
    sides: tuple[Region, Region]
    nodes: Ints
    area: Floats


@dataclass(frozen=True)
class Face:
    """A contact's faces on one region: nodes (n,) and areas [m^2]."""

    contact: int
    model: ContactModel
    region: Region
    nodes: Ints
    area: Floats

    @property
    def key(self) -> tuple[int, int]:
        """Numbers of the contact and the region, which no other face has."""
        return self.contact, self.region.index


@dataclass(frozen=True)
class Entities:
    """Nodes, edges, interface pairs and contact faces of a model on a mesh."""

    model: Model
    volumes: ControlVolumes
    layout: Layout

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Regions in the order of the mesh."""
        return tuple(self._region(index, name) for index, name in enumerate(self.volumes.regions))

    def _region(self, index: int, name: str) -> Region:
        volumes = self.volumes
        nodes = np.flatnonzero(volumes.node_region == index)
        local = np.full(len(volumes.node_region), -1, dtype=np.int64)
        local[nodes] = np.arange(len(nodes))
        owned = nodes[: int(np.searchsorted(nodes, volumes.n_owned_nodes))]
        edges = volumes.edge_nodes[self._inside(index)]
        return Region(index, self.model.region(name), nodes, owned, local, edges)

    def _inside(self, index: int) -> NDArray[np.bool_]:
        return np.asarray(self.volumes.node_region[self.volumes.edge_nodes[:, 0]] == index)

    @cached_property
    def joints(self) -> tuple[Joint, ...]:
        """Interfaces of the model, in its order."""
        return tuple(self._joint(interface) for interface in self.model.interfaces)

    def _joint(self, interface: InterfaceModel) -> Joint:
        by_name = {region.laws.name: region for region in self.regions}
        K, L = (by_name[side] for side in interface.sides)
        regions = self.volumes.node_region[self.volumes.pair_nodes]
        inside = (regions == np.array(sorted((K.index, L.index)))).all(axis=1)
        nodes = self.volumes.pair_nodes[inside]
        nodes = nodes if K.index < L.index else nodes[:, ::-1]
        return Joint(interface, (K, L), nodes, self.volumes.pair_area[inside])

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """Faces of every contact on every region, contacts in the order of the mesh."""
        found = []
        for contact, name in enumerate(self.volumes.contacts):
            model = next(one for one in self.model.contacts if one.name == name)
            for region in self.regions:
                mask = self.volumes.face_contact == contact
                mask &= self.volumes.node_region[self.volumes.face_node] == region.index
                nodes, area = self.volumes.face_node[mask], self.volumes.face_area[mask]
                found.append(Face(contact, model, region, nodes, area))
        return tuple(found)

    def flows_between(self) -> Iterator[tuple[Joint, str, BoundLaw]]:
        """Interface, species and law of each flow between two regions."""
        for joint in self.joints:
            for name, law in joint.model.laws.items():
                held = all(side.laws.find(name) for side in joint.sides)
                if held and law.law.passes and not law.law.merges:
                    yield joint, name, law

    def flows_out(self) -> Iterator[tuple[Face, str, BoundLaw]]:
        """Face, species and law of each flow into a metal."""
        for face in self.faces:
            for name, law in face.model.laws.items():
                if face.region.laws.find(name) and law.law.passes and not law.law.merges:
                    yield face, name, law

    def bindings(self) -> Iterator[tuple[Face, str, BoundLaw]]:
        """Face, species and law of each reaction that binds a species in products."""
        for face in self.faces:
            for name, law in face.model.laws.items():
                if face.region.laws.find(name) and law.law.binding is not None:
                    yield face, name, law

    def held_by_metals(self) -> Iterator[tuple[Face, str]]:
        """Face and species of each carrier in equilibrium with a metal."""
        for face in self.faces:
            for name, law in face.model.laws.items():
                if face.region.laws.find(name) and law.law.merges:
                    yield face, name

    @property
    def capacitors(self) -> list[Joint]:
        """Interfaces with a double layer."""
        return [joint for joint in self.joints if joint.model.double_layer is not None]

    @property
    def contact_capacitors(self) -> list[Face]:
        """Contact faces with a double layer."""
        return [face for face in self.faces if face.model.double_layer is not None]

    @property
    def sheets(self) -> list[Joint]:
        """Interfaces with a sheet charge."""
        return [joint for joint in self.joints if joint.model.sheet_charge]

    @cached_property
    def metal(self) -> Ints:
        """Contact of each local unknown that a metal holds, -1 elsewhere."""
        metal = np.full(self.layout.n_local, -1, dtype=np.int64)
        for face in self.faces:
            if face.region.laws.neutral or face.model.double_layer is not None:
                continue
            rows = self.layout.phi[face.nodes]
            if np.any((metal[rows] >= 0) & (metal[rows] != face.contact)):
                message = "two contacts share a mesh vertex; leave a gap between electrodes"
                raise InputError(message)
            metal[rows] = face.contact
        for face, name in self.held_by_metals():
            metal[self.layout.species[name][face.nodes]] = face.contact
        return metal

    def metal_rows(self, contact: int) -> Ints:
        """Owned potentials that a metal holds."""
        owned = slice(self.layout.n_owned)
        return np.flatnonzero((self.metal[owned] == contact) & (self.layout.field[owned] == 0))

    def bounds(self, region: Region) -> Iterator[tuple[Ints, Floats]]:
        """Nodes and areas of a region's faces on contacts, then on other regions."""
        for face in self.faces:
            if face.region.index == region.index:
                yield face.nodes, face.area
        for joint in self.joints:
            for side, nodes in zip(joint.sides, joint.nodes.T, strict=True):
                if side.index == region.index:
                    yield nodes, joint.area

    def inner(self, face: Face) -> tuple[Ints, Floats]:
        """For every contact node the neighbour straightest inside, and its distance [m]."""
        inside = self._inside(face.region.index)
        ends = np.concatenate([face.region.edges, face.region.edges[:, ::-1]])
        length = np.tile(self.volumes.edge_length[inside], 2)
        depth = self.volumes.depth
        rise = np.abs(depth[ends[:, 1]] - depth[ends[:, 0]]) / length
        # Sorted by node, then by alignment: the last of each node is the straightest.
        order = np.lexsort([rise, ends[:, 0]])
        last = order[np.searchsorted(ends[order, 0], face.nodes, side="right") - 1]
        return ends[last, 1], length[last]

    def fixed_charge(self, region: Region, nodes: Ints) -> Floats:
        """Fixed charge at nodes [elementary charges per m^3]."""
        return self._placed(region.laws.fixed_charge, nodes)

    def content(self, region: Region, given: float | Profile) -> float | Floats:
        """A site fraction at the nodes of a region, those of this rank first; one number if it is.

        Collective for a profile.

        Raises:
            InputError: on all ranks, where a profile leaves the range from 0 to 1.
        """
        if not callable(given):
            return given
        name = region.laws.name
        with raise_together(self.volumes.comm, f"reading the content of {name}"):
            found = self._placed(given, region.nodes)
            wrong = found[~((found > 0.0) & (found < 1.0))]
            if len(wrong):
                raise InputError(f"content of {name}: {wrong[0]:g} is not between 0 and 1")
        return found

    def _placed(self, given: float | Profile, nodes: Ints) -> Floats:
        points = self.volumes.coordinates[self.volumes.node_vertex[nodes]]
        return np.asarray(given(points) if callable(given) else np.full(len(nodes), given))

    def arrays(self, work_functions: Floats) -> Arrays:
        """Everything that the terms evaluate from, besides numbers of laws.

        `work_functions` [eV] at every local potential unknown that touches a metal.
        """
        contacts = range(len(self.volumes.contacts))
        return {
            "nodes": [self._of_nodes(region) for region in self.regions],
            "edges": [self._of_edges(region) for region in self.regions],
            "bounds": [[area for _, area in self.bounds(region)] for region in self.regions],
            "pairs": [self._of_pairs(joint) for joint, _, _ in self.flows_between()],
            "faces": [self._of_faces(face, law) for face, _, law in self.flows_out()],
            "films": [self._of_film(face, law) for face, _, law in self.bindings()],
            "capacitors": [self._of_capacitor(joint) for joint in self.capacitors],
            "contact_capacitors": [
                self._of_contact_capacitor(face, work_functions) for face in self.contact_capacitors
            ],
            "held": [self._of_held(face, name) for face, name in self.held_by_metals()],
            "sheets": [{"charge": one.model.sheet_charge * one.area} for one in self.sheets],
            "metals": [self._of_metal(contact, work_functions) for contact in contacts],
        }

    def _of_nodes(self, region: Region) -> Arrays:
        own = {name: self.layout.species[name][region.nodes] for name in unknowns_of(region.laws)}
        arrays = {
            "unknowns": {"phi": self.layout.phi[region.nodes], **own},
            "volume": self.volumes.node_volume[region.owned],
            "fixed_charge": self.fixed_charge(region, region.owned),
        }
        if region.laws.reads_field:
            stencil = self.field(region)
            arrays["neighbours"] = region.local[stencil.neighbours]
            arrays["field_weights"] = stencil.weights
            arrays["focus"] = {
                one.name: self._placed(one.focus, region.owned)
                for one in region.laws.reactions
                if one.focus is not None
            }
        return arrays

    def field(self, region: Region) -> FieldStencil:
        """Where the electric field at a region's owned nodes comes from."""
        return field_stencil(self.volumes, region.owned)

    def _of_edges(self, region: Region) -> Arrays:
        inside = self._inside(region.index)
        nodes = region.local[region.edges]
        depth, length = self.volumes.depth, self.volumes.edge_length[inside]
        rise = depth[region.edges[:, 1]] - depth[region.edges[:, 0]]
        return {
            "K": nodes[:, 0],
            "L": nodes[:, 1],
            "factor": self.volumes.edge_factor[inside],
            "length": length,
            "through": (rise / length) ** 2,
        }

    def _of_pairs(self, joint: Joint) -> Arrays:
        K, L = (side.local[nodes] for side, nodes in zip(joint.sides, joint.nodes.T, strict=True))
        return {"K": K, "L": L, "area": joint.area}

    def _of_faces(self, face: Face, law: BoundLaw) -> Arrays:
        arrays = {"K": face.region.local[face.nodes], "area": face.area}
        if law.law.field:
            inner, length = self.inner(face)
            arrays |= {"inner": face.region.local[inner], "inner_length": length}
        return arrays

    def _of_film(self, face: Face, law: BoundLaw) -> Arrays:
        """Nodes with products."""
        unknowns = self.layout.species
        return {
            "K": face.region.local[face.nodes],
            "area": face.area,
            "products": {one: unknowns[unknown_of(one)][face.nodes] for one in products_of(law)},
        }

    def _of_capacitor(self, joint: Joint) -> Arrays:
        layer = joint.model.double_layer
        assert layer is not None
        numbers = {"capacitance": layer.capacitance, "offset": layer.offset}
        return {**self._of_pairs(joint), **numbers}

    def _of_contact_capacitor(self, face: Face, work_functions: Floats) -> Arrays:
        layer = face.model.double_layer
        assert layer is not None
        return {
            "K": face.region.local[face.nodes],
            "area": face.area,
            "capacitance": layer.capacitance,
            "offset": layer.offset + work_functions[self.layout.phi[face.nodes]],
        }

    def _of_held(self, face: Face, name: str) -> Arrays:
        """Nodes of carriers that a metal holds; rows scaled like the amounts in their volumes."""
        sites = face.region.laws.held(name).site_density
        scale = sites * self.volumes.node_volume[face.nodes]
        return {"K": face.region.local[face.nodes], "scale": scale}

    def _of_metal(self, contact: int, work_functions: Floats) -> Arrays:
        """Rows of a metal and a scale of the size of the Poisson rows next to it."""
        permittivity = np.array([region.laws.permittivity for region in self.regions])
        edges = self.volumes.edge_nodes
        weight = permittivity[self.volumes.node_region[edges[:, 0]]] * self.volumes.edge_factor
        size = np.zeros(self.layout.n_local)
        for end in (0, 1):
            size += np.bincount(self.layout.phi[edges[:, end]], weight, self.layout.n_local)
        rows = self.metal_rows(contact)
        scale = VACUUM_PERMITTIVITY / ELEMENTARY_CHARGE * size[rows]
        return {"phi": rows, "scale": scale, "work_function": work_functions[rows]}
