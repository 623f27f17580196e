"""Laws of internal interfaces and of contacts: particle flow per area, K to L, 1/(m^2 s).

At a contact L is the metal: only its `psi` has a meaning.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import smooth_sqrt_abs
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters, poole_frenkel_factor

_EXCHANGE = Parameter("exchange_current_density", "A/m^2", "exchange current density")


@law("contact", "exchange", _EXCHANGE)
@law("interface", "exchange", _EXCHANGE)
def exchange(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Exchange with symmetry factor 1/2: j = 2 j0 sinh(delta/2).

    The Butler-Volmer form with equal transfer coefficients; a large j0 gives
    equilibrium across the interface.
    """
    # A neutral species counts particles.
    rate = p["exchange_current_density"] / (jnp.maximum(jnp.abs(edge.z), 1.0) * ELEMENTARY_CHARGE)
    return rate * 2.0 * jnp.sinh(0.5 * (K.psi - L.psi))


@law("interface", "transfer", Parameter("velocity", "m/s", "transfer velocity at equal density"))
def transfer(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Transfer proportional to the carriers present: 2 v sqrt(c_K c_L) sinh(delta/2).

    In equilibrium the densities differ by the step of the standard potential;
    with free sites on the other side, as hopping does. Suits minority carriers,
    for which a constant exchange current would be out of proportion.
    """
    # The floor keeps the slope of the square root finite where a density underflows.
    floor = 1e-300
    mean = jnp.sqrt(K.c * L.vacancy + floor) * jnp.sqrt(L.c * K.vacancy + floor)
    return p["velocity"] * mean * 2.0 * jnp.sinh(0.5 * (K.psi - L.psi))


@law("contact", "blocking", passes=False)
@law("interface", "blocking", passes=False)
def blocking(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """No flow."""
    return 0.0 * (K.psi - L.psi)


@law(
    "interface",
    "barrier_leakage",
    Parameter("conductance", "S/m^2", "conductance of the barrier at low bias, x = x_ref"),
    Parameter("barrier_shift", "eV", "lowering of the barrier per unit content"),
    Parameter("reference_content", "1", "content x_ref at which `conductance` holds"),
    Parameter("thickness", "m", "thickness over which the barrier voltage drops"),
    Parameter("optical_permittivity", "1", "relative permittivity at optical frequency"),
    couples=True,
)
def barrier_leakage(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Contact-limited, trap-assisted leakage whose barrier falls with the ion content.

    Conductance * exp(shift (x - x_ref)/kT) * Poole-Frenkel factor of the field
    (drop of the electrochemical potential over the thickness); x is the content
    on side K, the region named first in the case file.
    """
    vt = edge.thermal_voltage
    lowering = p["barrier_shift"] / vt * (K.coupled - p["reference_content"])
    drop = vt / jnp.abs(edge.z) * smooth_sqrt_abs(K.psi - L.psi) ** 2
    field = drop / p["thickness"]
    conductance = p["conductance"] * vt / ELEMENTARY_CHARGE / edge.z**2
    enhancement = jnp.exp(lowering) * poole_frenkel_factor(field, edge, p)
    return conductance * enhancement * (K.psi - L.psi)
