"""Accepted points that later time steps extrapolate and difference from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ionstack.output.checkpoint import Memory
from ionstack.stepping import bdf

Floats = NDArray[np.float64]

# Highest order of the scheme, measured: see docs/decisions.md.
HIGHEST = 4


@dataclass(frozen=True)
class Point:
    """An accepted state: time [s], unknowns [V], amounts, charges [e], circuit unknowns.

    Charges are those of the metals, then what the circuit stores, see `Network.stored`.
    """

    time: float
    unknowns: Floats
    amounts: Floats
    charge: Floats
    circuit: Floats

    def with_states(self, circuit: Floats) -> Point:
        """The point after an event that has changed states of the circuit."""
        charge, changed = self.charge.copy(), circuit != self.circuit
        charge[-len(circuit) :][changed] = circuit[changed]
        return replace(self, charge=charge, circuit=circuit)


@dataclass(frozen=True)
class Differences:
    """A formula at a new time: weight of the new amounts, sums over the old ones."""

    lead: float
    amounts: Floats
    charge: Floats


@dataclass(frozen=True)
class Defects:
    """Errors of the sums of a formula: of amounts (this rank's) and of charges [e]."""

    amounts: Floats
    charge: Floats


class History:
    """Points since the last breakpoint, oldest first, and the order of the next formula."""

    def __init__(self, first: Point, highest: int = HIGHEST) -> None:
        self._highest = highest
        self.restart(first)

    @property
    def last(self) -> Point:
        """The newest point."""
        return self._points[-1]

    def memory(self) -> Memory:
        """All points, the order and the steps taken with it."""
        points = [
            {"time": one.time, "charge": one.charge, "circuit": one.circuit} for one in self._points
        ]
        names = ("unknowns", "amounts")
        owned = {name: np.array([getattr(one, name) for one in self._points]) for name in names}
        return Memory({"points": points, "order": self.order, "since": self._since}, owned)

    @classmethod
    def recalled(cls, memory: Memory, highest: int) -> Self:
        """Return a history from its memory."""
        points = [
            Point(one["time"], u, s, np.array(one["charge"]), np.array(one["circuit"]))
            for one, u, s in zip(
                memory.plain["points"],
                memory.owned["unknowns"],
                memory.owned["amounts"],
                strict=True,
            )
        ]
        history = cls(points[-1], highest)
        history._points = points
        history.order, history._since = memory.plain["order"], memory.plain["since"]
        return history

    def restart(self, point: Point) -> None:
        """Forget all points for one at which slopes jump."""
        self._points, self.order, self._since = [point], 1, 0

    def add(self, point: Point) -> None:
        """Append an accepted point and forget the one that no formula needs any more."""
        self._points = [*self._points[-self._highest :], point]
        self._since += 1
        if len(self._points) == 2:
            self.change(min(2, self._highest))

    def change(self, order: int) -> None:
        """Set the order of the next formula."""
        if order != self.order:
            self.order, self._since = order, 0

    def orders(self) -> range:
        """Orders whose errors are worth an estimate: the present one, in time its neighbours.

        After fewer steps than its order the errors of a formula are still those of the start.
        """
        if len(self._points) == 1:
            return range(0)
        near = 1 if self._since >= self.order else 0
        most = min(self._highest, self.order + near, max(self.order, len(self._points) - 1))
        return range(max(1, self.order - near), most + 1)

    def differences(self, time: float) -> Differences:
        """Formula of the present order at a new time."""
        points = self._points[-self.order :]
        lead, weights = bdf.formula([point.time for point in points], time)
        amounts, charge = _weighted(weights, points)
        return Differences(lead, amounts, charge)

    def unknowns_at(self, time: float) -> Floats:
        """Extrapolated unknowns [V]: the guess of the present order."""
        return self._extrapolated([point.unknowns for point in self._points], time)

    def circuit_at(self, time: float) -> Floats:
        """Extrapolated unknowns of the circuit."""
        return self._extrapolated([point.circuit for point in self._points], time)

    def _extrapolated(self, values: list[Floats], time: float) -> Floats:
        used = self._points[-(self.order + 1) :]
        weights = bdf.extrapolation([point.time for point in used], time)
        return np.asarray(np.array(weights) @ np.array(values[-len(used) :]))

    def defects(self, order: int, time: float, amounts: Floats, charge: Floats) -> Defects:
        """What the formula of an order errs by in its sums, from the distance to extrapolation.

        With no more points than the order the extrapolation is one order lower than the
        formula, and the estimate pessimistic.
        """
        points = self._points[-(order + 1) :]
        times = [point.time for point in points]
        old, held = _weighted(bdf.extrapolation(times, time), points)
        error = bdf.error(times, time, order)
        return Defects(error * (amounts - old), error * (charge - held))


def _weighted(weights: list[float], points: list[Point]) -> tuple[Floats, Floats]:
    """Weighted sums of the amounts and of the charges of some points."""
    amounts = np.array(weights) @ np.array([point.amounts for point in points])
    charge = np.array(weights) @ np.array([point.charge for point in points])
    return np.asarray(amounts), np.asarray(charge)
