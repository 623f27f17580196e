"""Random events: when the next one comes, and what is different after it.

Whatever has events at random, elements of a circuit or places on the face of a metal, is a
source of sites with a stream of random numbers of its own. A site's event happens when its
rate, integrated over time, reaches a drawn threshold. Where an event changes something, or
the protocol waits for it, the time step that would go beyond it ends there, as at a limit of
the protocol; other events are told with their instants within the step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ionstack.errors import NumericsError
from ionstack.protocols.crossing import CLOSE, MOST
from ionstack.randomness.hazards import Clocks, ExponentialHazard, advance
from ionstack.randomness.random_streams import Stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Events expected in a time step beyond which nobody can want to be told of them.
MOST_TOLD = 3000
# Least integrated rate that an event waits for.
_SOON = 1e-200
# How many times as many thresholds are drawn at once as are asked for.
_AT_ONCE = 8


class Happening(NamedTuple):
    """The event that comes first in a step, and the share of the step until then.

    `source` and `row` tell where it happens, `name` is its own. The share is 1 where the step
    ends close enough to it. An event `changes` something or not.
    """

    source: int
    row: int
    name: str
    share: float
    changes: bool


class Event(NamedTuple):
    """An event that has happened: its name, at which share of the step, and where.

    `contact` is the number of the contact, `place` the coordinates there [m]; -1 and nothing for
    an element of a circuit.
    """

    name: str
    share: float
    contact: int = -1
    place: tuple[float, ...] = ()


class Source(Protocol):
    """Sites at which events happen at random; all ranks know the same."""

    purpose: str
    """What its random numbers are for."""
    changes: bool
    """Whether an event changes rates, so that a step has to end at it."""

    @property
    def sites(self) -> Ints:
        """Numbers of the sites, which do not depend on the partition.

        They ascend where events change nothing.
        """

    def name(self, row: int) -> str:
        """Name of a site's event."""

    def rates(self, circuit: Floats) -> Floats:
        """Rates [1/s] in the present state with these unknowns of the circuit (collective)."""

    def after(self, row: int, circuit: Floats) -> Floats:
        """The unknowns of the circuit after an event."""

    def told(self, row: int, share: float) -> Event:
        """The event as it is told."""


