"""Formulas of variable steps: exact for polynomials, with the error that they claim."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.stepping import bdf

# Uneven on purpose: steps between 0.05 and 0.7.
TIMES = [-1.6, -0.9, -0.7, -0.2, -0.05]
NEW = 0.3
SIZE = NEW - TIMES[-1]
ORDERS = (1, 2, 3, 4)


def summed(order: int, power: int) -> float:
    """The formula's sum for the power of time."""
    times = TIMES[-order:]
    lead, weights = bdf.formula(times, NEW)
    return lead * NEW**power + float(np.dot(weights, np.array(times) ** power))


@pytest.mark.parametrize("order", ORDERS)
def test_exact_for_polynomials_of_its_order_only(order):
    assert abs(summed(order, 0)) < 1e-15
    for power in range(1, order + 1):
        assert summed(order, power) == pytest.approx(SIZE * power * NEW ** (power - 1), abs=1e-14)
    power = order + 1
    assert summed(order, power) != pytest.approx(SIZE * power * NEW**order, rel=1e-2)


def test_equal_steps_give_the_known_weights():
    lead, weights = bdf.formula([0.0, 1.0, 2.0], 3.0)
    assert lead == pytest.approx(11 / 6)
    assert weights == pytest.approx([-1 / 3, 3 / 2, -3])


@pytest.mark.parametrize("order", ORDERS)
def test_extrapolation_is_exact_for_polynomials(order):
    times = TIMES[-(order + 1) :]
    weights = bdf.extrapolation(times, NEW)
    for power in range(order + 1):
        assert np.dot(weights, np.array(times) ** power) == pytest.approx(NEW**power)


@pytest.mark.parametrize("order", ORDERS)
def test_claimed_error_is_the_error_for_the_next_power(order):
    power = order + 1
    times = np.array(TIMES[-(order + 1) :])
    lead, weights = bdf.formula(TIMES[-order:], NEW)
    slope = power * NEW**order
    found = (SIZE * slope - np.dot(weights, times[1:] ** power)) / lead
    missing = summed(order, power) - SIZE * slope
    extrapolated = np.dot(bdf.extrapolation(list(times), NEW), times**power)
    claimed = bdf.error(list(times), NEW, order) * (found - extrapolated)
    assert abs(claimed) == pytest.approx(abs(missing))
