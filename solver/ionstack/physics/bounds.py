"""Ranges that numbers have to lie in."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Range of a number in its unit: `above` and `below` are open bounds, `least` is closed."""

    above: float = -math.inf
    least: float = -math.inf
    below: float = math.inf
    not_zero: bool = False

    def complaint(self, value: float, unit: str) -> str | None:
        """Return what a value should have been, or None if it lies in the range."""
        if self.not_zero and value == 0.0:
            return "must not be zero"
        if not self.above < value < self.below and self.below < math.inf:
            lowest = max(self.above, self.least)
            return f"must lie between {_bound(lowest, unit)} and {_bound(self.below, unit)}"
        if value <= self.above:
            return f"must be greater than {_bound(self.above, unit)}"
        return f"must be at least {_bound(self.least, unit)}" if value < self.least else None


def _bound(value: float, unit: str) -> str:
    return f"{value:g}" if unit == "1" or value == 0.0 else f"{value:g} {unit}"


ANY = Bounds()
POSITIVE = Bounds(above=0.0)
NOT_NEGATIVE = Bounds(least=0.0)
AT_LEAST_ONE = Bounds(least=1.0)
FRACTION = Bounds(above=0.0, below=1.0)
BELOW_ONE = Bounds(least=0.0, below=1.0)
