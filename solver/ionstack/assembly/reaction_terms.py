"""Terms of the reactions between species of one region, with the field that laws may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ionstack.assembly.terms import Contributions, Evaluate, State
from ionstack.models.carriers import FOCUS, Carriers, carrier_inputs, take
from ionstack.models.model import ReactionModel, RegionModel
from ionstack.physics.states import Carrier

# Added to the field in quadrature [V/m], so that its slope at 0 is finite.
_SMALL_FIELD = 1e4


def reaction_inputs(region: RegionModel, reaction: ReactionModel) -> tuple[str, ...]:
    """Unknowns of a node on which the rate of a reaction there depends, the field apart."""
    names = [name for name in reaction.changes if region.find(name)]
    return tuple(dict.fromkeys(one for name in names for one in carrier_inputs(region, name)))


def reaction(key: str, index: int, region: RegionModel, one: ReactionModel) -> Evaluate:
    """Events of a reaction in each control volume.

    The last derivatives of a law that reads the field are along the potential of the node
    and of the neighbours of its `FieldStencil`.
    """
    names = reaction_inputs(region, one)

    def evaluate(state: State) -> Contributions:
        nodes, batch = state.arrays["nodes"][index], state.regions[index]
        found = [focused_field(state, index, one.name)] if one.law.law.field else []
        given = tuple(field for field, _ in found)
        rate = reaction_rate(state, key, index, one)
        here = taking_part(batch.carriers, one, len(nodes["volume"]))

        def along(name: str) -> jax.Array:
            tangent = taking_part(batch.tangents[name], one, len(nodes["volume"]))
            slope: jax.Array = jax.jvp(lambda one: rate(one, *given), (here,), (tangent,))[1]
            return slope

        slopes = [along(name) for name in names]
        for field, field_slopes in found:
            steeper = jax.jvp(lambda E: rate(here, E), (field,), (jnp.ones_like(field),))[1]
            slopes += [steeper * slope for slope in field_slopes]
        return rate(here, *given), slopes

    return evaluate


def taking_part(carriers: Carriers, one: ReactionModel, count: int) -> dict[str, Carrier]:
    """Species of a reaction at the first `count` nodes of a region, which are its owned ones."""
    return {name: take(carriers[name], slice(count)) for name in one.changes}


def reaction_rate(
    state: State, key: str, index: int, one: ReactionModel
) -> Callable[..., jax.Array]:
    """Events per time in each control volume as a function of carriers there and the field."""
    volume = state.arrays["nodes"][index]["volume"]
    warm = state.warmth(index, slice(len(volume)))
    numbers = state.resolve(key, one.law, warm)

    def rate(carriers: Carriers, *field: jax.Array) -> jax.Array:
        left, right = (
            [(carriers[name], count) for name, count in side] for side in (one.left, one.right)
        )
        inputs = left, right, warm.thermal_voltage, *field, numbers
        return jnp.asarray(volume * one.law.law.function(*inputs))

    return rate


def focused_field(state: State, index: int, name: str) -> tuple[jax.Array, list[jax.Array]]:
    """The field that a reaction in a region reads, and its slopes."""
    nodes = state.arrays["nodes"][index]
    field, slopes = field_modulus(nodes, state.regions[index].phi)
    focus = nodes["focus"].get(name, 1.0)
    if FOCUS in state.arrays["outer"][index]:
        focus = focus * state.arrays["outer"][index][FOCUS][: len(field)]
    return focus * field, [focus * slope for slope in slopes]


def field_modulus(nodes: Mapping[str, Any], phi: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
    """Modulus of the field [V/m] at a region's owned nodes, from `phi` [V] at all local ones.

    Its slopes are along the potential of the node, then of the neighbours.
    """
    neighbours, weights = nodes["neighbours"], nodes["field_weights"]
    steps = phi[neighbours] - phi[: len(neighbours), None]
    gradient = jnp.einsum("ns,nsd->nd", steps, weights)
    field = jnp.sqrt(jnp.sum(gradient**2, axis=1) + _SMALL_FIELD**2)
    slopes = jnp.einsum("nsd,nd->ns", weights, gradient) / field[:, None]
    return field, [-jnp.sum(slopes, axis=1), *slopes.T]
