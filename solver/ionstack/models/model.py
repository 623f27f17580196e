"""The model: which laws hold where, with which numbers. It knows no mesh and no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import jax

from ionstack.models.place_profile import Profile
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.gases import gas_potential
from ionstack.physics.registry import Law
from ionstack.protocols.surroundings import Surroundings
from ionstack.randomness.site_scatter import Scatter

_POTENTIAL = "chemical_potential"


class Arrhenius(NamedTuple):
    """A number with its temperature dependence: value * exp(-E/k (1/T - 1/T_ref))."""

    value: float
    activation_energy: float  # eV
    reference_temperature: float  # K


Numbers = Mapping[str, Arrhenius]


@dataclass(frozen=True)
class BoundLaw:
    """A registered law with its numbers and curves, and the species it reads besides its own.

    `gas` are particles of gases per particle of the species with which the law is in equilibrium.
    """

    law: Law
    numbers: Numbers
    couples: str | None = None
    curves: Mapping[str, Callable[..., jax.Array]] = field(default_factory=dict)
    gas: Mapping[str, float] = field(default_factory=dict)

    def numbers_in(self, surroundings: Surroundings) -> Numbers:
        """Its numbers, with the chemical potential that the gases give or their pressures [Pa]."""
        if self.law.binding is not None:
            return {**self.numbers, **_pressures(self.law.binding.gases, surroundings)}
        if not self.gas:
            return self.numbers
        thermal = thermal_voltage(surroundings.temperature)
        own = self.numbers[_POTENTIAL]
        shift = gas_potential(self.gas, surroundings.pressures, thermal)
        return {**self.numbers, _POTENTIAL: own._replace(value=own.value + shift)}


def _pressures(gases: Iterable[str], surroundings: Surroundings) -> Numbers:
    given = surroundings.pressures
    return {f"pressure_{gas}": Arrhenius(given.get(gas, 0.0), 0.0, 298.15) for gas in gases}


@dataclass(frozen=True)
class SpeciesModel:
    """A species in one region; `level` is its standard potential [eV].

    Species of a region with the same `sublattice` share its sites. The numbers of
    `statistics` are those besides the site density. A gradient of temperature moves a species
    with a `heat_of_transport` [eV], positive towards the cold.
    """

    name: str
    z: int
    level: float
    site_density: float
    statistics: BoundLaw
    excess: BoundLaw | None
    transport: BoundLaw
    sublattice: str | None = None
    swelling: BoundLaw | None = None
    heat_of_transport: float | None = None

    @property
    def gradient_energy(self) -> float:
        """Coefficient kappa of the gradient term -kappa lap(x) [eV m^2], 0 without one."""
        number = self.excess.numbers.get("gradient_energy") if self.excess else None
        return 0.0 if number is None else number.value


@dataclass(frozen=True)
class ReactionModel:
    """A reaction between species of one region: counts of particles on both sides.

    `focus` is the field at a place over that of the model, for laws that read it.
    """

    name: str
    left: tuple[tuple[str, int], ...]
    right: tuple[tuple[str, int], ...]
    law: BoundLaw
    focus: Profile | None = None

    @property
    def changes(self) -> dict[str, int]:
        """Particles of each species that one event makes (negative: takes)."""
        found: dict[str, int] = {}
        for sign, side in ((-1, self.left), (1, self.right)):
            for name, count in side:
                found[name] = found.get(name, 0) + sign * count
        return found


@dataclass(frozen=True)
class RegionModel:
    """Laws of one layer; `fixed_charge` in elementary charges per m^3.

    A `neutral` layer has no space charge: its potential follows from charge neutrality.
    """

    name: str
    permittivity: float  # relative
    fixed_charge: float | Profile
    species: tuple[SpeciesModel, ...]
    reactions: tuple[ReactionModel, ...] = ()
    neutral: bool = False

    def find(self, name: str) -> SpeciesModel | None:
        """Return the species of that name, or None where the region does not hold it."""
        return next((one for one in self.species if one.name == name), None)

    def held(self, name: str) -> SpeciesModel:
        """Return the species of that name, which the region must hold."""
        return next(one for one in self.species if one.name == name)

    @property
    def swelling(self) -> tuple[SpeciesModel, ...]:
        """Species that strain the region, where stress is solved for."""
        return tuple(one for one in self.species if one.swelling is not None)

    @property
    def reads_field(self) -> bool:
        """Whether a reaction depends on the electric field."""
        return any(one.law.law.field for one in self.reactions)

    def rivals(self, name: str) -> tuple[SpeciesModel, ...]:
        """Return the other species that share the sites of a species."""
        own = self.held(name).sublattice
        if own is None:
            return ()
        return tuple(one for one in self.species if one.sublattice == own and one.name != name)


@dataclass(frozen=True)
class DoubleLayer:
    """A capacitor between two potentials at an interface or contact.

    `offset` [V] is the difference (K - L, layer - metal) without charge. A neutral layer
    stores the charge as a surface excess of its species in `carriers`.
    """

    capacitance: float  # F/m^2
    offset: float = 0.0
    carriers: Mapping[str, str] = field(default_factory=dict)  # species by region


@dataclass(frozen=True)
class InterfaceModel:
    """Laws between two regions; sides K and L as named in the case file.

    `sheet_charge` in elementary charges per m^2, on side K.
    """

    sides: tuple[str, str]
    laws: Mapping[str, BoundLaw]
    double_layer: DoubleLayer | None = None
    sheet_charge: float = 0.0

    def merges(self, species: str) -> bool:
        """Whether both sides share the unknown of a species."""
        return species in self.laws and self.laws[species].law.merges


@dataclass(frozen=True)
class BarrierScatter:
    """Places of a `density` [1/m^2], each with a barrier of its own; deviations in J or of ln."""

    density: float
    spread: Scatter


@dataclass(frozen=True)
class NucleusModel:
    """What an event leaves in the field of a `species`: what of the layer is within a `radius` [m].

    While its atoms come they are held by `bias` [eV] each.
    """

    species: str
    radius: float
    bias: float


@dataclass(frozen=True)
class NucleationModel:
    """A law of kind "nucleation" at a contact, and what it is multiplied or spread by.

    `focus` is the field at a place of the face over that of the model. Without a `nucleus`
    events are only told.
    """

    law: BoundLaw
    focus: Profile | None = None
    scatter: BarrierScatter | None = None
    nucleus: NucleusModel | None = None


@dataclass(frozen=True)
class ContactModel:
    """Laws between a metal and the layers that it touches.

    Without a `work_function` the bands of the layer are flat at the contact (ohmic).
    A `floating` metal takes the potential at which no current flows.
    """

    name: str
    work_function: float | None  # eV
    laws: Mapping[str, BoundLaw]
    double_layer: DoubleLayer | None = None
    floating: bool = False
    nucleation: NucleationModel | None = None


@dataclass(frozen=True)
class NoiseModel:
    """Thermal noise of flows (region, species) and of reactions (region, name).

    It stays the same for a `correlation_time` [s].
    """

    correlation_time: float
    flows: tuple[tuple[str, str], ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """All that fluctuates."""
        return (*self.flows, *self.reactions)


@dataclass(frozen=True)
class Model:
    """Everything that the equations need besides geometry and voltages.

    `pressures` are the partial pressures [Pa] of the gases around the device. Where the model
    is `heated` the temperature may be a field, and this one is that of the surroundings.
    """

    temperature: float
    valences: Mapping[str, int]
    regions: tuple[RegionModel, ...]
    interfaces: tuple[InterfaceModel, ...]
    contacts: tuple[ContactModel, ...]
    pressures: Mapping[str, float] = field(default_factory=dict)
    heated: bool = False
    noise: NoiseModel | None = None

    @property
    def surroundings(self) -> Surroundings:
        """Temperature and gas around the device."""
        return Surroundings(self.temperature, self.pressures)

    def surrounded(self, new: Surroundings) -> Model:
        """The same model in other surroundings."""
        return replace(self, temperature=new.temperature, pressures=new.pressures)

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
        result = []
        for part in parts:
            levels = {
                _supply(contact.laws[species], self.surroundings)
                for contact in self.contacts
                if _passes(contact.laws, species) and touched[contact.name] & set(part)
            }
            result.append(Group(species, tuple(part), tuple(sorted(levels))))
        return tuple(result)


@dataclass(frozen=True)
class Group:
    """Connected regions of one species.

    `levels` are the electrochemical potentials [V] at which contacts at 0 V supply the
    species: none for a closed group, several where contacts disagree.
    """

    species: str
    regions: tuple[str, ...]
    levels: tuple[float, ...]

    @property
    def open(self) -> bool:
        """Whether a contact can supply the species."""
        return bool(self.levels)


def _supply(law: BoundLaw, surroundings: Surroundings) -> float:
    """Electrochemical potential [V] at which a metal at 0 V supplies a species."""
    number = law.numbers_in(surroundings).get(_POTENTIAL)
    return 0.0 if number is None else number.value


def _passes(chosen: Mapping[str, BoundLaw], species: str) -> bool:
    return species in chosen and chosen[species].law.passes


def _components(names: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Connected components, in order of first appearance."""
    parts = [[name] for name in names]
    for first, second in links:
        joined = [part for part in parts if first in part or second in part]
        if len(joined) == 2:
            joined[0].extend(joined[1])
            parts.remove(joined[1])
    return parts
