"""The model of a checked case: its materials and choices of laws, bound together."""

from __future__ import annotations

from ionstack.casefile.boundary_schema import Boundary, DoubleLayerChoice
from ionstack.casefile.case import Case
from ionstack.casefile.case_schema import LayerChoice
from ionstack.casefile.noise_schema import NoiseChoice
from ionstack.casefile.nucleation_schema import NucleationChoice, NucleusChoice, ScatterChoice
from ionstack.errors import InputError
from ionstack.geometry.stack import Electrode
from ionstack.models.model import (
    Arrhenius,
    BarrierScatter,
    BoundLaw,
    ContactModel,
    DoubleLayer,
    InterfaceModel,
    Model,
    NoiseModel,
    NucleationModel,
    NucleusModel,
    ReactionModel,
    RegionModel,
    SpeciesModel,
)
from ionstack.models.place_profile import PlaceProfile, Profile
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.registry import Kind
from ionstack.randomness.site_scatter import Scatter
from ionstack.reading.curve_choice import CurveChoice
from ionstack.reading.materials import LawChoice, SpeciesRecord, Value

# Scales the occupation; no number of the law itself.
_SITES = "site_density"


def build_model(case: Case) -> Model:
    """Bind the case's materials and law choices (see `Case`) into a `Model`."""
    regions = tuple(_region(case, layer.name, layer.material) for layer in case.stack.layers)
    interfaces = tuple(_interface(case, key) for key in case.interfaces)
    contacts = tuple(_contact(case, electrode) for electrode in case.stack.electrodes)
    laws_of = regions, interfaces, contacts
    return Model(
        case.temperature,
        dict(case.valences),
        *laws_of,
        pressures=dict(case.ambient),
        heated=case.heat is not None,
        noise=None if case.noise is None else _noise(case.noise),
    )


def _noise(choice: NoiseChoice) -> NoiseModel:
    flows, reactions = (
        tuple((layer, name) for layer, names in every.items() for name in names)
        for every in (choice.flows, choice.reactions)
    )
    return NoiseModel(choice.correlation_time.value, flows, reactions)


def given_contents(case: Case) -> dict[str, dict[str, float | Profile]]:
    """Site fractions at the start by layer and species, numbers or by place."""
    return {
        layer: {
            name: PlaceProfile(one.function) if isinstance(one, CurveChoice) else one
            for name, one in given.items()
        }
        for layer, given in case.contents.items()
    }


def _interface(case: Case, key: str) -> InterfaceModel:
    extra = case.boundaries.get(key, Boundary())
    chosen = {name: _bind("interface", one) for name, one in case.interfaces[key].items()}
    charge = 0.0 if extra.sheet_charge is None else extra.sheet_charge.value
    return InterfaceModel(_sides(key), chosen, _double_layer(extra.double_layer), charge)


def _contact(case: Case, electrode: Electrode) -> ContactModel:
    extra = case.boundaries.get(electrode.name, Boundary())
    chosen = {name: _bind("contact", one) for name, one in case.contacts[electrode.name].items()}
    work_function = None if extra.ohmic else _work_function(case, electrode.material)
    capacitor = _double_layer(extra.double_layer)
    nuclei = _nucleation(case.nucleation.get(electrode.name))
    return ContactModel(electrode.name, work_function, chosen, capacitor, extra.floating, nuclei)


def _nucleation(choice: NucleationChoice | None) -> NucleationModel | None:
    if choice is None:
        return None
    law, scatter = _bind("nucleation", choice.law), _scatter(choice.scatter)
    return NucleationModel(law, _focus(choice.focus), scatter, _nucleus(choice.nucleus))


def _nucleus(choice: NucleusChoice | None) -> NucleusModel | None:
    if choice is None:
        return None
    return NucleusModel(choice.species, choice.radius.value, choice.bias.value)


def _focus(choice: CurveChoice | None) -> PlaceProfile | None:
    return None if choice is None else PlaceProfile(choice.function)


def _scatter(choice: ScatterChoice | None) -> BarrierScatter | None:
    if choice is None:
        return None
    if choice.normal is not None:
        spread = Scatter("normal", choice.normal.value * ELEMENTARY_CHARGE)
    else:
        assert choice.lognormal is not None
        spread = Scatter("lognormal", choice.lognormal.value)
    return BarrierScatter(choice.site_density.value, spread)


def _double_layer(choice: DoubleLayerChoice | None) -> DoubleLayer | None:
    if choice is None:
        return None
    offset = 0.0 if choice.offset is None else choice.offset.value
    return DoubleLayer(choice.capacitance.value, offset, dict(choice.carriers))


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
    stressed = case.mechanics is not None
    species = tuple(
        _species(key, case.valences[key], record, stressed)
        for key, record in material.species.items()
        if key in case.valences
    )
    choice = case.layers.get(layer, LayerChoice())
    charge = choice.fixed_charge or material.fixed_charge
    return RegionModel(
        name=layer,
        permittivity=material.relative_permittivity.value,
        fixed_charge=charge.value if isinstance(charge, Value) else PlaceProfile(charge.function),
        species=species,
        reactions=tuple(
            ReactionModel(key, one.left, one.right, _bind("reaction", one.law), _focus(one.focus))
            for key, one in material.reactions.items()
        ),
        neutral=choice.neutral,
    )


def _species(name: str, z: int, record: SpeciesRecord, stressed: bool) -> SpeciesModel:
    return SpeciesModel(
        name=name,
        z=z,
        level=record.level.value,
        site_density=record.statistics.values[_SITES].value,
        statistics=_bind("statistics", record.statistics),
        excess=None if record.excess is None else _bind("excess", record.excess),
        transport=_bind("transport", record.transport),
        sublattice=record.sublattice,
        swelling=_bind("swelling", record.swelling) if stressed and record.swelling else None,
        heat_of_transport=record.heat_of_transport.value if record.heat_of_transport else None,
    )


def _bind(kind: Kind, choice: LawChoice) -> BoundLaw:
    entry = laws(kind)[choice.kind]
    names = [one.name for one in entry.parameters if one.name != _SITES]
    numbers = {name: _arrhenius(choice.values[name]) for name in names}
    curves = {one.name: choice.curves[one.name].function for one in entry.curves}
    return BoundLaw(entry, numbers, choice.couples, curves, dict(choice.gas))


def _arrhenius(value: Value) -> Arrhenius:
    return Arrhenius(value.value, value.activation_energy, value.reference_temperature)
