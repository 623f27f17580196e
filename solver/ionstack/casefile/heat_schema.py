"""The section ``heat`` of a case file: where heat is stored, resisted and carried away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE
from ionstack.reading.law_choice import Value, number
from ionstack.reading.schema import (
    PositiveLength,
    Strict,
    Temperature,
    failure,
    failure_at,
    not_among,
    quantity,
)

Balance = Literal["transient", "steady"]


@dataclass(frozen=True)
class HeatContact:
    """How a contact takes heat up, by the name under ``kind``.

    `coefficient` [W/(m^2 K)] of a convective one; `conductivity` [W/(m K)] of a substrate and
    the `radius` [m] of the heated disc (None: that of the stack's area); `resistance`
    [K m^2/W] in series with any; `temperature` [K] far away, None for that of the device's
    surroundings.
    """

    kind: str
    coefficient: Value | None = None
    conductivity: Value | None = None
    resistance: Value | None = None
    radius: float | None = None
    temperature: float | None = None

    def values(self) -> Iterator[tuple[str, Value]]:
        """Its numbers with an origin, by name."""
        for name in ("coefficient", "conductivity", "resistance"):
            value = getattr(self, name)
            if value is not None:
                yield name, value


@dataclass(frozen=True)
class Heat:
    """What a case says of heat.

    `tolerance` [K] bounds the change of the temperature in the last round of a step.
    `interfaces` are thermal resistances [K m^2/W] by name of the interface.
    """

    balance: Balance = "transient"
    tolerance: float = 1e-4
    contacts: Mapping[str, HeatContact] = field(default_factory=dict)
    interfaces: Mapping[str, Value] = field(default_factory=dict)

    def values(self) -> Iterator[tuple[str, str, Value]]:
        """All numbers with an origin: where, name, number."""
        for name, contact in self.contacts.items():
            for key, value in contact.values():
                yield f"heat contact {name}", key, value
        for name, value in self.interfaces.items():
            yield f"heat interface {name}", "resistance", value


_Resistance = Annotated[Value, number("K*m^2/W", NOT_NEGATIVE)]
_Positive = Annotated[float, quantity("K", POSITIVE)]


class _Adiabatic(Strict):
    kind: str


class _Fixed(Strict):
    kind: str
    temperature: Temperature | None = None
    resistance: _Resistance | None = None


class _Convective(_Fixed):
    coefficient: Annotated[Value, number("W/(m^2*K)", POSITIVE)]


class _Substrate(_Fixed):
    conductivity: Annotated[Value, number("W/(m*K)", POSITIVE)]
    radius: PositiveLength | None = None


_KINDS: Mapping[str, type[Strict]] = {
    "adiabatic": _Adiabatic,
    "fixed": _Fixed,
    "convective": _Convective,
    "substrate": _Substrate,
}


def _read_contact(data: object) -> HeatContact:
    """Read how one contact takes heat up; raise the error of what is wrong with it."""
    if isinstance(data, HeatContact):
        return data
    if not isinstance(data, dict):
        raise failure("heat", f"expected 'kind:' and its numbers, found {data!r}")
    kind = data.get("kind")
    if kind is None:
        raise failure_at("kind", "heat", f"missing; allowed: {', '.join(_KINDS)}", data)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise failure_at("kind", "heat", not_among("kind", str(kind), list(_KINDS)), kind)
    return HeatContact(**dict(_KINDS[kind].model_validate(data)))


class _InterfaceModel(Strict):
    resistance: Annotated[Value, number("K*m^2/W", POSITIVE)]


class HeatModel(Strict):
    """Heat in the file; contacts that are not named let no heat through."""

    balance: Balance = "transient"
    tolerance: _Positive = 1e-4
    contacts: dict[str, Annotated[HeatContact, PlainValidator(_read_contact)]] = Field(
        default_factory=dict
    )
    interfaces: dict[str, _InterfaceModel] = Field(default_factory=dict)

    def record(self) -> Heat:
        """Return the section as the case holds it."""
        resistances = {name: one.resistance for name, one in self.interfaces.items()}
        return Heat(self.balance, self.tolerance, self.contacts, resistances)
