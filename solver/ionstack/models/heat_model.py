"""What the balance of heat needs besides geometry and sources. It knows no mesh and no files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ionstack.casefile.case import Case
from ionstack.casefile.heat_schema import HeatContact
from ionstack.circuits.circuit import contact_of
from ionstack.physics.heat import series_conductance, spreading_resistance
from ionstack.reading.coupled_curve import CoupledCurve
from ionstack.reading.materials import Value


@dataclass(frozen=True)
class Conductivity:
    """Thermal conductivity [W/(m K)] as a function of a species' content and of T [K]."""

    curve: Callable[..., Any]
    couples: str | None = None


@dataclass(frozen=True)
class Medium:
    """Thermal conductivity [W/(m K)] and heat capacity per volume [J/(m^3 K)] of a layer."""

    conductivity: float | Conductivity
    capacity: float = 0.0


@dataclass(frozen=True)
class Sink:
    """How a contact takes heat up.

    The layer gives heat to the metal through `conductance` [W/(m^2 K)], infinite where they
    touch perfectly. The metal has one temperature. It gives the heat on through `resistance`
    [K/W] to a place at `temperature` [K], None for that of the surroundings.
    """

    conductance: float
    resistance: float = 0.0
    temperature: float | None = None


@dataclass(frozen=True)
class HeatModel:
    """Media by layer, sinks by contact (others let no heat through), interface resistances.

    `resistances` [K m^2/W] are by the pair of layers, in either order. The device has the
    temperature `start` [K] at first. With a `steady` balance nothing is stored. `tolerance`
    [K] bounds the change of the temperature in the last round of a step.
    """

    start: float
    media: Mapping[str, Medium]
    sinks: Mapping[str, Sink]
    resistances: Mapping[frozenset[str], float] = field(default_factory=dict)
    steady: bool = False
    tolerance: float = 1e-4

    def repeated(self, names: Sequence[str]) -> HeatModel:
        """The model with the contacts of every copy of the device."""
        sinks = {
            contact_of(name, contact): sink
            for name in names
            for contact, sink in self.sinks.items()
        }
        return replace(self, sinks=sinks)


def build_heat_model(case: Case) -> HeatModel | None:
    """Bind a case's thermal numbers; None where the case has no section ``heat``."""
    heat = case.heat
    if heat is None:
        return None
    equal = math.sqrt(case.stack.area / math.pi)
    sinks = {
        name: _sink(contact, equal)
        for name, contact in heat.contacts.items()
        if contact.kind != "adiabatic"
    }
    return HeatModel(
        start=case.temperature,
        media={layer.name: _medium(case, layer.material) for layer in case.stack.layers},
        sinks=sinks,
        resistances={
            frozenset(name.split("/")): one.value for name, one in heat.interfaces.items()
        },
        steady=heat.balance == "steady",
        tolerance=heat.tolerance,
    )


def _medium(case: Case, name: str) -> Medium:
    material = case.materials[name]
    given = material.thermal_conductivity
    capacity = _number(material.heat_capacity)
    if isinstance(given, CoupledCurve):
        return Medium(Conductivity(given.curve.function, given.couples), capacity)
    return Medium(_number(given), capacity)


def _sink(contact: HeatContact, radius: float) -> Sink:
    """The sink of a contact; `radius` [m] of the disc where the contact does not say it."""
    coefficient = _number(contact.coefficient) if contact.coefficient else math.inf
    onward = 0.0
    if contact.conductivity is not None:
        onward = spreading_resistance(contact.conductivity.value, contact.radius or radius)
    conductance = series_conductance(coefficient, _number(contact.resistance))
    return Sink(conductance, onward, contact.temperature)


def _number(value: Value | None) -> float:
    return 0.0 if value is None else value.value
