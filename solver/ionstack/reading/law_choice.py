"""A registered law with its numbers and curves, as chosen in a material or case file.

The registry of laws decides what a file may say: the names under ``kind``, the
parameters, their units, and whether a further species is coupled.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PlainValidator, create_model

from ionstack.physics.bounds import (
    ANY,
    AT_LEAST_ONE,
    BELOW_ONE,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Bounds,
)
from ionstack.physics.registry import Curve, Kind, Law, Parameter, laws
from ionstack.reading.curve_choice import FOCUS, CurveChoice, curve_choice, read_curve
from ionstack.reading.schema import (
    Origin,
    Strict,
    failure,
    failure_at,
    not_among,
    quantity,
    read_quantity,
)

ACTIVATED_UNITS = (
    *("m^2/s", "S/m", "S/m^2", "A/m^2", "m^2/(V*s)", "1/(m^3*s)", "m/s"),
    *("1/(m^2*s)", "1/(m*s)", "1/s"),
)
_POSITIVE = (
    "anisotropy",
    "atomic_volume",
    "barrier_height",
    "diffusivity",
    "effective_mass",
    "first_lifetime",
    "mobility",
    "permeability",
    "reorganisation_energy",
    "second_lifetime",
)
_NOT_NEGATIVE = ("oxygen_order", "water_order", "width")

_FocusChoice = Annotated[CurveChoice, curve_choice(FOCUS, NOT_NEGATIVE)]
_Particles = Annotated[float, quantity("1", Bounds(not_zero=True))]


@dataclass(frozen=True)
class Value:
    """One number with its origin.

    `value` is in `unit` (SI, energies in eV). With `activation_energy` [eV] it
    holds at `reference_temperature` [K] and follows Arrhenius elsewhere. `valid`
    says in words where it may be used; `fitted` marks what no source gives.
    """

    value: float
    unit: str
    source: str
    fitted: bool = False
    activation_energy: float = 0.0
    reference_temperature: float = 298.15
    valid: str = ""


@dataclass(frozen=True)
class LawChoice:
    """A law of the registry by name, its values by parameter, the species it couples.

    `gas` are particles of gases per particle of the species, see `physics.gases`.
    """

    kind: str
    values: Mapping[str, Value]
    couples: str | None = None
    curves: Mapping[str, CurveChoice] = field(default_factory=dict)
    gas: Mapping[str, float] = field(default_factory=dict)


class _Number(Origin):
    value: Any


class _ActivatedNumber(_Number):
    activation_energy: Annotated[float, quantity("eV", NOT_NEGATIVE)] = 0.0
    reference_temperature: Annotated[float, quantity("K", POSITIVE)] = 298.15


def registered(kind: Kind) -> dict[str, Law]:
    """Return the laws of one kind, with all law modules loaded."""
    importlib.import_module("ionstack.physics.catalogue")
    return laws(kind)


def number(unit: str, bounds: Bounds = ANY) -> PlainValidator:
    """Make the reader of a number with unit and source."""
    return PlainValidator(partial(read_number, unit=unit, bounds=bounds))


def number_or_curve(curve: Curve, bounds: Bounds = ANY) -> PlainValidator:
    """Make the reader of a number that may be given as a formula or table instead."""
    return PlainValidator(partial(_read_number_or_curve, curve=curve, bounds=bounds))


def law_choice(kind: Kind) -> PlainValidator:
    """Make the reader of a law of one kind (``kind: name`` and its parameters)."""
    return PlainValidator(partial(read_law, kind=kind))


def read_number(data: object, unit: str, bounds: Bounds) -> Value:
    """Read a number with unit and source; raise the error of what is wrong with it."""
    if isinstance(data, Value):
        return data
    if not isinstance(data, dict):
        raise failure("number", f"expected 'value:' and 'source:', found {data!r}")
    model = _number_model(unit, bounds)
    return Value(unit=unit, **model.model_validate(data).model_dump())


def _read_number_or_curve(data: object, curve: Curve, bounds: Bounds) -> Value | CurveChoice:
    if isinstance(data, dict) and ("formula" in data or "table" in data):
        return read_curve(data, curve, bounds)
    if isinstance(data, CurveChoice):
        return data
    return read_number(data, curve.unit, bounds)


@functools.cache
def _number_model(unit: str, bounds: Bounds) -> type[BaseModel]:
    reader = BeforeValidator(partial(read_quantity, unit=unit, bounds=bounds))
    base = _ActivatedNumber if unit in ACTIVATED_UNITS else _Number
    return create_model("Number", __base__=base, value=(Annotated[float, reader], ...))


def read_law(data: object, kind: Kind) -> LawChoice:
    """Read a law of one kind; raise the error of what is wrong with it."""
    if isinstance(data, LawChoice):
        return data
    if not isinstance(data, dict):
        raise failure("law", f"expected 'kind:' and its parameters, found {data!r}")
    choices = registered(kind)
    name = data.get("kind")
    if name is None:
        raise failure_at("kind", "law", f"missing; allowed: {', '.join(choices)}", data)
    if not isinstance(name, str) or name not in choices:
        message = not_among(f"{kind} law", str(name), list(choices))
        raise failure_at("kind", "law", message, name)
    law = choices[name]
    if kind == "contact" and "gas" in data and not _takes_gas(law):
        able = ", ".join(one.name for one in choices.values() if _takes_gas(one))
        message = f"{name} has no chemical potential that a gas could set; laws that have: {able}"
        raise failure_at("gas", "gas", message, data["gas"])
    read = _law_model(kind, law.name).model_validate(data)
    values = {parameter.name: getattr(read, parameter.name) for parameter in law.parameters}
    curves = {curve.name: getattr(read, curve.name) for curve in law.curves}
    couples, gas = getattr(read, "couples", None), getattr(read, "gas", {})
    return LawChoice(law.name, values, couples, curves, gas)


def _takes_gas(law: Law) -> bool:
    return any(one.name == "chemical_potential" for one in law.parameters)


@functools.cache
def _law_model(kind: Kind, name: str) -> type[BaseModel]:
    law = registered(kind)[name]
    fields: dict[str, Any] = {"kind": (str, ...)}
    if kind == "reaction":
        fields["equation"] = (str, ...)
        if law.field:
            fields["focus"] = (_FocusChoice | None, None)
    if law.couples:
        fields["couples"] = (str, ...)
    if kind == "contact" and _takes_gas(law):
        fields["gas"] = (dict[str, _Particles], Field(default_factory=dict))
    fields |= {parameter.name: _field(parameter) for parameter in law.parameters}
    fields |= {one.name: (_curve_field(one), ...) for one in law.curves}
    return create_model(f"{kind}_{name}", __base__=Strict, **fields)


def _field(parameter: Parameter) -> tuple[Any, Any]:
    kind = Annotated[Value, number(parameter.unit, _bounds(parameter))]
    if parameter.default is None:
        return kind, ...
    return kind, Value(parameter.default, parameter.unit, "default of the law")


def _curve_field(curve: Curve) -> Any:
    return Annotated[CurveChoice, curve_choice(curve, _bounds(curve))]


def _bounds(parameter: Parameter | Curve) -> Bounds:
    """Range of a parameter, which its unit and name imply."""
    if parameter.name.endswith("permittivity") or parameter.name == "percolation_exponent":
        return AT_LEAST_ONE
    if parameter.unit in ("1/m^3", "m", "K") or parameter.name.endswith("_content"):
        return POSITIVE
    if parameter.name in _POSITIVE:
        return POSITIVE
    if parameter.name in ("transfer_coefficient", "porosity"):
        return FRACTION
    if parameter.name == "percolation_threshold":
        return BELOW_ONE
    either = parameter.unit in ("eV", "V", "1") or parameter.name == "partial_molar_volume"
    signed = either and parameter.name not in _NOT_NEGATIVE
    return ANY if signed else NOT_NEGATIVE
