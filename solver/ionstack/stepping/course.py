"""Where a run stands in its drive: interval, clock, and what passed the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit import Circuit, Settings
from ionstack.protocols.drive import Interval, Limit
from ionstack.stepping.states import State, StepControl

Floats = NDArray[np.float64]

# First step over the length of an interval: at rest, and where a current is given.
AT_REST, FORCED = 1e-4, 1e-7
_REMEMBERED = ("begun", "upcoming", "over", "abrupt")


class Course:
    """Goes through the intervals of a drive, one clock after the other.

    `begun` intervals have begun, `upcoming` is the next one, and the present one is `over`
    once a state ended it; `abrupt` tells that more than slopes changed when it began.
    `passed` are the charges [C] through the sources since the start.
    """

    def __init__(
        self,
        intervals: Sequence[Interval],
        circuit: Circuit,
        order: NDArray[np.int64] | None = None,
    ) -> None:
        """Values of the `intervals` are those of the sources, or stand for them in an `order`."""
        self._intervals, self._circuit, self._order = intervals, circuit, order
        self.begun = self.upcoming = 0
        self.over = self.abrupt = False
        self.passed: Floats = np.zeros(len(circuit.sources))
        # Charges at the begin of those intervals from which a limit counts.
        self._origins = {limit.first for one in intervals for limit in one.limits}
        self._passed_at: dict[int, Floats] = {}
        self._base = np.longdouble(0.0)
        self.interval = self._picked(0).resolved(self.passed)

    def begin(self, elapsed: float, circuit: Floats) -> None:
        """Begin the next interval, a time [s] after the start of the last one.

        What it leaves open follows from the present unknowns of the `circuit`.
        """
        self._base += np.longdouble(elapsed)
        present = self._circuit.source_voltages(circuit)
        before, self.interval = self.interval, self._picked(self.upcoming).resolved(present)
        self.abrupt = self.interval.abrupt_after(before)
        if self.upcoming in self._origins:
            self._passed_at[self.upcoming] = self.passed
        self.begun = self.upcoming = self.upcoming + 1
        self.over = False

    def accept(self, state: State) -> None:
        """Go on from an accepted state."""
        self.passed = state.passed
        self.over, self.upcoming = state.at_breakpoint, state.following

    @property
    def left(self) -> bool:
        """Whether there are intervals to begin."""
        return self.upcoming < len(self._intervals)

    @property
    def awaited(self) -> Mapping[str, Limit]:
        """Limits of the interval that are random events, by the name of the event."""
        return {limit.event: limit for limit in self.interval.limits if limit.event}

    def time(self, elapsed: float) -> float:
        """Time since the start of the run [s], from that since the start of the interval."""
        return float(self._base + np.longdouble(elapsed))

    def passed_before(self, number: int) -> Floats:
        """Charges [C] that had passed the sources when an interval began."""
        return self._passed_at.get(number, np.zeros_like(self.passed))

    def settings(self, elapsed: float) -> Settings:
        """What the interval sets sources and switches to at a time [s] after its start."""
        interval, circuit = self.interval, self._circuit
        count = len(circuit.sources)
        return Settings(
            value=interval.levels(elapsed),
            current=_or_default(interval.current, count, False),
            positive=_or_default(interval.positive, count, np.inf),
            negative=_or_default(interval.negative, count, np.inf),
            closed=_or_default(interval.closed, len(circuit.switches), True),
        )

    def first_step(self, control: StepControl) -> float:
        """First step of the interval: the voltage moves by less than half of the tolerance."""
        if control.fixed is not None:
            return control.fixed
        if control.initial is not None:
            return control.initial
        swing, length = self.interval.swing, self.interval.duration
        if self.interval.forced:
            return FORCED * length
        if swing == 0.0:
            return AT_REST * length
        return min(0.4 * control.tolerance / swing, 0.1) * length

    def memory(self) -> Mapping[str, Any]:
        """What `recall` needs, as JSON holds it (arrays apart)."""
        base, interval = float(self._base), self.interval
        return {name: getattr(self, name) for name in _REMEMBERED} | {
            "base": [base, float(self._base - np.longdouble(base))],
            "passed": self.passed,
            "passed_at": [[number, one] for number, one in self._passed_at.items()],
            "interval": [interval.begin, interval.end, interval.duration],
        }

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another course through this drive stood."""
        for name in _REMEMBERED:
            setattr(self, name, memory[name])
        high, low = map(np.longdouble, memory["base"])
        self._base = high + low
        self.passed = np.array(memory["passed"])
        self._passed_at = {number: np.array(one) for number, one in memory["passed_at"]}
        begin, end, duration = memory["interval"]
        here = replace(self._picked(max(self.begun - 1, 0)), duration=duration, rate=None)
        self.interval = replace(here, begin=np.array(begin), end=np.array(end))

    def _picked(self, number: int) -> Interval:
        """An interval with its values in the order of the sources."""
        interval, order = self._intervals[number], self._order
        if order is None:
            return interval
        return replace(interval, begin=interval.begin[order], end=interval.end[order])


def _or_default(given: NDArray[Any] | None, count: int, value: float | bool) -> NDArray[Any]:
    return np.full(count, value) if given is None else given
