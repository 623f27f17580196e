"""Contract of swelling laws: finite, nothing without particles, partial volumes their slopes."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import AVOGADRO
from ionstack.physics.swelling import volume_per_particle

SITES = 1.5e28
NUMBERS = {
    "partial_volume": {"partial_molar_volume": 3e-6},
    "strain_curve": {"strain": lambda x: 0.06 * x - 0.02 * x**2},
}


@pytest.mark.parametrize("name", laws("swelling"))
def test_finite_and_zero_without_particles(name: str) -> None:
    law, x = laws("swelling")[name], jnp.array([0.0, 1e-300, 0.5, 1.0])
    strain = np.asarray(law.function(x, SITES, NUMBERS[name]))
    assert np.isfinite(strain).all()
    assert strain[0] == 0.0
    assert np.isfinite(
        volume_per_particle(law.function, x, jnp.asarray(SITES), NUMBERS[name])
    ).all()


@pytest.mark.parametrize("name", laws("swelling"))
def test_partial_volume_is_the_slope_along_the_density(name: str) -> None:
    law, x, step = laws("swelling")[name], jnp.array([0.1, 0.5, 0.9]), 1e-6
    ends = [np.asarray(law.function(x + s, SITES, NUMBERS[name])) for s in (-step, step)]
    found = volume_per_particle(law.function, x, jnp.asarray(SITES), NUMBERS[name])
    np.testing.assert_allclose(found, (ends[1] - ends[0]) / (2 * step * SITES), rtol=1e-8)


def test_a_linear_host_grows_by_the_partial_molar_volume() -> None:
    """3 cm^3/mol at half of 1.5e28 sites per m^3."""
    law = laws("swelling")["partial_volume"]
    strain = float(law.function(jnp.asarray(0.5), SITES, NUMBERS["partial_volume"]))
    assert strain == pytest.approx(3e-6 * 0.5 * SITES / AVOGADRO)
