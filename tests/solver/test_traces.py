"""Contents below a trace: they do not slow Newton's method, nor the control of steps."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.carriers import TEMPERATURE
from ionstack.models.model import ReactionModel, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from ionstack.solving.traces import Traces
from support.films import bound, species
from support.layers import Device, layer, model, stack

SITES, START, SPEED = 1e27, 1e-3, 1e3
TRACE = 1e-6
KT = BOLTZMANN_EV * 300.0


def decaying() -> Device:
    """Defects that heal, n' = -k n, but for a share of exp(-40)."""
    defects = species("d", 0, "lattice_gas", SITES, bound("transport", "immobile"), level=40 * KT)
    law = bound("reaction", "mass_action", rate=SPEED * SITES * np.exp(-40.0))
    region = RegionModel("film", 10.0, 0.0, (defects,), (ReactionModel("r", (), (("d", 1),), law),))
    contents = {"film": {"d": START}}
    device = Device(stack(layer("film", 2e-9, 5e-10)), model((region,)), contents)
    device.settle("as_given")
    return device


def healed(device: Device, step: float, traced: bool):
    """Newton's result and the contents after one step of implicit Euler [s]."""
    system = device.system
    traces = Traces(system, {"d": TRACE}) if traced else None
    control = NewtonControl(most=60)
    newton = Newton(system, LinearSolver(system, "auto"), control, traces)
    voltages = np.zeros(2)
    amounts = system.evaluate(np.zeros(device.layout.n_owned), 1.0, 0.0, voltages).amounts
    result = newton.solve(Scheme(-amounts, 1.0, step, voltages))
    assert result.outcome is Outcome.CONVERGED
    return result, NodeFields(system).evaluate()["x d [1]"]


@pytest.mark.parametrize("traced", [True, False])
def test_a_decay_is_that_of_implicit_euler(traced):
    """x = x0/(1 + k tau), of what is left above equilibrium; x0 to x0/1e6."""
    _, x = healed(decaying(), 1e6 / SPEED, traced)
    np.testing.assert_allclose(x, START / (1.0 + 1e6), rtol=1e-3)


def test_with_a_trace_newtons_method_need_not_go_down_by_one_kt_at_a_time():
    """1e-3 to 1e-15: 28 steps of kT, each an iteration."""
    slow, left = healed(decaying(), 1e12 / SPEED, traced=False)
    fast, same = healed(decaying(), 1e12 / SPEED, traced=True)
    assert slow.iterations > 25
    assert fast.iterations < 6
    np.testing.assert_allclose(same, left, rtol=1e-3)


def test_what_lies_far_above_the_trace_counts_in_full_and_below_by_its_share():
    device = decaying()
    traces = Traces(device.system, {"d": TRACE})
    own = device.system.members("d", ["film"])
    sites = np.where(own, SITES * device.volumes.node_volume[device.layout.node], 0.0)
    update = np.ones(device.layout.n_owned)
    for content, counts in ((0.1, 1.0), (TRACE, 0.5), (1e-12, 1e-6)):
        counted = traces.counted(update, content * sites)
        np.testing.assert_allclose(counted[own], counts, rtol=2e-5)
        assert np.all(counted[~own] == 1.0)


@pytest.mark.parametrize("kelvin", [300.0, 900.0])
@pytest.mark.parametrize("valence", [0, 1, -2])
def test_an_update_is_that_of_a_density_at_the_place(valence, kelvin):
    """c (1 + d eta), where d eta = (du - z dphi)/kT at the temperature there."""
    ion = species("d", valence, "lattice_gas", SITES, bound("transport", "immobile"))
    region = RegionModel("film", 10.0, -valence * START * SITES, (ion,))
    device = Device(stack(layer("film", 2e-9, 5e-10)), model((region,)), {"film": {"d": START}})
    device.system.set_outer(0, {TEMPERATURE: np.full(len(device.depth), kelvin)})
    own, lift = device.system.members("d", ["film"]), 0.05
    thermal = BOLTZMANN_EV * kelvin
    for change, exact in ((0.5, np.log(1.5)), (-0.5, np.log(0.5)), (1e-9, 1e-9), (-7.0, -20.0)):
        update = np.where(own, valence * lift + thermal * change, lift)
        followed = Traces(device.system, {"d": TRACE}).followed(update)
        eta = (followed[own] - valence * lift) / thermal
        np.testing.assert_allclose(eta, exact, rtol=1e-6)
        assert np.all(followed[~own] == lift)


def test_what_a_balance_misses_is_a_potential_over_content_and_trace():
    device = decaying()
    traces = Traces(device.system, {"d": TRACE})
    own = device.system.members("d", ["film"])
    sites = np.where(own, SITES * device.volumes.node_volume[device.layout.node], 0.0)
    for content in (0.1, TRACE, 1e-12):
        missing = traces.missing(1e-9 * sites, content * sites)
        np.testing.assert_allclose(missing, KT * 1e-9 / (content + TRACE), rtol=2e-5)
