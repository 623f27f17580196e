"""Where a time step should end so that a limit of the protocol is just reached.

Margins are relative distances beyond a limit, negative before it (`Limit.margin`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ionstack.protocols.drive import Limit

# How far from a limit a step may end, relative to it, and how often one is repeated.
CLOSE, MOST = 1e-5, 40

Margins = Mapping[Limit, float]


@dataclass(frozen=True)
class Crossing:
    """The limit that a step goes beyond first, and the share of the step that reaches it."""

    limit: Limit
    share: float


def first_crossing(before: Margins, after: Margins, tries: int) -> Crossing | None:
    """Return the first limit between the start and the end of a step, if there is any.

    The share is 1 where the end is close enough: within `CLOSE`, after `MOST` tries, or
    where nothing is known of the start. Otherwise it is that of the Illinois variant of
    regula falsi: the margin at the start counts half as much after every try.
    """
    found = [
        Crossing(limit, _share(before.get(limit), margin, tries))
        for limit, margin in after.items()
        if margin >= -CLOSE
    ]
    return min(found, key=lambda one: one.share, default=None)


def _share(before: float | None, after: float, tries: int) -> float:
    if before is None or before >= -CLOSE or after <= CLOSE or tries >= MOST:
        return 1.0
    weighed = before * 0.5**tries
    return min(max(-weighed / (after - weighed), 0.01), 0.99)
