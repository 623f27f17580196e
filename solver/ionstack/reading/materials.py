"""Material records: every number with value, unit, source and validity.

A material is one YAML file in ``data/materials`` (or in a folder that the caller
names). A layer material has a permittivity and species; an electrode material
has a work function.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ionstack.errors import InputError, nearest
from ionstack.physics.bounds import AT_LEAST_ONE, POSITIVE
from ionstack.physics.registry import Curve
from ionstack.reading.coupled_curve import THERMAL_CONDUCTIVITY, CoupledCurve, coupled_value
from ionstack.reading.curve_choice import PLACE, CurveChoice
from ionstack.reading.law_choice import LawChoice, Value, law_choice, number, number_or_curve
from ionstack.reading.reaction_choice import ReactionChoice, reaction_choice
from ionstack.reading.schema import Strict, failure, failure_at, validated
from ionstack.reading.solid_schema import SolidChoice, SolidModel
from ionstack.reading.yaml_source import Keys, Node, merged, read_yaml

__all__ = [
    "LawChoice",
    "Material",
    "SpeciesRecord",
    "UsedValue",
    "Value",
    "available_materials",
    "describe_material",
    "load_material",
    "material_from_node",
    "material_values",
]

_CHARGE = Curve("fixed_charge", "1/m^3", PLACE, "fixed elementary charges, with sign")
FixedCharge = Annotated[Value | CurveChoice, number_or_curve(_CHARGE)]

# Numbers that only the balance of heat reads, and all that count only where it is solved.
_OF_HEAT = ("thermal_conductivity", "heat_capacity")
THERMAL = (*_OF_HEAT, "heat_of_transport")

_LIBRARY = Path(__file__).parents[1] / "data" / "materials"


@dataclass(frozen=True)
class SpeciesRecord:
    """How one species behaves in a material; `level` [eV] as in the vacuum scale.

    Species with the same `sublattice` share its sites. `heat_of_transport` [eV], positive
    towards the cold, is that of the Soret effect.
    """

    statistics: LawChoice
    level: Value
    transport: LawChoice
    excess: LawChoice | None = None
    sublattice: str | None = None
    swelling: LawChoice | None = None
    heat_of_transport: Value | None = None


@dataclass(frozen=True)
class Material:
    """A layer material (permittivity, species) or an electrode material (work function).

    One with numbers of `mechanics` only is that of a substrate.

    `fixed_charge` is a number density [1/m^3] of elementary charges, with sign, or a
    curve of the place. `thermal_conductivity` [W/(m K)], a number or a curve, and
    `heat_capacity` per volume [J/(m^3 K)] are needed where heat is computed.
    """

    name: str
    title: str
    relative_permittivity: Value | None
    fixed_charge: Value | CurveChoice
    species: Mapping[str, SpeciesRecord]
    work_function: Value | None
    reactions: Mapping[str, ReactionChoice] = field(default_factory=dict)
    thermal_conductivity: Value | CoupledCurve | None = None
    heat_capacity: Value | None = None
    mechanics: SolidChoice | None = None

    @property
    def is_electrode(self) -> bool:
        """Whether it is an electrode material."""
        return self.work_function is not None


@dataclass(frozen=True)
class UsedValue:
    """One row of a run's list of values; `path` are the keys inside the record.

    A curve has no one value but a `text`.
    """

    material: str
    path: str
    value: float | None
    unit: str
    source: str
    fitted: bool
    activation_energy: float = 0.0
    valid: str = ""
    text: str = ""


class _SpeciesModel(Strict):
    statistics: Annotated[LawChoice, law_choice("statistics")]
    level: Annotated[Value, number("eV")]
    transport: Annotated[LawChoice, law_choice("transport")]
    excess: Annotated[LawChoice, law_choice("excess")] | None = None
    sublattice: Annotated[str, Field(min_length=1)] | None = None
    swelling: Annotated[LawChoice, law_choice("swelling")] | None = None
    heat_of_transport: Annotated[Value, number("eV")] | None = None


class _MaterialModel(Strict):
    title: Annotated[str, Field(min_length=1)]
    relative_permittivity: Annotated[Value, number("1", AT_LEAST_ONE)] | None = None
    fixed_charge: FixedCharge = Value(0.0, "1/m^3", "no fixed charge given")
    work_function: Annotated[Value, number("eV", POSITIVE)] | None = None
    thermal_conductivity: (
        Annotated[Value | CoupledCurve, coupled_value(THERMAL_CONDUCTIVITY)] | None
    ) = None
    heat_capacity: Annotated[Value, number("J/(m^3*K)", POSITIVE)] | None = None
    species: dict[str, _SpeciesModel] = Field(default_factory=dict)
    # Null takes a reaction of the library out.
    reactions: dict[str, Annotated[ReactionChoice, reaction_choice()] | None] = Field(
        default_factory=dict
    )
    mechanics: SolidModel | None = None

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        layer = self.relative_permittivity is not None and bool(self.species)
        electrode = self.work_function is not None
        if electrode and (self.species or self.relative_permittivity is not None):
            message = "an electrode has a work_function and neither species nor permittivity"
            raise failure("role", message)
        substrate = self.mechanics is not None and not self.species
        if not electrode and not layer and not substrate:
            message = (
                "needs relative_permittivity and species (layer), work_function (electrode), "
                "or mechanics (substrate)"
            )
            raise failure("role", message)
        return self

    @model_validator(mode="after")
    def _reactions_of_own_species(self) -> Self:
        for name, reaction in self.reactions.items():
            wrong = reaction.unknown(list(self.species)) if reaction else None
            if wrong is not None:
                raise failure_at(("reactions", name, "equation"), "equation", wrong, name)
        return self

    @model_validator(mode="after")
    def _shared_sites(self) -> Self:
        for name, one in self.species.items():
            if one.sublattice is not None:
                sharing = {k: o for k, o in self.species.items() if o.sublattice == one.sublattice}
                _check_sites(name, sharing)
        return self


def _check_sites(name: str, sharing: Mapping[str, _SpeciesModel]) -> None:
    """Species that share sites are a lattice gas on the same sites."""
    sites = sharing[name].sublattice
    kinds = {key: one.statistics.kind for key, one in sharing.items()}
    densities = {key: one.statistics.values["site_density"].value for key, one in sharing.items()}
    odd = next((key for key, kind in kinds.items() if kind != "lattice_gas"), None)
    message = ""
    if len(sharing) == 1:
        message = f"no other species shares the sites {sites!r}"
    elif odd is not None:
        name, message = odd, f"shared sites need lattice_gas, found {kinds[odd]}"
    elif len(set(densities.values())) > 1:
        listed = ", ".join(f"{key} {value:g} 1/m^3" for key, value in densities.items())
        message = f"shared sites need one site_density, found {listed}"
    if message:
        raise failure_at(("species", name, "sublattice"), "sublattice", message, sites)


def available_materials(search_paths: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the names of all materials, those of the library and of further folders."""
    return tuple(sorted(_files(search_paths)))


