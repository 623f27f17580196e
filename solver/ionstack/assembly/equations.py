"""From model, geometry and numbering to the list of terms that make up the equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly import electric_terms as electric
from ionstack.assembly import reaction_terms as events
from ionstack.assembly import surface_terms as surface
from ionstack.assembly import terms as make
from ionstack.assembly.entities import Entities, Region
from ionstack.assembly.terms import Term
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.carriers import (
    carrier_inputs,
    density_inputs,
    gradient_of,
    law_inputs,
)
from ionstack.models.layout import Layout
from ionstack.models.model import DoubleLayer, Model, SpeciesModel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Equations:
    """Terms and the arrays and numbers that they evaluate from.

    `metal` gives for every local unknown the contact that holds it, or -1.
    Columns from `layout.n_local` on stand for the voltages of the contacts. `work_functions`
    [eV] are those at local unknowns that touch a metal.
    """

    model: Model
    volumes: ControlVolumes
    layout: Layout
    terms: tuple[Term, ...]
    arrays: Arrays
    numbers: Mapping[str, Any]
    metal: Ints
    work_functions: Floats

    @property
    def floating(self) -> tuple[int, ...]:
        """Contacts whose voltage follows from zero current, by position."""
        floating = {one.name for one in self.model.contacts if one.floating}
        return tuple(k for k, name in enumerate(self.volumes.contacts) if name in floating)

    def holder(self, term: Term, rows: Ints) -> Ints:
        """Contact whose condition replaces each row for this term, -1 where none does."""
        return np.full(len(rows), -1) if term.name == "metal" else self.metal[rows]


@dataclass(frozen=True)
class Pins:
    """What holds the species in the equilibrium search.

    `groups[region, species]` is the position of a level [V] in ``arrays["levels"]``;
    `contents["region/species"]` the logarithm of a given content, or those at the owned nodes;
    `count` the number of levels.
    """

    groups: Mapping[tuple[str, str], int]
    contents: Mapping[str, float | Floats]
    count: int


def transient_equations(
    model: Model, volumes: ControlVolumes, layout: Layout, work_functions: Floats | None = None
) -> Equations:
    """Poisson and species balances with all laws of the model.

    `work_functions` [eV] at every local unknown, see `neutrality.work_functions`; the
    contacts' own when left out.
    """
    builder = _builder(model, volumes, layout, work_functions)
    return builder.finish((*builder.poisson(), *builder.gradients(), *builder.balances()))


def equilibrium_equations(
    model: Model,
    volumes: ControlVolumes,
    layout: Layout,
    pins: Pins,
    work_functions: Floats | None = None,
) -> Equations:
    """Poisson with every species pinned to a level or to its content."""
    builder = _builder(model, volumes, layout, work_functions)
    terms = (*builder.poisson(), *builder.gradients(), *builder.pins(pins))
    return builder.finish(terms, levels=np.zeros(pins.count), frozen=dict(pins.contents))


def _builder(
    model: Model, volumes: ControlVolumes, layout: Layout, work_functions: Floats | None
) -> _Builder:
    entities = Entities(model, volumes, layout)
    if work_functions is None:
        work_functions = given_work_functions(entities)
    return _Builder(entities, work_functions)


def given_work_functions(entities: Entities) -> Floats:
    """Work functions [eV] of the contacts at every local unknown that touches one, else 0."""
    result = np.zeros(entities.layout.n_local)
    for face in entities.faces:
        result[entities.layout.phi[face.nodes]] = face.model.work_function or 0.0
    return result


@dataclass(frozen=True)
class _Builder:
    entities: Entities
    work_functions: Floats

    @property
    def model(self) -> Model:
        return self.entities.model

    @property
    def layout(self) -> Layout:
        return self.entities.layout

    def finish(self, terms: tuple[Term, ...], **extra: Any) -> Equations:
        entities = self.entities
        contacts = range(len(entities.volumes.contacts))
        arrays = entities.arrays(self.work_functions) | extra
        metals = tuple(self._metal(contact) for contact in contacts)
        return Equations(
            self.model,
            entities.volumes,
            self.layout,
            (*terms, *metals, *self._held()),
            arrays,
            numbers_of(self.model),
            entities.metal,
            self.work_functions,
        )

    def poisson(self) -> Iterator[Term]:
        """Electric flux and charge of every region, double layers and sheet charges."""
        for region in self.entities.regions:
            if not region.laws.neutral:
                K, L = (self.layout.phi[nodes] for nodes in region.edges.T)
                flux = electric.displacement(region.index, region.laws)
                yield Term("displacement", "algebraic", ((K, 1), (L, -1)), (K, L), flux)
            columns = self._columns(electric.charge_inputs(region.laws), region.owned)
            charge = electric.charge(region.index, region.laws)
            rows = ((self.layout.phi[region.owned], 1),)
            yield Term("charge", "algebraic", rows, columns, charge)
        yield from self._capacitors()
        yield from self._contact_capacitors()
        yield from self._sheets()

    def _capacitors(self) -> Iterator[Term]:
        """Charge of double layers in the Poisson rows of sides that have space charge."""
        for position, joint in enumerate(self.entities.capacitors):
            phi = [self.layout.phi[column] for column in joint.nodes.T]
            rows = tuple(
                (phi[end], sign)
                for end, sign in ((0, 1), (1, -1))
                if _carrier(joint.sides[end], joint.model.double_layer) is None
            )
            evaluate = electric.capacitor(position, _indices(joint.sides))
            yield Term("double layer", "algebraic", rows, tuple(phi), evaluate)

    def _contact_capacitors(self) -> Iterator[Term]:
        for position, face in enumerate(self.entities.contact_capacitors):
            evaluate = electric.contact_capacitor(position, face.contact, face.region.index)
            phi = self.layout.phi[face.nodes]
            poisson = _carrier(face.region, face.model.double_layer) is None
            columns = (phi, self._voltage(face.contact, phi))
            yield Term(
                "double layer",
                "algebraic",
                ((phi, 1),) if poisson else (),
                columns,
                evaluate,
                face.contact,
                -1,
            )

    def _sheets(self) -> Iterator[Term]:
        for position, joint in enumerate(self.entities.sheets):
            rows = ((self.layout.phi[joint.nodes[:, 0]], 1),)
            yield Term("sheet", "algebraic", rows, (), electric.sheet(position))

    def gradients(self) -> Iterator[Term]:
        """Gradient term of every potential that has one: V g = -kappa sum A/h dx."""
        for region in self.entities.regions:
            for one in region.laws.species:
                if not one.gradient_energy:
                    continue
                unknown = self.layout.species[gradient_of(one.name)]
                own = unknown[region.owned]
                potential = make.gradient_potential(region.index, one.name)
                yield Term("gradient", "algebraic", ((own, 1),), (own,), potential)
                K, L = region.edges.T
                inputs = density_inputs(region.laws, one.name)
                columns = (*self._columns(inputs, K), *self._columns(inputs, L))
                gradient = make.content_gradient(region.index, region.laws, one.name)
                rows = ((unknown[K], -1), (unknown[L], 1))
                yield Term("gradient", "algebraic", rows, columns, gradient)
                yield from self._wetting(region, one)

    def _wetting(self, region: Region, one: SpeciesModel) -> Iterator[Term]:
        """Energy of the faces of a region, as a source of the gradient term."""
        number = one.excess.numbers.get("wetting") if one.excess else None
        if number is None or not number.value:
            return
        key = f"{region.laws.name}/{one.name}/excess"
        for position, (nodes, _) in enumerate(self.entities.bounds(region)):
            rows = ((self.layout.species[gradient_of(one.name)][nodes], 1),)
            wetting = make.wetting(key, region.index, position)
            yield Term("gradient", "algebraic", rows, (), wetting)

    def balances(self) -> Iterator[Term]:
        """Stored amounts, flows and reactions of every species."""
        for region in self.entities.regions:
            yield from self._region_balances(region)
            yield from self._reactions(region)
        yield from self._surface_excess()
        yield from self._interface_flows()
        yield from self._contact_flows()
        yield from surface.balances(self.entities)

    def _region_balances(self, region: Region) -> Iterator[Term]:
        for one in region.laws.species:
            rows = self.layout.species[one.name]
            columns = self._columns(density_inputs(region.laws, one.name), region.owned)
            stored = make.stored(region.index, region.laws, one.name)
            yield Term("stored", "stored", ((rows[region.owned], 1),), columns, stored)
            if not one.transport.law.passes:
                continue
            key = f"{region.laws.name}/{one.name}/transport"
            flow = make.flux(key, region.index, region.laws, one.name, one.transport)
            inputs = law_inputs(region.laws, one.name, one.transport)
            K, L = region.edges.T
            columns = (*self._columns(inputs, K), *self._columns(inputs, L))
            ends = ((rows[K], 1), (rows[L], -1))
            yield Term("flux", "flow", ends, columns, flow, places=(K, L))

    def _reactions(self, region: Region) -> Iterator[Term]:
        for one in region.laws.reactions:
            key = f"{region.laws.name}/reaction {one.name}"
            rate = events.reaction(key, region.index, region.laws, one)
            columns = self._columns(events.reaction_inputs(region.laws, one), region.owned)
            if one.law.law.field:
                columns += self._columns(("phi",), region.owned)
                neighbours = self.entities.field(region).neighbours
                columns += tuple(self.layout.phi[slot] for slot in neighbours.T)
            rows = tuple(
                (self.layout.species[name][region.owned], -change)
                for name, change in one.changes.items()
                if change
            )
            places = (region.owned,) * len(rows)
            yield Term("reaction", "flow", rows, columns, rate, places=places)

    def _surface_excess(self) -> Iterator[Term]:
        """Amount of the species that carry the charge of double layers at neutral layers."""
        for position, joint in enumerate(self.entities.capacitors):
            phi = tuple(self.layout.phi[column] for column in joint.nodes.T)
            for end, sign in ((0, 1), (1, -1)):
                name = _carrier(joint.sides[end], joint.model.double_layer)
                if name is not None:
                    rows = self.layout.species[name][joint.nodes[:, end]]
                    row = (rows, sign / self.model.valences[name])
                    evaluate = electric.capacitor(position, _indices(joint.sides))
                    yield Term("surface excess", "stored", (row,), phi, evaluate)
        for position, face in enumerate(self.entities.contact_capacitors):
            name = _carrier(face.region, face.model.double_layer)
            if name is not None:
                phi = self.layout.phi[face.nodes], self._voltage(face.contact, face.nodes)
                evaluate = electric.contact_capacitor(position, face.contact, face.region.index)
                row = (self.layout.species[name][face.nodes], 1 / self.model.valences[name])
                yield Term("surface excess", "stored", (row,), phi, evaluate)

    def _interface_flows(self) -> Iterator[Term]:
        for position, (joint, name, law) in enumerate(self.entities.flows_between()):
            key = f"{'/'.join(joint.model.sides)}/{name}"
            sides = tuple((side.index, side.laws) for side in joint.sides)
            columns = [
                column
                for (_, laws), ends in zip(sides, joint.nodes.T, strict=True)
                for column in self._columns(law_inputs(laws, name, law), ends)
            ]
            K, L = (self.layout.species[name][ends] for ends in joint.nodes.T)
            flow = make.pair_flow(key, position, sides, name, law)
            rows, places = ((K, 1), (L, -1)), tuple(joint.nodes.T)
            yield Term("exchange", "flow", rows, tuple(columns), flow, places=places)

    def _contact_flows(self) -> Iterator[Term]:
        for position, (face, name, law) in enumerate(self.entities.flows_out()):
            key = f"{face.model.name}/{name}"
            side = (face.region.index, face.region.laws)
            flow = make.contact_flow(key, position, face.contact, side, name, law)
            inputs = law_inputs(face.region.laws, name, law)
            columns = [*self._columns(inputs, face.nodes), self._voltage(face.contact, face.nodes)]
            if law.law.field:
                columns.append(self.layout.phi[self.entities.inner(face)[0]])
            row = (self.layout.species[name][face.nodes], 1)
            into = (face.contact, self.model.valences[name])
            places = (face.nodes,)
            yield Term("contact", "flow", (row,), tuple(columns), flow, *into, places=places)

    def pins(self, pins: Pins) -> Iterator[Term]:
        """Electrochemical potentials equal to their level, or contents as given."""
        for region in self.entities.regions:
            for one in region.laws.species:
                rows = ((self.layout.species[one.name][region.owned], 1),)
                group = pins.groups.get((region.laws.name, one.name))
                if group is None:
                    inputs = density_inputs(region.laws, one.name)
                    evaluate = make.frozen(region.index, region.laws, one.name)
                else:
                    inputs = carrier_inputs(region.laws, one.name)
                    evaluate = make.pinned(region.index, region.laws, one.name, group)
                columns = self._columns(inputs, region.owned)
                yield Term("pinned", "algebraic", rows, columns, evaluate)
        yield from surface.nothing(self.entities)

    def _columns(self, inputs: tuple[str, ...], nodes: Ints) -> tuple[Ints, ...]:
        unknowns = {"phi": self.layout.phi, **self.layout.species}
        return tuple(unknowns[name][nodes] for name in inputs)

    def _voltage(self, contact: int, like: Ints) -> Ints:
        """Column of a contact's voltage."""
        return np.full(len(like), self.layout.n_local + contact)

    def _held(self) -> Iterator[Term]:
        """Carriers in equilibrium with a metal."""
        for position, (face, name) in enumerate(self.entities.held_by_metals()):
            side = (face.region.index, face.region.laws)
            inputs = carrier_inputs(face.region.laws, name)
            columns = (*self._columns(inputs, face.nodes), self._voltage(face.contact, face.nodes))
            row = (self.layout.species[name][face.nodes], 1)
            key = f"{face.model.name}/{name}"
            law = face.model.laws[name]
            evaluate = make.held(key, position, face.contact, side, name, law)
            yield Term("metal", "algebraic", (row,), columns, evaluate)

    def _metal(self, contact: int) -> Term:
        rows = self.entities.metal_rows(contact)
        evaluate = electric.metal_potential(contact)
        columns = (rows, self._voltage(contact, rows))
        return Term("metal", "algebraic", ((rows, 1),), columns, evaluate)


