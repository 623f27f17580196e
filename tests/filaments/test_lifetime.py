"""How long particles and filaments last, against closed forms and independent integration."""

from __future__ import annotations

from math import inf, log, pi, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ionstack.physics.constants import BOLTZMANN
from ionstack.physics.lifetime import (
    Dissolution,
    Surface,
    curvature_lifetime,
    cylinder_potential,
    dissolution_time,
    dissolved_radius,
    filament_lifetime,
    mullins_coefficient,
    necking_time,
    retentive_radius,
    ripple_growth,
    solubility_ratio,
    sphere_potential,
)

VOLUME = 1.18e-29  # m^3 per atom
SILVER = Surface(tension=1.2, diffusivity=1e-14, atomic_volume=1.71e-29, site_density=1.4e19)


@pytest.mark.parametrize(
    ("radius", "ratio"), [(1e-9, 5149.759), (2e-9, 71.76182177), (5e-9, 5.525319323)]
)
def test_solubility_of_small_spheres(radius: float, ratio: float) -> None:
    potential = sphere_potential(1.5, VOLUME, radius)
    assert solubility_ratio(potential, 300.0) == pytest.approx(ratio, rel=1e-6, abs=0.0)
    assert cylinder_potential(1.5, VOLUME, radius) == pytest.approx(
        0.5 * potential, rel=1e-15, abs=0.0
    )


def test_potential_is_the_slope_of_the_surface_energy() -> None:
    """d(gamma S)/dN at constant length of the cylinder, by differences."""
    step, r = 1e-15, 2e-9
    sphere = 1.5 * 4.0 * pi * ((r + step) ** 2 - (r - step) ** 2)
    atoms = 4.0 / 3.0 * pi * ((r + step) ** 3 - (r - step) ** 3) / VOLUME
    assert sphere_potential(1.5, VOLUME, r) == pytest.approx(sphere / atoms, rel=1e-6, abs=0.0)
    side = 1.5 * 2.0 * pi * 2.0 * step
    atoms = pi * ((r + step) ** 2 - (r - step) ** 2) / VOLUME
    assert cylinder_potential(1.5, VOLUME, r) == pytest.approx(side / atoms, rel=1e-6, abs=0.0)


def test_dissolution_by_diffusion_and_by_reaction() -> None:
    assert dissolution_time(Dissolution(0.01, diffusivity=1e-14), 2e-9) == pytest.approx(
        0.02, rel=1e-9, abs=0.0
    )
    assert dissolution_time(Dissolution(0.01, exchange=1e-5), 2e-9) == pytest.approx(
        0.02, rel=1e-9, abs=0.0
    )
    half = dissolved_radius(Dissolution(0.01, diffusivity=1e-14), 2e-9, 0.015)
    assert half == pytest.approx(1e-9, rel=1e-13, abs=0.0)
    linear = dissolved_radius(Dissolution(0.01, exchange=1e-5), 2e-9, 0.015)
    assert linear == pytest.approx(0.5e-9, rel=1e-13, abs=0.0)


def test_dissolution_by_both() -> None:
    law = Dissolution(0.01, diffusivity=1e-14, exchange=1e-5)
    scaled = solve_ivp(
        lambda t, r: -0.01 / (1e5 + r * 1e14) * np.ones(1), (0.0, 0.03), [2e-9],
        rtol=1e-11, atol=1e-22, method="DOP853",
    )  # fmt: skip
    assert dissolved_radius(law, 2e-9, 0.03) == pytest.approx(scaled.y[0, -1], rel=1e-8, abs=0.0)
    assert dissolution_time(law, 2e-9) == pytest.approx(0.04, rel=1e-14, abs=0.0)
    gone = dissolved_radius(law, 2e-9, np.array([0.0, 0.04, 1.0]))
    np.testing.assert_allclose(gone, [2e-9, 0.0, 0.0], rtol=1e-14)


@pytest.mark.parametrize("time", [0.0, 0.039, 0.04, 0.05, 1e300])
def test_slope_of_the_radius(time: float) -> None:
    law = Dissolution(0.01, diffusivity=1e-14, exchange=1e-5)
    slope = jax.grad(lambda t: dissolved_radius(law, 2e-9, t))(jnp.asarray(time))
    radius = dissolved_radius(law, 2e-9, time)
    exact = -0.01 / (1e5 + radius * 1e14) if time < 0.04 else 0.0
    assert float(slope) == pytest.approx(float(exact), rel=1e-10, abs=0.0)


def test_curvature_alone() -> None:
    """Sphere of 2 nm at 800 K, volume share 0.01: integrated in another way beforehand."""
    capillary = 2.0 * 1.5 * VOLUME / (BOLTZMANN * 800.0)
    time = curvature_lifetime(2e-9, 1e-14, 0.01, capillary)
    assert time == pytest.approx(0.002322274254, rel=1e-8, abs=0.0)
    for ratio, tolerance in ((1e3, 1e-3), (1e5, 1e-5)):
        large = ratio * capillary
        linear = large**3 / (3.0 * 1e-14 * 0.01 * capillary)
        assert curvature_lifetime(large, 1e-14, 0.01, capillary) < linear
        found = curvature_lifetime(large, 1e-14, 0.01, capillary)
        assert found == pytest.approx(linear, rel=tolerance, abs=0.0)
    tiny = curvature_lifetime(1e-3 * capillary, 1e-14, 0.01, capillary)
    assert tiny == 0.0


def test_surface_diffusion() -> None:
    lifetime = filament_lifetime(SILVER, 2e-9, 300.0)
    exact = BOLTZMANN * 300.0 * 16e-36 / (1e-14 * 1.2 * 1.71e-29**2 * 1.4e19)
    assert lifetime == pytest.approx(exact, rel=1e-14, abs=0.0)
    assert filament_lifetime(SILVER, 4e-9, 300.0) == pytest.approx(
        16.0 * lifetime, rel=1e-14, abs=0.0
    )
    assert retentive_radius(SILVER, lifetime, 300.0) == pytest.approx(2e-9, rel=1e-14, abs=0.0)


def test_ripples() -> None:
    r = 2e-9
    rate = mullins_coefficient(SILVER, 300.0) / r**4
    circumference = 2.0 * pi * r
    assert ripple_growth(SILVER, r, circumference, 300.0) == pytest.approx(0.0, abs=1e-12 * rate)
    assert ripple_growth(SILVER, r, 0.9 * circumference, 300.0) < 0.0
    waves = circumference * np.linspace(1.0, 4.0, 30001)
    growth = ripple_growth(SILVER, r, waves, 300.0)
    assert waves[growth.argmax()] == pytest.approx(sqrt(2.0) * circumference, rel=1e-4, abs=0.0)
    assert growth.max() == pytest.approx(0.25 * rate, rel=1e-8, abs=0.0)
    time = necking_time(SILVER, r, 0.1e-9, 300.0)
    assert 0.1e-9 * np.exp(growth.max() * time) == pytest.approx(r, rel=1e-6, abs=0.0)
    assert time == pytest.approx(4.0 * log(20.0) / rate, rel=1e-13, abs=0.0)


def test_nothing_limits() -> None:
    """Without either limit nothing is left at once, not a number that is none."""
    assert dissolution_time(Dissolution(0.01, inf, inf), 2e-9) == 0.0
