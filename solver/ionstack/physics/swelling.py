"""Volume strain of a host by the particles that it holds.

The work against the stress enters the chemical potential: a particle that brings the volume
Omega = d(strain)/dc adds -Omega sigma to it (Larche, Cahn, Acta Metall. 21, 1051 (1973)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ionstack.physics.constants import AVOGADRO
from ionstack.physics.registry import Curve, Parameter, law

Numbers = Mapping[str, Any]


@law(
    "swelling",
    "partial_volume",
    Parameter("partial_molar_volume", "m^3/mol", "volume that a mole of the species brings"),
)
def partial_volume(x: jax.Array, sites: jax.Array, p: Numbers) -> jax.Array:
    """Volume strain Omega c, linear in the density (Vegard)."""
    return jnp.asarray(p["partial_molar_volume"] / AVOGADRO * sites * x)


@law("swelling", "strain_curve", Curve("strain", "1", (("x", "1"),), "volume strain, by content"))
def strain_curve(x: jax.Array, sites: jax.Array, p: Numbers) -> jax.Array:
    """Volume strain as a function of the content, for instance from cell volumes."""
    return jnp.asarray(p["strain"](x))


def volume_per_particle(
    function: Any, x: jax.Array, sites: jax.Array, numbers: Numbers
) -> jax.Array:
    """Partial volume d(strain)/dc [m^3] of a swelling law."""
    slope = jax.jvp(lambda content: function(content, sites, numbers), (x,), (jnp.ones_like(x),))
    return jnp.asarray(slope[1] / sites)
