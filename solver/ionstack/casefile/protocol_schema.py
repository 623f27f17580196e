"""Steps of a protocol as they stand in a case file: their kinds, names and limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ionstack.casefile.circuit_schema import Compliance
from ionstack.casefile.step_schema import (
    AmbientModel,
    ChargeDischargeModel,
    Count,
    CurrentModel,
    HoldModel,
    ImpedanceModel,
    OpenCircuitModel,
    PairsModel,
    PulsesModel,
    RestModel,
    SweepModel,
    TemperatureModel,
    TrainsModel,
    VoltammetryModel,
)
from ionstack.casefile.until_schema import UntilModel
from ionstack.geometry.stack import Name
from ionstack.protocols.laid import Instruments
from ionstack.protocols.protocol import Protocol, build_protocol
from ionstack.protocols.protocol_steps import Entry, Repeat, Step, Switch
from ionstack.reading.schema import Strict, failure, failure_at
from ionstack.reading.yaml_source import Keys


class RepeatModel(Strict):
    """Steps that are repeated together."""

    times: Count
    steps: Annotated[list[StepModel], Field(min_length=1)]

    def record(self) -> Step:
        """The step."""
        return Repeat(self.times, tuple(step.record() for step in self.steps))


class StepModel(Strict):
    """One entry of the protocol list: the kind of the step and what it says.

    Every step may have a `name`; one that takes time may have `until`, and one that gives a voltage
    a `compliance`.
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
    ambient: AmbientModel | None = None
    switch: dict[str, Literal["open", "closed"]] | None = None
    repeat: RepeatModel | None = None
    name: Name | None = None
    until: UntilModel | None = None
    compliance: Compliance | None = None

    @model_validator(mode="after")
    def _one_entry(self) -> Self:
        given = [name for name in kinds() if getattr(self, name) is not None]
        if len(given) != 1:
            allowed = ", ".join(kinds())
            raise failure("step", f"a step has one entry of {allowed}; begin each step with '- '")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Self:
        current = self.current
        if current is not None and not current.ends() and self.until is None:
            message = "this current never ends: give a voltage, a capacity, a duration or until"
            raise failure_at("current", "endless", message, current.current)
        return self

    @model_validator(mode="after")
    def _waits_for_what_changes(self) -> Self:
        if self.until is None:
            return self
        if self._takes_no_time():
            message = f"a step '{self.kind()}' takes no time: nothing can end it"
            raise failure_at("until", "until", message, self.until)
        own = self.contact()
        for name, bound in self.until.bounds().items():
            if not own and bound.contact is None:
                message = "which source is meant? give its contact"
                raise failure_at(("until", name), "contact", message, bound)
            if name in _CONSTANT.get(self.kind(), ()) and bound.contact in (None, own):
                message = f"the {name} cannot end a step '{self.kind()}', where it stays the same"
                raise failure_at(("until", name), "constant", message, bound)
        return self

    @model_validator(mode="after")
    def _limits_a_voltage(self) -> Self:
        kind = self.kind()
        if self.compliance is not None and all(
            leaf.kind() in _WITHOUT_COMPLIANCE for _, leaf in self.leaves(())
        ):
            message = f"a step '{kind}' takes no compliance: its source gives no voltage"
            raise failure_at("compliance", "compliance", message, self.compliance)
        if self.compliance is not None and not self.contact():
            message = "the steps drive several sources: write it at these steps"
            raise failure_at("compliance", "compliance", message, self.compliance)
        return self

    def kind(self) -> str:
        """Which kind of step it is."""
        return next(name for name in kinds() if getattr(self, name) is not None)

    def contact(self) -> str:
        """The source that the step drives; empty for none, and for several of repeated steps."""
        found = {contact for keys, contact in self.contacts(()) if keys[-2] != "impedance"}
        return found.pop() if len(found) == 1 else ""

    def _takes_no_time(self) -> bool:
        return all(leaf.kind() in ("impedance", "switch") for _, leaf in self.leaves(()))

    def record(self) -> Entry:
        """The step."""
        kind, contact = self.kind(), self.contact()
        limits = self.until.limits(contact) if self.until else ()
        compliance = None
        if self.compliance is not None:
            compliance = self.compliance.positive, self.compliance.negative
        return Entry(kind, self._step(), self.name or "", limits, compliance)

    def _step(self) -> Step:
        if self.switch is not None:
            return Switch(tuple((name, way == "closed") for name, way in self.switch.items()))
        step: Step = getattr(self, self.kind()).record()
        return step

    def parts(self, at: Keys) -> Iterator[tuple[Keys, StepModel]]:
        """The step itself and all that it repeats, with the keys where they stand."""
        yield at, self
        for index, step in enumerate(self.repeat.steps if self.repeat else ()):
            yield from step.parts((*at, "repeat", "steps", index))

    def leaves(self, at: Keys) -> Iterator[tuple[Keys, StepModel]]:
        """The step itself or those that it repeats, with the keys where they stand."""
        return ((keys, step) for keys, step in self.parts(at) if step.repeat is None)

    def contacts(self, at: Keys) -> Iterator[tuple[Keys, str]]:
        """Contacts that the steps drive or measure, with the keys where they stand."""
        for keys, step in self.leaves(at):
            contact = getattr(getattr(step, step.kind()), "contact", "")
            if contact:
                yield (*keys, step.kind(), "contact"), contact


_WITHOUT_COMPLIANCE = (
    *("current", "gcd", "open_circuit", "impedance"),
    *("temperature", "ambient", "switch"),
)
_NOT_KINDS = ("name", "until", "compliance")
# What a given current settles.
_CONSTANT = {
    "current": ("current",),
    "gcd": ("current",),
    "open_circuit": ("current", "charge", "conductance"),
}


def kinds() -> list[str]:
    """Return the words for the kinds of steps."""
    return [name for name in StepModel.model_fields if name not in _NOT_KINDS]


def protocol_from(steps: Sequence[StepModel], instruments: Instruments) -> Protocol:
    """Build the protocol of a device with these sources from the checked file."""
    return build_protocol([step.record() for step in steps], instruments)
