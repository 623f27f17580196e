"""Looks after every time step for limits of the protocol that it goes beyond."""

from __future__ import annotations

from collections.abc import Sequence

from ionstack.protocols.crossing import Crossing, first_crossing
from ionstack.protocols.drive import Limit
from ionstack.stepping.course import Course
from ionstack.stepping.states import Meter, State


class Watch:
    """Margins of the limits of a course's present interval, at its last accepted state."""

    def __init__(self, course: Course, meter: Meter | None) -> None:
        self._course, self._meter = course, meter
        self._margins: dict[Limit, float] = {}

    def begin(self, state: State | None) -> None:
        """Begin an interval at a state; None where that says nothing of the interval."""
        self._margins = {} if state is None else self._at(state)

    def accept(self, state: State) -> None:
        """Go on from an accepted state."""
        self._margins = self._at(state)

    def crossing(self, state: State, tries: int) -> Crossing | None:
        """The first limit that a step to a state goes beyond, when it was tried so often."""
        if not self._limits:
            return None
        return first_crossing(self._margins, self._at(state), tries)

    def memory(self) -> list[float]:
        """What `recall` needs."""
        return list(self._margins.values())

    def recall(self, memory: Sequence[float]) -> None:
        """Take the margins that another watch had in this interval."""
        self._margins = dict(zip(self._limits, memory, strict=False))

    @property
    def _limits(self) -> list[Limit]:
        """Those that compare a quantity; random events come by themselves."""
        return [limit for limit in self._course.interval.limits if not limit.event]

    def _at(self, state: State) -> dict[Limit, float]:
        if self._meter is None:
            return {}
        before = self._course.passed_before
        return {
            limit: limit.margin(self._meter(limit, state, before(limit.first)))
            for limit in self._limits
        }
