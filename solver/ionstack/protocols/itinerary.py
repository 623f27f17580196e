"""Where a run stands in its protocol: for the progress display and the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ionstack.protocols.laid import Span
from ionstack.protocols.protocol import Protocol

# So many lines about steps a log holds; all steps are in ``steps.csv``.
MOST_LINES = 40


@dataclass(frozen=True)
class Place:
    """A place in a protocol: the step in words, the share of the planned time that is done.

    `open_end` tells that a step to come may end early or late, so that no end is in sight.
    """

    step: str
    share: float
    open_end: bool


class Itinerary:
    """Follows a run through the intervals of its protocol.

    Shares are of the time that is known before. What an early end saves counts as done, and
    intervals of which no time is known count as nothing.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._steps = len(protocol.steps)
        self._planned = np.array(protocol.planned)
        self._until = np.concatenate([[0.0], np.cumsum(self._planned)])
        early = np.flatnonzero(protocol.ended_by_state)
        self._last_open = int(early[-1]) + 1 if len(early) else 0
        self._of_interval = _by_interval(protocol.spans, len(protocol.laid))
        self._interval, self._began, self._reached = 0, 0.0, 0.0

    def at(self, time: float, interval: int) -> Place:
        """Where a run is at a time [s] when so many intervals have begun."""
        if interval != self._interval:
            self._interval, self._began = interval, self._reached
        self._reached = time
        number = max(interval - 1, 0)
        done = self._until[number] + min(time - self._began, self._planned[number])
        total = self._until[-1]
        share = float(done / total) if total else 0.0
        return Place(self._words(number), share, interval <= self._last_open)

    def _words(self, number: int) -> str:
        span = self._of_interval[number]
        return step_words(span, self._steps) if span else "no step"


def _by_interval(spans: tuple[Span, ...], count: int) -> list[Span | None]:
    found: list[Span | None] = [None] * count
    for span in spans:
        found[span.first : span.last] = [span] * (span.last - span.first)
    return found


def step_words(span: Span, count: int = 0) -> str:
    """A step by its number, its name and its kind: ``step 3 of 8 (forming, sweep)``."""
    of = f" of {count}" if count else ""
    what = ", ".join(part for part in (span.name, span.kind) if part)
    return f"step {span.number}{of} ({what})"