def load_material(name: str, search_paths: Sequence[Path] = ()) -> Material:
    """Read one material by name; earlier folders win over later ones and the library.

    Raises `InputError` for an unknown name and for every mistake in the file.
    """
    node = material_node(name, search_paths)
    if node is None:
        raise InputError(unknown_material(name, available_materials(search_paths)))
    return material_from_node(name, node)


def material_node(
    name: str, search_paths: Sequence[Path] = (), inline: Node | None = None
) -> Node | None:
    """Return the located record of a material with `inline` changes on top, if it exists."""
    file = _files(search_paths).get(name)
    library = read_yaml(file) if file is not None else None
    return library if inline is None else merged(library, inline)


def material_from_node(name: str, node: Node, at: Keys = ()) -> Material:
    """Check a located record; `at` are the keys under which it stands in its file."""
    read = validated(_MaterialModel, node, at)
    species = {key: SpeciesRecord(**dict(model)) for key, model in read.species.items()}
    reactions = {key: one for key, one in read.reactions.items() if one is not None}
    solid = None if read.mechanics is None else read.mechanics.choice()
    parts = {"species": species, "reactions": reactions, "mechanics": solid}
    return Material(name=name, **{**dict(read), **parts})


def unknown_material(name: str, known: Sequence[str]) -> str:
    """Return the sentence for a material that no folder has."""
    return f"unknown material {name!r}; available: {', '.join(known)}{nearest(name, known)}"


