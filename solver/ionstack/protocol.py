"""The measurement protocol: voltages of the contacts against time, cycles and pulses.

All voltages are piecewise linear in time. Steps are laid one after the other; what is
not driven is at 0 V.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ionstack.drive import Interval
from ionstack.protocol_steps import Laid, Step


@dataclass(frozen=True)
class Cycle:
    """One pass of a sweep: start, turn and end [s]; counted from 1 through the protocol.

    `amplitude` is the voltage [V] farthest from zero, on `contact`, and `turn` its time.
    """

    index: int
    start: float
    turn: float
    end: float
    amplitude: float
    contact: str


@dataclass(frozen=True)
class Pulse:
    """The flat part of a pulse, or of a read of the state.

    `interval` counts intervals of the protocol from 0, `start` and `end` are its times [s].
    `step` counts the steps, `group` the pairs or trains in it, `number` the pulses in the
    group; a read has the number of the pulse before it. All from 1.
    """

    kind: Literal["pulse", "read"]
    contact: str
    voltage: float
    step: int
    group: int
    number: int
    interval: int
    start: float
    end: float


@dataclass(frozen=True)
class Protocol:
    """Voltages of all contacts, piecewise linear between `breakpoints` [s].

    `levels` holds, per breakpoint, one voltage [V] per contact in the order of
    `contacts`, `durations` the lengths of the intervals [s]. `shown` are the breakpoints
    at which a picture tells something: turns of sweeps, ends of steps. `named` gives the
    name of a step by the number of intervals that have begun at its end.
    """

    contacts: tuple[str, ...]
    steps: tuple[Step, ...]
    durations: tuple[float, ...]
    breakpoints: tuple[float, ...]
    levels: tuple[tuple[float, ...], ...]
    shown: frozenset[int]
    cycles: tuple[Cycle, ...]
    pulses: tuple[Pulse, ...]
    named: Mapping[int, str] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """End of the protocol [s]."""
        return self.breakpoints[-1]

    def intervals(self, contacts: Sequence[str]) -> tuple[Interval, ...]:
        """Intervals with the voltages of these contacts, in their order."""
        order = [self.contacts.index(name) for name in contacts]
        levels = np.array(self.levels)[:, order]
        times = zip(self.breakpoints, self.breakpoints[1:], self.durations, strict=False)
        return tuple(
            Interval(start, stop, duration, begin, end)
            for (start, stop, duration), begin, end in zip(
                times, levels[:-1], levels[1:], strict=True
            )
        )

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


def build_protocol(
    steps: Sequence[Step], contacts: Sequence[str], start: Mapping[str, float] | None = None
) -> Protocol:
    """Lay the steps one after the other; contacts start at 0 V, or at given voltages [V]."""
    laid = Laid(contacts, start)
    for step in steps:
        step.lay(laid)
        laid.show()
    times = _times(laid.durations)
    cycles = (
        Cycle(index, times[one.first], times[one.turn], times[one.last], one.amplitude, one.contact)
        for index, one in enumerate(laid.cycles, start=1)
    )
    pulses = (
        Pulse(
            one.kind,
            one.contact,
            one.voltage,
            one.step,
            one.group,
            one.number,
            one.interval,
            times[one.interval],
            times[one.interval + 1],
        )
        for one in laid.pulses
    )
    rows = tuple(tuple(level[contact] for contact in contacts) for level in laid.levels)
    return Protocol(
        tuple(contacts),
        tuple(steps),
        tuple(laid.durations),
        times,
        rows,
        frozenset(laid.shown),
        tuple(cycles),
        tuple(pulses),
    )


def _times(durations: Iterable[float]) -> tuple[float, ...]:
    """Ends of the intervals [s], summed with more digits so that they do not drift."""
    sums = np.cumsum([0.0, *durations], dtype=np.longdouble)
    return tuple(map(float, sums))
