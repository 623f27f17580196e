"""The model: which laws hold where, with which numbers. It knows no mesh and no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import jax

from ionstack.case import Case
from ionstack.errors import InputError
from ionstack.materials import LawChoice, SpeciesRecord, Value
from ionstack.physics.catalogue import laws
from ionstack.physics.registry import Kind, Law

# Scales the occupation; no number of the law itself.
_SITES = "site_density"


class Arrhenius(NamedTuple):
    """A number with its temperature dependence: value * exp(-E/k (1/T - 1/T_ref))."""

    value: float
    activation_energy: float  # eV
    reference_temperature: float  # K


Numbers = Mapping[str, Arrhenius]


@dataclass(frozen=True)
class BoundLaw:
    """A registered law with its numbers and curves, and the species that it reads too."""

    law: Law
    numbers: Numbers
    couples: str | None = None
    curves: Mapping[str, Callable[..., jax.Array]] = field(default_factory=dict)


@dataclass(frozen=True)
class SpeciesModel:
    """A species in one region; `level` is its standard potential [eV].

    The numbers of `statistics` are those besides the site density.
    """

    name: str
    z: int
    level: float
    site_density: float
    statistics: BoundLaw
    excess: BoundLaw | None
    transport: BoundLaw


@dataclass(frozen=True)
class RegionModel:
    """Laws of one layer; `fixed_charge` in elementary charges per m^3."""

    name: str
    permittivity: float  # relative
    fixed_charge: float
    species: tuple[SpeciesModel, ...]

    def find(self, name: str) -> SpeciesModel | None:
        """Return the species of that name, or None where the region does not hold it."""
        return next((one for one in self.species if one.name == name), None)

    def held(self, name: str) -> SpeciesModel:
        """Return the species of that name, which the region must hold."""
        return next(one for one in self.species if one.name == name)


@dataclass(frozen=True)
class InterfaceModel:
    """Laws between two regions; sides K and L as named in the case file."""

    sides: tuple[str, str]
    laws: Mapping[str, BoundLaw]


@dataclass(frozen=True)
class ContactModel:
    """Laws between a metal and the layers that it touches."""

    name: str
    work_function: float  # eV
    laws: Mapping[str, BoundLaw]


@dataclass(frozen=True)
class Model:
    """Everything that the equations need besides geometry and voltages."""

    temperature: float
    valences: Mapping[str, int]
    regions: tuple[RegionModel, ...]
    interfaces: tuple[InterfaceModel, ...]
    contacts: tuple[ContactModel, ...]

    def region(self, name: str) -> RegionModel:
        """Return the region of that name."""
        return next(one for one in self.regions if one.name == name)

    def groups(self, species: str, touched: Mapping[str, set[str]]) -> tuple[Group, ...]:
        """Split a species into parts that can exchange particles among themselves.

        `touched` gives for each contact the regions that it touches.
        """
        holders = [one.name for one in self.regions if one.find(species)]
        links = [one.sides for one in self.interfaces if _passes(one.laws, species)]
        parts = _components(holders, links)
        supplied = set()
        for contact in self.contacts:
            if _passes(contact.laws, species):
                supplied |= touched[contact.name]
        return tuple(Group(species, tuple(part), bool(supplied & set(part))) for part in parts)


@dataclass(frozen=True)
class Group:
    """Connected regions of one species; `open` when a contact can supply the species."""

    species: str
    regions: tuple[str, ...]
    open: bool


def build_model(case: Case) -> Model:
    """Bind the case's materials and law choices (see `Case`) into a `Model`."""
    regions = tuple(_region(case, layer.name, layer.material) for layer in case.stack.layers)
    interfaces = tuple(
        InterfaceModel(_sides(key), {name: _bind("interface", one) for name, one in chosen.items()})
        for key, chosen in case.interfaces.items()
    )
    contacts = tuple(
        ContactModel(
            electrode.name,
            _work_function(case, electrode.material),
            {n: _bind("contact", one) for n, one in case.contacts[electrode.name].items()},
        )
        for electrode in (case.stack.top, case.stack.bottom)
    )
    return Model(case.temperature, dict(case.valences), regions, interfaces, contacts)


def _sides(key: str) -> tuple[str, str]:
    first, second = key.split("/")
    return first, second


def _work_function(case: Case, name: str) -> float:
    value = case.materials[name].work_function
    if value is None:
        raise InputError(f"{case.path}: electrode material {name!r} has no work_function")
    return value.value


def _region(case: Case, layer: str, name: str) -> RegionModel:
    material = case.materials[name]
    if material.relative_permittivity is None:
        raise InputError(f"{case.path}: layer material {name!r} has no relative_permittivity")
    species = tuple(
        _species(key, case.valences[key], record)
        for key, record in material.species.items()
        if key in case.valences
    )
    return RegionModel(
        layer, material.relative_permittivity.value, material.fixed_charge.value, species
    )


def _species(name: str, z: int, record: SpeciesRecord) -> SpeciesModel:
    return SpeciesModel(
        name=name,
        z=z,
        level=record.level.value,
        site_density=record.statistics.values[_SITES].value,
        statistics=_bind("statistics", record.statistics),
        excess=None if record.excess is None else _bind("excess", record.excess),
        transport=_bind("transport", record.transport),
    )


def _bind(kind: Kind, choice: LawChoice) -> BoundLaw:
    entry = laws(kind)[choice.kind]
    names = [one.name for one in entry.parameters if one.name != _SITES]
    numbers = {name: _arrhenius(choice.values[name]) for name in names}
    curves = {one.name: choice.curves[one.name].function for one in entry.curves}
    return BoundLaw(entry, numbers, choice.couples, curves)


def _arrhenius(value: Value) -> Arrhenius:
    return Arrhenius(value.value, value.activation_energy, value.reference_temperature)


def _passes(chosen: Mapping[str, BoundLaw], species: str) -> bool:
    return species in chosen and chosen[species].law.name != "blocking"


def _components(names: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Connected components, in order of first appearance."""
    parts = [[name] for name in names]
    for first, second in links:
        joined = [part for part in parts if first in part or second in part]
        if len(joined) == 2:
            joined[0].extend(joined[1])
            parts.remove(joined[1])
    return parts
