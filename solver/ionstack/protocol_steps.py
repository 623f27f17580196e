"""Steps of a protocol and how each is laid into intervals of linear voltages.

A sweep begins at its `start`: what an earlier step left is first brought there at the
sweep's own rate. A hold or a pulse reaches its voltage within its `rise`, because a step
of the voltage is no state of a device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, Protocol


@dataclass(frozen=True)
class LaidCycle:
    """A pass of a sweep, by breakpoints: first, turn and last."""

    contact: str
    amplitude: float
    first: int
    turn: int
    last: int


@dataclass(frozen=True)
class LaidPulse:
    """A flat part, by its interval; see `ionstack.protocol.Pulse`."""

    kind: Literal["pulse", "read"]
    contact: str
    voltage: float
    step: int
    group: int
    number: int
    interval: int


class Laid:
    """Intervals laid so far: durations [s], voltages [V] at their ends, and what they are."""

    def __init__(self, contacts: Sequence[str], start: Mapping[str, float] | None = None) -> None:
        self._rest: Mapping[str, float] = dict.fromkeys(contacts, 0.0)
        self.durations: list[float] = []
        self.levels: list[Mapping[str, float]] = [{**self._rest, **(start or {})}]
        self.shown: set[int] = {0}
        self.cycles: list[LaidCycle] = []
        self.pulses: list[LaidPulse] = []
        self.steps = 0

    @property
    def last(self) -> int:
        """Number of the last breakpoint."""
        return len(self.durations)

    def distance(self, contact: str, voltage: float) -> float:
        """Largest change [V] of a contact on the way to one being at a voltage, others at 0."""
        goal = {**self._rest, contact: voltage}
        return max(abs(goal[name] - value) for name, value in self.levels[-1].items())

    def ramp(self, contact: str, voltage: float, duration: float) -> None:
        """Bring one contact to a voltage [V] and the others to 0 within a duration [s]."""
        self.durations.append(duration)
        self.levels.append({**self._rest, contact: voltage})

    def reach(self, contact: str, voltage: float, rise: float) -> float:
        """The same, unless all are there; return the time used [s]."""
        if self.distance(contact, voltage) == 0.0:
            return 0.0
        self.ramp(contact, voltage, rise)
        return rise

    def show(self) -> None:
        """Mark the last breakpoint as one worth a picture."""
        self.shown.add(self.last)


class Step(Protocol):
    """A step of a protocol."""

    def lay(self, laid: Laid) -> None:
        """Append its intervals."""

    def describe(self) -> str:
        """Say it in words."""


@dataclass(frozen=True)
class Hold:
    """A constant voltage [V] for `duration` [s], of which `rise` [s] is used to get there."""

    contact: str
    voltage: float
    duration: float
    rise: float

    def lay(self, laid: Laid) -> None:
        """Rise, which is part of the duration, and hold."""
        used = laid.reach(self.contact, self.voltage, self.rise)
        laid.show()
        laid.ramp(self.contact, self.voltage, self.duration - used)

    def describe(self) -> str:
        """Say it in words."""
        return f"hold {self.contact} at {self.voltage:g} V for {self.duration:g} s"


@dataclass(frozen=True)
class Sweep:
    """From `start` through `points` [V] at `rate` [V/s] on one contact, repeated.

    With a `stair` [V] the voltage rises in stairs of that height at most, at the same mean
    rate: a hundredth of a stair's time is its edge.
    """

    contact: str
    points: tuple[float, ...]
    rate: float
    cycles: int
    start: float = 0.0
    stair: float | None = None

    def lay(self, laid: Laid) -> None:
        """Go to the start, then through all cycles."""
        away = laid.distance(self.contact, self.start)
        if away > 0.0:
            laid.ramp(self.contact, self.start, away / self.rate)
            laid.show()
        for _ in range(self.cycles):
            self._cycle(laid)

    def _cycle(self, laid: Laid) -> None:
        first, turns = laid.last, []
        for voltage in self.points:
            self._leg(laid, voltage)
            laid.show()
            turns.append(laid.last)
        farthest = max(range(len(turns)), key=lambda index: abs(self.points[index]))
        turn, amplitude = turns[farthest], self.points[farthest]
        laid.cycles.append(LaidCycle(self.contact, amplitude, first, turn, laid.last))

    def _leg(self, laid: Laid, voltage: float) -> None:
        begin = laid.levels[-1][self.contact]
        duration = abs(voltage - begin) / self.rate
        if self.stair is None:
            if duration > 0.0:
                laid.ramp(self.contact, voltage, duration)
            return
        count = max(1, ceil(abs(voltage - begin) / self.stair - 1e-9))
        for number in range(1, count + 1):
            level = voltage if number == count else begin + (voltage - begin) * number / count
            laid.ramp(self.contact, level, 0.01 * duration / count)
            laid.ramp(self.contact, level, 0.99 * duration / count)

    def describe(self) -> str:
        """Say it in words."""
        way = " to ".join(f"{voltage:g} V" for voltage in (self.start, *self.points))
        stairs = f" in stairs of {self.stair:g} V" if self.stair is not None else ""
        repeated = f", {self.cycles} times" if self.cycles > 1 else ""
        return f"sweep {self.contact} from {way} at {self.rate:g} V/s{stairs}{repeated}"


@dataclass(frozen=True)
class Read:
    """A read at `voltage` [V] for `width` [s], `delay` [s] after every `every`-th pulse."""

    voltage: float
    width: float
    delay: float
    every: int


@dataclass(frozen=True)
class Pulses:
    """Pulses from `base` to `amplitude` [V]: edges `rise` and `fall`, flat for `width` [s].

    `gaps` are the times [s] from the end of one pulse to the start of the next, one per
    pulse. Every pulse is higher than the one before by `increment` [V]. `group` and `first`
    count pairs and trains, see `ionstack.protocol.Pulse`.
    """

    contact: str
    amplitude: float
    width: float
    gaps: tuple[float, ...]
    rise: float
    fall: float
    base: float = 0.0
    increment: float = 0.0
    read: Read | None = None
    group: int = 1

    def lay(self, laid: Laid) -> None:
        """Pulses, each with its gap, in which it may be read."""
        if self.group == 1:
            laid.steps += 1
        laid.reach(self.contact, self.base, self.rise)
        for number, gap in enumerate(self.gaps, start=1):
            voltage = self.amplitude + (number - 1) * self.increment
            self._flat(laid, "pulse", voltage, self.width, number)
            if self.read is not None and number % self.read.every == 0:
                gap -= self.read.delay + self.rise + self.read.width + self.fall
                self._wait(laid, self.read.delay)
                self._flat(laid, "read", self.read.voltage, self.read.width, number)
            self._wait(laid, gap)

    def _flat(
        self, laid: Laid, kind: Literal["pulse", "read"], voltage: float, width: float, number: int
    ) -> None:
        laid.ramp(self.contact, voltage, self.rise)
        laid.pulses.append(
            LaidPulse(kind, self.contact, voltage, laid.steps, self.group, number, laid.last)
        )
        laid.ramp(self.contact, voltage, width)
        laid.ramp(self.contact, self.base, self.fall)

    def _wait(self, laid: Laid, duration: float) -> None:
        if duration > 0.0:
            laid.ramp(self.contact, self.base, duration)

    def describe(self) -> str:
        """Say it in words."""
        read = ""
        if self.read is not None:
            read = f", read at {self.read.voltage:g} V every {self.read.every}"
        rising = f" rising by {self.increment:g} V" if self.increment else ""
        return (
            f"{len(self.gaps)} pulses of {self.amplitude:g} V{rising} on {self.contact}, "
            f"{self.width:g} s wide, {min(self.gaps):g} s apart{read}"
        )


@dataclass(frozen=True)
class Groups:
    """Pairs or trains of pulses, one after the other."""

    parts: tuple[Pulses, ...]

    def lay(self, laid: Laid) -> None:
        """All parts."""
        for part in self.parts:
            part.lay(laid)

    def describe(self) -> str:
        """Say it in words."""
        return "; ".join(part.describe() for part in self.parts)


@dataclass(frozen=True)
class Repeat:
    """Steps that are repeated together."""

    times: int
    steps: tuple[Step, ...]

    def lay(self, laid: Laid) -> None:
        """All steps, as often as said."""
        for _ in range(self.times):
            for step in self.steps:
                step.lay(laid)
                laid.show()

    def describe(self) -> str:
        """Say it in words."""
        inner = "; ".join(step.describe() for step in self.steps)
        return f"{self.times} times: {inner}"
