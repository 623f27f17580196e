"""Fixed points of a map that is dear to evaluate: Anderson's mixing of the last trials.

Of a field in use and what it misses, the next trial is the one whose miss would be smallest if
the map were linear between the trials so far: a secant method in as many directions as trials.
Anderson, J. ACM 12, 547 (1965); Walker and Ni, SIAM J. Numer. Anal. 49, 1715 (2011).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Trials that are remembered.
DEPTH = 8
# Directions whose part of the misses is smaller, relative to the largest, say nothing.
_ROUND_OFF = 1e-10


class Mixing:
    """Trials of one search; owned entries count in the sums, which run over all ranks.

    `feedback` is the share of the last change of the trial that the map gave back, along it;
    0 while the search has had one trial only. It is 1 where a fixed point vanishes.
    """

    def __init__(self, n_owned: int, add: Callable[[Floats], Floats]) -> None:
        """`add` sums an array over the ranks."""
        self._owned, self._add = slice(n_owned), add
        self._trials: list[tuple[Floats, Floats]] = []
        self.feedback = 0.0

    def forget(self) -> None:
        """Begin another search."""
        self._trials, self.feedback = [], 0.0

    def see(self, used: Floats, missed: Floats) -> None:
        """Take a trial and what it misses; the same array again is no other trial (collective)."""
        if self._trials and used is not self._trials[-1][0]:
            before, missed_before = self._trials[-1]
            move = (used - before)[self._owned]
            back = move + (missed - missed_before)[self._owned]
            given, moved = self._add(np.array([back @ move, move @ move]))
            self.feedback = float(given / max(moved, 1e-300))
        self._trials = [*self._trials[-DEPTH:], (used, missed)]

    def next(self, used: Floats, missed: Floats) -> Floats:
        """The next trial after one that misses something (collective)."""
        self.see(used, missed)
        steps = np.array([missed - before for _, before in self._trials[:-1]])
        moves = np.array([used - before for before, _ in self._trials[:-1]])
        if not len(steps):
            return used + missed
        shares = self._shares(steps, missed)
        return np.asarray(used + missed - shares @ (moves + steps))

    def _shares(self, steps: Floats, missed: Floats) -> Floats:
        """Shares of the steps that leave the least of the miss, by the normal equations."""
        own = steps[:, self._owned]
        sums = self._add(np.column_stack([own @ own.T, own @ missed[self._owned]]))
        sizes = np.sqrt(np.maximum(np.diag(sums), 1e-300))
        scaled = sums[:, :-1] / np.outer(sizes, sizes)
        found = np.linalg.lstsq(scaled, sums[:, -1] / sizes, rcond=_ROUND_OFF)[0]
        return np.asarray(found / sizes)
