"""After a failed solve the next one starts afresh."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.linear import LinearSolver
from ionstack.newton import Newton, NewtonControl, Outcome, Scheme
from support.films import bound, film, model, slab, species
from support.problems import AVOGADRO, fill, reservoir


def drained():
    """A film of 1 mol/m^3 with a contact that holds almost nothing."""
    diffuse = bound("transport", "sedan", diffusivity=1e-9)
    held = species("tracer", 0, "boltzmann", AVOGADRO, diffuse)
    contacts = {"cathode": {"tracer": reservoir(1e-3 * AVOGADRO, 1e3)}}
    return film(slab(4e-4, 2e-8, 1.05), model((held,), 10.0, 298.15, contacts=contacts))


def solve(newton, found, guess, step=1e-10):
    """One implicit Euler step from a content of 1, begun with a guess of the contents."""
    fill(found, {"tracer": 1.0})
    zero, voltages = np.zeros(found.layout.n_owned), np.zeros(2)
    before = found.system.evaluate(zero, 1.0, 0.0, voltages).amounts
    fill(found, {"tracer": guess})
    scheme = Scheme(-before, 1.0, step, voltages)
    result = newton.solve(scheme)
    return result.outcome, newton.evaluate(scheme), before.sum()


def test_a_matrix_from_a_failed_iteration_is_forgotten():
    """With its factors the next solves seem to converge, to something else."""
    found = drained()
    newton = Newton(found.system, LinearSolver(found.system, "mumps"), NewtonControl())
    empty = np.where(found.volumes.depth < 1e-9, 1e-60, 1.0)
    outcome, _, _ = solve(newton, found, empty)
    assert outcome is not Outcome.CONVERGED
    outcome, evaluation, total = solve(newton, found, 1.0)
    assert outcome is Outcome.CONVERGED
    assert np.abs(evaluation.residual).sum() < 1e-13 * total


@pytest.mark.parametrize("choice", ["lu", "mumps"])
def test_a_good_matrix_is_solved_after_singular_ones(choice):
    """PETSc leaves vectors locked when it raises, and MUMPS a state that it does not leave."""
    found = drained()
    solver = LinearSolver(found.system, choice)
    zero, voltages = np.zeros(found.layout.n_owned), np.zeros(2)
    u = _full(found)
    row = found.layout.species["tracer"][np.argmax(found.volumes.depth)]
    for level in (-30.0, -30.0, u[row]):  # -30 V leave nothing, so the row is empty
        u[row] = level
        found.system.unknowns.setArray(u)
        found.system.linearise(zero, 1.0, 1e-2, voltages)
        found.system.right_side.setArray(np.ones(found.layout.n_owned))
        assert solver.solve().converged == (level > -1.0)


def _full(found) -> np.ndarray:
    fill(found, {"tracer": 1.0})
    return found.system.unknowns.getArray().copy()
