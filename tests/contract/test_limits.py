"""Limits in which a law has a closed form, and special functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from ionstack.physics.special import bernoulli
from ionstack.physics.states import Edge, Gap
from ionstack.physics.transport import poole_frenkel_factor
from ionstack.physics.tunnelling import current_density
from support import exact
from support.law_checks import LENGTH, SITES, THERMAL, Subject, numbers, random_states

ARGUMENTS = np.concatenate(
    [
        [0.0, 1e-20, 1e-12, 1e-8, 1e-4, 9.99e-3, 1.001e-2, 0.5, 1.0, 5.0, 40.0, 300.0, 700.0],
        np.geomspace(1e-3, 700.0, 200),
    ]
)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bernoulli_value(sign):
    found = np.asarray(bernoulli(jnp.asarray(sign * ARGUMENTS)))
    expected = [exact.bernoulli(x) for x in sign * ARGUMENTS]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bernoulli_derivative(sign):
    points = jnp.asarray(sign * ARGUMENTS)
    found = np.asarray(jax.vmap(jax.grad(bernoulli))(points))
    expected = [exact.bernoulli_slope(x) for x in sign * ARGUMENTS]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bernoulli_beyond_the_range_of_exp():
    points = jnp.asarray([-1e4, -800.0, 800.0, 1e4])
    np.testing.assert_array_equal(bernoulli(points)[:2], [1e4, 800.0])
    assert np.all(np.isfinite(np.asarray(jax.vmap(jax.grad(bernoulli))(points))))


def test_sedan_is_scharfetter_gummel_for_boltzmann_statistics():
    law = Subject(laws("transport")["sedan"], "boltzmann")
    states = random_states("boltzmann")
    K, L = law.carriers(states)
    drift = states.phi[0] - states.phi[1]
    expected = [
        exact.scharfetter_gummel(*c) for c in zip(K.c.tolist(), L.c.tolist(), drift, strict=True)
    ]
    found = law.flow(K, L) / numbers(law.law.parameters)["diffusivity"]
    # The drop psi_K - psi_L is known to round-off of potentials of up to 100 kT.
    parts = np.maximum(exact_parts(K.c, drift), exact_parts(L.c, -drift))
    assert np.max(np.abs(found - expected) / parts) < 1e-12


def exact_parts(c, drift):
    return np.array([exact.bernoulli(-q) for q in drift]) * np.asarray(c)


def test_site_hopping_of_a_neutral_species_is_diffusion():
    law = Subject(laws("transport")["site_hopping"], "lattice_gas", z=0)
    states = random_states("lattice_gas")
    diffusivity = numbers(law.law.parameters)["diffusivity"]
    pairs = zip(states.eta[0], states.eta[1], strict=True)
    expected = [diffusivity * SITES * exact.occupation_difference(*pair) for pair in pairs]
    np.testing.assert_allclose(law.flow(*law.carriers(states)), expected, rtol=1e-12)


@pytest.mark.parametrize(("content", "share"), [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5)])
def test_polaron_barrier_falls_linearly(content, share):
    ratio, activation = _polaron(content)
    assert np.log(ratio) == pytest.approx(-share * activation, rel=1e-9)


@pytest.mark.parametrize("content", [1.2, 1.6])
def test_polaron_barrier_is_gone_above_the_critical_content(content):
    assert _polaron(content)[0] == pytest.approx(1.0, abs=1e-9)


def _polaron(content):
    """Polaron over site-hopping flow at a content over the critical one, and W/kT."""
    kinds = laws("transport")
    polaron, plain = (Subject(kinds[name], "lattice_gas") for name in ("polaron", "site_hopping"))
    values = numbers(polaron.law.parameters)
    x = jnp.asarray(content * values["critical_content"])
    K, L = polaron.carriers(random_states("lattice_gas", count=1))
    K, L = (end._replace(coupled=jnp.full(1, x)) for end in (K, L))
    ratio = polaron.flow(K, L) / plain.flow(K, L)
    return float(ratio[0]), values["barrier"] / THERMAL


def test_poole_frenkel_lowering():
    """0.2529790986 eV at 1e8 V/m and a relative permittivity of 9 (twice Schottky's)."""
    thermal = thermal_voltage(300.0)
    edge = Edge(jnp.asarray(1e-9), jnp.asarray(thermal), jnp.asarray(-1.0))
    factor = poole_frenkel_factor(
        jnp.asarray(1e8), edge, {"optical_permittivity": jnp.asarray(9.0)}
    )
    assert thermal * np.log(float(factor)) == pytest.approx(0.2529790986, rel=1e-9)


@pytest.mark.parametrize(("volts", "ratio"), [(0.01, 0.3916788779), (0.1, 6.858407791)])
def test_exchange_is_butler_volmer(volts, ratio):
    """j/j0 = 2 sinh(eta/2VT) at 298.15 K."""
    law = laws("interface")["exchange"]
    K, L = Subject(law, "lattice_gas").carriers(random_states("lattice_gas", count=1))
    K = K._replace(psi=L.psi + volts / thermal_voltage(298.15))
    edge = Edge(jnp.asarray(0.0), jnp.asarray(thermal_voltage(298.15)), jnp.asarray(1.0))
    flow = law.function(K, L, edge, {"exchange_current_density": 1.0})
    assert float(flow[0]) * ELEMENTARY_CHARGE == pytest.approx(ratio, rel=1e-9)


def test_ohmic_current_is_conductivity_times_field():
    law = Subject(laws("transport")["ohmic"], "lattice_gas", z=-1)
    K, L = law.carriers(random_states("lattice_gas", count=1))
    volts = 0.2
    L = L._replace(psi=K.psi - volts / thermal_voltage(320.0))
    # Particles per (area/length): times charge gives conductivity times voltage.
    conductivity = numbers(law.law.parameters)["conductivity"]
    found = float(law.flow(K, L)[0]) * ELEMENTARY_CHARGE
    assert found == pytest.approx(conductivity * volts, rel=1e-12)


@pytest.mark.parametrize(("content", "share"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_ions_do_not_pass_through_a_phase(content, share):
    kinds = laws("transport")
    matrix, plain = (Subject(kinds[name], "lattice_gas") for name in
                     ("matrix_hopping", "site_hopping"))  # fmt: skip
    ends = matrix.carriers(random_states("lattice_gas", count=1))
    K, L = (end._replace(coupled=jnp.full(1, content)) for end in ends)
    assert float(matrix.flow(K, L)[0]) == pytest.approx(share * float(plain.flow(K, L)[0]))


def through_a_gap(drop: float, gap: Gap, conductivity, contents=(0.5, 0.5)) -> float:
    """Current per (area/length) [A/m] of `gap_tunnelling` at a drop [V] along the edge."""
    law = Subject(laws("transport")["gap_tunnelling"], "lattice_gas", z=-1)
    K, L = law.carriers(random_states("lattice_gas", count=1))
    K, L = (end._replace(coupled=jnp.full(1, x)) for end, x in zip((K, L), contents, strict=True))
    L = L._replace(psi=K.psi - drop / THERMAL)
    edge = Edge(jnp.asarray(LENGTH), jnp.asarray(THERMAL), jnp.asarray(-1.0), gap=gap)
    values = numbers(law.law.parameters) | {"conductivity": conductivity}
    return float(law.law.function(K, L, edge, values)[0]) * ELEMENTARY_CHARGE


@pytest.mark.parametrize("drop", [1e-4, 0.1, -0.3])
@pytest.mark.parametrize("part", [1.0, 0.4])
def test_an_edge_in_a_plane_gap_carries_simmons_current(drop, part):
    """The voltage across the gap is the drop over the share of it that is the edge's."""
    width = 1e-9
    share = part * LENGTH / width
    found = through_a_gap(drop, Gap(width, share, part), lambda x, T: 0.0 * x)
    exact = current_density(drop / share, numbers(laws("transport")["gap_tunnelling"].parameters)
                            ["barrier_height"], width, 0.4)  # fmt: skip
    assert found == pytest.approx(LENGTH * exact, rel=1e-12)


def test_without_a_gap_the_resistivity_is_that_of_an_exponential_profile():
    """1/mean(1/sigma) of sigma = exp(a + b s), s from 0 to 1."""
    found = through_a_gap(0.2, Gap(1.0, 1.0, 1.0), lambda x, T: jnp.exp(4.0 + 6.0 * x), (0.2, 0.9))
    slope = 6.0 * 0.7
    exact = slope * np.exp(4.0 + 6.0 * 0.2) / -np.expm1(-slope)
    assert found == pytest.approx(0.2 * exact, rel=1e-12)
