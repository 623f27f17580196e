"""The size of the next time step and the order of its formula, from the errors of the last."""

from __future__ import annotations

import numpy as np

from ionstack.stepping.history import History

# Local errors over the tolerance by order of the scheme.
Errors = dict[int, float]

# Largest growth of the step; variable-step BDF2 is zero-stable up to 2.41.
GROWTH = 2.0
SHRINK = 0.3
SAFETY = 0.9
# Growth where fields beside the unknowns have just failed to settle: what made them fail, as
# thermal runaway, lasts.
CAREFUL = 1.25
# Largest factor of a step that was rejected before: its error does not shrink as expected.
AGAIN = 0.5


def grown(history: History, size: float, errors: Errors) -> float:
    """Step after an accepted one of a size [s], of the order that allows the longest."""
    if not errors:
        return size * GROWTH
    order, factor = _longest(errors)
    history.change(order)
    return size * float(np.clip(factor, SHRINK, GROWTH))


def shrunk(history: History, size: float, errors: Errors, again: bool) -> float:
    """Step after a rejected one of a size [s], whose order may fall but not rise.

    `again` tells that the step before was rejected too.
    """
    order = history.order
    if not errors:
        history.change(max(1, order - 1))
        return size * SHRINK
    lower = {one: error for one, error in errors.items() if one <= order}
    order, factor = _longest(lower)
    history.change(order)
    return size * float(np.clip(factor, SHRINK, AGAIN if again else 1.0))


def fitted(size: float, left: float, evenly: bool) -> tuple[float, bool]:
    """Step that leaves no sliver of what is `left` [s], and whether it is the last one.

    It is no longer than `size` [s]; all that follow are alike where they are to be `evenly` long.
    """
    pieces = max(1, int(np.ceil(left / size - 1e-9)))
    if evenly or pieces <= 2:
        return left / pieces, pieces == 1
    return size, False


def _longest(errors: Errors) -> tuple[int, float]:
    """Order that allows the longest step, and the step over the last one."""
    factors = {
        order: SAFETY * max(error, 1e-12) ** (-1.0 / (order + 1)) for order, error in errors.items()
    }
    return max(factors.items(), key=lambda one: one[1])
