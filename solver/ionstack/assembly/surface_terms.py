"""Terms of reactions at contacts that bind a species in products there.

A law gives the rates of its steps; what each step takes from the layer and changes in the
products is a table of the law, so that nothing is lost whatever the rates are. What leaves
the layer carries its charge into the metal, whose electrons make the products neutral.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.entities import Entities, Face
from ionstack.assembly.terms import (
    Contributions,
    Ends,
    Evaluate,
    State,
    Term,
    carrier_ends,
    metal_ends,
)
from ionstack.models.carriers import law_inputs
from ionstack.models.model import BoundLaw
from ionstack.models.products import SCALE, products_of, unknown_of
from ionstack.physics.registry import Binding, BindingStep
from ionstack.physics.states import Carrier, Edge, Pores

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def balances(entities: Entities) -> Iterator[Term]:
    """Stored amounts of the products, and the steps that make them."""
    for position, (face, species, law) in enumerate(entities.bindings()):
        for product in products_of(law):
            rows = entities.layout.species[unknown_of(product)][face.nodes]
            yield Term("product", "stored", ((rows, 1),), (rows,), _amount(position, product))
        for number, step in enumerate(_binding(law).steps):
            rate = step_rate(position, number, face, species, law)
            yield _step(entities, (face, species, law), step, rate)


def nothing(entities: Entities) -> Iterator[Term]:
    """No products, for the equilibrium search: a reaction that only goes forth has none."""
    for position, (face, _, law) in enumerate(entities.bindings()):
        for product in products_of(law):
            rows = entities.layout.species[unknown_of(product)][face.nodes]
            yield Term("pinned", "algebraic", ((rows, 1),), (rows,), _unknown(position, product))


def _binding(law: BoundLaw) -> Binding:
    binding = law.law.binding
    assert binding is not None
    return binding


def _step(
    entities: Entities, where: tuple[Face, str, BoundLaw], step: BindingStep, rate: Evaluate
) -> Term:
    """Rows and columns of one step; only what takes from the layer is a current."""
    face, species, law = where
    layout, nodes = entities.layout, face.nodes
    products = tuple(layout.species[unknown_of(name)][nodes] for name in products_of(law))
    made = tuple((layout.species[unknown_of(name)][nodes], -n) for name, n in step.changes)
    if not step.taken:
        return Term("binding", "flow", made, products, rate)
    unknowns = {"phi": layout.phi, **layout.species}
    layer = tuple(unknowns[name][nodes] for name in law_inputs(face.region.laws, species, law))
    voltage = np.full(len(nodes), layout.n_local + face.contact)
    rows = ((layout.species[species][nodes], step.taken), *made)
    charge = step.taken * entities.model.valences[species]
    columns = (*layer, voltage, *products)
    return Term("binding", "flow", rows, columns, rate, face.contact, charge)


def _amount(position: int, product: str) -> Evaluate:
    """Units of a product at each node of a face."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["films"][position]
        slope = SCALE * arrays["area"]
        return slope * state.arrays["u"][arrays["products"][product]], [slope]

    return evaluate


def _unknown(position: int, product: str) -> Evaluate:
    """Unknown of a product [V]."""

    def evaluate(state: State) -> Contributions:
        value = state.arrays["u"][state.arrays["films"][position]["products"][product]]
        return value, [jnp.ones_like(value)]

    return evaluate


def step_rate(position: int, number: int, face: Face, species: str, law: BoundLaw) -> Evaluate:
    """Events of one step of a law per second at each node of a face.

    Derivatives are along the layer's inputs of the law and the contact's voltage, unless the
    step takes nothing, then along the products in the order of the law.
    """
    taken = _binding(law).steps[number].taken
    index, region = face.region.index, face.region.laws
    z, inputs = region.held(species).z, law_inputs(region, species, law)
    key = f"{face.model.name}/{species}"

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["films"][position]
        warm = state.warmth(index, arrays["K"])
        numbers = state.resolve(key, law, warm)
        edge = Edge(jnp.asarray(0.0), warm.thermal_voltage, jnp.asarray(float(z)))
        # In the order of the law: a packed dictionary comes back sorted.
        places = {name: arrays["products"][name] for name in products_of(law)}
        amounts = {name: SCALE * state.arrays["u"][at] for name, at in places.items()}

        def rate(K: Carrier, L: Carrier, amounts: Mapping[str, jax.Array]) -> jax.Array:
            pores = Pores(amounts, state.arrays["opened"][position])
            steps = law.law.function(K, L, edge, pores, numbers)
            return jnp.asarray(arrays["area"] * steps[number])

        batch = state.regions[index]
        K = carrier_ends(batch, species, law, inputs, arrays["K"], warm)
        voltage = state.voltages[face.contact]
        L = metal_ends(voltage, warm.thermal_voltage, z, K[0].psi)
        if not taken:
            K, L = (K[0], []), (L[0], [])
        return rate(K[0], L[0], amounts), _slopes(rate, K, L, amounts)

    return evaluate


def _slopes(rate: Any, K: Ends, L: Ends, amounts: Mapping[str, jax.Array]) -> list[jax.Array]:
    """Derivatives along the tangents of both ends, then along the unknowns of the products."""
    still = K[0]._replace(**{name: jnp.zeros_like(K[0].psi) for name in Carrier._fields})
    none = {name: jnp.zeros_like(amount) for name, amount in amounts.items()}
    directions = [
        *((tangent, still, none) for tangent in K[1]),
        *((still, tangent, none) for tangent in L[1]),
        *((still, still, {**none, name: none[name] + SCALE}) for name in amounts),
    ]
    here = (K[0], L[0], dict(amounts))
    return [jax.jvp(rate, here, one)[1] for one in directions]
