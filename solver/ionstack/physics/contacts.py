"""Laws of contacts: particle flow per area from a layer (K) into a metal (L), 1/(m^2 s).

Of the metal only `psi` has a meaning: valence times voltage, plus the
`chemical_potential` of laws that have one, all over kT.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ionstack.physics.constants import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    REDUCED_PLANCK,
    VACUUM_PERMITTIVITY,
)
from ionstack.physics.interfaces import exchange, exchange_rate
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import drive, smooth_positive
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters

_POTENTIAL = Parameter(
    "chemical_potential", "eV", "electrochemical potential of the species in the metal at 0 V"
)
_EXCHANGE = Parameter("exchange_current_density", "A/m^2", "exchange current density")
_VELOCITY = Parameter("velocity", "m/s", "emission velocity A* T^2/(e N), or rate of the contact")
# Fields below this [V/m] are smoothed; kT/e over 25 um.
_SMALL_FIELD = 1e3


@law("contact", "ohmic", merges=True)
def ohmic(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Carriers in equilibrium with the metal, whatever the current.

    The contact's rows are replaced by this difference, and the current is what their
    balance lacks, so nothing cancels.
    """
    return jnp.asarray(K.psi - L.psi)


@law("contact", "fixed_potential", _POTENTIAL, merges=True)
def fixed_potential(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Species held at a fixed chemical potential: an ideal reservoir."""
    return jnp.asarray(K.psi - L.psi)


@law("contact", "reservoir", _EXCHANGE, _POTENTIAL)
def reservoir(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Ions at a fixed chemical potential beyond the contact, exchanged at a finite rate."""
    return jnp.asarray(exchange(K, L, edge, p))


@law(
    "contact",
    "butler_volmer",
    Parameter("exchange_current_density", "A/m^2", "exchange current density at x = 1"),
    _POTENTIAL,
    Parameter(
        "transfer_coefficient", "1", "share of the overpotential that drives deposition", 0.5
    ),
)
def butler_volmer_metal(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Butler-Volmer plating and stripping of a metal electrode: M = M(z+) + z e.

    i = i0 x^(1-a) [exp(a eta) - exp(-(1-a) eta)]; `chemical_potential` is that of the
    metal's ion on the scale of the levels.
    """
    alpha, affinity = p["transfer_coefficient"], K.psi - L.psi
    rate = exchange_rate(edge, p)
    return jnp.asarray(rate * drive((1.0 - alpha) * K.log_x + alpha * affinity, affinity))


@law("contact", "finite_rate", _VELOCITY)
def finite_rate(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Leaky contact: flow = velocity (c - c0), c0 the density in equilibrium with the metal."""
    return _emission(K, L, p["velocity"])


def _emission(
    K: Carrier, L: Carrier, velocity: jax.Array, log_factor: jax.Array | float = 0.0
) -> jax.Array:
    """Return velocity * exp(log_factor) (c - c0) with c0 = N exp(psi_metal - drift)."""
    log_rate = K.log_x + log_factor
    return jnp.asarray(velocity * K.sites * drive(log_rate, K.psi - L.psi))


@law(
    "contact",
    "schottky",
    _VELOCITY,
    Parameter("optical_permittivity", "1", "relative permittivity of the image force"),
    field=True,
)
def schottky(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Thermionic emission over a barrier lowered by the image force.

    flow = v exp(d/kT) (c - c0), d = sqrt(e E/(4 pi eps)) for a field that pulls carriers
    out of the metal. Sze and Ng, Physics of Semiconductor Devices, 3rd ed., ch. 3 (2007).
    """
    return _emission(K, L, p["velocity"], _lowering(edge, p))


def _pull(edge: Edge) -> jax.Array:
    """Field [V/m] that pulls carriers out of the metal, positive."""
    return smooth_positive(jnp.sign(edge.z) * edge.field, _SMALL_FIELD)


def _lowering(edge: Edge, p: Parameters) -> jax.Array:
    """Image-force lowering of the barrier over kT."""
    permittivity = p["optical_permittivity"] * VACUUM_PERMITTIVITY
    volts = jnp.sqrt(ELEMENTARY_CHARGE * _pull(edge) / (4.0 * jnp.pi * permittivity))
    return volts / edge.thermal_voltage


# No barrier is higher [kT]; keeps the enhancement a double.
_HIGHEST = 400.0
# Nodes and weights on [0, 1] in s with u = u_max s^2: dense where the barrier is thin.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_SQUARES = (0.5 * (_NODES + 1.0)) ** 2
_JACOBIANS = 0.5 * (_NODES + 1.0) * _WEIGHTS


@law(
    "contact",
    "field_emission",
    _VELOCITY,
    Parameter("optical_permittivity", "1", "relative permittivity of the image force"),
    Parameter("effective_mass", "1", "tunnelling mass over the electron's rest mass"),
    field=True,
)
def field_emission(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Thermionic and field emission through a triangular barrier, with image force.

    The thermionic flow times 1 + int_0^u_b exp(u - B u^(3/2)) du, u the energy below the
    top over kT, B = 4 sqrt(2m) (kT)^(3/2)/(3 e hbar E): WKB through a triangle. Padovani
    and Stratton, Solid-State Electron. 9, 695 (1966).
    """
    lowering = _lowering(edge, p)
    top = jnp.minimum(smooth_positive(K.drift - L.psi - lowering, 1e-2), _HIGHEST)
    joule = edge.thermal_voltage * ELEMENTARY_CHARGE
    mass = p["effective_mass"] * ELECTRON_MASS
    thin = 4.0 / 3.0 * jnp.sqrt(2.0 * mass * joule) * joule
    slope = thin / (ELEMENTARY_CHARGE * REDUCED_PLANCK * _pull(edge))
    depth = top[..., None] * _SQUARES
    shares = jnp.log(_JACOBIANS * top[..., None]) + depth - slope[..., None] * depth**1.5
    over = jnp.concatenate([jnp.zeros_like(shares[..., :1]), shares], axis=-1)
    total = jax.scipy.special.logsumexp(over, axis=-1)
    return _emission(K, L, p["velocity"], lowering + total)
