"""Steps of a protocol as they stand in a case file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from ionstack.protocol import Protocol, build_protocol
from ionstack.protocol_steps import Groups, Hold, Pulses, Read, Repeat, Step, Sweep
from ionstack.schema import (
    POSITIVE,
    Bounds,
    PositiveTime,
    PositiveVoltage,
    Strict,
    Voltage,
    failure,
    failure_at,
    quantity,
)
from ionstack.yaml_source import Keys

Amplitude = Annotated[float, quantity("V", Bounds(not_zero=True))]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Frequency = Annotated[float, quantity("1/s", POSITIVE)]

# Edges of pulses that say nothing of them, over their width.
_EDGE = 0.01


class SweepModel(Strict):
    """A sweep in the file: a triangle to `amplitude`, or through `points`."""

    contact: str
    amplitude: Amplitude | None = None
    points: Annotated[list[Voltage], Field(min_length=1)] | None = None
    start: Voltage = 0.0
    rate: Annotated[float, quantity("V/s", POSITIVE)]
    cycles: Count = 1
    stair: PositiveVoltage | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.amplitude is None) == (self.points is None):
            raise failure("way", "a sweep has an amplitude or points, one of them")
        way = [self.start, *self.way()]
        if any(a == b for a, b in pairwise(way)):
            raise failure_at("points", "way", "two points in a row are the same", self.points)
        return self

    def way(self) -> tuple[float, ...]:
        """Turning points after the start [V]."""
        if self.points is not None:
            return tuple(self.points)
        assert self.amplitude is not None
        return (self.amplitude, self.start)

    def record(self) -> Step:
        """The step."""
        return Sweep(self.contact, self.way(), self.rate, self.cycles, self.start, self.stair)


class HoldModel(Strict):
    """A hold in the file."""

    contact: str
    voltage: Voltage
    duration: PositiveTime
    rise: PositiveTime | None = None

    @model_validator(mode="after")
    def _rise_fits(self) -> Self:
        if self.rise is not None and self.rise >= self.duration:
            raise failure("rise", f"the rise ({self.rise:g} s) must be shorter than the duration")
        return self

    def record(self) -> Step:
        """The step."""
        rise = self.rise if self.rise is not None else min(1e-3, 0.01 * self.duration)
        return Hold(self.contact, self.voltage, self.duration, rise)


class ReadModel(Strict):
    """How pulses are read."""

    voltage: Amplitude
    width: PositiveTime
    delay: PositiveTime
    every: Count = 1


class _Edges(Strict):
    """What all kinds of pulses have."""

    contact: str
    amplitude: Amplitude
    width: PositiveTime
    rise: PositiveTime | None = None
    fall: PositiveTime | None = None
    base: Voltage = 0.0

    def _edges(self) -> tuple[float, float]:
        rise = self.rise if self.rise is not None else _EDGE * self.width
        return rise, self.fall if self.fall is not None else rise

    def _pulses(self, gaps: Sequence[float], group: int = 1) -> Pulses:
        rise, fall = self._edges()
        return Pulses(
            self.contact, self.amplitude, self.width, tuple(gaps), rise, fall, self.base,
            group=group,
        )  # fmt: skip


class PulsesModel(_Edges):
    """Equal pulses, or a staircase of them."""

    gap: PositiveTime
    number: Count
    increment: Voltage = 0.0
    read: ReadModel | None = None

    @model_validator(mode="after")
    def _read_fits(self) -> Self:
        if self.read is not None:
            used = self.read.delay + sum(self._edges()) + self.read.width
            if used > self.gap * (1.0 + 1e-12):
                message = (
                    f"a read takes {used:g} s with its delay and edges, the gap is {self.gap:g} s"
                )
                raise failure_at("read", "read", message, self.read)
        return self

    def record(self) -> Step:
        """The step."""
        rise, fall = self._edges()
        read = None if self.read is None else Read(**dict(self.read))
        return Pulses(
            self.contact, self.amplitude, self.width, (self.gap,) * self.number, rise, fall,
            self.base, self.increment, read,
        )  # fmt: skip


class PairsModel(_Edges):
    """Pairs of pulses, one for every gap between them, with a rest after each."""

    gaps: Annotated[list[PositiveTime], Field(min_length=1)]
    rest: PositiveTime

    def record(self) -> Step:
        """The step."""
        parts = (self._pulses((gap, self.rest), n) for n, gap in enumerate(self.gaps, start=1))
        return Groups(tuple(parts))


class TrainsModel(_Edges):
    """Trains of pulses, one for every frequency, with a rest after each."""

    frequencies: Annotated[list[Frequency], Field(min_length=1)]
    number: Count
    rest: PositiveTime

    @model_validator(mode="after")
    def _pulses_fit(self) -> Self:
        used = self.width + sum(self._edges())
        for index, frequency in enumerate(self.frequencies):
            if used * frequency >= 1.0:
                message = f"a pulse takes {used:g} s with its edges, a period {1 / frequency:g} s"
                raise failure_at(("frequencies", index), "period", message, frequency)
        return self

    def record(self) -> Step:
        """The step."""
        used = self.width + sum(self._edges())
        parts = []
        for group, frequency in enumerate(self.frequencies, start=1):
            gaps = [1.0 / frequency - used] * (self.number - 1)
            parts.append(self._pulses((*gaps, self.rest), group))
        return Groups(tuple(parts))


class RepeatModel(Strict):
    """Steps that are repeated together."""

    times: Count
    steps: Annotated[list[StepModel], Field(min_length=1)]

    def record(self) -> Step:
        """The step."""
        return Repeat(self.times, tuple(step.record() for step in self.steps))


Entry = SweepModel | HoldModel | PulsesModel | PairsModel | TrainsModel | RepeatModel


class StepModel(Strict):
    """One entry of the protocol list: the kind of the step and what it says."""

    sweep: SweepModel | None = None
    hold: HoldModel | None = None
    pulses: PulsesModel | None = None
    pairs: PairsModel | None = None
    trains: TrainsModel | None = None
    repeat: RepeatModel | None = None

    @model_validator(mode="after")
    def _one_entry(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(type(self).model_fields)
            raise failure("step", f"a step has one entry of {kinds}; begin each step with '- '")
        return self

    def entry(self) -> tuple[str, Entry]:
        """Kind of the step and what it says."""
        fields = ((name, getattr(self, name)) for name in type(self).model_fields)
        return next((name, value) for name, value in fields if value is not None)

    def record(self) -> Step:
        """The step."""
        return self.entry()[1].record()

    def contacts(self, at: Keys) -> Iterator[tuple[Keys, str]]:
        """Contacts that the step names, with the keys where it does."""
        kind, entry = self.entry()
        if isinstance(entry, RepeatModel):
            for index, step in enumerate(entry.steps):
                yield from step.contacts((*at, kind, "steps", index))
        else:
            yield (*at, kind, "contact"), entry.contact


def protocol_from(steps: Sequence[StepModel], contacts: Sequence[str]) -> Protocol:
    """Build the protocol of a device with these contacts from the checked file."""
    return build_protocol([step.record() for step in steps], contacts)
