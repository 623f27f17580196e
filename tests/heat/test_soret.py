"""Thermal diffusion: closed cells in a gradient of temperature against exact profiles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.assembly.warmth import Warmth
from ionstack.models.carriers import TEMPERATURE
from ionstack.models.model import RegionModel
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.states import Carrier, Edge
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.directional import slope_error
from support.films import bound, species
from support.jacobians import LEAD, STEP, disturb, residual
from support.layers import Device, layer, model, stack

THICK, COLD, WARMER = 20e-9, 300.0, 400.0
CONTENT, LEVEL = 1e-3, 0.3
HOPS = {
    "sedan": {"diffusivity": 1e-12},
    "site_hopping": {"diffusivity": 1e-12},
    "field_hopping": {"diffusivity": 1e-12, "jump_length": 3e-10},
    "lowered_barrier": {"diffusivity": 1e-12, "jump_length": 3e-10, "barrier": 1.0},
}


@cache
def cell(heat: float | None, statistics: str, law: str, z: int) -> Device:
    """A closed film of one species."""
    hop = bound("transport", law, **HOPS[law])
    one = replace(species("A", z, statistics, 1e27, hop, LEVEL), heat_of_transport=heat)
    film = RegionModel("film", 10.0, -z * CONTENT * 1e27, (one,))
    laws_of = replace(model((film,), temperature=COLD), heated=True)
    return Device(stack(layer("film", THICK, THICK / 40)), laws_of, {"film": {"A": CONTENT}})


def neutral(heat: float, law: str = "sedan") -> Device:
    return cell(heat, "boltzmann", law, 0)


def ions(heat: float | None) -> Device:
    return cell(heat, "lattice_gas", "field_hopping", 1)


def relaxed(device: Device, duration: float = 1e6):
    """Amounts of uniform density between 300 K on top and 400 K below, and after some time."""
    system, layout = device.system, device.layout
    zero, still = np.zeros(layout.n_owned), np.zeros(len(device.volumes.contacts))
    own = layout.species["A"]
    temperature = COLD + (WARMER - COLD) * device.volumes.depth / THICK
    system.set_outer(0, {TEMPERATURE: temperature})
    u = np.zeros(layout.n_owned)
    u[own] = LEVEL + BOLTZMANN_EV * temperature * np.log(CONTENT)
    system.unknowns.setArray(u)
    before = system.evaluate(zero, 1.0, 0.0, still).amounts
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl(1e-12))
    result = newton.solve(Scheme(-before, 1.0, duration, still))
    assert result.outcome is Outcome.CONVERGED
    after = system.evaluate(zero, 1.0, 0.0, still).amounts
    return before[own], after[own], temperature


@pytest.mark.parametrize(("heat", "law"), [(0.4, "sedan"), (-1.0, "field_hopping")])
def test_the_steady_profile_is_that_of_the_heat_of_transport(heat, law):
    """ln c = Q/kT + const for a dilute species: with Q > 0 it gathers where it is cold."""
    before, after, temperature = relaxed(neutral(heat, law))
    exact = heat / (BOLTZMANN_EV * temperature)
    assert np.ptp(exact) > 3.0
    assert np.ptp(np.log(after / before) - exact) < 1e-6
    assert after.sum() == pytest.approx(before.sum(), rel=1e-13)


def test_a_short_time_moves_particles_at_the_rate_of_soret():
    """The flow through a face is D c Q/(k T^2) grad T while the density is uniform."""
    heat, time = 0.4, 1e-9
    before, after, temperature = relaxed(neutral(heat), time)
    # What has entered the upper half; the middle node is shared half and half.
    half = len(after) // 2
    moved = (after - before)[:half].sum() + 0.5 * (after - before)[half]
    soret = heat / (BOLTZMANN_EV * temperature[half] ** 2) * (WARMER - COLD) / THICK
    assert moved == pytest.approx(1e-12 * CONTENT * 1e27 * soret * time, rel=1e-3)


def test_without_the_number_the_electrochemical_potential_levels_out():
    device = ions(None)
    relaxed(device)
    potential = device.system.local_unknowns()[device.layout.species["A"]]
    assert np.ptp(potential) < 1e-9


def test_ions_and_their_space_charge_rest_together():
    """Logit, field and heat of transport balance along every edge, and a voltage is left."""
    device = ions(-0.5)
    before, after, temperature = relaxed(device)
    x = after / (1e27 * device.volumes.node_volume)
    phi = device.system.local_unknowns()[device.layout.phi]
    mean = 0.5 * (temperature[1:] + temperature[:-1])
    drop = np.diff(phi) / (BOLTZMANN_EV * mean)
    forces = np.diff(np.log(x / (1.0 - x)) + 0.5 / (BOLTZMANN_EV * temperature)) + drop
    assert np.abs(forces).max() < 1e-9
    assert np.ptp(phi) > 0.01
    assert after.sum() == pytest.approx(before.sum(), rel=1e-13)


def test_the_jacobian_with_soret_agrees_with_differences():
    device = ions(-0.5)
    system = device.system
    relaxed(device)
    disturb(system, 0.05)
    voltages = np.zeros(len(device.volumes.contacts))
    system.linearise(np.zeros(system.layout.n_owned), LEAD, STEP, voltages)

    def residual() -> np.ndarray:
        zero = np.zeros(system.layout.n_owned)
        return system.evaluate(zero, LEAD, STEP, voltages).residual

    assert slope_error(system, residual) < 1e-5


def _end(x: float, kelvin: float, mean: float, heat: float) -> Carrier:
    """A dilute neutral species of level 0.2 eV as an edge between two temperatures sees it."""
    bare, log_x = 0.2 / (BOLTZMANN_EV * kelvin), np.log(x)
    parts = (1e27 * x, x, 1.0, bare + log_x, bare, bare, 0.0, 0.0, 1e27)
    warmth = Warmth(jnp.asarray(mean), jnp.asarray(kelvin / mean))
    return warmth.pulled(warmth.seen(Carrier(*map(jnp.asarray, parts)), heat), heat)


@pytest.mark.parametrize("name", HOPS)
def test_every_transport_law_rests_in_the_equilibrium_of_soret(name):
    """Exactly no flow but round-off where ln x = Q/kT + const, and one that grows from there."""
    heat, hot, cold = -0.8, 700.0, 300.0
    mean = 0.5 * (hot + cold)
    edge = Edge(jnp.asarray(1e-9), jnp.asarray(BOLTZMANN_EV * mean), jnp.asarray(0.0))
    rest = 1e-3 * np.exp(heat / BOLTZMANN_EV * (1.0 / cold - 1.0 / hot))

    def flow(share: float) -> float:
        ends = _end(1e-3, hot, mean, heat), _end(share * rest, cold, mean, heat)
        return float(laws("transport")[name].function(*ends, edge, HOPS[name]))

    assert abs(flow(1.0)) < 1e-13 * abs(flow(0.5))
    assert flow(0.5) > 0.0 > flow(2.0)


def test_residuals_do_not_change_at_one_temperature():
    """Without a gradient the number does nothing but for round-off."""
    found = []
    for device in (ions(None), ions(-0.5)):
        device.system.set_outer(0, {TEMPERATURE: np.full_like(device.volumes.depth, 350.0)})
        device.system.unknowns.set(0.1)
        disturb(device.system, 0.05)
        found.append(residual(device.system))
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-12 * np.abs(found[0]).max())
