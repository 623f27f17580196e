"""Anderson's mixing on maps whose fixed points are known."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.heat.relaxation import Mixing
from ionstack.stepping import step_size
from ionstack.stepping.companions import stalled


def rounds(function, start, tolerance=1e-10, most=60, mixed=True):
    """Evaluations until a trial misses less than the tolerance; None if they do not suffice."""
    mixing, used = Mixing(len(start), lambda sums: sums), np.asarray(start)
    for count in range(1, most + 1):
        missed = function(used) - used
        if np.abs(missed).max() < tolerance:
            return count
        used = mixing.next(used, missed) if mixed else used + missed
    return None


def test_a_linear_map_is_solved_in_as_many_rounds_as_it_has_directions():
    """Factors -3, 0.5 and 2: the plain iteration diverges in two of them."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    factors = np.array([-3.0, 0.5, 2.0, 0.5, -3.0, 2.0])
    matrix = turn @ np.diag(factors) @ turn.T
    assert rounds(lambda u: matrix @ u + 1.0, np.zeros(6), 1e-8) <= 5
    assert rounds(lambda u: matrix @ u + 1.0, np.zeros(6), 1e-8, mixed=False) is None


def test_a_strong_feedback_of_heat_converges_where_the_plain_iteration_swings():
    """Cells that heat their neighbours and cool with their own temperature."""

    def heated(rise):
        power = 30.0 / (1.0 + np.exp((rise - 20.0) / 4.0))
        return power + 0.3 * np.roll(power, 1)

    start = np.linspace(0.0, 5.0, 12)
    assert rounds(heated, start, 1e-8, mixed=False) is None
    found = rounds(heated, start, 1e-8)
    assert found is not None
    assert found <= 25


def test_a_new_search_forgets_the_trials():
    mixing = Mixing(1, lambda sums: sums)
    mixing.next(np.array([0.0]), np.array([1.0]))
    mixing.next(np.array([1.0]), np.array([0.5]))
    mixing.forget()
    assert mixing.next(np.array([2.0]), np.array([0.25]))[0] == pytest.approx(2.25)


def test_the_feedback_is_the_slope_of_the_map_along_the_last_change():
    mixing = Mixing(2, lambda sums: sums)
    mixing.next(np.array([1.0, 0.0]), np.array([-0.25, 0.0]))
    assert mixing.feedback == 0.0
    same = np.array([0.0, 0.0])
    mixing.see(same, np.array([0.0, 1.0]))
    assert mixing.feedback == pytest.approx(0.75)
    mixing.see(same, np.array([0.0, 1.0]))
    assert mixing.feedback == pytest.approx(0.75)
    mixing.forget()
    assert mixing.feedback == 0.0


def test_equal_trials_do_no_harm():
    mixing = Mixing(2, lambda sums: sums)
    used, missed = np.array([1.0, 2.0]), np.array([0.1, -0.1])
    for _ in range(3):
        found = mixing.next(used, missed)
    np.testing.assert_allclose(found, used + missed)


@pytest.mark.parametrize(
    ("changes", "stalls"),
    [
        ([100.0, 300.0, 90.0, 200.0, 150.0], False),
        ([100.0, 300.0, 190.0, 200.0, 150.0, 120.0], True),
        ([100.0, 90.0, 81.0, 73.0, 66.0, 59.0], False),
        ([100.0, 400.0, 300.0, 200.0, 150.0, 50.0], False),
    ],
)
def test_rounds_that_come_no_nearer_are_given_up(changes, stalls):
    """A change that falls by a tenth a round goes on, one that swings about does not."""
    assert stalled(changes) is stalls


def test_steps_through_a_runaway_keep_their_distance_from_the_last_that_has_a_solution():
    """Implicit Euler of y' = y^2 from 1 to 1e6, where the time that is left is 1/y."""
    value, size, fed = 1.0, 0.02, []
    while value < 1e6:
        root = np.sqrt(1.0 - 4.0 * size * value)
        fed.append(float(1.0 - root))
        value = float((1.0 - root) / (2.0 * size))
        size = step_size.ceiling(np.inf, size, fed[-1])
    np.testing.assert_allclose(fed[1:], 1.0 - np.sqrt(1.0 - 2.0 * step_size.FEEDBACK), rtol=1e-6)
    assert len(fed) < 60


def test_without_feedback_steps_grow_carefully_and_where_it_is_negative_freely():
    assert step_size.ceiling(1.0, 0.5, 0.0) == step_size.CAREFUL
    assert step_size.ceiling(1.0, 0.5, -0.2) == np.inf
