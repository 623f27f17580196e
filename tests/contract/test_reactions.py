"""What every registered reaction must obey, and closed forms of each."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from support.law_checks import SITES, THERMAL, Subject, values
from support.law_checks import random_states as draw

REACTIONS = tuple(laws("reaction"))
STATISTICS = tuple(laws("statistics"))
EXTREMES = np.array([0.0, 1e-12, -1e-12, 40.0, -40.0, 800.0, -800.0])


def pair(statistics, eta_n, eta_p, phi):
    """Electrons and holes at given reduced chemical potentials and potential."""
    found = []
    for z, eta in ((-1, eta_n), (1, eta_p)):
        subject = Subject(laws("transport")["sedan"], statistics, None, z)
        found.append(subject.carrier(eta, phi, jnp.zeros_like(eta)))
    return tuple(found)


def rate(name, carriers, field=3e8):
    """Rate of a law; those that read the field get one [V/m]."""
    law, left = laws("reaction")[name], [(one, 1) for one in carriers]
    given = (jnp.asarray(field),) if law.field else ()
    return law.function(left, [], jnp.asarray(THERMAL), *given, values_of(name))


def values_of(name):
    return values(laws("reaction")[name])


def states(statistics):
    drawn = draw(statistics)
    return drawn.eta[0], drawn.eta[1], drawn.phi[0]


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize("name", REACTIONS)
def test_a_reaction_runs_down_its_affinity(name, statistics):
    """Rate times affinity is the entropy production over k: never negative."""
    n, p = pair(statistics, *states(statistics))
    found = np.asarray(rate(name, (n, p)))
    assert np.all(found * np.asarray(n.psi + p.psi) > 0.0)


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize("name", REACTIONS)
def test_a_reaction_rests_in_equilibrium(name, statistics):
    n, p = pair(statistics, *states(statistics))
    rest = p._replace(psi=-n.psi, drift=p.drift - p.psi - n.psi)
    assert np.abs(np.asarray(rate(name, (n, rest)))).max() == 0.0
    slope = jax.jvp(lambda psi: rate(name, (n, rest._replace(psi=psi))), (rest.psi,),
                    (jnp.ones_like(rest.psi),))[1]  # fmt: skip
    assert np.all(np.asarray(slope) > 0.0)


@pytest.mark.parametrize("name", REACTIONS)
def test_derivatives_agree_with_differences(name):
    eta_n, eta_p, phi = states("lattice_gas")

    def of(shift):
        return rate(name, pair("lattice_gas", eta_n + shift, eta_p, phi))

    exact = np.asarray(jax.jvp(of, (jnp.asarray(0.0),), (jnp.asarray(1.0),))[1])
    found = (np.asarray(of(1e-5)) - np.asarray(of(-1e-5))) / 2e-5
    assert np.all(np.abs(found - exact) <= 1e-6 * np.abs(exact) + 1e-7 * np.abs(of(0.0)))


@pytest.mark.parametrize("name", [name for name in REACTIONS if laws("reaction")[name].field])
def test_the_field_shifts_no_equilibrium_and_its_slopes_are_exact_and_finite(name):
    n, p = pair("lattice_gas", *states("lattice_gas"))
    rest = p._replace(psi=-n.psi, drift=p.drift - p.psi - n.psi)

    def slope(field, partner):
        return jax.jvp(lambda E: rate(name, (n, partner), E), (field,), (1.0,))[1]

    for field in (0.0, 1e4, 3e8, 1e10, 1e12):
        assert np.abs(np.asarray(rate(name, (n, rest), field))).max() == 0.0
        assert np.all(np.isfinite(np.asarray(slope(field, p))))
    above, below = (np.asarray(rate(name, (n, p), 3e8 + sign * 3e3)) for sign in (1.0, -1.0))
    np.testing.assert_allclose(slope(3e8, p), (above - below) / 6e3, rtol=1e-6)


@pytest.mark.parametrize("name", REACTIONS)
def test_value_and_derivatives_are_finite_at_extremes(name):
    eta_n, eta_p = (part.reshape(-1) for part in np.meshgrid(EXTREMES, EXTREMES))
    # The product of densities and exp(affinity) must be doubles.
    inside = np.abs(eta_n + eta_p) < 700.0

    def of(shift):
        found = rate(name, pair("lattice_gas", eta_n + shift, eta_p, np.full_like(eta_n, 3.0)))
        return jnp.asarray(found)[inside]

    value, slope = jax.jvp(of, (jnp.asarray(0.0),), (jnp.asarray(1.0),))
    assert np.all(np.isfinite(np.asarray(value)))
    assert np.all(np.isfinite(np.asarray(slope)))


def densities(eta_n=-12.0, eta_p=-15.0, phi=7.0):
    carriers = pair("boltzmann", *(np.array([v]) for v in (eta_n, eta_p, phi)))
    n, p = (float(one.c[0]) for one in carriers)
    # The levels are 0, so n p exp(-affinity) = N^2 in equilibrium.
    return carriers, n, p, SITES**2


def test_srh_rate():
    carriers, n, p, squared = densities()
    given = values_of("srh")
    low = given["second_lifetime"] * (n + given["first_density"])
    high = given["first_lifetime"] * (p + given["second_density"])
    found = float(rate("srh", carriers)[0])
    assert found == pytest.approx((n * p - squared) / (low + high), rel=1e-12)


def test_langevin_rate():
    carriers, n, p, squared = densities()
    given = values_of("langevin")
    permittivity = given["relative_permittivity"] * VACUUM_PERMITTIVITY
    coefficient = ELEMENTARY_CHARGE * given["mobility_sum"] / permittivity
    found = float(rate("langevin", carriers)[0])
    assert found == pytest.approx(coefficient * (n * p - squared), rel=1e-12)


def test_mass_action_counts_particles_and_free_sites():
    """2 A = B on a lattice: k x_A^2 (1 - x_B), less the reverse that detailed balance gives."""
    (a, b) = (
        Subject(laws("transport")["sedan"], "lattice_gas").carrier(np.array([eta]), zero, zero)
        for eta, zero in ((-1.0, np.zeros(1)), (0.5, np.zeros(1)))
    )
    law = laws("reaction")["mass_action"].function
    found = float(law([(a, 2)], [(b, 1)], jnp.asarray(THERMAL), {"rate": 3.0})[0])
    xa, xb = 1.0 / (1.0 + np.exp(1.0)), 1.0 / (1.0 + np.exp(-0.5))
    back = np.exp(0.5 + 2.0)  # affinity -2 - 0.5
    assert found == pytest.approx(3.0 * xa**2 * (1.0 - xb) * (1.0 - back), rel=1e-12)


def test_allen_cahn_is_linear_in_the_affinity():
    carriers, n, p, _ = densities()
    found = float(rate("allen_cahn", carriers)[0])
    affinity = np.log(n * p / SITES**2)
    assert found == pytest.approx(values_of("allen_cahn")["rate"] * affinity, rel=1e-12)


def test_surface_butler_volmer_lives_on_the_surface_of_what_it_makes():
    """A = B: 6 x (1-x) k x_A^(1-a) [exp(a A) - exp(-(1-a) A)], x of B."""
    (a, b) = (
        Subject(laws("transport")["sedan"], "lattice_gas").carrier(np.array([eta]), zero, zero)
        for eta, zero in ((-1.0, np.zeros(1)), (0.5, np.zeros(1)))
    )
    law = laws("reaction")["surface_butler_volmer"].function
    given = {"rate": 3.0, "transfer_coefficient": 0.3}
    found = float(law([(a, 1)], [(b, 1)], jnp.asarray(THERMAL), given)[0])
    xa, xb = 1.0 / (1.0 + np.exp(1.0)), 1.0 / (1.0 + np.exp(-0.5))
    drop = np.exp(0.3 * -1.5) - np.exp(-0.7 * -1.5)
    assert found == pytest.approx(18.0 * xb * (1.0 - xb) * xa**0.7 * drop, rel=1e-12)
