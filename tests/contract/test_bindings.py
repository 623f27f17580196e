"""What every law of a contact must obey that binds a species in products."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import AVOGADRO
from ionstack.physics.states import Carrier, Edge, Pores
from support.airs import NUMBERS, OWN

BINDINGS = {name: entry for name, entry in laws("contact").items() if entry.binding is not None}
EDGE = Edge(jnp.asarray(0.0), jnp.asarray(0.025), jnp.asarray(1.0))
GASES = ("O2", "H2O", "CO2")
OWN_NUMBERS = {"permeability": 1e12, "decay_thickness": 1e-9}
POTENTIALS = (0.0, 1e-12, 1.0, -1.0, 40.0, -40.0, 800.0, -800.0)
# None, a trace, what halves the pores, all of them to the last bit, far more than fits.
CAPACITY = AVOGADRO * (NUMBERS["porosity"] - NUMBERS["percolation_threshold"]) * 5e-8 / 14.8e-6
AMOUNTS = (0.0, 1.0, 0.5 * CAPACITY, CAPACITY, 1e3 * CAPACITY, -1e15)


@pytest.fixture(params=BINDINGS)
def entry(request):
    return BINDINGS[request.param]


def numbers(entry, pressure=1e4, **other):
    own = OWN[entry.name]
    kinetics = {"hydration_rate": 3.0, "carbonation_rate": 20.0, "electrode_thickness": 5e-8}
    orders = {"oxygen_order": 0.5, "water_order": 0.25, "adsorption_potential": 0.0}
    gases = {f"pressure_{name}": pressure for name in GASES}
    return {**NUMBERS, own: OWN_NUMBERS[own], **kinetics, **orders, **gases, **other}


def rates(entry, psi, amounts, opened=0.0, **other):
    """Rates of the steps at potentials [kT] of lithium against the metal, (steps, n)."""
    zero = jnp.zeros_like(jnp.asarray(psi))
    K = Carrier(*([zero] * len(Carrier._fields)))._replace(psi=jnp.asarray(psi))
    L = Carrier(*([zero] * len(Carrier._fields)))
    given = dict(zip(_names(entry), map(jnp.asarray, amounts), strict=True))
    found = entry.function(K, L, EDGE, Pores(given, opened), numbers(entry, **other))
    return jnp.stack([one + zero for one in found])


def _names(entry):
    return [one.name for one in entry.binding.products]


def extremes():
    cases = np.array(list(product(POTENTIALS, *[AMOUNTS] * 3)))
    return cases[:, 0], cases[:, 1:].T


def test_lithium_taken_is_lithium_bound(entry):
    """Exactly, for every step: no rate can lose any."""
    particles = {one.name: one.particles for one in entry.binding.products}
    for step in entry.binding.steps:
        assert sum(particles[name] * count for name, count in step.changes) == step.taken


def test_the_equations_of_the_steps_are_their_changes(entry):
    for step in entry.binding.steps:
        left, right = (_side(side) for side in step.equation.split("->"))
        scale = step.taken / left.get("Li", step.taken or 1.0) or 1.0
        found = {
            name: scale * (right.get(name, 0.0) - left.get(name, 0.0)) for name in _names(entry)
        }
        assert {name: n for name, n in found.items() if n} == dict(step.changes)


def _side(text):
    parts = [one.split() for one in text.split("+")]
    return {one[-1]: float(one[0]) if len(one) == 2 else 1.0 for one in parts}


def test_values_and_derivatives_are_finite_at_extremes(entry):
    psi, amounts = extremes()
    for pressure in (0.0, 1e5):
        for exponent in (1.0, 1.5):
            numbers = {"pressure": pressure, "percolation_exponent": exponent}
            found = rates(entry, psi, amounts, **numbers)
            assert np.all(np.isfinite(found))
            for direction in range(4):
                assert np.all(np.isfinite(_slope(entry, psi, amounts, direction, **numbers)))


def _slope(entry, psi, amounts, direction, **other):
    """Derivatives of all rates along the potential (0) or a product."""
    here = [jnp.asarray(psi), *map(jnp.asarray, amounts)]
    along = [jnp.ones_like(one) if k == direction else 0.0 * one for k, one in enumerate(here)]
    return jax.jvp(lambda psi, *n: rates(entry, psi, n, **other), here, along)[1]


def test_rates_are_never_negative(entry):
    psi, amounts = extremes()
    kept = np.all(amounts >= 0.0, axis=0)
    assert np.all(np.asarray(rates(entry, psi[kept], amounts[:, kept])) >= 0.0)
    assert np.all(np.asarray(rates(entry, [40.0], [[1e18]] * 3)) > 0.0)


def test_nothing_is_taken_without_lithium_or_gas_or_pores(entry):
    some = [[1e18], [1e18], [1e18]]
    assert rates(entry, [-800.0], some)[0] == 0.0
    assert np.all(rates(entry, [40.0], some, pressure=0.0) == 0.0)
    for lacking in ("O2", "H2O"):
        assert rates(entry, [40.0], some, **{f"pressure_{lacking}": 0.0})[0] == 0.0
    full = [[2.0 * CAPACITY], [0.0], [0.0]]
    assert np.all(rates(entry, [40.0], full) == 0.0)
    assert np.all(rates(entry, [40.0], some, percolation_threshold=0.5) == 0.0)


def test_no_product_is_used_up_that_is_not_there(entry):
    for psi in (-1.0, 40.0):
        amounts = [[0.0], [0.0], [1e18]]
        assert np.all(rates(entry, [psi], amounts)[1:] == 0.0)


def test_steps_that_take_nothing_depend_on_products_alone(entry):
    low, high = (rates(entry, [psi], [[1e18]] * 3) for psi in (-5.0, 5.0))
    for number, step in enumerate(entry.binding.steps):
        assert (low[number] == high[number]) == (step.taken == 0.0)


def test_rate_follows_the_activity_while_that_is_small(entry):
    """Proportional to exp(mu/kT); bounded at its top."""
    bare = [[0.0]] * 3
    low, high, top, above = (float(rates(entry, [psi], bare)[0, 0]) for psi in (-30, -29, 40, 80))
    assert high / low == pytest.approx(np.e, rel=1e-10)
    assert above == pytest.approx(top, rel=1e-12)


def test_pores_opened_by_strain_count_like_others(entry):
    some = [[1e18]] * 3
    found = rates(entry, [1.0], some, opened=0.07)
    expected = rates(entry, [1.0], some, porosity=NUMBERS["porosity"] + 0.07)
    assert np.allclose(found, expected, rtol=1e-14)


def test_derivatives_agree_with_differences(entry):
    draw = np.random.default_rng(3)
    psi, amounts = draw.uniform(-5.0, 5.0, 50), draw.uniform(0.05, 0.3, (3, 50)) * CAPACITY
    for direction, size in enumerate((1e-5, *[1e-6 * CAPACITY] * 3)):
        moved = []
        for sign in (1.0, -1.0):
            here = [psi.copy(), *amounts.copy()]
            here[direction] = here[direction] + sign * size
            moved.append(np.asarray(rates(entry, here[0], here[1:])))
        found = (moved[0] - moved[1]) / (2.0 * size)
        exact = np.asarray(_slope(entry, psi, amounts, direction))
        scale = np.abs(exact).max(axis=1, keepdims=True)
        assert np.all(np.abs(found - exact) <= 1e-7 * np.where(scale > 0.0, scale, 1.0))
