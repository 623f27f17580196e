"""What drives a device: settings of its sources, interval by interval.

Each interval has a clock of its own, so that edges of nanoseconds after hours of rest
are resolved. Where a step of a protocol ends is sometimes decided by the state: its
limits say when, and what follows begins at the values found then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ionstack.protocols.surroundings import Surroundings

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Quantity = Literal["current", "voltage", "charge", "conductance", "content", "event"]

# Begins with the value that is there when the interval begins.
PRESENT = np.nan


@dataclass(frozen=True)
class Limit:
    """A condition on the state that ends a step of the protocol.

    It compares a `quantity` with `value`: size of the current [A] and of the charge [C] since
    interval `first` began, voltage [V] with its sign, conductance [S], all of a `source`; or the
    mean content of a species in a layer. Or it waits for a random `event` of that name, whatever
    the value. Interval `following` comes next.
    """

    quantity: Quantity
    value: float
    above: bool
    source: str = ""
    layer: str = ""
    species: str = ""
    first: int = 0
    following: int = 0
    event: str = ""

    def margin(self, reading: float) -> float:
        """How far a reading is beyond the limit, relative to it; negative before."""
        sign = 1.0 if self.above else -1.0
        return sign * (reading - self.value) / (abs(self.value) or 1.0)

    def describe(self) -> str:
        """Say it in words."""
        if self.event:
            return f"event {self.event}"
        units = {"current": " A", "voltage": " V", "charge": " C", "conductance": " S"}
        of = f"{self.species} in {self.layer}" if self.species else self.source
        what = f"{self.quantity} of {of}"
        side = "above" if self.above else "below"
        return f"{what} {side} {self.value:g}{units.get(self.quantity, '')}"


@dataclass(frozen=True)
class Interval:
    """Values of the sources that run linearly from `begin` to `end` within `duration` [s].

    Values are voltages [V], or currents [A] where `current` is true; all arrays are in the
    order of the sources. A value of `begin` may be `PRESENT`, one of `end` too: then it stays.
    With a `rate` [V/s] the duration follows from the largest change. `positive` and `negative`
    are limits of the currents (compliance) [A], `closed` tells which switches are closed; None:
    no limits, all closed.
    The `temperature` [K] and partial `pressures` [Pa] are reached linearly at the end (None:
    they stay as they were). No time step is longer than `largest` [s].
    """

    duration: float
    begin: Floats
    end: Floats
    rate: float | None = None
    current: Bools | None = None
    positive: Floats | None = None
    negative: Floats | None = None
    closed: Bools | None = None
    temperature: float | None = None
    limits: tuple[Limit, ...] = ()
    largest: float = np.inf
    pressures: Mapping[str, float] | None = None

    def levels(self, elapsed: float) -> Floats:
        """Values [V or A] a time [s] after the start, exact at both ends."""
        part = elapsed / self.duration
        return self.begin * (1.0 - part) + self.end * part

    def around(self, before: Surroundings, elapsed: float) -> Surroundings:
        """Surroundings a time [s] after the start, from those before it."""
        return before.towards(self.temperature, self.pressures, elapsed / self.duration)

    def resolved(self, present: Floats) -> Interval:
        """The same with nothing left open, from the present values of the sources."""
        if self.rate is None and not np.isnan([self.begin, self.end]).any():
            return self
        begin = np.where(np.isnan(self.begin), present, self.begin)
        end = np.where(np.isnan(self.end), begin, self.end)
        duration = self.duration
        if self.rate is not None:
            duration = float(np.abs(end - begin).max(initial=0.0)) / self.rate
        return replace(self, begin=begin, end=end, duration=duration, rate=None)

    @property
    def swing(self) -> float:
        """Largest change of a voltage [V]."""
        change = np.abs(self.end - self.begin)
        if self.current is not None:
            change = change[~self.current]
        return float(change.max(initial=0.0))

    @property
    def forced(self) -> bool:
        """Whether a source gives a current."""
        return self.current is not None and bool(self.current.any())

    def abrupt_after(self, before: Interval) -> bool:
        """Whether more than the slope of a voltage changes at once when this one begins.

        A current is given, or modes, compliances or switches are others than before.
        """
        modes = ("current", "positive", "negative", "closed")
        pairs = ((getattr(self, name), getattr(before, name)) for name in modes)
        return self.forced or not all(_same(*pair) for pair in pairs)


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


class Drive(Protocol):
    """What the stepper asks of a protocol: at least one interval, each where the last ended."""

    @property
    def intervals(self) -> Sequence[Interval]:
        """Intervals between times at which the slope of a voltage may jump."""


@dataclass(frozen=True)
class PiecewiseLinear:
    """Voltages [V] of all contacts at given times [s], linear between them."""

    breakpoints: tuple[float, ...]
    voltages: tuple[tuple[float, ...], ...]

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """One interval between each two times."""
        levels = np.array(self.voltages, dtype=float)
        corners = pairwise(zip(self.breakpoints, levels, strict=True))
        return tuple(Interval(stop - start, begin, end) for (start, begin), (stop, end) in corners)
