"""Where a run was hard: stretches in which steps were rejected, and the smallest step there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ionstack.protocols.itinerary import MOST_LINES
from ionstack.stepping.states import State

# A stretch between two breakpoints of the protocol with more rejected steps is worth a line.
FEW = 5
_REMEMBERED = ("_began", "_rejected", "_smallest", "_where", "_left")


class Effort:
    """Says after each stretch with many rejected steps where the smallest step was taken."""

    def __init__(self, contacts: Sequence[str], say: Callable[[str], None]) -> None:
        self._contacts, self._say, self._left = tuple(contacts), say, MOST_LINES
        self._begin(0.0)

    def _begin(self, time: float) -> None:
        self._began, self._rejected = time, 0
        self._smallest, self._where = float("inf"), ""

    def see(self, state: State) -> None:
        """Count, and speak where a stretch ends."""
        self._rejected += state.rejected
        if state.rejected and state.step < self._smallest:
            self._smallest, self._where = state.step, self._place(state)
        if not state.at_breakpoint:
            return
        if self._rejected > FEW and self._left > 0:
            self._left -= 1
            self._say(
                f"hard from {self._began:.6g} to {state.time:.6g} s: "
                f"{self._rejected} steps rejected, the smallest taken {self._smallest:.2g} s "
                f"{self._where}"
            )
        self._begin(state.time)

    def _place(self, state: State) -> str:
        pairs = zip(self._contacts, state.voltages, strict=True)
        levels = ", ".join(f"{name} {value:.4g} V" for name, value in pairs)
        return f"at t = {state.time:.9g} s ({levels})"

    def memory(self) -> Mapping[str, Any]:
        """What the present stretch has shown so far."""
        return {name: getattr(self, name) for name in _REMEMBERED}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on in that stretch."""
        for name in _REMEMBERED:
            setattr(self, name, memory[name])

    def found(self) -> Mapping[str, Any]:
        """Nothing for the summary, which counts all steps."""
        return {}
