"""What both steppers do along a course: begin, go through one interval after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from ionstack.stepping.course import Course
from ionstack.stepping.states import State


class Traveller(ABC):
    """Runs along its `course`; how a step is taken is left to those who inherit from it.

    `accepted` and `rejected` steps and Newton's are counted.
    """

    course: Course

    def __init__(self) -> None:
        self.accepted = self.rejected = self.newton_steps = 0
        self._resumed = False

    def run(self) -> Iterator[State]:
        """Yield the initial state, then every accepted one (collective).

        After `recall` those that follow the one remembered.

        Raises:
            NumericsError: when the step would fall below the smallest allowed.
        """
        if not self._resumed:
            yield self._initial()
        elif self.course.begun:
            yield from self._to_the_end_of_interval()
        while self.course.left:
            self._begin()
            yield from self._to_the_end_of_interval()

    @abstractmethod
    def _initial(self) -> State:
        """Begin, and return the state that no step led to."""

    @abstractmethod
    def _begin(self) -> None:
        """Begin the next interval at the last accepted state."""

    @abstractmethod
    def _to_the_end_of_interval(self) -> Iterator[State]:
        """Yield accepted states until the interval or what ends it is reached."""
