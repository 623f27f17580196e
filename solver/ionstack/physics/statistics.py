"""Statistics laws: reduced chemical potential eta -> site occupation; excess terms.

Both take their numbers `p` and kT in eV. The site density is no number of the law: the
occupation is a share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.fermi import fermi_half_enhancement, gauss_fermi_logs, log_gauss_fermi
from ionstack.physics.registry import Curve, Parameter, law
from ionstack.physics.states import Occupation

Parameters = Mapping[str, Any]

_SITES = Parameter("site_density", "1/m^3", "density of sites or effective density of states")


@law("statistics", "lattice_gas", _SITES)
def lattice_gas(eta: jax.Array, p: Parameters, kT: jax.Array) -> Occupation:
    """One particle per site: x = 1/(1 + exp(-eta)).

    Also known as Fermi-Dirac integral of order -1 or, for polarons, Blakemore
    statistics with one level per site.
    """
    return Occupation(jax.nn.sigmoid(eta), jax.nn.sigmoid(-eta), jax.nn.softplus(eta))


@law("statistics", "boltzmann", _SITES)
def boltzmann(eta: jax.Array, p: Parameters, kT: jax.Array) -> Occupation:
    """Dilute limit: x = exp(eta)."""
    x = jnp.exp(eta)
    return Occupation(x, jnp.ones_like(x), jnp.zeros_like(x))


@law("statistics", "fermi_dirac_half", _SITES)
def fermi_dirac_half(eta: jax.Array, p: Parameters, kT: jax.Array) -> Occupation:
    """Parabolic band: x = F_1/2(eta), the Fermi-Dirac integral of order 1/2.

    x is the density over the effective density of states; there is no site limit.
    """
    enhancement = fermi_half_enhancement(eta)
    x = jax.nn.sigmoid(eta) * jnp.exp(enhancement)
    return Occupation(x, jnp.ones_like(x), jax.nn.softplus(eta) - enhancement)


@law(
    "statistics",
    "gauss_fermi",
    _SITES,
    Parameter("width", "eV", "standard deviation of the density of states"),
)
def gauss_fermi(eta: jax.Array, p: Parameters, kT: jax.Array) -> Occupation:
    """Gaussian density of states about the level, as in disordered organic films.

    Paasch and Scheinert, J. Appl. Phys. 107, 104501 (2010); the vacancy 1-x is the
    share at -eta, since the density of states is even.
    """
    width = p["width"] / kT
    occupied, log_gamma = gauss_fermi_logs(eta, width)
    return Occupation(jnp.exp(occupied), jnp.exp(log_gauss_fermi(-eta, width)), log_gamma)


@law(
    "excess",
    "regular_solution",
    Parameter("interaction", "eV", "interaction Omega; two phases above 2 kT"),
    Parameter("gradient_energy", "eV*m^2", "coefficient kappa of -kappa lap(x), 0 for none", 0.0),
    Parameter("wetting", "eV*m", "slope of the faces' energy with the content, per site", 0.0),
)
def regular_solution(x: jax.Array, p: Parameters, kT: jax.Array) -> jax.Array:
    """Regular solution: mu_ex = Omega (1 - 2 x), with gradient energy (Cahn-Hilliard).

    Bazant, Acc. Chem. Res. 46, 1144 (2013). The gradient term -kappa lap(x) is an
    unknown of its own. On contacts and interfaces kappa dx/dn = -wetting: 0 is the natural
    condition, a negative value draws the species to the faces.
    """
    return jnp.asarray(p["interaction"] / kT * (1.0 - 2.0 * x))


@law(
    "excess",
    "open_circuit",
    Curve(
        "potential",
        "V",
        (("x", "1"), ("T", "K")),
        "open-circuit potential against content and temperature",
    ),
    Parameter("lower_content", "1", "content below which the ideal term takes over", 1e-3),
    Parameter("upper_content", "1", "content above which the ideal term takes over", 0.999),
)
def open_circuit(x: jax.Array, p: Parameters, kT: jax.Array) -> jax.Array:
    """Measured U(x): the whole potential of the ion is level - e U(x).

    The ideal term of the statistics is taken off inside the range of U and kept
    outside, where it holds the content between 0 and 1 (lattice gas).
    """
    inside = jnp.clip(x, p["lower_content"], p["upper_content"])
    potential = p["potential"](inside, kT / BOLTZMANN_EV) * jnp.ones_like(x)
    return jnp.asarray(-potential / kT - jnp.log(inside / (1.0 - inside)))


@law("excess", "linear", Parameter("slope", "eV", "rise of the chemical potential from x=0 to 1"))
def linear(x: jax.Array, p: Parameters, kT: jax.Array) -> jax.Array:
    """Mean-field repulsion: mu_ex = slope * x (kT in eV; result in kT)."""
    return jnp.asarray(p["slope"] / kT * x)
