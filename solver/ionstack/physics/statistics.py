"""Statistics laws: reduced chemical potential eta -> site occupation; excess terms."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from ionstack.physics.registry import Parameter, law
from ionstack.physics.states import Occupation

Numbers = Mapping[str, jax.Array]

_SITES = Parameter("site_density", "1/m^3", "density of sites or effective density of states")


@law("statistics", "lattice_gas", _SITES)
def lattice_gas(eta: jax.Array, p: Numbers, kT: jax.Array) -> Occupation:
    """One particle per site: x = 1/(1 + exp(-eta)).

    Also known as Fermi-Dirac integral of order -1 or, for polarons, Blakemore
    statistics with one level per site.
    """
    return Occupation(jax.nn.sigmoid(eta), jax.nn.sigmoid(-eta), jax.nn.softplus(eta))


@law("statistics", "boltzmann", _SITES)
def boltzmann(eta: jax.Array, p: Numbers, kT: jax.Array) -> Occupation:
    """Dilute limit: x = exp(eta)."""
    x = jnp.exp(eta)
    return Occupation(x, jnp.ones_like(x), jnp.zeros_like(x))


@law("excess", "linear", Parameter("slope", "eV", "rise of the chemical potential from x=0 to 1"))
def linear(x: jax.Array, p: Numbers, kT: jax.Array) -> jax.Array:
    """Mean-field repulsion: mu_ex = slope * x (kT in eV; result in kT)."""
    return p["slope"] / kT * x
