"""Linear solvers: all give the same update, options are obeyed, failures fall back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np
import pytest
from mpi4py import MPI
from petsc4py import PETSc

from ionstack.assembly.assemble import System
from ionstack.solving import linear
from ionstack.solving.aggregates import build_aggregates
from ionstack.solving.linear import LAGGED_ITERATIONS, TOLERANCE, LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import Ramp, analog, assemble, ready, total

SMALL = {
    "1d": ("stack.dimension=1d",),
    "2d": ("stack.dimension=2d", "stack.lateral.cells=4"),
    "3d": ("stack.dimension=3d", "stack.lateral.cells=2"),
    "narrow": (
        "stack.dimension=3d",
        "stack.lateral.cells=2",
        "stack.lateral.diameter=300 nm",
    ),
}


@contextmanager
def options(**given: str) -> Iterator[None]:
    """PETSc options for the time of a block."""
    database = PETSc.Options()
    for name, value in given.items():
        database.setValue(name, value)
    try:
        yield
    finally:
        for name in given:
            database.delValue(name)


def driven(kind: str) -> System:
    """A system at the first Newton step of a time step after a few others."""
    prepared = ready(analog(*SMALL[kind]))
    state = list(islice(prepared.stepper().run(), 6))[-1]
    linearise(prepared.system, state, state.step)
    return prepared.system


def linearise(system: System, state: State, step: float) -> None:
    """Fill matrix and right side for a step [s] from a state to a voltage 10 mV lower."""
    voltages = state.voltages - np.array([0.01, 0.0])
    evaluation = system.linearise(-1.5 * state.amounts, 1.5, step, voltages)
    system.right_side.setArray(-evaluation.residual)


def difference(system: System, choice: str) -> float:
    """Largest difference from MUMPS' update, relative to the largest update."""
    assert LinearSolver(system, "mumps").solve().converged
    exact = system.update.getArray().copy()
    result = LinearSolver(system, choice).solve()
    assert result.converged
    assert result.method == choice
    return float(np.abs(system.update.getArray() - exact).max() / np.abs(exact).max())


@pytest.mark.parametrize("kind", ["2d", "3d", "narrow"])
def test_iterations_agree_with_a_factorisation(kind):
    assert difference(driven(kind), "iterative") < 100 * TOLERANCE


def test_natural_order_factorisation_agrees_with_mumps():
    assert difference(driven("1d"), "lu") < 1e-9


def test_an_old_factorisation_serves_until_it_is_too_old():
    prepared = ready(analog(*SMALL["2d"]))
    system = prepared.system
    state = list(islice(prepared.stepper().run(), 6))[-1]
    solver = LinearSolver(system, "mumps")
    counts = []
    for factor in (1.0, 1.1, 1e-4):
        linearise(system, state, factor * state.step)
        result = solver.solve()
        assert result.converged
        counts.append(result.iterations)
        found = system.update.getArray().copy()
        assert LinearSolver(system, "mumps").solve().converged
        exact = system.update.getArray()
        assert np.abs(found - exact).max() < 100 * TOLERANCE * np.abs(exact).max()
    assert counts[0] == 1
    assert 1 < counts[1] <= LAGGED_ITERATIONS
    assert counts[2] == 1


@pytest.mark.parametrize(("kind", "method"), [("1d", "lu"), ("2d", "mumps"), ("3d", "mumps")])
def test_small_systems_are_factorised(kind, method):
    system = assemble(analog(*SMALL[kind]))
    assert LinearSolver(system, "auto").method == method


def test_petsc_options_change_the_method():
    with options(ionstack_ksp_type="bcgs", ionstack_pc_type="ilu"):
        solver = LinearSolver(driven("2d"), "auto")
        assert solver.types() == ("bcgs", "ilu")
    assert LinearSolver(driven("2d"), "auto").types() == ("preonly", "lu")


def test_what_cannot_converge_falls_back_to_mumps_and_is_given_up():
    system = driven("3d")
    with options(ionstack_ksp_max_it="1", ionstack_ksp_rtol="1e-14"):
        solver = LinearSolver(system, "iterative")
        results = [solver.solve() for _ in range(4)]
    assert [result.method for result in results] == ["mumps"] * 4
    assert all(result.converged for result in results)
    assert solver.method == "mumps"


def test_large_bodies_fall_back_to_nothing(monkeypatch):
    """Factors of them would fill the memory; a failure lets the time step shrink."""
    monkeypatch.setattr(linear, "FALLBACK_LIMIT_3D", 0)
    with options(ionstack_ksp_max_it="1", ionstack_ksp_rtol="1e-14"):
        assert not LinearSolver(driven("3d"), "iterative").solve().converged


def test_a_singular_matrix_is_reported_not_raised():
    system = driven("1d")
    system.matrix.zeroEntries()
    assert not LinearSolver(system, "lu").solve().converged


def test_aggregates_join_equal_depths_of_one_kind():
    system = assemble(analog(*SMALL["3d"]))
    layout, volumes = system.layout, system.equations.volumes
    found = build_aggregates(volumes, layout, target=layout.n_global)
    assert set(found.coarse) == set(range(found.count))
    assert found.count <= layout.n_global / 2
    node = layout.node
    depth = volumes.coordinates[volumes.node_vertex[node], volumes.stack_axis]
    for values in (layout.field, volumes.node_region[node], np.round(depth, 15)):
        pairs = np.unique(np.column_stack([found.coarse, values]), axis=0)
        assert len(pairs) == found.count


def test_one_aggregate_per_depth_at_least():
    system = assemble(analog(*SMALL["2d"]))
    single = assemble(analog(*SMALL["1d"]))
    found = build_aggregates(system.equations.volumes, system.layout, target=1)
    assert found.count == single.layout.n_global


@pytest.mark.parametrize("choice", ["mumps", "iterative"])
def test_inexact_solves_keep_particles_and_charge(choice):
    prepared = ready(analog(*SMALL["3d"]))
    system = prepared.system
    newton = Newton(system, LinearSolver(system, choice), NewtonControl())
    drive = Ramp((0.0, 0.2, 0.4), ((0.0, 0.0), (-0.2, 0.0), (0.0, 0.0)))
    states = list(Stepper(system, newton, drive, StepControl()).run())
    amounts = np.array([total(system, state, "Li+") for state in states])
    currents = np.array([state.currents for state in states])
    assert np.abs(amounts / amounts[0] - 1.0).max() < 1e-12
    # 1e-19 C: round-off of the contacts' charges, which a current is the change of.
    steps = np.array([state.step for state in states[1:]])
    allowed = 1e-9 * np.abs(currents).max() + 1e-19 / steps
    assert np.all(np.abs(currents[1:].sum(axis=1)) < allowed)
    assert newton.method == choice


def test_two_ranks_or_one_number_aggregates_alike():
    system = assemble(analog(*SMALL["3d"]), MPI.COMM_WORLD)
    found = build_aggregates(system.equations.volumes, system.layout)
    counts = MPI.COMM_WORLD.allgather(found.count)
    assert len(set(counts)) == 1
