"""What answers a numerical failure: a fresh start, smaller steps, another factorisation, exit 3."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.cli import main
from ionstack.errors import NumericsError
from ionstack.models.model import Arrhenius, BoundLaw
from ionstack.output.trace import read_trace
from ionstack.physics.registry import Law
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.devices import ANALOG, SHORT, Ramp
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


def refusing(variable, limit):
    """A film of ions with a contact whose law is no number where a variable is above a limit."""

    def law(K, L, edge, p):
        return jnp.where(variable(K, L) > p["limit"], jnp.nan, 1e23 * (K.psi - L.psi))

    hop = bound("transport", "site_hopping", diffusivity=1e-14)
    ion = species("ion", 1, "lattice_gas", 1e26, hop)
    bad = BoundLaw(Law("contact", "refusing", law, ()), {"limit": Arrhenius(limit, 0.0, 300.0)})
    contacts = {"cathode": {"ion": bad}, "anode": {"ion": bound("contact", "ohmic")}}
    chosen = model((ion,), 10.0, 300.0, fixed_charge=-5e25, contacts=contacts)
    found = film(slab(1e-8, 1e-9), chosen)
    found.settle({})
    return found


def test_no_number_from_a_law_is_answered_by_smaller_steps():
    """The law refuses 4 kT across the contact: the first guess of a step of 0.2 V has 8."""
    found = refusing(lambda K, L: jnp.abs(K.psi - L.psi), 4.0)
    states = list(found.drive(Ramp((0.0, 1.0), ((0.0, 0.0), (-0.4, 0.0))), initial=0.5))
    assert sum(state.rejected for state in states) > 0
    assert states[-1].time == 1.0
    assert all(np.isfinite(state.unknowns).all() for state in states)


@pytest.mark.parametrize("smallest", [1e-6, 1e-30])
def test_no_number_at_any_step_ends_with_the_unknown_its_region_and_its_place(smallest):
    """Beyond 0.2 V no step helps, to the last digit of the time; what was reached before stays."""
    thermal = 0.025852
    found = refusing(lambda K, L: L.psi, 0.2 / thermal)
    states = []
    drive = found.drive(Ramp((0.0, 1.0), ((0.0, 0.0), (0.5, 0.0))), smallest=smallest)
    message = r"at t = 0\.(4|39999).*not finite.*in ion of film at \(0\) m"
    with pytest.raises(NumericsError, match=message):
        states.extend(drive)
    assert states[-1].time == pytest.approx(0.4, abs=1e-3)
    assert states[-1].time < 0.4001


def test_a_cold_start_without_equilibrium_ends_with_exit_3(tmp_path, capsys):
    settings = [*SHORT, "content.WO3.Li+=0.9", "content.MoO3.Li+=0.9", "output.figures=false"]
    options = [part for one in settings for part in ("--set", one)]
    assert main(["run", str(ANALOG), "-o", str(tmp_path / "out"), "--quiet", *options]) == 3
    printed = capsys.readouterr().err
    assert "no equilibrium found" in printed
    assert "Li+" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("choice", ["auto", "lu"])
def test_a_factorisation_that_fails_is_replaced_within_a_run(choice, tmp_path, monkeypatch):
    """The first method breaks down at every solve: the run goes on with MUMPS, to the same."""
    settings = [
        *SHORT,
        "stack.grading.growth=2",
        f"numerics.solver={choice}",
        "output.figures=false",
    ]
    options = [part for one in settings for part in ("--set", one)]
    plain, broken = tmp_path / "plain", tmp_path / "broken"
    assert main(["run", str(ANALOG), "-o", str(plain), "--quiet", *options]) == 0
    run = LinearSolver._run

    def refuse(self, ksp):
        return False if ksp.getPC().getFactorSolverType() == "petsc" else run(self, ksp)

    monkeypatch.setattr(LinearSolver, "_run", refuse)
    assert main(["run", str(ANALOG), "-o", str(broken), "--quiet", *options]) == 0
    name = "current Pt [A]"
    expected, found = (np.asarray(read_trace(one / "trace.csv")[name]) for one in (plain, broken))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
