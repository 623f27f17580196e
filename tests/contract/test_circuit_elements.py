"""What every registered circuit element must obey, and closed forms of each."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import elements
from ionstack.physics.circuit_elements import LIMITER
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.element_registry import Choice, ElementLaw

LAWS = elements()
THERMAL = thermal_voltage(300.0)
NUMBERS = {
    "resistance": 47.0,
    "capacitance": 3e-12,
    "on": 2.0,
    "off": 1e9,
    "transconductance": 2e-4,
    "threshold": 0.45,
    "slope_factor": 1.3,
    "value": 0.7,
    "positive": 2e-3,
    "negative": 5e-3,
    "on_resistance": 1.7e4,
    "off_resistance": 1e10,
    "growth": 16.0,
    "softening": 0.1,
    "fastest_growth": 20.0,
    "decay": 50.0,
    "ageing": 0.35,
    "residual_decay": 0.42,
    "length": 1e-8,
    "nucleus": 1e-9,
    "resistivity": 4e-6,
    "thermal_conductivity": 20.0,
    "contact_resistance": 1e4,
    "decay_share": 0.1,
    "gap_decay": 5e-10,
    "velocity": 100.0,
    "barrier": 1.0,
    "lowering": 0.3,
    "dissolution": 1e-40,
    "nucleation_rate": 1e6,
    "nucleation_voltage": 2.4,
    "shrink_rate": 200.0,
    "shrink_exponent": 2.0,
    "shrink_share": 0.01,
    "tunnel_barrier": 1.2,
    "effective_mass": 0.5,
    "atomic_volume": 1.7e-29,
    "atoms_lost": 100.0,
}
COUNT = 400
PASSIVE = ("resistor", "capacitor", "switch", "mosfet")


def variants(law: ElementLaw) -> list[dict[str, float]]:
    """Numbers of a law, once for each option of every choice."""
    found = [{one.name: NUMBERS[one.name] for one in law.parameters if one.name in NUMBERS}]
    for one in law.parameters:
        if isinstance(one, Choice):
            found = [{**old, one.name: number} for old in found for _, number in one.options]
    return found


CASES = [
    pytest.param(law, numbers, id=f"{name}-{number}")
    for name, law in LAWS.items()
    for number, numbers in enumerate(variants(law))
]


def drawn(law: ElementLaw, seed: int = 1) -> np.ndarray:
    """Random voltages up to 3 V and own unknowns up to some compliances, (inputs, COUNT)."""
    draw = np.random.default_rng(seed)
    voltages = draw.uniform(-3.0, 3.0, (len(law.terminals), COUNT))
    scale = {"A": 8e-3, "V": 2.0, "1": 0.6}
    own = [scale[unit] * draw.uniform(-1.0, 1.0, COUNT) for _, unit in law.own]
    return np.concatenate([voltages, np.array(own).reshape(len(own), COUNT)])


def parts(law: ElementLaw, numbers: Mapping[str, float], x: jax.Array) -> list[jax.Array]:
    """Currents and charges of all terminals, then the balances."""
    count = len(law.terminals)
    v = dict(zip(law.terminals, x[:count], strict=True))
    own = {name: x[count + k] for k, (name, _) in enumerate(law.own)}
    p = {name: jnp.asarray(number) for name, number in numbers.items()}
    found = law.function(v, own, p, jnp.asarray(THERMAL))
    zero = jnp.zeros_like(x[0])
    ends = [given.get(name, zero) for given in found[:2] for name in law.terminals]
    return [*ends, *(found.balances[name] for name, _ in law.own)]


def stacked(law: ElementLaw, numbers: Mapping[str, float]):
    return jax.jit(lambda x: jnp.stack(parts(law, numbers, x)))


def slopes(law: ElementLaw, numbers: Mapping[str, float], x: np.ndarray) -> np.ndarray:
    """Derivatives (outputs, inputs, states)."""
    found = jax.jit(jax.vmap(jax.jacfwd(stacked(law, numbers)), in_axes=1, out_axes=2))
    return np.asarray(found(jnp.asarray(x)))


@pytest.mark.parametrize(("law", "numbers"), CASES)
def test_derivatives_agree_with_finite_differences(law, numbers):
    x = drawn(law)
    exact, function = slopes(law, numbers, x), stacked(law, numbers)
    for row in range(len(x)):
        size = (
            1e-6
            if row < len(law.terminals) or law.own[row - len(law.terminals)][1] != "A"
            else 1e-9
        )
        shift = np.zeros_like(x)
        shift[row] = size
        found = (np.asarray(function(x + shift)) - np.asarray(function(x - shift))) / (2.0 * size)
        scale = np.abs(exact).max(axis=1) + np.abs(np.asarray(function(x)))
        assert np.all(np.abs(found - exact[:, row]) <= 1e-6 * scale)


@pytest.mark.parametrize(("law", "numbers"), CASES)
def test_currents_and_charges_sum_to_zero(law, numbers):
    found, count = np.asarray(stacked(law, numbers)(drawn(law))), len(law.terminals)
    assert not found[:count].sum(axis=0).any()
    assert not found[count : 2 * count].sum(axis=0).any()
    # The declared own unknowns and paths are those that there are.
    assert len(found) == 2 * count + len(law.own)
    assert {name for name, _ in law.states} <= {name for name, _ in law.own}
    assert {name for _, name in law.states} <= {one.name for one in law.parameters}
    assert {end for path in law.paths for end in path} <= set(law.terminals)


@pytest.mark.parametrize(("law", "numbers"), CASES)
def test_only_voltage_differences_count(law, numbers):
    x = drawn(law)
    raised = x + 5.0 * (np.arange(len(x)) < len(law.terminals))[:, None]
    function = stacked(law, numbers)
    scale = np.abs(slopes(law, numbers, x)).max(axis=1) + np.abs(np.asarray(function(x)))
    assert np.all(np.abs(np.asarray(function(raised) - function(x))) <= 1e-13 * scale)


@pytest.mark.parametrize(("law", "numbers"), CASES)
def test_value_and_derivatives_are_finite_at_extremes(law, numbers):
    sizes = np.array([0.0, 1e-12, -1e-12, 1.0, -1.0, 1e3, -1e3, 1e6, -1e6])
    count = len(law.terminals) + len(law.own)
    draw = np.random.default_rng(3)
    x = np.concatenate([np.zeros((count, 1)), draw.choice(sizes, (count, COUNT))], axis=1)
    assert np.isfinite(np.asarray(stacked(law, numbers)(x))).all()
    assert np.isfinite(slopes(law, numbers, x)).all()


@pytest.mark.parametrize(("law", "numbers"), [c for c in CASES if c.values[0].name in PASSIVE])
def test_passive_elements_take_power(law, numbers):
    """Power sum(v I), with the own currents that meet their balances, and energy sum(v Q)/2."""
    x, count = drawn(law), len(law.terminals)
    if law.own:
        apart = x[0] - x[1]
        gain = stacked(law, numbers)(np.concatenate([0.0 * x[:count], np.ones((1, COUNT))]))[-1]
        x[count] = apart / -np.asarray(gain)
        assert np.abs(np.asarray(stacked(law, numbers)(x))[-1]).max() < 1e-12
    found = np.asarray(stacked(law, numbers)(x))
    for part in (found[:count], found[count : 2 * count]):
        assert np.all((part * x[:count]).sum(axis=0) >= 0.0)
    assert (found[: 2 * count] != 0.0).any()


@pytest.mark.parametrize(("law", "numbers"), [c for c in CASES if c.values[0].events])
def test_rates_of_events_are_rates(law, numbers):
    """Finite and not negative anywhere; an event gives states their values."""
    extreme = np.random.default_rng(5).choice([0.0, 1e-12, 1.0, -1.0, 1e6, -1e6], (9, COUNT))
    for x in (drawn(law), extreme):
        v = dict(zip(law.terminals, x, strict=False))
        own = {name: x[len(v) + k] for k, (name, _) in enumerate(law.own)}
        p = {name: jnp.asarray(number) for name, number in numbers.items()}
        for event in law.events:
            found = np.asarray(event.rate(v, own, p, jnp.asarray(THERMAL)))
            assert np.isfinite(found).all()
            assert (found >= 0.0).all()
            assert (found > 0.0).any()
            assert set(event.after(own, p)) <= {name for name, _ in law.states}


def drain(numbers, drain_, gate, source_, bulk=0.0):
    """Drain current of the transistor."""
    x = np.broadcast_arrays(drain_, gate, source_, bulk)
    return np.asarray(stacked(LAWS["mosfet"], numbers)(np.array(x, dtype=float)))[0]


MOSFETS = variants(LAWS["mosfet"])
N_CHANNEL = next(numbers for numbers in MOSFETS if numbers["channel"] > 0.0)
P_CHANNEL = next(numbers for numbers in MOSFETS if numbers["channel"] < 0.0)


@pytest.mark.parametrize("numbers", MOSFETS)
def test_a_transistor_is_symmetric(numbers):
    """Drain and source exchanged: the same current the other way, to the last bit."""
    a, gate, b, bulk = drawn(LAWS["mosfet"])
    forth, back = drain(numbers, a, gate, b, bulk), drain(numbers, b, gate, a, bulk)
    assert np.array_equal(forth, -back)
    assert drain(numbers, 0.3, 1.0, 0.3) == 0.0


def test_a_p_channel_is_the_mirror_of_an_n_channel():
    mirrored = {**P_CHANNEL, "threshold": -N_CHANNEL["threshold"]}
    d, g, s, b = drawn(LAWS["mosfet"])
    assert np.array_equal(drain(mirrored, -d, -g, -s, -b), -drain(N_CHANNEL, d, g, s, b))


def test_square_law_in_strong_inversion():
    """Saturation beta (V_G - V_T0)^2/(2 n); small V_D beta (V_G - V_T0) V_D."""
    n, beta = NUMBERS["slope_factor"], NUMBERS["transconductance"]
    over = np.array([5.0, 20.0])
    gate = NUMBERS["threshold"] + over
    assert drain(N_CHANNEL, 100.0, gate, 0.0) == pytest.approx(beta * over**2 / (2.0 * n))
    assert drain(N_CHANNEL, 1e-9, gate, 0.0) == pytest.approx(beta * over * 1e-9, rel=1e-6)
    # Between them: beta (over - n V_D/2) V_D.
    triode = beta * (over - 0.5 * n * 1.0) * 1.0
    assert drain(N_CHANNEL, 1.0, gate, 0.0) == pytest.approx(triode, rel=1e-6)


def test_exponential_in_weak_inversion():
    """I = 2 n beta U_T^2 exp((V_G - V_T0)/(n U_T)) (1 - exp(-V_D/U_T))."""
    n, beta = NUMBERS["slope_factor"], NUMBERS["transconductance"]
    below = np.array([-0.5, -0.8])
    scale = 2.0 * n * beta * THERMAL**2 * np.exp(below / (n * THERMAL))
    for voltage in (1e-6, 0.02, 2.0):
        found = drain(N_CHANNEL, voltage, NUMBERS["threshold"] + below, 0.0)
        expected = -scale * np.expm1(-voltage / THERMAL)
        assert found == pytest.approx(expected, rel=1e-6)


def test_a_small_drain_voltage_loses_no_digits():
    """Conductance at 1 fV against the derivative at 0: differences would keep two digits."""
    x = np.array([[0.0], [2.0], [0.0], [0.0]])
    slope = slopes(LAWS["mosfet"], N_CHANNEL, x)[0, 0, 0]
    assert drain(N_CHANNEL, 1e-15, 2.0, 0.0) == pytest.approx(slope * 1e-15, rel=1e-12)


def balances(own, **changes):
    """Balances of the source: given quantity, lowered, raised."""
    numbers = {**NUMBERS, "current": 0.0, **changes}
    x = np.array([0.0, 0.0, *own])[:, None]
    return np.asarray(stacked(LAWS["source"], numbers)(x))[4:, 0]


@pytest.mark.parametrize("share", [-0.999999, -0.5, 0.0, 0.5, 0.999999])
def test_slacks_follow_the_hyperbola(share):
    """(slack + eps) (1 - I/I_cc) = eps on both sides."""
    positive, negative = NUMBERS["positive"], NUMBERS["negative"]
    current = share * positive
    lowered = LIMITER / (1.0 - share) - LIMITER
    raised = LIMITER / (1.0 + current / negative) - LIMITER
    found = balances((current, lowered, raised))
    assert np.abs(found[1:]).max() < 1e-15
    assert found[0] == pytest.approx(-(0.7 - lowered + raised), abs=1e-15)


def test_without_compliance_the_slacks_are_zero():
    found = balances((12.0, 0.25, -0.5), positive=np.inf, negative=np.inf)
    assert found[1:].tolist() == [0.25, -0.5]
    assert balances((12.0, 0.0, 0.0), positive=np.inf, negative=np.inf)[0] == -0.7


def test_in_current_mode_the_current_is_given():
    found = balances((0.2, 0.25, -0.5), current=1.0)
    assert found.tolist() == [0.2 - 0.7, 0.25, -0.5]