class Waiting:
    """One source and its clocks, from the last accepted state on."""

    def __init__(self, source: Source, seed: int) -> None:
        self.source = source
        self._stream = Stream(seed, source.purpose)
        self._clocks = Clocks.started(self._stream, source.sites)
        self._names = [source.name(row) for row in range(len(source.sites))]
        self._rates: Floats = np.zeros(len(source.sites))
        # Rates at the end of the last trial, by the unknowns there.
        self._ahead: tuple[Floats, Floats] | None = None
        self.counts = dict.fromkeys(self._names, 0)
        # Draws of the sites from which on thresholds have been drawn, and these.
        self._drawn: tuple[Ints, Floats] = self._clocks.draws, np.zeros((len(source.sites), 0))

    def begin(self, circuit: Floats) -> None:
        """Go on from an accepted state with the circuit's unknowns."""
        self._ahead = None
        self._rates = self._rates_at(circuit)

    def first(
        self, number: int, step: float, circuit: Floats, tries: int, awaited: Collection[str]
    ) -> Happening | None:
        """The first event at which a step has to end, if there is one."""
        self._ahead = None
        if not self.source.changes and not set(awaited) & set(self.counts):
            return None
        hazard = self._hazard(step, circuit)
        # What round-off has put off from the end of the last step is due at once.
        beyond = hazard.total() / np.maximum(self._clocks.left, _SOON) - 1.0
        due = np.flatnonzero(beyond >= -CLOSE)
        if not len(due):
            return None
        shares = hazard.instants(due, self._clocks.left[due]) / step
        first = int(np.argmin(shares))
        near = beyond[due[first]] <= CLOSE or tries >= MOST
        row, share = int(due[first]), 1.0 if near else float(shares[first])
        return Happening(number, row, self._names[row], share, self.source.changes)

    def accept(self, step: float, circuit: Floats, row: int | None) -> list[Event]:
        """Let time pass; return what happens, which is the event at `row` if that ends the step."""
        hazard = self._hazard(step, circuit)
        if row is not None or self.source.changes:
            rows: Ints = np.array([] if row is None else [row], dtype=np.int64)
            self._clocks = self._clocks.after(self._stream, hazard.total(), rows)
            found = [(int(one), 1.0) for one in rows]
        else:
            found = self._passed(step, hazard)
        self._rates = self._rates_at(circuit)
        for one, _ in found:
            self.counts[self._names[one]] += 1
        return [self.source.told(*one) for one in found]

    def _passed(self, step: float, hazard: ExponentialHazard) -> list[tuple[int, float]]:
        """Rows and shares of the step of all events in it."""
        expected = float(hazard.total().sum())
        if not expected <= MOST_TOLD:
            names = ", ".join(self.counts)
            raise NumericsError(
                f"{names}: {expected:.3g} events in one time step, more than {MOST_TOLD} are not "
                "told; let the step of the protocol end at the event (until: event)"
            )
        self._clocks, events = advance(self._clocks, self._stream, hazard)
        rows = np.searchsorted(self._clocks.sites, events.sites)
        pairs = zip(rows, events.times / step, strict=True)
        return [(int(row), float(share)) for row, share in pairs]

    def ahead(self, count: int) -> Floats:
        """Integrated rates that every site waits for its next events (n_sites, `count`).

        The first from now on, the others from one event to the next.
        """
        clocks = self._clocks
        after = clocks.draws - self._drawn[0]
        if (after + count > self._drawn[1].shape[1]).any():
            # More than are wanted, as most of the time goes into the call.
            many = clocks.draws[:, None] + np.arange(_AT_ONCE * count)
            self._drawn = clocks.draws, self._stream.exponential(clocks.sites[:, None], many)
            after = np.zeros_like(clocks.draws)
        later = np.take_along_axis(self._drawn[1], after[:, None] + np.arange(1, count), axis=1)
        return np.concatenate([clocks.left[:, None], later], axis=1)

    def take(self, waits: Floats, row: int) -> None:
        """Take a step that came to a state with these waits, after the event at `row` if any."""
        draws = self._clocks.draws.copy()
        if row < len(draws):
            draws[row] += 1
            self.counts[self._names[row]] += 1
        self._clocks = Clocks(self._clocks.sites, waits, draws)

    def told(self, row: int) -> tuple[Event, ...]:
        """The event at `row` at the end of a step, if there is one."""
        return (self.source.told(row, 1.0),) if row < len(self._names) else ()

    def memory(self) -> Mapping[str, Any]:
        """What `recall` needs."""
        clocks = self._clocks
        return {
            "left": clocks.left.tolist(),
            "draws": clocks.draws.tolist(),
            "rates": self._rates.tolist(),
            "counts": list(self.counts.values()),
        }

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood."""
        left, draws = np.array(memory["left"]), np.array(memory["draws"], dtype=np.int64)
        self._clocks = Clocks(self._clocks.sites, left, draws)
        self._rates = np.array(memory["rates"])
        self.counts = dict(zip(self.counts, memory["counts"], strict=True))

    def entries(self) -> dict[str, int]:
        """How often every event happened, for the summary."""
        return {f"events.{name}": count for name, count in self.counts.items()}

    def _hazard(self, step: float, circuit: Floats) -> ExponentialHazard:
        return ExponentialHazard(0.0, step, self._rates, self._rates_at(circuit))

    def _rates_at(self, circuit: Floats) -> Floats:
        """Rates [1/s] at the unknowns; those of a trial are wanted again when it is accepted."""
        if self._ahead is None or self._ahead[0] is not circuit:
            self._ahead = circuit, self.source.rates(circuit)
        return self._ahead[1]


class RandomEvents:
    """The events of all sources, which happen by the random numbers of one seed."""

    def __init__(self, sources: Sequence[Source], seed: int) -> None:
        self._waiting = [Waiting(one, seed) for one in sources if len(one.sites)]

    def begin(self, circuit: Floats) -> None:
        """Go on from an accepted state with the circuit's unknowns (collective)."""
        for one in self._waiting:
            one.begin(circuit)

    def next(
        self, step: float, circuit: Floats, tries: int, awaited: Collection[str] = ()
    ) -> Happening | None:
        """The first event that ends a step [s], tried so often, with these unknowns at its end.

        That is one that changes something, or whose name is `awaited` (collective).
        """
        arguments = step, circuit, tries, awaited
        every = (one.first(number, *arguments) for number, one in enumerate(self._waiting))
        return min((one for one in every if one), key=lambda one: one.share, default=None)

    def accept(
        self, step: float, circuit: Floats, found: Happening | None
    ) -> tuple[Floats, tuple[Event, ...]]:
        """Take a step as the state (collective).

        Returns the unknowns after the event that ends it, and all events of the step.
        """
        told: list[Event] = []
        for number, one in enumerate(self._waiting):
            row = found.row if found is not None and found.source == number else None
            told += one.accept(step, circuit, row)
        after = circuit
        if found is not None and found.changes:
            after = self._waiting[found.source].source.after(found.row, circuit)
            self.begin(after)
        return after, tuple(sorted(told, key=lambda event: event.share))

    def memory(self) -> list[Mapping[str, Any]]:
        """What `recall` needs."""
        return [one.memory() for one in self._waiting]

    def recall(self, memory: Sequence[Mapping[str, Any]]) -> None:
        """Stand where others stood."""
        for one, own in zip(self._waiting, memory, strict=True):
            one.recall(own)

    def entries(self) -> dict[str, Any]:
        """How often every event happened, for the summary."""
        found: dict[str, int] = {}
        for one in self._waiting:
            for name, count in one.entries().items():
                found[name] = found.get(name, 0) + count
        return found
