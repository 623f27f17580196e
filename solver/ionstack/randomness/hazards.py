"""Random events in time: a site's event comes when its integrated rate reaches a threshold.

Thresholds are unit exponential numbers, drawn per site and event, so events are a Poisson
process of the given rates. Since rates are integrated and not compared with a random number
per step, instants do not depend on the steps where the integral does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ionstack.physics.array_module import module_of
from ionstack.randomness.random_streams import Stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Of NumPy, or of JAX in compiled steps.
Array = Any

_HALVINGS = 60
_MOST_EVENTS = 1e5
_NEARLY_ALL = 1.0 - 2.0**-53


class Hazard(Protocol):
    """Rates of events during a step, integrated in time, site by site."""

    def total(self) -> Floats:
        """Return the integral over the step (n_sites,)."""

    def instants(self, which: Ints, amounts: Floats) -> Floats:
        """Return the times [s] at which the sites numbered `which` have come to `amounts`."""


@dataclass(frozen=True)
class LinearHazard:
    """A rate [1/s] that goes straight from `first` at `start` to `last` at `end` [s]."""

    start: Array
    end: Array
    first: Array
    last: Array

    def total(self) -> Array:
        """Return the trapezoid's area (n_sites,)."""
        return 0.5 * (self.end - self.start) * (self.first + self.last)

    def instants(self, which: Array, amounts: Array) -> Array:
        """Return the root of a quadratic equation, in the form that does not cancel."""
        xp = module_of(amounts)
        first, last = self.first[which], self.last[which]
        growth = (last - first) / (self.end - self.start)
        root = xp.sqrt(xp.maximum(first**2 + 2.0 * growth * amounts, 0.0))
        positive = xp.where(amounts > 0.0, first + root, 1.0)
        return xp.minimum(self.start + 2.0 * amounts / positive, self.end)


@dataclass(frozen=True)
class ExponentialHazard:
    """A rate [1/s] whose logarithm goes straight, from `first` to `last`.

    Exact where the barrier goes linearly in time. Both rates have to be positive; sites
    where one is zero follow `LinearHazard`.
    """

    start: Array
    end: Array
    first: Array
    last: Array

    def total(self) -> Array:
        """Return the logarithmic mean of the rates times the step (n_sites,)."""
        xp = module_of(self.first)
        exponent, usual = self._exponents()
        # From the larger rate down: exp of a negative number cannot overflow.
        small = xp.abs(exponent) < 1e-12
        size = xp.where(small, 1.0, xp.abs(exponent))
        mean = xp.maximum(self.first, self.last) * xp.where(small, 1.0, -xp.expm1(-size) / size)
        return xp.where(usual, (self.end - self.start) * mean, self._linear().total())

    def instants(self, which: Array, amounts: Array) -> Array:
        """Return the times at which the integral comes to the amounts."""
        xp = module_of(amounts)
        exponents, logarithmic = self._exponents()
        exponent, usual = exponents[which], logarithmic[which]
        total = xp.where(usual, self.total()[which], 1.0)
        share = xp.clip(amounts / total, 0.0, 1.0)
        flat = xp.abs(exponent) < 1e-12
        rises = exponent > 0.0
        # ln(1 + f (e^y - 1))/y, from the end of the step for a rate that rises.
        part = xp.where(rises, 1.0 - share, share) * xp.expm1(-xp.abs(exponent))
        log = xp.log1p(xp.maximum(part, -_NEARLY_ALL)) / xp.where(flat, 1.0, exponent)
        elapsed = xp.where(flat, share, xp.where(rises, 1.0 + log, log))
        curved = self.start + (self.end - self.start) * elapsed
        straight = self._linear().instants(which, amounts)
        # No later than the end of the step by round-off.
        return xp.where(usual, xp.minimum(curved, self.end), straight)

    def _exponents(self) -> tuple[Array, Array]:
        """Logarithm of last over first rate, and where it exists."""
        xp = module_of(self.first)
        usual = (self.first > 0.0) & (self.last > 0.0)
        first, last = xp.where(usual, self.first, 1.0), xp.where(usual, self.last, 1.0)
        return xp.log(last) - xp.log(first), usual

    def _linear(self) -> LinearHazard:
        return LinearHazard(self.start, self.end, self.first, self.last)


