"""Kinds of protocol steps as they stand in a case file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, log10
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from ionstack.casefile.ambient_schema import Mixture
from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE, Bounds
from ionstack.protocols.protocol_steps import (
    LONGEST,
    ChargeDischarge,
    Current,
    Hold,
    Pulses,
    Read,
    Series,
    Spectrum,
    Step,
    Sweep,
)
from ionstack.protocols.surrounding_steps import Ambient, Warm
from ionstack.reading.schema import (
    PositiveTime,
    PositiveVoltage,
    Strict,
    Temperature,
    Voltage,
    failure,
    failure_at,
    quantity,
)

Amplitude = Annotated[float, quantity("V", Bounds(not_zero=True))]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Frequency = Annotated[float, quantity("Hz", POSITIVE)]
Rate = Annotated[float, quantity("V/s", POSITIVE)]
GivenCurrent = Annotated[float, quantity("A", Bounds(not_zero=True))]
PositiveCurrent = Annotated[float, quantity("A", POSITIVE)]
PositiveCharge = Annotated[float, quantity("C", POSITIVE)]

# Edges of pulses that say nothing of them, over their width.
_EDGE = 0.01


class SweepModel(Strict):
    """A sweep in the file: a triangle to `amplitude`, or through `points`."""

    contact: str
    amplitude: Amplitude | None = None
    points: Annotated[list[Voltage], Field(min_length=1)] | None = None
    start: Voltage = 0.0
    rate: Rate
    cycles: Count = 1
    stair: PositiveVoltage | None = None
    resolution: PositiveVoltage | None = None

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
        way, cycles = self.way(), self.cycles
        return Sweep(self.contact, way, self.rate, cycles, self.start, self.stair, self.resolution)


class HoldModel(Strict):
    """A hold in the file."""

    contact: str
    voltage: Voltage
    duration: PositiveTime
    rise: PositiveTime | None = None

    @model_validator(mode="after")
    def _rise_fits(self) -> Self:
        if self.rise is not None and self.rise >= self.duration:
            message = f"the rise ({self.rise:g} s) must be shorter than the duration"
            raise failure_at("rise", "rise", message, self.rise)
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
        return Series(tuple(parts))


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
        return Series(tuple(parts))


class RestModel(HoldModel):
    """A rest at a voltage in the file: a hold, at 0 V unless it says otherwise."""

    voltage: Voltage = 0.0


class OpenCircuitModel(Strict):
    """A rest without current in the file."""

    contact: str
    duration: PositiveTime

    def record(self) -> Step:
        """The step."""
        return Current(self.contact, 0.0, self.duration)


class CurrentModel(Strict):
    """A constant current in the file, with what ends it."""

    contact: str
    current: GivenCurrent
    voltage: Voltage | None = None
    capacity: PositiveCharge | None = None
    duration: PositiveTime | None = None

    def ends(self) -> bool:
        """Whether anything ends it."""
        return any(one is not None for one in (self.voltage, self.capacity, self.duration))

    def record(self) -> Step:
        """The step."""
        longest = LONGEST if self.duration is None else self.duration
        if self.capacity is not None:
            longest = min(longest, self.capacity / abs(self.current))
        return Current(self.contact, self.current, longest, self.voltage)


class VoltammetryModel(Strict):
    """Cyclic voltammetry in the file: triangles between two voltages at several rates."""

    contact: str
    start: Voltage = 0.0
    first: Voltage
    second: Voltage
    rate: Rate | None = None
    rates: Annotated[list[Rate], Field(min_length=1)] | None = None
    cycles: Count = 1
    resolution: PositiveVoltage | None = None

    @model_validator(mode="after")
    def _a_way(self) -> Self:
        _one_or_several("rate", "rates", self.rate, self.rates)
        if self.first == self.second or self.first == self.start:
            raise failure("way", "the vertices must differ from each other and from the start")
        return self

    def record(self) -> Step:
        """The step."""
        way = (self.first, self.second) + (() if self.second == self.start else (self.start,))
        parts = (
            Sweep(self.contact, way, rate, self.cycles, self.start, resolution=self.resolution)
            for rate in self.rates or (self.rate,)
            if rate
        )
        return Series(tuple(parts))


class ChargeDischargeModel(Strict):
    """Galvanostatic cycles in the file, at one or several currents."""

    contact: str
    current: PositiveCurrent | None = None
    currents: Annotated[list[PositiveCurrent], Field(min_length=1)] | None = None
    low: Voltage
    high: Voltage
    cycles: Count = 1
    rest: Annotated[float, quantity("s", NOT_NEGATIVE)] = 0.0
    longest: PositiveTime = LONGEST

    @model_validator(mode="after")
    def _window(self) -> Self:
        _one_or_several("current", "currents", self.current, self.currents)
        if self.low >= self.high:
            message = f"the lower cut-off ({self.low:g} V) must lie below the upper one"
            raise failure_at("low", "window", f"{message} ({self.high:g} V)", self.low)
        return self

    def record(self) -> Step:
        """The step."""
        parts = (
            ChargeDischarge(
                self.contact, current, self.low, self.high, self.cycles, self.rest, self.longest
            )
            for current in self.currents or (self.current,)
            if current
        )
        return Series(tuple(parts))


class TemperatureModel(Strict):
    """A change of the temperature in the file."""

    to: Temperature
    duration: PositiveTime

    def record(self) -> Step:
        """The step."""
        return Warm(self.to, self.duration)


class AmbientModel(Strict):
    """A change of the gas around the device in the file."""

    to: Mixture
    duration: PositiveTime

    def record(self) -> Step:
        """The step."""
        return Ambient(self.to, self.duration)


class RangeModel(Strict):
    """Frequencies with a constant ratio."""

    lowest: Frequency
    highest: Frequency
    per_decade: Annotated[int, Field(strict=True, ge=1, le=1000)] = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lowest >= self.highest:
            raise failure("range", "the lowest frequency must be below the highest")
        return self

    def values(self) -> tuple[float, ...]:
        """All of them [Hz], from the highest as instruments do."""
        count = ceil(log10(self.highest / self.lowest) * self.per_decade - 1e-9) + 1
        found = np.geomspace(self.highest, self.lowest, max(count, 2))
        return tuple(float(one) for one in found)


def _listed(data: object) -> object:
    """A range as the list of its frequencies; a single frequency is a list too."""
    if isinstance(data, dict):
        return [f"{one!r} Hz" for one in RangeModel.model_validate(data).values()]
    return [data] if isinstance(data, str) else data


class ImpedanceModel(Strict):
    """A spectrum in the file, at listed frequencies or a range of them."""

    contact: str
    frequencies: Annotated[list[Frequency], Field(min_length=1), BeforeValidator(_listed)]

    def record(self) -> Step:
        """The step."""
        return Spectrum(self.contact, tuple(self.frequencies))


def _one_or_several(one: str, several: str, value: object, values: object) -> None:
    """Refuse both keys for the same thing, and none of them."""
    if value is not None and values is not None:
        raise failure_at(one, "twice", f"not allowed beside {several}", value)
    if value is None and values is None:
        raise failure("way", f"give a {one}, or {several} as a list")
