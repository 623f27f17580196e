"""Statistics and excess laws: derivatives, bounds, and the identities that flows rely on."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.models.carriers import at
from ionstack.models.model import Arrhenius
from ionstack.physics.catalogue import laws
from support.law_checks import EXTREMES, LARGEST_ETA, THERMAL, numbers, values

ETA = np.linspace(-30.0, 5.0, 141)
CONTENT = np.linspace(0.0, 1.0, 101)


def occupation_of(name):
    entry = laws("statistics")[name]
    return lambda eta: entry.function(eta, numbers(entry.parameters), THERMAL)


@pytest.fixture(params=laws("statistics"))
def occupation(request):
    return occupation_of(request.param)


@pytest.fixture(params=laws("excess"))
def excess(request):
    entry = laws("excess")[request.param]
    return lambda x: entry.function(x, values(entry), THERMAL)


def slopes(function, points):
    return jax.jvp(function, (jnp.asarray(points),), (jnp.ones(len(points)),))[1]


def central(function, points, step):
    above, below = function(points + step), function(points - step)
    return jax.tree.map(lambda a, b: np.asarray(a - b) / (2.0 * step), above, below)


def test_occupation_derivatives(occupation):
    exact, found = slopes(occupation, ETA), central(occupation, ETA, 1e-5)
    for field in ("x", "vacancy", "log_gamma"):
        a, b = np.asarray(getattr(exact, field)), getattr(found, field)
        # Near 1 the difference quotient knows a few 1e-11 only.
        assert np.all(np.abs(a - b) <= 1e-8 * np.abs(a) + 1e-10), field


def test_occupation_grows_with_the_chemical_potential(occupation):
    assert np.all(np.asarray(slopes(occupation, ETA).x) > 0.0)


def test_activity_belongs_to_the_occupation(occupation):
    found = occupation(jnp.asarray(ETA))
    rest = ETA - np.log(np.asarray(found.x)) - np.asarray(found.log_gamma)
    assert np.max(np.abs(rest)) < 1e-13 * np.abs(ETA).max()


def test_dilute_species_follow_boltzmann(occupation):
    """The activity coefficient is a constant there: 1 unless the levels are spread."""
    dilute, slope = occupation(jnp.asarray([-80.0])), slopes(occupation, np.array([-80.0]))
    limit = np.exp(-80.0 - float(dilute.log_gamma[0]))
    assert float(dilute.x[0]) == pytest.approx(limit, rel=3e-14)
    assert float(dilute.vacancy[0]) == pytest.approx(1.0, rel=1e-14)
    assert float(slope.log_gamma[0]) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("name", ["lattice_gas", "boltzmann", "fermi_dirac_half"])
def test_activity_coefficient_is_one_at_low_density(name):
    assert float(occupation_of(name)(jnp.asarray(-40.0)).log_gamma) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("name", ["lattice_gas", "gauss_fermi"])
def test_statistics_with_a_site_limit_fill_their_sites(name):
    found = occupation_of(name)(jnp.asarray(EXTREMES))
    np.testing.assert_allclose(found.x + found.vacancy, 1.0, rtol=1e-15)
    assert np.all((np.asarray(found.x) >= 0.0) & (np.asarray(found.x) <= 1.0))


@pytest.mark.parametrize("name", laws("statistics"))
def test_occupation_is_finite_at_extremes(name):
    points = np.array([eta for eta in EXTREMES if eta <= LARGEST_ETA.get(name, np.inf)])
    function = occupation_of(name)
    for part in (function(jnp.asarray(points)), slopes(function, points)):
        assert np.all(np.isfinite(np.array(part)))


def test_excess_derivative(excess):
    inner = CONTENT[1:-1]
    exact = np.asarray(slopes(excess, inner))
    found = central(excess, inner, 2e-6)
    assert np.max(np.abs(exact - found)) < 1e-7 * np.abs(exact).max()


def test_excess_is_finite_for_every_content(excess):
    assert np.all(np.isfinite(np.asarray(excess(jnp.asarray(CONTENT)))))
    assert np.all(np.isfinite(np.asarray(slopes(excess, CONTENT))))


def test_arrhenius_factor():
    """0.4 eV between 298.15 K and 330 K: exp(-0.4/k (1/330 - 1/298.15))."""
    number = Arrhenius(2.0, 0.4, 298.15)
    assert float(at(number, jnp.asarray(298.15))) == 2.0
    expected = 2.0 * np.exp(0.4 / 8.617333262e-5 * (1.0 / 298.15 - 1.0 / 330.0))
    assert float(at(number, jnp.asarray(330.0))) == pytest.approx(expected, rel=1e-9)


def test_double_well_takes_the_place_of_the_ideal_term():
    """Level plus ideal plus excess is W times the slope of x^2 (1-x)^2 between the limits."""
    entry = laws("excess")["double_well"]
    given = values(entry) | {"well": 0.2}
    x = np.linspace(0.002, 0.998, 61)
    whole = THERMAL * (np.log(x / (1.0 - x)) + np.asarray(entry.function(x, given, THERMAL)))
    slope = np.polynomial.Polynomial([0.0, 0.0, 1.0, -2.0, 1.0]).deriv()(x)
    np.testing.assert_allclose(whole, 0.2 * slope, atol=1e-14)


def test_double_well_keeps_the_content_between_its_ends():
    """Beyond the limits the ideal term drives back, without end and without overflow."""
    entry = laws("excess")["double_well"]
    for x, sign in ((1e-30, -1.0), (1.0 - 1e-12, 1.0)):
        ideal = np.log(x / (1.0 - x))
        whole = ideal + float(entry.function(jnp.asarray(x), values(entry), THERMAL))
        assert whole == pytest.approx(ideal - sign * np.log(999.0), rel=1e-5)
