"""Edge laws: particle flow between two control volumes, positive from K to L.

Every law returns the flow per (area/length) of the edge, in 1/(m s). Written with
differences of electrochemical potentials, so that the flow vanishes exactly in
equilibrium for every statistics and does not cancel between large terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ionstack.physics.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.registry import Curve, Parameter, law
from ionstack.physics.special import bernoulli, smooth_sqrt_abs
from ionstack.physics.states import Carrier, Edge

Parameters = Mapping[str, Any]

DIFFUSIVITY = Parameter("diffusivity", "m^2/s", "tracer diffusivity at the reference temperature")
_CONDUCTIVITY = Parameter("conductivity", "S/m", "conductivity at low field")
_OPTICAL = Parameter("optical_permittivity", "1", "relative permittivity at optical frequency")


def exponential_fitting(
    forward: jax.Array, backward: jax.Array, drift: jax.Array, delta: jax.Array
) -> jax.Array:
    """Return B(-Q) c_K - B(Q) c_L with Q=`drift`, in the form that does not cancel.

    `forward` is c_K, `backward` c_L and `delta` = psi_K - psi_L, so that
    c_K exp(Q) = c_L exp(delta); the exponential of `delta` is only ever taken
    of its negative modulus.
    """
    up = delta < 0.0
    weight = bernoulli(jnp.where(up, drift, -drift)) * jnp.where(up, backward, forward)
    return jnp.where(up, 1.0, -1.0) * weight * jnp.expm1(jnp.where(up, delta, -delta))


@law("transport", "sedan", DIFFUSIVITY)
def sedan(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Drift-diffusion with excess chemical potential, mobility independent of content.

    Scharfetter-Gummel flux of Yu and Dutton (SEDAN III, 1988); see Abdel,
    Farrell, Fuhrmann, Opt. Quantum Electron. 53, 163 (2021).
    """
    flow = exponential_fitting(K.c, L.c, K.drift - L.drift, K.psi - L.psi)
    return jnp.asarray(p["diffusivity"] * flow)


@law("transport", "site_hopping", DIFFUSIVITY)
def site_hopping(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Hopping to free sites only: mobility falls as 1-x, Fick diffusivity stays constant.

    Lattice-gas flux c_K (1-x_L) exp(-..) - c_L (1-x_K) exp(..), exponentially fitted.
    """
    hop = exponential_fitting(K.c * L.vacancy, L.c * K.vacancy, K.bare - L.bare, K.psi - L.psi)
    return jnp.asarray(p["diffusivity"] * hop)


@law(
    "transport",
    "polaron",
    DIFFUSIVITY,
    Parameter("barrier", "eV", "hopping barrier without inserted ions"),
    Parameter("critical_content", "1", "content of the coupled ion at which the barrier is gone"),
    couples=True,
)
def polaron(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Small-polaron hopping whose barrier falls with the content of an inserted ion.

    W = barrier * (1 - x/x_c) for x < x_c, smoothed over 1 % of x_c so that the
    derivative is continuous; x is the mean of both ends.
    """
    content = 0.5 * (K.coupled + L.coupled) / p["critical_content"]
    width = 0.01
    remaining = width * jax.nn.softplus((1.0 - content) / width)
    activation = p["barrier"] / edge.thermal_voltage * remaining
    return jnp.asarray(site_hopping(K, L, edge, p) * jnp.exp(-activation))


@law("transport", "ohmic", _CONDUCTIVITY)
def ohmic(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Constant conductivity: current density = conductivity * gradient of psi/(z e)."""
    conductance = p["conductivity"] * edge.thermal_voltage / ELEMENTARY_CHARGE
    return jnp.asarray(conductance / edge.z**2 * (K.psi - L.psi))


@law("transport", "poole_frenkel", _CONDUCTIVITY, _OPTICAL)
def poole_frenkel(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Trap-assisted conduction, enhanced by exp(beta sqrt(F)/kT).

    F is the gradient of the electrochemical potential over the charge: mobile ions
    screen the electrostatic field of an electrolyte, not the force on its electrons.
    """
    drop = edge.thermal_voltage / jnp.abs(edge.z) * smooth_sqrt_abs(K.psi - L.psi) ** 2
    return jnp.asarray(ohmic(K, L, edge, p) * poole_frenkel_factor(drop / edge.length, edge, p))


@law(
    "transport",
    "conductivity",
    Curve(
        "conductivity",
        "S/m",
        (("x", "1"), ("T", "K")),
        "conductivity against the content of the coupled ion and temperature",
    ),
    couples=True,
)
def conductivity(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Conductivity as a table or formula of an ion's content; mean of both ends."""
    temperature = edge.thermal_voltage / BOLTZMANN_EV
    sigma = p["conductivity"]
    mean = 0.5 * (sigma(K.coupled, temperature) + sigma(L.coupled, temperature))
    return jnp.asarray(ohmic(K, L, edge, {"conductivity": mean}))


@law(
    "transport",
    "field_mobility",
    Parameter("mobility", "m^2/(V*s)", "mobility at low field"),
    Parameter("field_factor", "(m/V)**0.5", "rise of ln(mobility) with the root of the field"),
)
def field_mobility(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Drift-diffusion with mobility mu0 exp(factor sqrt(E)), as in disordered organics.

    Poole-Frenkel form: Gill, J. Appl. Phys. 43, 5033 (1972); E is the electric field.
    """
    volts = edge.thermal_voltage
    root = smooth_sqrt_abs(K.phi - L.phi) * jnp.sqrt(volts / edge.length)
    diffusivity = p["mobility"] * volts * jnp.exp(p["field_factor"] * root)
    return jnp.asarray(sedan(K, L, edge, {"diffusivity": diffusivity}))


def poole_frenkel_factor(field: jax.Array, edge: Edge, p: Parameters) -> jax.Array:
    """Return exp(sqrt(e F/(pi eps))/(kT/e)) for a field F >= 0 [V/m]."""
    permittivity = p["optical_permittivity"] * VACUUM_PERMITTIVITY
    lowering = jnp.sqrt(ELEMENTARY_CHARGE * field / (jnp.pi * permittivity))
    return jnp.exp(lowering / edge.thermal_voltage)
