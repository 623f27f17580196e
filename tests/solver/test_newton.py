"""Newton's method where full steps go back and forth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.models.model import ReactionModel, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from ionstack.solving.traces import Traces
from support.films import bound, species
from support.layers import Device, layer, model, stack

SITES, FEW = 1e27, 1e-12
KT = BOLTZMANN_EV * 300.0


def root(left, right, thermal_voltage, p):
    """Of the distance from rest: Newton's step from x leads to -x, whatever x is."""
    ((defect, _),) = right
    return -1e3 * p["rate"] * defect.psi / jnp.sqrt(jnp.sqrt(defect.psi**2 + 1e-20))


def steep(left, right, thermal_voltage, p):
    """Defects made the faster, by exp(40), the fewer there are: steps of kT/40 towards rest."""
    ((defect, _),) = right
    return p["rate"] * jnp.exp(-40.0 * (defect.psi - np.log(FEW)))


def device(function: Callable[..., jax.Array], content: float, level: float = 0.0) -> Device:
    """A film of immobile defects with one reaction that makes them."""
    stays = bound("transport", "immobile")
    defects = species("d", 0, "lattice_gas", SITES, stays, level=level)
    law = bound("reaction", "mass_action", rate=SITES)
    law = replace(law, law=replace(law.law, function=function))
    region = RegionModel("film", 10.0, 0.0, (defects,), (ReactionModel("r", (), (("d", 1),), law),))
    contents = {"film": {"d": content}}
    made = Device(stack(layer("film", 2e-9, 5e-10)), model((region,)), contents)
    made.settle("as_given")
    return made


@pytest.mark.parametrize("traced", [True, False])
def test_steps_that_go_back_and_forth_are_halved(traced):
    system = device(root, 0.5, level=KT).system
    traces = Traces(system, {"d": 1e-6}) if traced else None
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl(), traces)
    zero = np.zeros(system.layout.n_owned)
    amounts = system.evaluate(zero, 1.0, 0.0, np.zeros(2)).amounts
    result = newton.solve(Scheme(-amounts, 1.0, 1.0, np.zeros(2)))
    assert result.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(system.unknowns.getArray(), 0.0, atol=1e-8)


def test_a_trace_is_not_solved_for_before_its_balance_holds():
    """Its first update counts 1e-10 V, and leaves all of what the reaction makes over."""
    system = device(steep, FEW).system
    newton = Newton(
        system, LinearSolver(system, "auto"), NewtonControl(most=40), Traces(system, {"d": 1e-6})
    )
    zero, held, step = np.zeros(system.layout.n_owned), np.zeros(2), 1e-3
    amounts = system.evaluate(zero, 1.0, 0.0, held).amounts
    result = newton.solve(Scheme(-amounts, 1.0, step, held))
    assert result.outcome is Outcome.CONVERGED
    assert result.iterations > 10
    left = newton.evaluate(Scheme(-amounts, 1.0, step, held)).residual
    assert np.abs(left).max() < 1e-3 * amounts.max()
