"""Intervals of a protocol while its steps are laid one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ionstack.protocols.drive import PRESENT, Interval, Limit

Levels = Mapping[str, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LaidCycle:
    """A pass of a sweep, by breakpoints: first, turn and last."""

    contact: str
    amplitude: float
    first: int
    turn: int
    last: int


@dataclass(frozen=True)
class Pulse:
    """The flat part of a pulse, or of a read of the state.

    `interval` counts intervals of the protocol from 0. `step` counts the steps with pulses,
    `group` counts the pairs or trains in it, `number` the pulses in the group; a read has
    the number of the pulse before it. All from 1.
    """

    kind: Literal["pulse", "read"]
    contact: str
    voltage: float
    step: int
    group: int
    number: int
    interval: int


@dataclass(frozen=True)
class LaidSpectrum:
    """An impedance measurement of a contact at a breakpoint, with its frequencies [Hz]."""

    contact: str
    frequencies: tuple[float, ...]
    step: int
    breakpoint: int


@dataclass(frozen=True)
class Span:
    """A step of the protocol with its first and last breakpoint.

    `number` counts the entries of the protocol from 1; repeated steps have that of the repeat.
    """

    number: int
    kind: str
    name: str
    contact: str
    first: int
    last: int


@dataclass(frozen=True)
class Instruments:
    """What a protocol can set: sources with their compliances [A], switches, cells of an array.

    `cells` are names for several sources together, each with its share of the voltage;
    `start` are voltages [V] of sources that do not start at 0 V, `bias` those of sources that
    are not at 0 V while a step drives others.
    """

    sources: tuple[str, ...]
    positive: Levels | None = None
    negative: Levels | None = None
    closed: Mapping[str, bool] | None = None
    cells: Mapping[str, Levels] | None = None
    start: Levels | None = None
    bias: Levels | None = None


class Laid:
    """Intervals laid so far, and what they are.

    A source that a step does not drive is at its bias, usually 0 V. The voltage after a step
    whose end the state decides is not known: what follows begins at the present one.
    """

    def __init__(self, instruments: Instruments) -> None:
        self.instruments = instruments
        self._rest: Levels = {**dict.fromkeys(instruments.sources, 0.0), **(instruments.bias or {})}
        self._closed = dict(instruments.closed or {})
        self._compliance: dict[str, tuple[float, float]] = {}
        self._temperature: float | None = None
        self._pressures: Levels | None = None
        at_first = dict.fromkeys(instruments.sources, 0.0)
        self._now: Levels = {**at_first, **(instruments.start or {})}
        self._current: frozenset[str] = frozenset()
        self._limits: tuple[Limit, ...] = ()
        self._watched: list[bool] = []
        self.intervals: list[Interval] = []
        self.shown: set[int] = {0}
        self.cycles: list[LaidCycle] = []
        self.pulses: list[Pulse] = []
        self.spectra: list[LaidSpectrum] = []
        self.spans: list[Span] = []
        self.named: dict[int, str] = {}
        self.entry = self.pulsed = 0
        self.resolution: float | None = None

    @property
    def last(self) -> int:
        """Number of the last breakpoint."""
        return len(self.intervals)

    def level(self, contact: str) -> float:
        """Voltage [V] of a source or a cell now; NaN where the state decides it."""
        main = self.main(contact)
        return self._now[main] / self._shares(contact)[main]

    def distance(self, contact: str, voltage: float) -> float:
        """Largest change [V] of a source on the way to one being at a voltage, others at 0.

        NaN where the state decides it.
        """
        goal = self._goal(contact, voltage)
        return float(np.max([abs(goal[name] - value) for name, value in self._now.items()]))

    def ramp(self, contact: str, voltage: float, duration: float, watch: bool = True) -> None:
        """Bring one source to a voltage [V] and the others to 0 within a duration [s].

        Limits of the step are looked at unless `watch` is false.
        """
        self._add(self._goal(contact, voltage), duration, watch=watch)

    def approach(self, contact: str, voltage: float, rate: float) -> None:
        """The same at a rate [V/s], unless all are there."""
        away = self.distance(contact, voltage)
        if away == 0.0:
            return
        if np.isnan(away):
            self._add(self._goal(contact, voltage), 0.0, rate=rate, watch=False)
        else:
            self.ramp(contact, voltage, away / rate)
        self.show()

    def reach(self, contact: str, voltage: float, rise: float) -> float:
        """The same within a time, unless all are there; return the time used [s]."""
        if self.distance(contact, voltage) == 0.0:
            return 0.0
        self.ramp(contact, voltage, rise, watch=False)
        return rise

    def flow(
        self, contact: str, current: float, duration: float, limits: Iterable[Limit] = ()
    ) -> None:
        """Let a current [A] flow through one source, the others at 0 V.

        Others that are elsewhere first come there, within 1 ms or 1 % of the duration.
        """
        goal = {**self._rest, contact: current}
        if any(self._now[name] != rest for name, rest in self._rest.items() if name != contact):
            rise = min(1e-3, 0.01 * duration)
            self._add(goal, rise, watch=False, forced={contact})
            duration -= rise
        following = self.last + 1
        own = [replace(one, first=self.last, following=following) for one in limits]
        self._add(goal, duration, forced={contact}, limits=own)
        self._now = {**self._now, contact: PRESENT}

    def stay(self, duration: float) -> None:
        """Leave all voltages as they are for a duration [s]; what gave a current is off (0 A)."""
        level = {name: 0.0 if name in self._current else v for name, v in self._now.items()}
        self._add(level, duration, forced=self._current)

    def warm(self, temperature: float) -> None:
        """Set the temperature [K] that the next interval reaches and the others keep."""
        self._temperature = temperature

    def surround(self, pressures: Levels) -> None:
        """Set the partial pressures [Pa] that the next interval reaches and the others keep."""
        self._pressures = pressures

    def switch(self, states: Mapping[str, bool]) -> None:
        """Close and open switches for what follows."""
        self._closed |= states

    def comply(
        self, contact: str, limits: tuple[float, float] | None
    ) -> tuple[float, float] | None:
        """Set the largest positive and negative current [A] of a source; None: as at first.

        Of a cell it is the source at its row that is limited: all of its current passes there,
        and lines that are only half selected need not follow. Return what was set before.
        """
        source = self.main(contact)
        before = self._compliance.pop(source, None)
        if limits is not None:
            self._compliance[source] = limits
        return before

    def show(self) -> None:
        """Mark the last breakpoint as one worth a picture."""
        self.shown.add(self.last)

    def name(self, name: str) -> None:
        """Name the state at the last breakpoint; a repeated name is numbered."""
        earlier = sum(one == name or one.startswith(f"{name}-") for one in self.named.values())
        self.named[self.last] = f"{name}-{earlier + 1}" if earlier else name

    def limit(self, first: int, limits: Sequence[Limit]) -> None:
        """End the step that began at a breakpoint at the first of these limits.

        Of a cell it is the source at its row that is looked at. An event may come at any time.
        """
        if not limits:
            return
        end = self.last
        own = tuple(
            replace(one, source=self.main(one.source), first=first, following=end) for one in limits
        )
        for number in range(first, end):
            looked = [one for one in own if self._watched[number] or one.event]
            old = self.intervals[number]
            self.intervals[number] = replace(old, limits=(*old.limits, *looked))
        moved = self._moved(first)
        self._now = {name: PRESENT if name in moved else v for name, v in self._now.items()}

    def watch_only(self, first: int, chosen: Iterable[int]) -> None:
        """Look at limits in some of the intervals since a breakpoint only."""
        kept = set(chosen)
        for number in range(first, self.last):
            self._watched[number] = number in kept

    def _moved(self, first: int) -> set[str]:
        """Sources whose value is not the same throughout."""
        found = set()
        for one in self.intervals[first:]:
            ends = zip(self.instruments.sources, one.begin, one.end, strict=True)
            found |= {name for name, begin, end in ends if not begin == end == 0.0}
        return found

    def main(self, contact: str) -> str:
        """The source itself, or of a cell that at its row, which has the whole voltage."""
        shares = self._shares(contact)
        return max(shares, key=lambda name: abs(shares[name]))

    def _goal(self, contact: str, voltage: float) -> Levels:
        shares = self._shares(contact)
        return {**self._rest, **{name: voltage * share for name, share in shares.items()}}

    def _shares(self, contact: str) -> Levels:
        cells = self.instruments.cells or {}
        return cells.get(contact, {contact: 1.0})

    def _add(
        self,
        goal: Levels,
        duration: float,
        rate: float | None = None,
        watch: bool = True,
        forced: Iterable[str] = (),
        limits: Iterable[Limit] = (),
    ) -> None:
        forced = frozenset(forced)
        # A current begins at its value, a voltage after a current at the present one.
        begin = {
            name: goal[name] if name in forced else self._now[name]
            for name in self.instruments.sources
        }
        positive, negative = self._compliances()
        self.intervals.append(
            Interval(
                duration,
                self._array(begin),
                self._array(goal),
                rate,
                np.array([name in forced for name in self.instruments.sources]),
                positive,
                negative,
                np.array(list(self._closed.values()), dtype=bool),
                self._temperature,
                tuple(limits),
                self._largest(begin, goal, duration),
                self._pressures,
            )
        )
        self._watched.append(watch)
        self._now = {name: PRESENT if name in forced else goal[name] for name in goal}
        self._current = forced

    def _largest(self, begin: Levels, goal: Levels, duration: float) -> float:
        """Longest time step [s] at which no voltage moves by more than the resolution."""
        swing = max((abs(goal[name] - value) for name, value in begin.items()), default=0.0)
        if self.resolution is None or not swing > 0.0:
            return np.inf
        return duration * self.resolution / swing

    def _array(self, levels: Levels) -> Floats:
        return np.array([levels[name] for name in self.instruments.sources], dtype=np.float64)

    def _compliances(self) -> tuple[Floats, Floats]:
        own, at_first = self._compliance, self.instruments
        rest = at_first.positive or {}, at_first.negative or {}
        limits = [
            own.get(name, (rest[0].get(name, np.inf), rest[1].get(name, np.inf)))
            for name in at_first.sources
        ]
        positive, negative = np.array(limits, dtype=np.float64).reshape(-1, 2).T
        return positive, negative
