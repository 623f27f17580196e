"""The measurement protocol: voltages of the contacts against time, and its cycles.

All voltages are piecewise linear in time. A sweep begins at 0 V: what an earlier
hold left is first brought back at the sweep's own rate. A hold reaches its voltage
within its `rise`, because a step of the voltage is no state of a device.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from ionstack.schema import POSITIVE, Bounds, PositiveTime, Strict, Voltage, failure, quantity


@dataclass(frozen=True)
class Sweep:
    """Triangles 0 -> amplitude -> 0 [V] at `rate` [V/s] on one contact, repeated."""

    contact: str
    amplitude: float
    rate: float
    cycles: int


@dataclass(frozen=True)
class Hold:
    """A constant voltage [V] for `duration` [s], of which `rise` [s] is used to get there."""

    contact: str
    voltage: float
    duration: float
    rise: float


@dataclass(frozen=True)
class Cycle:
    """One triangle: start, turn and end [s] and amplitude [V] on `contact`; counted from 1."""

    index: int
    start: float
    turn: float
    end: float
    amplitude: float
    contact: str


@dataclass(frozen=True)
class Protocol:
    """Voltages of all contacts, piecewise linear between `breakpoints` [s].

    `levels` holds, per breakpoint, one voltage [V] per contact in the order of
    `contacts`.
    """

    contacts: tuple[str, ...]
    steps: tuple[Sweep | Hold, ...]
    breakpoints: tuple[float, ...]
    levels: tuple[tuple[float, ...], ...]
    cycles: tuple[Cycle, ...]

    @property
    def duration(self) -> float:
        """End of the protocol [s]."""
        return self.breakpoints[-1]

    def voltages(self, time: float) -> dict[str, float]:
        """Return the voltage [V] of every contact, exact at breakpoints.

        Before the start and after the end the first and last voltages hold.
        """
        after = bisect_right(self.breakpoints, time)
        if after in (0, len(self.breakpoints)):
            level = self.levels[max(after - 1, 0)]
            return dict(zip(self.contacts, level, strict=True))
        start, end = self.breakpoints[after - 1 : after + 1]
        part = (time - start) / (end - start)
        pairs = zip(self.contacts, self.levels[after - 1], self.levels[after], strict=True)
        return {contact: old + part * (new - old) for contact, old, new in pairs}


class SweepModel(Strict):
    """A sweep in the file."""

    contact: str
    amplitude: Annotated[float, quantity("V", Bounds(not_zero=True))]
    rate: Annotated[float, quantity("V/s", POSITIVE)]
    cycles: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1


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


class StepModel(Strict):
    """One entry of the protocol list: ``sweep:`` or ``hold:``."""

    sweep: SweepModel | None = None
    hold: HoldModel | None = None

    @model_validator(mode="after")
    def _one_entry(self) -> Self:
        if (self.sweep is None) == (self.hold is None):
            raise failure("step", "a step has one entry, sweep or hold; begin each step with '- '")
        return self


def protocol_from(steps: Sequence[StepModel], contacts: Sequence[str]) -> Protocol:
    """Build the protocol of a device with these contacts from the checked file."""
    records = tuple(_record(step) for step in steps)
    return build_protocol(records, contacts)


def build_protocol(steps: Sequence[Sweep | Hold], contacts: Sequence[str]) -> Protocol:
    """Lay the steps one after the other; all contacts start at 0 V."""
    rest: Mapping[str, float] = dict.fromkeys(contacts, 0.0)
    times, levels, cycles = [0.0], [rest], list[Cycle]()
    for step in steps:
        if isinstance(step, Sweep):
            points = list(_return_to_zero(step, times[-1], levels[-1]))
            start = points[-1][0] if points else times[-1]
            cycles += _cycles(step, start, len(cycles))
            points += _triangles(step, start, rest)
        else:
            points = list(_hold_points(step, times[-1], levels[-1], rest))
        times += [time for time, _ in points]
        levels += [level for _, level in points]
    rows = tuple(tuple(level[contact] for contact in contacts) for level in levels)
    return Protocol(tuple(contacts), tuple(steps), tuple(times), rows, tuple(cycles))


_Point = tuple[float, Mapping[str, float]]


def _record(step: StepModel) -> Sweep | Hold:
    if step.sweep is not None:
        return Sweep(**dict(step.sweep))
    assert step.hold is not None
    hold = step.hold
    rise = hold.rise if hold.rise is not None else min(1e-3, 0.01 * hold.duration)
    return Hold(hold.contact, hold.voltage, hold.duration, rise)


def _return_to_zero(sweep: Sweep, start: float, level: Mapping[str, float]) -> Iterator[_Point]:
    farthest = max((abs(voltage) for voltage in level.values()), default=0.0)
    if farthest > 0.0:
        yield start + farthest / sweep.rate, dict.fromkeys(level, 0.0)


def _cycles(sweep: Sweep, start: float, before: int) -> Iterable[Cycle]:
    half = abs(sweep.amplitude) / sweep.rate
    for number in range(sweep.cycles):
        # From the start of the sweep, so that round-off does not accumulate.
        begin, turn, end = (start + (2 * number + step) * half for step in range(3))
        index = before + number + 1
        yield Cycle(index, begin, turn, end, sweep.amplitude, sweep.contact)


def _triangles(sweep: Sweep, start: float, rest: Mapping[str, float]) -> Iterator[_Point]:
    for cycle in _cycles(sweep, start, 0):
        yield cycle.turn, {**rest, sweep.contact: sweep.amplitude}
        yield cycle.end, rest


def _hold_points(
    hold: Hold, start: float, level: Mapping[str, float], rest: Mapping[str, float]
) -> Iterator[_Point]:
    held = {**rest, hold.contact: hold.voltage}
    if held != level:
        yield start + hold.rise, held
    yield start + hold.duration, held
