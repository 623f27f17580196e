"""Fields beside the transport unknowns that are solved in turn with them in every time step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, isinf
from typing import Any, Protocol

from ionstack.output.checkpoint import Memory
from ionstack.solving.newton import Newton, NewtonResult, Outcome, Scheme

# Most rounds of a step; a step that needs more is rejected and repeated with a smaller one.
MOST_ROUNDS = 25
# Rounds within which the smallest change so far must fall by this factor, else it never will.
PATIENCE, PROGRESS = 3, 0.9
# Last update [V] of the unknowns while the fields still change: what Newton's method leaves
# over then is the square of it over kT/e.
LOOSE = 1e-4


class Companion(Protocol):
    """A field that follows from the transport unknowns and acts back on them.

    It hands itself over through `System.set_outer`.
    """

    name: str
    trouble: str
    """Why the last solve gave no field, empty if it gave one."""

    @property
    def feedback(self) -> float:
        """Share of a change of the field that comes back as it is solved again; 0 if not known.

        A step at which it is 1 is the longest that has a solution.
        """

    def begin(self, step: float) -> None:
        """Start a trial of a step [s] from the last accepted state; 0 at the start of a run."""

    def solve(self) -> float:
        """Solve with the present unknowns and hand the field over (collective).

        Returns the largest change since the last solve over the tolerance; infinity on all
        ranks, and the field as it was, where a shorter step may have a solution and this none.
        """

    def accept(self) -> bool:
        """Take the last trial as the state; whether rates jump after it (collective)."""

    def memory(self) -> Memory:
        """What `recall` needs to go on from the last accepted state."""

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood, and hand the field over (collective)."""

    def entries(self) -> Mapping[str, Any]:
        """Entries for the summary, with units (collective)."""


class Companions:
    """All companions of a system; without any a step is one Newton solve."""

    def __init__(self, newton: Newton, members: Sequence[Companion] = ()) -> None:
        self._newton, self._members = newton, tuple(members)
        self.rounds = self.solves = self.most = self._last = 0

    def start(self) -> None:
        """Solve all fields in the state at the start (collective)."""
        for one in self._members:
            one.begin(0.0)
            one.solve()
            one.accept()

    def solve(self, scheme: Scheme) -> NewtonResult:
        """Solve transport and fields in turn until no field changes any more (collective).

        What the fields handed over last is what the unknowns were solved with: the balances
        hold to round-off, the fields to their tolerance.
        """
        if not self._members:
            return self._newton.solve(scheme)
        for one in self._members:
            one.begin(scheme.step)
        # Where the last step took one round this one may, too.
        exact = self._last <= 1
        result = self._newton.solve(scheme, None if exact else LOOSE)
        iterations = result.iterations
        changes: list[float] = []
        while result.outcome is Outcome.CONVERGED:
            before = self._newton.system.outer
            changes.append(max(one.solve() for one in self._members))
            if changes[-1] <= 1.0 and exact:
                self._newton.system.outer = before
                self._count(len(changes))
                feedback = max(one.feedback for one in self._members)
                return replace(result, iterations=iterations, feedback=feedback)
            if isinf(changes[-1]) or stalled(changes) or len(changes) == MOST_ROUNDS:
                break
            exact = changes[-1] <= 1.0
            result = self._newton.solve(_warm(scheme, result), None if exact else LOOSE)
            iterations += result.iterations
        return self._failed(replace(result, iterations=iterations), rounds=len(changes))

    def _failed(self, result: NewtonResult, rounds: int) -> NewtonResult:
        """The result of a step whose fields did not settle; Newton's own where it came first."""
        if rounds == 0:
            return result
        troubles = [one.trouble for one in self._members if one.trouble]
        if result.outcome is not Outcome.CONVERGED:
            troubles.append(f"in round {rounds + 1} {result.outcome.value}")
        trouble = "; ".join(troubles)
        return replace(result, outcome=Outcome.COUPLING, trouble=trouble)

    def accept(self) -> bool:
        """Take the last trial of all fields as the state; whether rates jump after it."""
        return any([one.accept() for one in self._members])

    def memory(self) -> Memory:
        """What `recall` needs."""
        plain: dict[str, Any] = {"counts": [self.rounds, self.solves, self.most, self._last]}
        owned: dict[str, Any] = {}
        for one in self._members:
            own = one.memory()
            plain[one.name] = own.plain
            owned |= {f"{one.name}.{key}": values for key, values in own.owned.items()}
        return Memory(plain, owned)

    def recall(self, memory: Memory) -> None:
        """Stand where others stood (collective)."""
        self.rounds, self.solves, self.most, self._last = memory.plain["counts"]
        for one in self._members:
            start = f"{one.name}."
            found = memory.owned.items()
            owned = {key[len(start) :]: v for key, v in found if key.startswith(start)}
            one.recall(Memory(memory.plain[one.name], owned))

    def entries(self) -> dict[str, Any]:
        """Entries for the summary: those of all fields, and rounds per step (collective)."""
        if not self._members:
            return {}
        rounds = {
            "coupling.rounds": self.rounds,
            "coupling.rounds.mean": self.rounds / max(self.solves, 1),
            "coupling.rounds.most": self.most,
        }
        return rounds | {key: v for one in self._members for key, v in one.entries().items()}

    def _count(self, rounds: int) -> None:
        self.rounds, self.solves = self.rounds + rounds, self.solves + 1
        self.most, self._last = max(self.most, rounds), rounds


def stalled(changes: Sequence[float]) -> bool:
    """Whether the last rounds came no nearer: beyond a runaway no number of them does."""
    before = min(changes[:-PATIENCE], default=inf)
    return min(changes[-PATIENCE:]) > PROGRESS * before


def _warm(scheme: Scheme, result: NewtonResult) -> Scheme:
    """The scheme with the circuit where the last solve left it."""
    if scheme.circuit is None:
        return scheme
    return replace(scheme, circuit=replace(scheme.circuit, unknowns=result.circuit))
