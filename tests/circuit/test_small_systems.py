"""Elimination inside of the compiled step of a circuit."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from ionstack.circuits.circuit_step import _solved


@pytest.mark.parametrize("count", [1, 7, 20, 21])
def test_rows_of_any_unit_and_zero_pivots(count):
    """Below and above the number of unknowns from which on LAPACK takes over."""
    numbers = np.random.default_rng(count)
    matrix = numbers.normal(size=(count, count))
    # Modified nodal analysis has zeros on the diagonal.
    np.fill_diagonal(matrix, 0.0 if count > 1 else 2.0)
    solution = numbers.normal(size=count)
    units = 10.0 ** numbers.uniform(-15.0, 3.0, count)
    found = jax.jit(_solved)(units[:, None] * matrix, units * (matrix @ solution))
    assert found == pytest.approx(solution, rel=1e-9)


def test_a_singular_system_has_no_solution():
    found = jax.jit(_solved)(np.ones((3, 3)), np.array([1.0, 2.0, 3.0]))
    assert not np.isfinite(found).all()
