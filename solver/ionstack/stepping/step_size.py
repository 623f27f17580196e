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
# Feedback of a field beside the unknowns that the next step aims at. Of the runaway y' = y^2 a step
# h of implicit Euler has the feedback r = 1 - sqrt(1 - 4 h y), and none is left at r = 1; the step
# after it, longer by FEEDBACK / r, has 1 - sqrt(1 - 2 FEEDBACK) whatever r was: 0.45.
FEEDBACK = 0.35
# Growth after such a field has failed to settle, as long as its feedback is not known.
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


def ceiling(before: float, size: float, feedback: float) -> float:
    """Longest step [s] after one of a size, for the fields beside the unknowns to settle.

    `before` is the longest so far, `feedback` that of the step (0 if not known).
    """
    if feedback == 0.0:
        return before * CAREFUL
    return size * FEEDBACK / feedback if feedback > 0.0 else np.inf


def _longest(errors: Errors) -> tuple[int, float]:
    """Order that allows the longest step, and the step over the last one."""
    factors = {
        order: SAFETY * max(error, 1e-12) ** (-1.0 / (order + 1)) for order, error in errors.items()
    }
    return max(factors.items(), key=lambda one: one[1])
