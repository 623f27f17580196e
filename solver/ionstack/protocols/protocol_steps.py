"""Steps of a protocol and how each is laid into intervals.

A sweep begins at its `start`: what an earlier step left is first brought there at the
sweep's own rate. A hold or a pulse reaches its voltage within its `rise`, because a step
of the voltage is no state of a device. `contact` is that of a source, or a cell of an array.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import Literal, Protocol

from ionstack.protocols.drive import Limit
from ionstack.protocols.laid import Laid, LaidCycle, LaidSpectrum, Pulse, Span

# Longest time [s] of a current of which no time is given, until something else ends it.
LONGEST = 1e7


class Step(Protocol):
    """A step of a protocol."""

    def lay(self, laid: Laid) -> None:
        """Append its intervals."""

    def describe(self) -> str:
        """Say it in words."""


@dataclass(frozen=True)
class Entry:
    """A step as the protocol lists it: with its kind, its name, and what may end it.

    `compliance` are the largest positive and negative currents [A] during the step.
    """

    kind: str
    step: Step
    name: str = ""
    until: tuple[Limit, ...] = ()
    compliance: tuple[float, float] | None = None

    @property
    def contact(self) -> str:
        """Source that the step drives, empty if none."""
        return str(getattr(self.step, "contact", ""))

    def lay(self, laid: Laid) -> None:
        """Append its intervals, with limits, name and number."""
        first = laid.last
        if self.compliance is None:
            self.step.lay(laid)
        else:
            before = laid.comply(self.contact, self.compliance)
            self.step.lay(laid)
            laid.comply(self.contact, before)
        laid.limit(first, self.until)
        laid.show()
        if self.name:
            laid.name(self.name)
        if not isinstance(self.step, Repeat):
            what = (laid.entry, self.kind, self.name, self.contact)
            laid.spans.append(Span(*what, first, laid.last))

    def describe(self) -> str:
        """Say it in words."""
        name = f"{self.name}: " if self.name else ""
        until = "".join(f", or until {limit.describe()}" for limit in self.until)
        return f"{name}{self.step.describe()}{self._compliance()}{until}"

    def _compliance(self) -> str:
        signs = zip(("", "-"), self.compliance or (), strict=False)
        given = [f"{sign}{limit:g} A" for sign, limit in signs if limit < inf]
        return f", compliance {' and '.join(given)}" if given else ""


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
    rate: a hundredth of a stair's time is its edge. With a `resolution` [V] no time step is
    longer than the voltage takes to move so far.
    """

    contact: str
    points: tuple[float, ...]
    rate: float
    cycles: int
    start: float = 0.0
    stair: float | None = None
    resolution: float | None = None

    def lay(self, laid: Laid) -> None:
        """Go to the start, then through all cycles."""
        laid.approach(self.contact, self.start, self.rate)
        laid.resolution = self.resolution
        for _ in range(self.cycles):
            self._cycle(laid)
        laid.resolution = None

    def _cycle(self, laid: Laid) -> None:
        first, turns = laid.last, []
        for voltage in self.points:
            self._leg(laid, laid.level(self.contact), voltage)
            laid.show()
            turns.append(laid.last)
        farthest = max(range(len(turns)), key=lambda index: abs(self.points[index]))
        turn, amplitude = turns[farthest], self.points[farthest]
        laid.cycles.append(LaidCycle(self.contact, amplitude, first, turn, laid.last))

    def _leg(self, laid: Laid, begin: float, voltage: float) -> None:
        duration = abs(voltage - begin) / self.rate
        if self.stair is None:
            if duration > 0.0:
                laid.ramp(self.contact, voltage, duration)
            return
        count = max(1, ceil(abs(voltage - begin) / self.stair - 1e-9))
        for number in range(1, count + 1):
            level = voltage if number == count else begin + (voltage - begin) * number / count
            laid.ramp(self.contact, level, 0.01 * duration / count, watch=False)
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
    count pairs and trains, see `ionstack.protocols.laid.Pulse`.
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
        """Pulses, each with its gap, in which it may be read.

        Limits are looked at in the flat parts, of reads if there are any.
        """
        first = laid.last
        if self.group == 1:
            laid.pulsed += 1
        laid.reach(self.contact, self.base, self.rise)
        for number, gap in enumerate(self.gaps, start=1):
            voltage = self.amplitude + (number - 1) * self.increment
            self._flat(laid, "pulse", voltage, self.width, number)
            if self.read is not None and number % self.read.every == 0:
                gap -= self.read.delay + self.rise + self.read.width + self.fall
                self._wait(laid, self.read.delay)
                self._flat(laid, "read", self.read.voltage, self.read.width, number)
            self._wait(laid, gap)
        kind = "pulse" if self.read is None else "read"
        flats = (one.interval for one in laid.pulses if one.kind == kind and one.interval >= first)
        laid.watch_only(first, flats)

    def _flat(
        self, laid: Laid, kind: Literal["pulse", "read"], voltage: float, width: float, number: int
    ) -> None:
        laid.ramp(self.contact, voltage, self.rise)
        laid.pulses.append(
            Pulse(kind, self.contact, voltage, laid.pulsed, self.group, number, laid.last)
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
class Series:
    """Steps that belong together: pairs or trains of pulses, sweeps at several rates."""

    parts: tuple[Step, ...]

    @property
    def contact(self) -> str:
        """Source that the parts drive."""
        return str(getattr(self.parts[0], "contact", ""))

    def lay(self, laid: Laid) -> None:
        """All parts."""
        for part in self.parts:
            part.lay(laid)

    def describe(self) -> str:
        """Say it in words, of many parts the first and the last one."""
        count = len(self.parts)
        told = self.parts if count <= 3 else (self.parts[0], self.parts[-1])
        parts = [part.describe() for part in told]
        return "; ".join(parts) if count <= 3 else f"{' ... '.join(parts)} ({count} of them)"


@dataclass(frozen=True)
class Current:
    """A constant current [A] for `duration` [s] at most, until the voltage reaches `cutoff` [V].

    The cut-off lies above where the current is positive and below where it is negative.
    """

    contact: str
    current: float
    duration: float
    cutoff: float | None = None

    def lay(self, laid: Laid) -> None:
        """One interval."""
        limits = []
        if self.cutoff is not None:
            above = self.current > 0.0
            limits.append(Limit("voltage", self.cutoff, above, self.contact))
        laid.flow(self.contact, self.current, self.duration, limits)

    def describe(self) -> str:
        """Say it in words."""
        if self.current == 0.0:
            return f"open circuit at {self.contact} for {self.duration:g} s"
        ends = [] if self.duration >= LONGEST else [f"for {self.duration:g} s"]
        ends += [] if self.cutoff is None else [f"to {self.cutoff:g} V"]
        return " ".join([f"{self.current:g} A into {self.contact}", " or ".join(ends)]).rstrip()


@dataclass(frozen=True)
class ChargeDischarge:
    """Charging with `current` [A] up to `high` and discharging to `low` [V], `cycles` times.

    `rest` [s] passes without current after each half, and none lasts more than `longest` [s].
    """

    contact: str
    current: float
    low: float
    high: float
    cycles: int
    rest: float
    longest: float

    def lay(self, laid: Laid) -> None:
        """Two intervals per cycle, and the rests."""
        for _ in range(self.cycles):
            first = laid.last
            self._half(laid, self.current, self.high)
            turn = laid.last
            self._half(laid, -self.current, self.low)
            cycle = LaidCycle(self.contact, self.high, first, turn, laid.last)
            laid.cycles.append(cycle)

    def _half(self, laid: Laid, current: float, cutoff: float) -> None:
        Current(self.contact, current, self.longest, cutoff).lay(laid)
        laid.show()
        if self.rest > 0.0:
            Current(self.contact, 0.0, self.rest).lay(laid)

    def describe(self) -> str:
        """Say it in words."""
        rest = f", {self.rest:g} s of rest after each" if self.rest else ""
        if self.longest < LONGEST:
            rest = f", each for {self.longest:g} s at most{rest}"
        return (
            f"charge {self.contact} with {self.current:g} A to {self.high:g} V and discharge to "
            f"{self.low:g} V, {self.cycles} times{rest}"
        )


@dataclass(frozen=True)
class Switch:
    """Switches of the circuit, by name, that are closed (true) or opened (false)."""

    states: tuple[tuple[str, bool], ...]

    def lay(self, laid: Laid) -> None:
        """Nothing; what follows is laid with these states."""
        laid.switch(dict(self.states))

    def describe(self) -> str:
        """Say it in words."""
        return ", ".join(f"{'close' if shut else 'open'} {name}" for name, shut in self.states)


@dataclass(frozen=True)
class Spectrum:
    """Impedance of a contact at `frequencies` [Hz] in the state that is there."""

    contact: str
    frequencies: tuple[float, ...]

    def lay(self, laid: Laid) -> None:
        """A mark at the breakpoint."""
        laid.spectra.append(LaidSpectrum(self.contact, self.frequencies, laid.entry, laid.last))

    def describe(self) -> str:
        """Say it in words."""
        low, high = min(self.frequencies), max(self.frequencies)
        count = len(self.frequencies)
        return f"impedance of {self.contact} at {count} frequencies, {low:g} to {high:g} Hz"


@dataclass(frozen=True)
class Repeat:
    """Steps that are repeated together."""

    times: int
    steps: tuple[Entry, ...]

    @property
    def contact(self) -> str:
        """Source that the first step with one drives."""
        driven = (one.contact for one in self.steps if not isinstance(one.step, Spectrum))
        return next((contact for contact in driven if contact), "")

    def lay(self, laid: Laid) -> None:
        """All steps, as often as said."""
        for _ in range(self.times):
            for step in self.steps:
                step.lay(laid)

    def describe(self) -> str:
        """Say it in words, without the steps."""
        return f"{self.times} times"