def numbers_of(model: Model) -> dict[str, Any]:
    """All numbers of the model by key, as the terms look them up."""
    numbers: dict[str, Any] = {}
    for region in model.regions:
        numbers[region.name] = {"permittivity": region.permittivity}
        for one in region.species:
            key = f"{region.name}/{one.name}"
            numbers[key] = {"level": one.level, "site_density": one.site_density}
            numbers[f"{key}/statistics"] = dict(one.statistics.numbers)
            numbers[f"{key}/transport"] = dict(one.transport.numbers)
            if one.excess is not None:
                numbers[f"{key}/excess"] = dict(one.excess.numbers)
            if one.swelling is not None:
                numbers[f"{key}/swelling"] = dict(one.swelling.numbers)
        for reaction in region.reactions:
            numbers[f"{region.name}/reaction {reaction.name}"] = dict(reaction.law.numbers)
    for interface in model.interfaces:
        for name, law in interface.laws.items():
            numbers[f"{'/'.join(interface.sides)}/{name}"] = dict(law.numbers)
    for contact in model.contacts:
        for name, law in contact.laws.items():
            numbers[f"{contact.name}/{name}"] = dict(law.numbers_in(model.surroundings))
    return numbers


def _carrier(region: Region, layer: DoubleLayer | None) -> str | None:
    """Species that carries the charge of a double layer on the side of a neutral region."""
    return layer.carriers.get(region.laws.name) if layer and region.laws.neutral else None


def _indices(sides: tuple[Region, Region]) -> tuple[int, int]:
    return sides[0].index, sides[1].index
