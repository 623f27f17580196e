"""Edge laws for hopping at high driving force, and for carriers that do not move.

The driving force of a jump is the gradient of the electrochemical potential, so a
field that is balanced, as in a double layer at rest, drives nothing.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import bernoulli
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import DIFFUSIVITY, Parameters, site_hopping

_JUMP = Parameter("jump_length", "m", "distance between neighbouring sites along the field")
# The barrier of a lowered-barrier jump is gone at gamma = 1; the law stops just below.
_MOST_LOWERED = 1.0 - 1e-9


def _reduced_force(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Return xi = jump_length * driving force/2kT, not negative."""
    return jnp.asarray(0.5 * p["jump_length"] / edge.length * jnp.abs(K.psi - L.psi))


def _sinh_over(xi: jax.Array) -> jax.Array:
    """Return sinh(xi)/xi for xi >= 0 without 0/0."""
    return jnp.exp(xi) / bernoulli(-2.0 * xi)


@law("transport", "field_hopping", DIFFUSIVITY, _JUMP)
def field_hopping(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Hopping to free sites, enhanced by sinh(xi)/xi at high driving force.

    Mott and Gurney, Electronic Processes in Ionic Crystals (1940).
    """
    # The modulus makes the flow odd to the last bit; the factor is even, with slope 0 at 0.
    return jnp.asarray(site_hopping(K, L, edge, p) * _sinh_over(_reduced_force(K, L, edge, p)))


@law(
    "transport",
    "lowered_barrier",
    DIFFUSIVITY,
    _JUMP,
    Parameter("barrier", "eV", "migration barrier without field"),
)
def lowered_barrier(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Hopping over a cosine barrier that the driving force lowers and shifts.

    Forward and backward barriers W [sqrt(1-g^2) -+ g pi/2 + g asin g], g = 2 kT xi/(pi W)
    below 1: Genreith-Schriever and De Souza, Phys. Rev. B 94, 224304 (2016).
    """
    xi = _reduced_force(K, L, edge, p)
    barrier = p["barrier"] / edge.thermal_voltage
    gamma = jnp.minimum(2.0 * xi / (jnp.pi * barrier), _MOST_LOWERED)
    lowering = barrier * (1.0 - jnp.sqrt(1.0 - gamma**2) - gamma * jnp.arcsin(gamma))
    # What is left of the force once the barrier is gone moves no faster.
    xi = 0.5 * jnp.pi * barrier * gamma
    return jnp.asarray(site_hopping(K, L, edge, p) * _sinh_over(xi) * jnp.exp(lowering))


@law("transport", "immobile", passes=False)
def immobile(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Carriers that stay where they are: traps, bound ions, products."""
    return jnp.asarray(0.0 * (K.psi - L.psi))
