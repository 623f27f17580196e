"""The measurement protocol: what the sources do against time, cycles and pulses.

Voltages and currents are piecewise linear in time. Steps are laid one after the other;
what is not driven is at 0 V. Breakpoints are counted: intervals lie between them, and
where the state decides when a step ends, times are known only in a run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.protocols.drive import Interval
from ionstack.protocols.laid import Instruments, Laid, LaidSpectrum, Pulse, Span
from ionstack.protocols.protocol_steps import LONGEST, Entry, Step

# A protocol that only measures lasts this long [s].
_MOMENT = 1e-3


@dataclass(frozen=True)
class Cycle:
    """One pass of a sweep, by breakpoints: first, turn and last; counted from 1 in the protocol.

    `amplitude` is the voltage [V] farthest from zero, on `contact`.
    """

    index: int
    first: int
    turn: int
    last: int
    amplitude: float
    contact: str


@dataclass(frozen=True)
class Protocol:
    """Intervals in which all sources run linearly, and what they are.

    Values of an interval are in the order of `sources`. `shown` are the breakpoints at which
    a picture tells something: turns of sweeps, ends of steps; `named` gives names to some.
    """

    instruments: Instruments
    steps: tuple[Entry, ...]
    laid: tuple[Interval, ...] = field(compare=False)  # follows from the steps
    shown: frozenset[int]
    named: Mapping[int, str]
    spans: tuple[Span, ...]
    cycles: tuple[Cycle, ...]
    pulses: tuple[Pulse, ...]
    spectra: tuple[LaidSpectrum, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources."""
        return self.instruments.sources

    @property
    def durations(self) -> tuple[float, ...]:
        """Longest durations of the intervals [s]; 0 where the state decides it."""
        return tuple(one.duration for one in self.laid)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Latest ends of the intervals [s], summed with more digits so that they do not drift."""
        sums = np.cumsum([0.0, *self.durations], dtype=np.longdouble)
        return tuple(map(float, sums))

    @property
    def duration(self) -> float:
        """Latest end of the protocol [s]."""
        return self.breakpoints[-1]

    @property
    def ended_by_state(self) -> tuple[bool, ...]:
        """Whether the state may end an interval, or decides how long it takes."""
        return tuple(bool(one.limits) or one.rate is not None for one in self.laid)

    @property
    def planned(self) -> tuple[float, ...]:
        """Durations of the intervals [s] as far as they are known; 0 where nothing is."""
        pairs = zip(self.laid, self.ended_by_state, strict=True)
        return tuple(
            0.0 if early and one.duration >= LONGEST else one.duration for one, early in pairs
        )

    def length(self) -> str:
        """Say how long it takes, as far as that is known before."""
        known = f"{sum(self.planned):g} s"
        unknown = sum(one.duration >= LONGEST and bool(one.limits) for one in self.laid)
        if unknown:
            return f"{known} and {unknown} open end{'s' * (unknown > 1)}"
        if any(one.rate is not None for one in self.laid):
            return f"about {known}"
        return f"at most {known}" if any(self.ended_by_state) else known

    def intervals(self, sources: Sequence[str]) -> tuple[Interval, ...]:
        """Intervals with the values of these sources, in their order."""
        order = [self.sources.index(name) for name in sources]
        return tuple(_ordered(one, order) for one in self.laid)

    def main_source(self, contact: str) -> str:
        """The source itself, or that which drives a cell of an array with the largest share."""
        shares = (self.instruments.cells or {}).get(contact, {contact: 1.0})
        return max(shares, key=lambda name: abs(shares[name]))

    def driven(self) -> str:
        """The source that is driven first."""
        named = (self.main_source(span.contact) for span in self.spans if span.contact)
        # A spectrum names a contact of the device.
        driven = (name for name in named if name in self.sources)
        return next(driven, self.sources[0] if self.sources else "")

    def voltages(self, time: float) -> dict[str, float]:
        """Return the values of every source [V or A] if no step ends early, exact at breakpoints.

        Before the start and after the end the first and last ones hold.
        """
        times = self.breakpoints
        number = min(max(bisect_right(times, time) - 1, 0), len(self.laid) - 1)
        elapsed = min(max(time - times[number], 0.0), self.durations[number])
        levels = self.laid[number].levels(elapsed)
        return dict(zip(self.sources, map(float, levels), strict=True))


def build_protocol(
    steps: Sequence[Entry | Step], instruments: Instruments | Sequence[str]
) -> Protocol:
    """Lay the steps one after the other; sources start at 0 V unless the instruments say."""
    if not isinstance(instruments, Instruments):
        instruments = Instruments(tuple(instruments))
    entries = tuple(
        step if isinstance(step, Entry) else Entry(type(step).__name__.lower(), step)
        for step in steps
    )
    laid = Laid(instruments)
    for laid.entry, entry in enumerate(entries, start=1):
        entry.lay(laid)
    if not laid.intervals:
        laid.stay(_MOMENT)
    return Protocol(
        instruments=instruments,
        steps=entries,
        laid=tuple(laid.intervals),
        shown=frozenset(laid.shown),
        named=dict(laid.named),
        spans=tuple(laid.spans),
        cycles=tuple(
            Cycle(index, one.first, one.turn, one.last, one.amplitude, one.contact)
            for index, one in enumerate(laid.cycles, start=1)
        ),
        pulses=tuple(laid.pulses),
        spectra=tuple(laid.spectra),
    )


def _ordered(interval: Interval, order: list[int]) -> Interval:
    def chosen(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else values[order]

    return replace(
        interval,
        begin=interval.begin[order],
        end=interval.end[order],
        current=chosen(interval.current),
        positive=chosen(interval.positive),
        negative=chosen(interval.negative),
    )
