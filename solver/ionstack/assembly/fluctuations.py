"""How strongly flows and reactions fluctuate: their conductances, at edges and nodes of a mesh.

What runs down an affinity of A kT at the rate G A near equilibrium fluctuates there by 2 G per
time, whatever the law (fluctuation and dissipation: Callen, Welton, Phys. Rev. 83, 34 (1951)).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from ionstack.assembly.reaction_terms import focused_field, reaction_rate, taking_part
from ionstack.assembly.terms import State, edge_flow
from ionstack.models.carriers import raised, take, with_coupled
from ionstack.models.model import ReactionModel, RegionModel

Measure = Callable[[State], jax.Array]


def edge_conductance(index: int, region: RegionModel, name: str) -> Measure:
    """Flow of a species along every edge per kT of its potential's difference [1/s]."""
    species, key = region.held(name), f"{region.name}/{name}/transport"
    law, heat = species.transport, species.heat_of_transport

    def measure(state: State) -> jax.Array:
        arrays = state.arrays["edges"][index]
        flow, warm = edge_flow(state, key, index, region, name, law)
        carrier = with_coupled(state.regions[index].carriers, name, law.couples)
        K, L = (
            own.seen(take(carrier, arrays[end]), heat) for end, own in zip("KL", warm, strict=True)
        )
        return _slope(lambda shift: flow(raised(K, shift), L), K.psi)

    return measure


def reaction_conductance(index: int, region: RegionModel, one: ReactionModel) -> Measure:
    """Events of a reaction in every control volume per kT of its affinity [1/s]."""
    key = f"{region.name}/reaction {one.name}"
    # Raising the last species of a side by its share raises that side by 1 kT.
    side, sign = (one.left, 1.0) if one.left else (one.right, -1.0)
    name, count = side[-1]

    def measure(state: State) -> jax.Array:
        batch = state.regions[index]
        rate = reaction_rate(state, key, index, one)
        given = [focused_field(state, index, one.name)[0]] if one.law.law.field else []
        here = taking_part(batch.carriers, one, len(state.arrays["nodes"][index]["volume"]))

        def shifted(shift: jax.Array) -> jax.Array:
            moved = raised(here[name], sign / count * shift)
            return jnp.asarray(rate({**here, name: moved}, *given))

        return _slope(shifted, here[name].psi)

    return measure


def room(index: int, name: str) -> Measure:
    """Particles of a species that a control volume has, or free sites if they are fewer."""

    def measure(state: State) -> jax.Array:
        volume = state.arrays["nodes"][index]["volume"]
        one = take(state.regions[index].carriers[name], slice(len(volume)))
        return jnp.asarray(volume * jnp.minimum(one.c, one.sites * one.vacancy))

    return measure


def _slope(function: Callable[[jax.Array], jax.Array], like: jax.Array) -> jax.Array:
    """Slope at 0, not negative."""
    found = jax.jvp(function, (jnp.zeros_like(like),), (jnp.ones_like(like),))[1]
    return jnp.maximum(found, 0.0)
