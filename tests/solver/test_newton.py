"""Newton's method where full steps go back and forth."""

from __future__ import annotations

from dataclasses import replace

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

SITES = 1e27
KT = BOLTZMANN_EV * 300.0


def root(left, right, thermal_voltage, p):
    """Of the distance from rest: Newton's step from x leads to -x, whatever x is."""
    ((defect, _),) = right
    return -p["rate"] * defect.psi / jnp.sqrt(jnp.sqrt(defect.psi**2 + 1e-20))


def device() -> Device:
    """Defects at half of their sites, whose level would have them at exp(1)/(1 + exp(1))."""
    defects = species("d", 0, "lattice_gas", SITES, bound("transport", "immobile"), level=KT)
    law = bound("reaction", "mass_action", rate=1e30)
    law = replace(law, law=replace(law.law, function=root))
    region = RegionModel("film", 10.0, 0.0, (defects,), (ReactionModel("r", (), (("d", 1),), law),))
    contents = {"film": {"d": 0.5}}
    made = Device(stack(layer("film", 2e-9, 5e-10)), model((region,)), contents)
    made.settle("as_given")
    return made


@pytest.mark.parametrize("traced", [True, False])
def test_steps_that_go_back_and_forth_are_halved(traced):
    system = device().system
    traces = Traces(system, {"d": 1e-6}) if traced else None
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl(), traces)
    zero = np.zeros(system.layout.n_owned)
    amounts = system.evaluate(zero, 1.0, 0.0, np.zeros(2)).amounts
    result = newton.solve(Scheme(-amounts, 1.0, 1.0, np.zeros(2)))
    assert result.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(system.unknowns.getArray(), 0.0, atol=1e-8)
