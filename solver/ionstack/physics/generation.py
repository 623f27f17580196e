"""Making and unmaking of defects at contacts, over barriers that the electric field lowers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import drive, smooth_positive
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters

# Fields below this [V/m] are smoothed, and barriers below this [eV].
_SMALL_FIELD, _SMALL_BARRIER = 1e4, 1e-3
# Largest logarithm of a rate, so that it stays a double.
_FASTEST = 600.0


def local_lowering(field: jax.Array, p: Parameters) -> jax.Array:
    """Lowering [eV] of a bond's barrier: dipole times the local field (2 + eps)/3 |E|.

    The field [V/m] counts by its modulus: of bonds in all directions those along it break.
    McPherson and Mogul, J. Appl. Phys. 84, 1513 (1998).
    """
    modulus = jnp.sqrt(field * field + _SMALL_FIELD**2) - _SMALL_FIELD
    return jnp.asarray(p["dipole_length"] * (2.0 + p["relative_permittivity"]) / 3.0 * modulus)


@law(
    "contact",
    "bond_breaking",
    Parameter("attempt_frequency", "1/s", "attempts per bond"),
    Parameter("bond_density", "1/m^2", "bonds per area that can break"),
    Parameter("barrier", "eV", "barrier to break a bond without field"),
    Parameter("dipole_length", "m", "dipole of a bond, in elementary charges times this"),
    Parameter("relative_permittivity", "1", "relative permittivity of the layer"),
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
    barrier = smooth_positive(
        p["barrier"] - local_lowering(jnp.asarray(edge.field), p), _SMALL_BARRIER
    )
    log_made = jnp.log(p["attempt_frequency"] * p["bond_density"]) + K.log_vacancy
    log_unmade = log_made - barrier / edge.thermal_voltage + affinity
    return drive(jnp.minimum(log_unmade, _FASTEST), affinity)
