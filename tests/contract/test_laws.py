"""What every registered law of flow must obey, whatever statistics it works with.

Laws of contacts that bind a species in products are in test_bindings.py.
"""

from __future__ import annotations

from functools import cache

import jax
import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.registry import Kind
from support import law_checks as check
from support.law_checks import Subject, extreme_states, moving_states, random_states

STATISTICS = tuple(laws("statistics"))
EXCESS = tuple(laws("excess"))
FLOWS: tuple[Kind, ...] = ("transport", "interface", "contact")


@cache
def subject(kind: Kind, name: str, statistics: str, excess: str | None) -> Subject:
    return Subject(laws(kind)[name], statistics, excess)


# Every statistics without excess, and excess laws on a lattice: every one with transport. At
# interfaces and contacts one will do, they see an excess as a shift of potentials only.
PLAIN = [(name, None) for name in STATISTICS]


def species_of(kind: Kind) -> list[tuple[str, str | None]]:
    excess = EXCESS if kind == "transport" else EXCESS[:1]
    return [*PLAIN, *(("lattice_gas", name) for name in excess)]


def subjects(*kinds: Kind, sided: bool = True) -> list[object]:
    return [
        pytest.param(kind, name, statistics, excess, id=f"{kind}-{name}-{statistics}-{excess}")
        for kind in kinds
        for name, entry in laws(kind).items()
        for statistics, excess in species_of(kind)
        if (sided or not entry.sided) and entry.binding is None
    ]


@pytest.mark.parametrize(("kind", "name", "statistics", "excess"), subjects(*FLOWS))
def test_derivatives_agree_with_finite_differences(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    states = moving_states(law, random_states(statistics))
    assert check.derivative_error(law, states).max() < 1e-6


@pytest.mark.parametrize(("kind", "name", "statistics", "excess"), subjects(*FLOWS))
def test_flow_depends_on_declared_inputs_only(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    assert check.missing_dependence(law, random_states(statistics)).max() == 0.0


@pytest.mark.parametrize(("kind", "name", "statistics", "excess"), subjects(*FLOWS))
def test_no_flow_at_equal_electrochemical_potentials(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    assert check.flow_in_equilibrium(law, random_states(statistics)).max() == 0.0


@pytest.mark.parametrize(("kind", "name", "statistics", "excess"), subjects(*FLOWS))
def test_flow_runs_down_the_electrochemical_potential(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    states = random_states(statistics, seed=2)
    assert check.wrong_direction(law, states).max() == 0.0
    if law.law.passes:
        assert np.all(law.flow(*law.carriers(states)) != 0.0)


@pytest.mark.parametrize(("kind", "name", "statistics", "excess"), subjects(*FLOWS))
def test_value_and_derivatives_are_finite_at_extremes(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    assert check.not_finite(law, extreme_states(law)).max() == 0.0


@pytest.mark.parametrize(
    ("kind", "name", "statistics", "excess"), subjects("transport", "interface", sided=False)
)
def test_flow_changes_sign_when_the_ends_are_exchanged(kind, name, statistics, excess):
    law = subject(kind, name, statistics, excess)
    # Edge laws are odd to the last bit; sinh and means of curves to round-off.
    allowed = 0.0 if kind == "transport" and not law.law.curves else 1e-14
    for states in (random_states(statistics), extreme_states(law)):
        assert check.asymmetry(law, states).max() <= allowed


# The same checks refuse laws that are wrong on purpose.

SEDAN = Subject(laws("transport")["sedan"], "lattice_gas")
STATES = random_states("lattice_gas")


def flipped(function):
    return lambda K, L, edge, p: -function(K, L, edge, p)


def centred(function):
    """Arithmetic means in place of exponential fitting."""

    def flow(K, L, edge, p):
        return p["diffusivity"] * (K.c - L.c + 0.5 * (K.c + L.c) * (K.drift - L.drift))

    return flow


def upwind(function):
    """Density of end K only."""
    return lambda K, L, edge, p: p["diffusivity"] * K.c * (K.psi - L.psi)


def frozen(function):
    """Density left out of the derivative, as in a Picard iteration."""

    def flow(K, L, edge, p):
        return function(K._replace(c=jax.lax.stop_gradient(K.c)), L, edge, p)

    return flow


def naive(function):
    """Bernoulli function without guards."""

    def flow(K, L, edge, p):
        drift = K.drift - L.drift
        forward, backward = -drift / jax.numpy.expm1(-drift), drift / jax.numpy.expm1(drift)
        return p["diffusivity"] * (forward * K.c - backward * L.c)

    return flow


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (flipped, check.wrong_direction),
        (centred, check.flow_in_equilibrium),
        (upwind, check.asymmetry),
        (frozen, check.derivative_error),
    ],
)
def test_a_wrong_law_is_caught(change, broken):
    assert broken(SEDAN, STATES).max() < 1e-6
    assert broken(check.mutated(SEDAN, change), STATES).max() > 1e-3


def test_an_unguarded_law_is_caught():
    wrong = check.mutated(SEDAN, naive)
    assert check.not_finite(wrong, extreme_states(wrong)).max() == 1.0
