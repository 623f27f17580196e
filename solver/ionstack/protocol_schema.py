"""Steps of a protocol as they stand in a case file: their kinds, names and limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ionstack.drive import Limit, Quantity
from ionstack.laid import Instruments
from ionstack.protocol import Protocol, build_protocol
from ionstack.protocol_steps import Entry, Repeat, Step, Switch
from ionstack.schema import (
    FRACTION,
    POSITIVE,
    Strict,
    Voltage,
    failure,
    failure_at,
    quantity,
)
from ionstack.stack import Name
from ionstack.step_schema import (
    ChargeDischargeModel,
    Count,
    CurrentModel,
    HoldModel,
    ImpedanceModel,
    OpenCircuitModel,
    PairsModel,
    PositiveCharge,
    PositiveCurrent,
    PulsesModel,
    RestModel,
    SweepModel,
    TemperatureModel,
    TrainsModel,
    VoltammetryModel,
)
from ionstack.yaml_source import Keys


class RepeatModel(Strict):
    """Steps that are repeated together."""

    times: Count
    steps: Annotated[list[StepModel], Field(min_length=1)]

    def record(self) -> Step:
        """The step."""
        return Repeat(self.times, tuple(step.record() for step in self.steps))


class BoundModel(Strict):
    """The side of a value on which a step ends; the value has the quantity's unit."""

    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise failure("side", "a limit is above or below a value, one of them")
        return self

    def limit(self, quantity: Quantity, contact: str) -> Limit:
        """The limit of a source."""
        side = self.above is not None
        value = self.above if self.above is not None else self.below
        assert value is not None
        return Limit(quantity, value, side, contact)


class _Current(BoundModel):
    above: PositiveCurrent | None = None
    below: PositiveCurrent | None = None


class _Voltage(BoundModel):
    above: Voltage | None = None
    below: Voltage | None = None


class _Charge(BoundModel):
    above: PositiveCharge | None = None
    below: PositiveCharge | None = None


class _Conductance(BoundModel):
    above: Annotated[float, quantity("S", POSITIVE)] | None = None
    below: Annotated[float, quantity("S", POSITIVE)] | None = None


class ContentBoundModel(BoundModel):
    """A limit of a layer's mean content."""

    layer: str
    species: str
    above: Annotated[float, quantity("1", FRACTION)] | None = None
    below: Annotated[float, quantity("1", FRACTION)] | None = None

    def limit(self, quantity: Quantity, contact: str) -> Limit:
        """The limit of a layer."""
        return replace(super().limit(quantity, ""), layer=self.layer, species=self.species)


class UntilModel(Strict):
    """What ends a step early: the first of these limits."""

    current: _Current | None = None
    voltage: _Voltage | None = None
    charge: _Charge | None = None
    conductance: _Conductance | None = None
    content: ContentBoundModel | None = None

    def limits(self, contact: str) -> tuple[Limit, ...]:
        """The limits of a step on a contact."""
        given: dict[Quantity, BoundModel | None] = {
            "current": self.current,
            "voltage": self.voltage,
            "charge": self.charge,
            "conductance": self.conductance,
            "content": self.content,
        }
        return tuple(one.limit(name, contact) for name, one in given.items() if one is not None)


class ComplianceModel(Strict):
    """Largest currents of both directions."""

    positive: PositiveCurrent = np.inf
    negative: PositiveCurrent = np.inf


class StepModel(Strict):
    """One entry of the protocol list: the kind of the step and what it says.

    Every step may have a `name`, `until` and, where a source gives a voltage, a `compliance`.
    """

    sweep: SweepModel | None = None
    hold: HoldModel | None = None
    pulses: PulsesModel | None = None
    pairs: PairsModel | None = None
    trains: TrainsModel | None = None
    current: CurrentModel | None = None
    cv: VoltammetryModel | None = None
    gcd: ChargeDischargeModel | None = None
    open_circuit: OpenCircuitModel | None = None
    rest_at: RestModel | None = None
    impedance: ImpedanceModel | None = None
    temperature: TemperatureModel | None = None
    switch: dict[str, Literal["open", "closed"]] | None = None
    repeat: RepeatModel | None = None
    name: Name | None = None
    until: UntilModel | None = None
    compliance: PositiveCurrent | ComplianceModel | None = None

    @model_validator(mode="after")
    def _one_entry(self) -> Self:
        given = [name for name in _kinds() if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(_kinds())
            raise failure("step", f"a step has one entry of {kinds}; begin each step with '- '")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Self:
        current = self.current
        if current is not None and not current.ends() and self.until is None:
            message = "this current never ends: give a voltage, a capacity, a duration or until"
            raise failure_at("current", "endless", message, current.current)
        return self

    @model_validator(mode="after")
    def _limits_a_source(self) -> Self:
        kind = self.kind()
        if self.compliance is not None and kind in _WITHOUT_COMPLIANCE:
            message = f"a step '{kind}' takes no compliance: its source gives no voltage"
            raise failure_at("compliance", "compliance", message, self.compliance)
        if self.until is not None and kind in ("impedance", "switch"):
            message = f"a step '{kind}' takes no time: nothing can end it"
            raise failure_at("until", "until", message, self.until)
        return self

    def kind(self) -> str:
        """Which kind of step it is."""
        return next(name for name in _kinds() if getattr(self, name) is not None)

    def contact(self) -> str:
        """The source that the step drives; the first one of repeated steps, or none."""
        if self.repeat is not None:
            return self.repeat.steps[0].contact()
        return str(getattr(getattr(self, self.kind()), "contact", ""))

    def record(self) -> Entry:
        """The step."""
        kind, contact = self.kind(), self.contact()
        limits = self.until.limits(contact) if self.until else ()
        return Entry(kind, self._step(), self.name or "", limits, self._compliance())

    def _step(self) -> Step:
        if self.switch is not None:
            return Switch(tuple((name, way == "closed") for name, way in self.switch.items()))
        step: Step = getattr(self, self.kind()).record()
        return step

    def _compliance(self) -> tuple[float, float] | None:
        if isinstance(self.compliance, ComplianceModel):
            return self.compliance.positive, self.compliance.negative
        return None if self.compliance is None else (self.compliance, self.compliance)

    def leaves(self, at: Keys) -> Iterator[tuple[Keys, StepModel]]:
        """The step itself or those that it repeats, with the keys where they stand."""
        if self.repeat is None:
            yield at, self
            return
        for index, step in enumerate(self.repeat.steps):
            yield from step.leaves((*at, "repeat", "steps", index))

    def contacts(self, at: Keys) -> Iterator[tuple[Keys, str]]:
        """Contacts that the step names, with the keys where it does."""
        for keys, step in self.leaves(at):
            if step.contact():
                yield (*keys, step.kind(), "contact"), step.contact()


_WITHOUT_COMPLIANCE = ("current", "gcd", "open_circuit", "impedance", "temperature", "switch")
_NOT_KINDS = ("name", "until", "compliance")


def _kinds() -> list[str]:
    return [name for name in StepModel.model_fields if name not in _NOT_KINDS]


def protocol_from(steps: Sequence[StepModel], instruments: Instruments) -> Protocol:
    """Build the protocol of a device with these sources from the checked file."""
    return build_protocol([step.record() for step in steps], instruments)
