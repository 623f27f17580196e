"""Integrals of Fermi-Dirac statistics against published values and SciPy's quadrature."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special

from ionstack.physics.fermi import fermi_half, log_fermi_half, log_gauss_fermi

ETA = [-800.0, -60.0, -8.0, -2.0, -0.3, 0.0, 0.7, 3.0, 6.5, 11.0, 19.0, 37.0, 39.0, 120.0, 800.0]
WIDTHS = [1e-6, 0.05, 0.9, 1.1, 3.0, 5.5, 8.0]


def quadrature(function, edges):
    """Sum over pieces between the places where the integrand bends."""
    ends = sorted(set(edges))
    tolerance = {"epsabs": 0.0, "epsrel": 5e-14, "limit": 200}
    return sum(integrate.quad(function, *piece, **tolerance)[0] for piece in pairwise(ends))


@jax.jit
def share_and_slope(eta, width):
    return jax.jvp(lambda x: log_gauss_fermi(x, width), (eta,), (jnp.ones_like(eta),))


@jax.jit
def fermi_and_slope(eta):
    return jax.jvp(log_fermi_half, (eta,), (jnp.ones_like(eta),))


@pytest.mark.parametrize(
    ("eta", "value"),
    [
        (-4.0, 0.01819820351),
        (0.0, 0.7651470246),
        (2.0, 2.823721277),
        (5.0, 8.844208895),
        (10.0, 24.08465696),
    ],
)
def test_fermi_integral_has_its_tabulated_values(eta, value):
    assert float(fermi_half(jnp.asarray(eta))) == pytest.approx(value, rel=5e-10)


@pytest.mark.parametrize("eta", ETA)
def test_fermi_integral_agrees_with_quadrature(eta):
    """With t = s^2 and exp(eta) taken out where it is small; the slope is F_(-1/2)."""
    found, slope = fermi_and_slope(jnp.asarray(eta))
    top = min(eta, 0.0)
    bend = np.sqrt(max(eta, 0.0))

    def occupied(s):
        return np.exp(-top + min(eta - s * s, 0.0)) / (1.0 + np.exp(-abs(eta - s * s)))

    edges = [0.0, *(s for s in bend + np.array([-3, -1, -0.2, 0, 0.2, 1, 3]) if s > 0), bend + 7.5]
    own = quadrature(lambda s: 4.0 / np.sqrt(np.pi) * s * s * occupied(s), edges)
    lower = quadrature(lambda s: 2.0 / np.sqrt(np.pi) * occupied(s), edges)
    assert float(found) == pytest.approx(top + np.log(own), rel=1e-15, abs=1e-13)
    assert float(slope) == pytest.approx(lower / own, rel=1e-12)


def test_fermi_integral_far_above_the_band_edge():
    """F -> 4/(3 sqrt(pi)) eta^(3/2), with Sommerfeld's first correction."""
    eta = 1e6
    expected = 4.0 / (3.0 * np.sqrt(np.pi)) * eta**1.5 * (1.0 + np.pi**2 / (8.0 * eta**2))
    assert float(fermi_half(jnp.asarray(eta))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("width", WIDTHS)
def test_gaussian_share_agrees_with_quadrature(width):
    """At the mirror point -width^2/2, at its image, and over the whole range."""
    for eta in [*np.linspace(-40.0, 40.0, 9), -0.5 * width**2, -(width**2), -800.0, 800.0]:
        found, slope = share_and_slope(jnp.asarray(eta), jnp.asarray(width))
        share, rise = gaussian_share(eta, width)
        assert float(found) == pytest.approx(share, rel=1e-12, abs=1e-11)
        assert float(slope) == pytest.approx(rise, rel=1e-10, abs=1e-12)


def gaussian_share(eta, width):
    """Logarithm of the share and its slope."""
    top = min(eta + 0.5 * width**2, 0.0)

    def share(t):
        drive = eta - width * t
        return np.exp(-top - 0.5 * t * t + special.log_expit(drive)) / np.sqrt(2.0 * np.pi)

    step = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
    turn = np.clip([(eta + 8.0 * one) / width for one in step], -width - 11.0, 11.0)
    edges = [-width - 11.0, *(-width + np.array(step)), *step, *turn, 11.0]
    own = quadrature(share, edges)
    empty = quadrature(lambda t: share(t) * special.expit(width * t - eta), edges)
    return top + np.log(own), empty / own


@pytest.mark.parametrize("eta", [-30.0, -2.0, 0.0, 4.0])
def test_a_narrow_gaussian_is_one_level(eta):
    found = float(log_gauss_fermi(jnp.asarray(eta), jnp.asarray(0.0)))
    assert found == pytest.approx(special.log_expit(eta), rel=1e-14)


def test_gaussian_share_has_a_finite_slope_along_the_width():
    eta, width = np.meshgrid([-800.0, -3.0, 0.0, 2.0, 800.0], [0.0, *WIDTHS])
    along = (jnp.asarray(eta),), (jnp.asarray(width),), (jnp.ones(eta.shape),)
    slope = jax.jvp(lambda s: log_gauss_fermi(*along[0], s), *along[1:])[1]
    assert np.all(np.isfinite(slope))
