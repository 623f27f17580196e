"""Reactions between species of one region: net events per volume, 1/(m^3 s).

A law receives both sides of the reaction's equation as lists of (carrier, count) and
runs in the direction of the affinity, the difference of their electrochemical
potentials over kT. Forward over backward rate is the exponential of the affinity, so
equilibrium follows from the levels. Laws marked `field` receive the modulus of the electric
field [V/m] besides; they stand in `generation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import drive
from ionstack.physics.states import Carrier
from ionstack.physics.transport import Parameters

Side = Sequence[tuple[Carrier, int]]


def affinity(left: Side, right: Side) -> jax.Array:
    """Electrochemical potentials of the left less those of the right, over kT."""
    forth = sum((count * one.psi for one, count in left), jnp.asarray(0.0))
    back = sum((count * one.psi for one, count in right), jnp.asarray(0.0))
    return jnp.asarray(forth - back)


def _log_densities(side: Side) -> jax.Array:
    """Logarithm of the product of densities [1/m^3]."""
    parts = (count * (one.log_x + jnp.log(one.sites)) for one, count in side)
    return jnp.asarray(sum(parts, jnp.asarray(0.0)))


def log_activities(left: Side, right: Side) -> jax.Array:
    """Logarithm of the left's contents times the right's free sites."""
    taken = sum((count * one.log_x for one, count in left), jnp.asarray(0.0))
    free = sum((count * one.log_vacancy for one, count in right), jnp.asarray(0.0))
    return jnp.asarray(taken + free)


@law(
    "reaction",
    "mass_action",
    Parameter(
        "rate", "1/(m^3*s)", "forward rate at x = 1 on the left and empty sites on the right"
    ),
)
def mass_action(left: Side, right: Side, thermal_voltage: jax.Array, p: Parameters) -> jax.Array:
    """Mass action: forward rate * contents of the left * free sites of the right.

    The backward rate follows from the levels. Covers dissociation and recombination
    of lithium in LiPON (Danilov, Niessen, Notten, J. Electrochem. Soc. 158, A215, 2011),
    radiative recombination, and traps as species that do not move.
    """
    return jnp.asarray(p["rate"] * drive(log_activities(left, right), affinity(left, right)))


@law(
    "reaction",
    "srh",
    Parameter("first_lifetime", "s", "lifetime of the species named first"),
    Parameter("second_lifetime", "s", "lifetime of the species named second"),
    Parameter("first_density", "1/m^3", "density of the first with its Fermi level at the trap"),
    Parameter("second_density", "1/m^3", "density of the second with its Fermi level at the trap"),
    pair=True,
)
def srh(left: Side, right: Side, thermal_voltage: jax.Array, p: Parameters) -> jax.Array:
    """Recombination over traps: (n p - n_i^2)/(tau_p (n + n1) + tau_n (p + p1)).

    The trap's occupation is quasi-steady. Shockley and Read, Phys. Rev. 87, 835 (1952);
    Hall, Phys. Rev. 87, 387 (1952). n and p are the left side's two species in order.
    """
    (first, _), (second, _) = left
    log_time = jnp.logaddexp(
        jnp.log(p["second_lifetime"]) + _log_sum(first, p["first_density"]),
        jnp.log(p["first_lifetime"]) + _log_sum(second, p["second_density"]),
    )
    return drive(_log_densities(left) - log_time, affinity(left, right))


def _log_sum(one: Carrier, density: jax.Array) -> jax.Array:
    """Logarithm of c + density."""
    return jnp.logaddexp(one.log_x + jnp.log(one.sites), jnp.log(density))


@law(
    "reaction",
    "langevin",
    Parameter("mobility_sum", "m^2/(V*s)", "sum of the mobilities of both species"),
    Parameter("relative_permittivity", "1", "relative permittivity of the layer"),
    pair=True,
)
def langevin(left: Side, right: Side, thermal_voltage: jax.Array, p: Parameters) -> jax.Array:
    """Encounter-limited recombination: e mu/eps (n p - n_i^2), in organic layers.

    Langevin, Ann. Chim. Phys. 28, 433 (1903).
    """
    permittivity = p["relative_permittivity"] * VACUUM_PERMITTIVITY
    coefficient = ELEMENTARY_CHARGE * p["mobility_sum"] / permittivity
    return jnp.asarray(coefficient * drive(_log_densities(left), affinity(left, right)))