@dataclass(frozen=True)
class ExactHazard:
    """A rate whose integral is known: `integral(which, times)` from any fixed instant on.

    It gives the integrals of the sites numbered `which` (n,) up to the times (n,).
    """

    start: float
    end: float
    count: int
    integral: Callable[[Ints, Floats], Floats]

    def total(self) -> Floats:
        """Return the integral over the step (n_sites,)."""
        every = np.arange(self.count)
        return self._until(every, np.full(self.count, self.end)) - self._before(every)

    def instants(self, which: Ints, amounts: Floats) -> Floats:
        """Return the times at which the integral comes to the amounts, by bisection."""
        sought = self._before(which) + amounts
        low: Floats = np.full(len(which), self.start)
        high: Floats = np.full(len(which), self.end)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            over = self._until(which, middle) >= sought
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        return np.asarray(0.5 * (low + high))

    def _before(self, which: Ints) -> Floats:
        return self._until(which, np.full(len(which), self.start))

    def _until(self, which: Ints, times: Floats) -> Floats:
        return np.asarray(self.integral(which, times))


@dataclass(frozen=True)
class Clocks:
    """What sites remember, and all that a checkpoint has to keep.

    sites (n,), numbers that do not depend on the partition; left (n,), integrated rate that
    is still to come before the next event; draws (n,), thresholds of the site drawn before it.
    """

    sites: Ints
    left: Floats
    draws: Ints

    @classmethod
    def started(cls, stream: Stream, sites: ArrayLike) -> Clocks:
        """Return clocks of sites at which nothing has happened."""
        numbers = np.asarray(sites, dtype=np.int64)
        draws = np.zeros(len(numbers), dtype=np.int64)
        return cls(numbers, stream.exponential(numbers, draws), draws)

    def after(self, stream: Stream, passed: Floats, happened: Ints) -> Clocks:
        """Return the clocks after integrated rates `passed` (n,).

        Sites at the rows `happened` have had their event, and wait for the next one anew.
        """
        left, draws = self.left - passed, self.draws.copy()
        draws[happened] += 1
        left[happened] = stream.exponential(self.sites[happened], draws[happened])
        return Clocks(self.sites, left, draws)


class Events(NamedTuple):
    """Events in the order of time: their sites' numbers, times [s], and count at the site."""

    sites: Ints
    times: Floats
    draws: Ints


def advance(
    clocks: Clocks, stream: Stream, hazard: Hazard, *, renew: bool = True
) -> tuple[Clocks, Events]:
    """Return the clocks after a step and the events in it.

    With `renew` a site goes on at its rate after an event. Without, it has one event per step
    at most, and what is left of the step does not count towards its next one: for events that
    change the rate. Clocks are not changed, so a step can be tried, cut at an event, and
    repeated. Raises ValueError for integrals that are not numbers from 0 on, and with `renew`
    for more events than 1e5 per site and step, which nobody can want listed.
    """
    total = np.array(hazard.total())
    if not (total >= 0.0).all() or (renew and (total > _MOST_EVENTS).any()):
        raise ValueError("the integrated rate of a step is negative, not a number, or too large")
    waiting: Ints = np.flatnonzero(clocks.left <= total)
    if not renew:
        found = [_events(clocks, hazard, waiting)] if len(waiting) else []
        return clocks.after(stream, total, waiting), _in_order(found)
    return _renewed(clocks, stream, hazard, total, waiting)


def _renewed(
    clocks: Clocks, stream: Stream, hazard: Hazard, total: Floats, waiting: Ints
) -> tuple[Clocks, Events]:
    """Clocks and events where sites go on at their rate after an event."""
    due, draws, found = clocks.left.copy(), clocks.draws.copy(), []
    while len(waiting):
        found.append(_events(Clocks(clocks.sites, due, draws), hazard, waiting))
        draws[waiting] += 1
        due[waiting] += stream.exponential(clocks.sites[waiting], draws[waiting])
        waiting = waiting[due[waiting] <= total[waiting]]
    return Clocks(clocks.sites, due - total, draws), _in_order(found)


def _events(clocks: Clocks, hazard: Hazard, waiting: Ints) -> Events:
    """The next events of the sites at some rows.

    One that round-off has put off from the end of the last step comes at once.
    """
    times = hazard.instants(waiting, np.maximum(clocks.left[waiting], 0.0))
    return Events(clocks.sites[waiting], times, clocks.draws[waiting])


def _in_order(found: list[Events]) -> Events:
    """Join events, by time and then by site."""
    if not found:
        return Events(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    sites, times, draws = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((draws, sites, times))
    return Events(sites[order], times[order], draws[order])
