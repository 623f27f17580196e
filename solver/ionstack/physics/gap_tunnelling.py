"""Edge law of electrons in a layer that is metal, insulator and the gap between both."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.registry import Curve, Parameter, law
from ionstack.physics.special import bernoulli
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters, ohmic
from ionstack.physics.tunnelling import conductance_per_area

# Of an insulator [S/m], so that its logarithm is a number.
_LEAST = 1e-30


@law(
    "transport",
    "gap_tunnelling",
    Curve(
        "conductivity",
        "S/m",
        (("x", "1"), ("T", "K")),
        "conductivity against the content of the metal and temperature",
    ),
    Parameter("barrier_height", "eV", "height of the barrier above the Fermi levels"),
    Parameter("metallic_content", "1", "content above which the layer counts as metal"),
    Parameter("effective_mass", "1", "tunnelling mass over the electron's rest mass", 1.0),
    couples=True,
    tunnels=True,
)
def gap_tunnelling(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Conductivity of an ion's content, and tunnelling through the gap between metals.

    The component along the edge of Simmons' current density, see `tunnelling`, at the voltage
    across the whole gap: the drop along the edge over its share. The logarithm of the
    conductivity is straight along an edge, so that one from metal to insulator insulates.
    """
    sigma = p["conductivity"]
    temperature = edge.thermal_voltage / BOLTZMANN_EV
    here, there = (
        jnp.maximum(sigma(end.coupled, temperature), _LEAST) * jnp.ones_like(end.psi)
        for end in (K, L)
    )
    plain = jnp.maximum(here, there) * bernoulli(jnp.abs(jnp.log(here) - jnp.log(there)))
    gap, volts = edge.gap, edge.thermal_voltage / jnp.abs(edge.z) * (K.psi - L.psi)
    barrier, mass = p["barrier_height"], p["effective_mass"]
    through = conductance_per_area(barrier, gap.width, mass, volts / gap.share)
    total = plain + gap.width / gap.part * through
    return jnp.asarray(ohmic(K, L, edge, {"conductivity": total}))
