"""What drives a device: voltages of its contacts, interval by interval.

Each interval has a clock of its own, so that edges of nanoseconds after hours of rest
are resolved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Voltages that run linearly from `begin` to `end` [V] within `duration` [s].

    `start` and `stop` are times since the start of the run [s]; their difference has fewer
    digits than `duration`. Voltages are in the order of `ControlVolumes.contacts`.
    """

    start: float
    stop: float
    duration: float
    begin: Floats
    end: Floats

    def levels(self, elapsed: float) -> Floats:
        """Voltages [V] a time [s] after the start, exact at both ends."""
        part = elapsed / self.duration
        return self.begin * (1.0 - part) + self.end * part

    def time(self, elapsed: float) -> float:
        """Time since the start of the run [s], exact at the end."""
        return self.stop if elapsed >= self.duration else self.start + elapsed

    @property
    def swing(self) -> float:
        """Largest change of a voltage [V]."""
        return float(np.abs(self.end - self.begin).max(initial=0.0))


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
        return tuple(
            Interval(start, stop, stop - start, begin, end)
            for (start, begin), (stop, end) in corners
        )