def describe_material(material: Material) -> str:
    """Return a table of all numbers of a material with unit, source and validity."""
    return "\n".join(
        [f"{material.name}: {material.title}", *value_table(material_values(material))]
    )


def value_table(rows: Sequence[UsedValue]) -> list[str]:
    """Return lines with aligned columns: quantity, value, unit, activation, validity, source."""
    header = ("quantity", "value", "unit", "E_a [eV]", "fitted", "valid", "source")
    cells = [header, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header) - 1)]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in cells]


def material_values(material: Material) -> tuple[UsedValue, ...]:
    """Return every number of a material as a row."""
    return tuple(used_value(material.name, path, value) for path, value in _values(material))


def law_values(prefix: str, choice: LawChoice) -> Iterator[tuple[str, Value | CurveChoice]]:
    """Yield the numbers and curves of a law with their paths below `prefix`."""
    for name, value in choice.values.items():
        yield f"{prefix}.{name}", value
    for name, curve in choice.curves.items():
        yield f"{prefix}.{name}", curve


def used_value(owner: str, path: str, value: Value | CurveChoice) -> UsedValue:
    """Return the row of one number or curve."""
    if isinstance(value, CurveChoice):
        origin = (value.unit, value.source, value.fitted)
        return UsedValue(owner, path, None, *origin, valid=value.valid, text=value.text)
    numbers = (value.value, value.unit, value.source, value.fitted)
    return UsedValue(owner, path, *numbers, value.activation_energy, value.valid)


def _values(material: Material) -> Iterator[tuple[str, Value | CurveChoice]]:
    if material.work_function is not None:
        yield "work_function", material.work_function
    if material.relative_permittivity is not None:
        yield "relative_permittivity", material.relative_permittivity
    for name in _OF_HEAT:
        thermal: Value | CoupledCurve | None = getattr(material, name)
        if thermal is not None:
            yield name, thermal.curve if isinstance(thermal, CoupledCurve) else thermal
    charge = material.fixed_charge
    if isinstance(charge, CurveChoice) or charge.value:
        yield "fixed_charge", charge
    for name, record in material.species.items():
        yield f"species.{name}.level", record.level
        if record.heat_of_transport is not None:
            yield f"species.{name}.heat_of_transport", record.heat_of_transport
        for part in ("statistics", "excess", "transport", "swelling"):
            choice: LawChoice | None = getattr(record, part)
            if choice is not None:
                yield from law_values(f"species.{name}.{part}", choice)
    for name, reaction in material.reactions.items():
        yield from law_values(f"reactions.{name}", reaction.law)
        if reaction.focus is not None:
            yield f"reactions.{name}.focus", reaction.focus
    for path, value in material.mechanics.values() if material.mechanics else ():
        yield f"mechanics.{path}", value


def _cells(row: UsedValue) -> tuple[str, ...]:
    activation = f"{row.activation_energy:g}" if row.activation_energy else ""
    unit = "" if row.unit == "1" else row.unit
    fitted = "fitted" if row.fitted else ""
    value = row.text if row.value is None else f"{row.value:.6g}"
    return row.path, value, unit, activation, fitted, row.valid, row.source


def _files(search_paths: Sequence[Path]) -> dict[str, Path]:
    folders: list[Any] = [_LIBRARY, *reversed(search_paths)]
    return {file.stem: file for folder in folders for file in sorted(Path(folder).glob("*.yaml"))}
