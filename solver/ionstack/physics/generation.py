"""Making and unmaking of defects, over barriers that the electric field lowers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.reactions import Side, log_activities
from ionstack.physics.reactions import affinity as affinity_of
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import drive, smooth_positive
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters

# The modulus of the field is rounded off below this [V/m], the barrier below this [eV].
_SMALL_FIELD, _SMALL_BARRIER = 1e4, 1e-4
# Largest logarithm of a rate, so that it stays a double.
_FASTEST = 600.0
_BARRIER = (
    Parameter("barrier", "eV", "barrier to break a bond without field"),
    Parameter("dipole_length", "m", "dipole of a bond, in elementary charges times this"),
    Parameter("relative_permittivity", "1", "relative permittivity of the layer"),
)


def local_lowering(field: jax.Array, p: Parameters) -> jax.Array:
    """Lowering [eV] of a bond's barrier: dipole times the local field (2 + eps)/3 |E|.

    The field [V/m] counts by its modulus: of bonds in all directions those along it break.
    McPherson and Mogul, J. Appl. Phys. 84, 1513 (1998).
    """
    modulus = field * field / jnp.sqrt(field * field + _SMALL_FIELD**2)
    return jnp.asarray(p["dipole_length"] * (2.0 + p["relative_permittivity"]) / 3.0 * modulus)


def _left_barrier(field: jax.Array, p: Parameters) -> jax.Array:
    """Barrier [eV] that the field leaves, not below 0."""
    return smooth_positive(p["barrier"] - local_lowering(field, p), _SMALL_BARRIER)


@law(
    "contact",
    "bond_breaking",
    Parameter("attempt_frequency", "1/s", "attempts per bond"),
    Parameter("bond_density", "1/m^2", "bonds per area that can break"),
    *_BARRIER,
    Parameter(
        "chemical_potential", "eV", "electrochemical potential of the species in the metal at 0 V"
    ),
    field=True,
)
def bond_breaking(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Defects made where the metal takes an atom of the layer, and unmade, helped by the field.

    Generation nu N (1-x) exp[-(E - p (2+eps)/3 |E_field|)/kT]; recombination is faster by the
    exponential of the affinity. Barriers at oxygen-active metals are far below those of pairs
    in the bulk (1.66 against 3.93 eV in the HfO2 set of the code DeviceKMC), where no field
    helps: Schie et al. (2018).
    """
    affinity = K.psi - L.psi
    barrier = _left_barrier(jnp.asarray(edge.field), p)
    log_made = jnp.log(p["attempt_frequency"] * p["bond_density"]) + K.log_vacancy
    log_unmade = log_made - barrier / edge.thermal_voltage + affinity
    return drive(jnp.minimum(log_unmade, _FASTEST), affinity)


@law(
    "reaction",
    "bond_breaking",
    Parameter("attempt_frequency", "1/s", "attempts per bond"),
    Parameter("bond_density", "1/m^3", "bonds per volume that can break"),
    *_BARRIER,
    Parameter("healing_share", "1", "share of the lowering that bonds feel that heal", default=1.0),
    field=True,
)
def bonds_in_the_bulk(
    left: Side, right: Side, thermal_voltage: jax.Array, field: jax.Array, p: Parameters
) -> jax.Array:
    """Defects made and unmade in the bulk over a barrier that the local field lowers.

    Forward rate nu N exp[-(E - p (2+eps)/3 |E_field|)/kT] * contents of the left * free sites
    of the right; the backward rate follows from the levels, so the field shifts no equilibrium.
    The rate constant is that of the thermochemical model of breakdown: McPherson and Mogul,
    J. Appl. Phys. 84, 1513 (1998). The field counts by the `healing_share` where bonds heal, and
    in full far from equilibrium where they break: of the rest by tanh(affinity/2), so that the
    rate grows with the affinity everywhere and one affinity belongs to each rate.
    """
    driven = affinity_of(left, right)
    healing = p["healing_share"]
    field = field * (healing + (1.0 - healing) * jnp.maximum(jnp.tanh(0.5 * driven), 0.0))
    log_forward = jnp.log(p["attempt_frequency"] * p["bond_density"]) + log_activities(left, right)
    log_forward = log_forward - _left_barrier(field, p) / thermal_voltage
    return drive(jnp.minimum(log_forward, _FASTEST + jnp.minimum(driven, 0.0)), driven)
