"""What ends a step of a protocol early, as it stands in a case file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field, model_validator

from ionstack.casefile.step_schema import PositiveCharge, PositiveCurrent
from ionstack.physics.bounds import FRACTION, POSITIVE
from ionstack.protocols.drive import Limit, Quantity
from ionstack.reading.schema import Strict, Voltage, failure, failure_at, quantity


class BoundModel(Strict):
    """The side of a value on which a step ends; the value has the quantity's unit.

    `contact` is the source whose value is compared, that of the step unless given.
    """

    above: float | None = None
    below: float | None = None
    contact: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise failure("side", "a limit is above or below a value, one of them")
        return self

    def limit(self, quantity: Quantity, contact: str) -> Limit:
        """The limit, of a step that drives this source."""
        value = self.above if self.above is not None else self.below
        assert value is not None
        return Limit(quantity, value, self.above is not None, self.contact or contact)


class _Current(BoundModel):
    above: PositiveCurrent | None = None
    below: PositiveCurrent | None = None


class _Voltage(BoundModel):
    above: Voltage | None = None
    below: Voltage | None = None


class _Charge(BoundModel):
    above: PositiveCharge | None = None
    below: PositiveCharge | None = None

    @model_validator(mode="after")
    def _from_zero(self) -> Self:
        if self.below is not None:
            message = "the charge counts from the start of the step, where it is 0: use above"
            raise failure_at("below", "side", message, self.below)
        return self


class _Conductance(BoundModel):
    above: Annotated[float, quantity("S", POSITIVE)] | None = None
    below: Annotated[float, quantity("S", POSITIVE)] | None = None


class ContentBoundModel(Strict):
    """A limit of a layer's mean content."""

    layer: str
    species: str
    above: Annotated[float, quantity("1", FRACTION)] | None = None
    below: Annotated[float, quantity("1", FRACTION)] | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        self._bound()
        return self

    def limit(self) -> Limit:
        """The limit of a layer."""
        return replace(self._bound().limit("content", ""), layer=self.layer, species=self.species)

    def _bound(self) -> BoundModel:
        return BoundModel(above=self.above, below=self.below)


class UntilModel(Strict):
    """What ends a step early: the first of these limits."""

    current: _Current | None = None
    voltage: _Voltage | None = None
    charge: _Charge | None = None
    conductance: _Conductance | None = None
    content: ContentBoundModel | None = None
    event: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.content is None and self.event is None and not self.bounds():
            raise failure("until", f"nothing to wait for; allowed: {', '.join(self.quantities())}")
        return self

    @classmethod
    def quantities(cls) -> list[str]:
        """What a limit can compare."""
        return list(cls.model_fields)

    def bounds(self) -> dict[Quantity, BoundModel]:
        """Limits of a source, by what they compare."""
        given: dict[Quantity, BoundModel | None] = {
            "current": self.current,
            "voltage": self.voltage,
            "charge": self.charge,
            "conductance": self.conductance,
        }
        return {name: one for name, one in given.items() if one is not None}

    def limits(self, contact: str) -> tuple[Limit, ...]:
        """The limits of a step that drives a source."""
        return tuple(limit for _, limit in self.named_limits(contact))

    def named_limits(self, contact: str) -> Iterator[tuple[Quantity, Limit]]:
        """The same, each with the key where it stands."""
        for name, bound in self.bounds().items():
            yield name, bound.limit(name, contact)
        if self.content is not None:
            yield "content", self.content.limit()
        if self.event is not None:
            yield "event", Limit("event", 0.0, True, event=self.event)
