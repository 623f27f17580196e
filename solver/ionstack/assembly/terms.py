"""Terms: one law on one batch of entities, with the rows that it enters and its columns.

A term's value enters each of its rows with a factor; the factors are written here and
nowhere else. Its derivatives are taken along the unknowns that the law declares (own
potential, own species, coupled species), by forward mode: once at the nodes, then along
those tangents over the edges, pairs and faces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.warmth import Warmth
from ionstack.models.carriers import (
    GAP,
    TEMPERATURE,
    Carriers,
    NodeBatch,
    carrier_inputs,
    density_inputs,
    gradient_of,
    law_inputs,
    law_values,
    take,
    with_coupled,
)
from ionstack.models.model import BoundLaw, RegionModel
from ionstack.physics.states import Carrier, Edge, Gap

Ints = NDArray[np.int64]
Contributions = tuple[jax.Array, list[jax.Array]]
Ends = tuple[Carrier, list[Carrier]]


@dataclass(frozen=True)
class Term:
    """One batch of contributions.

    `evaluate(state)` returns values (n,) and derivatives, one array (n,) per entry of
    `columns`. `rows` are (local unknowns, factor). `weight`: "flow" values are times
    per second and are multiplied by the step, "stored" ones by the leading
    coefficient of the time scheme, "algebraic" ones enter as they are. A "flow" into
    a contact carries the contact's index and the charge that leaves with each particle;
    any other term with a contact is the charge that sits on its metal. The heat that a
    "flow" makes is shared by `places`, the nodes of the mesh that go with its rows.
    """

    name: str
    weight: Literal["flow", "stored", "algebraic"]
    rows: tuple[tuple[Ints, float], ...]
    columns: tuple[Ints, ...]
    evaluate: Evaluate
    contact: int | None = None
    charge: float = 0.0
    places: tuple[Ints, ...] = ()

    @property
    def size(self) -> int:
        """Number of entities."""
        return len(self.rows[0][0] if self.rows else self.columns[0])


@dataclass(frozen=True)
class State:
    """What terms evaluate from: node batches, geometry and numbers, voltages [V]."""

    regions: tuple[NodeBatch, ...]
    arrays: Mapping[str, Any]
    numbers: Mapping[str, Any]
    temperature: jax.Array
    voltages: jax.Array

    def warmth(self, index: int, nodes: Any) -> Warmth:
        """Temperature at nodes of a region."""
        field = self.arrays["outer"][index].get(TEMPERATURE)
        return Warmth(self.temperature if field is None else field[nodes])

    def warmth_between(self, K: Nodes, L: Nodes) -> tuple[Warmth, Warmth]:
        """Mean temperature of two ends, as each of them sees it."""
        own = [self.warmth(*end).temperature for end in (K, L)]
        if all(jnp.ndim(one) == 0 for one in own):
            return Warmth(own[0]), Warmth(own[1])
        mean = 0.5 * (own[0] + own[1])
        return Warmth(mean, own[0] / mean), Warmth(mean, own[1] / mean)

    def resolve(self, key: str, law: BoundLaw, warmth: Warmth) -> dict[str, Any]:
        """Numbers of a law at a temperature, and its curves."""
        return law_values(self.numbers, key, law, warmth.temperature)


# A region and nodes of it.
Nodes = tuple[int, Any]
Evaluate = Callable[[State], Contributions]


def carrier_ends(
    batch: NodeBatch,
    name: str,
    law: BoundLaw,
    inputs: Sequence[str],
    index: Any,
    warmth: Warmth,
    heat: float | None = None,
) -> Ends:
    """Carrier at the indexed nodes and its tangents along `inputs`.

    `heat` of transport [eV] of a species that a gradient of temperature moves.
    """

    def at_nodes(carriers: Carriers) -> Carrier:
        return warmth.seen(take(with_coupled(carriers, name, law.couples), index), heat)

    own = warmth.pulled(at_nodes(batch.carriers), heat)
    return own, [at_nodes(batch.tangents[unknown]) for unknown in inputs]


TwoEnded = Callable[[Carrier, Carrier], jax.Array]


def _differentiate(function: TwoEnded, K: Ends, L: Ends) -> Contributions:
    """Value of a two-ended law and its derivatives, first along K's, then along L's inputs."""
    (here, here_tangents), (there, there_tangents) = K, L

    def along_here(tangent: Carrier) -> jax.Array:
        slope: jax.Array = jax.jvp(lambda end: function(end, there), (here,), (tangent,))[1]
        return slope

    def along_there(tangent: Carrier) -> jax.Array:
        slope: jax.Array = jax.jvp(lambda end: function(here, end), (there,), (tangent,))[1]
        return slope

    slopes = [*map(along_here, here_tangents), *map(along_there, there_tangents)]
    return function(here, there), slopes


def flux(key: str, index: int, region: RegionModel, name: str, law: BoundLaw) -> Evaluate:
    """Species flow along the edges of region `index`; law numbers under `key`.

    `anisotropy` is the ratio of the in-plane to the through-plane coefficient. Edges of
    a stack with factors other than 0 lie in the plane or along the stack, where the
    directional mean is exact.
    """
    heat, inputs = region.held(name).heat_of_transport, law_inputs(region, name, law)

    def evaluate(state: State) -> Contributions:
        arrays, batch = state.arrays["edges"][index], state.regions[index]
        flow, warm = edge_flow(state, key, index, region, name, law)
        K, L = (
            carrier_ends(batch, name, law, inputs, arrays[end], own, heat)
            for end, own in zip("KL", warm, strict=True)
        )
        return _differentiate(flow, K, L)

    return evaluate


def edge_flow(
    state: State, key: str, index: int, region: RegionModel, name: str, law: BoundLaw
) -> tuple[TwoEnded, tuple[Warmth, Warmth]]:
    """A law of transport on the edges of a region, and what the temperature is at their ends."""
    arrays, z = state.arrays["edges"][index], region.held(name).z
    warm = state.warmth_between((index, arrays["K"]), (index, arrays["L"]))
    numbers = state.resolve(key, law, warm[0])
    edge = Edge(arrays["length"], warm[0].thermal_voltage, jnp.asarray(float(z)))
    if law.law.tunnels and GAP in state.arrays["outer"][index]:
        edge = edge._replace(gap=Gap(*state.arrays["outer"][index][GAP]))
    through = arrays["through"]
    factor = arrays["factor"] * (through + (1.0 - through) * numbers.pop("anisotropy", 1.0))

    def flow(K: Carrier, L: Carrier) -> jax.Array:
        return jnp.asarray(factor * law.law.function(K, L, edge, numbers))

    return flow, warm


Side = tuple[int, RegionModel]


def pair_flow(
    key: str, position: int, sides: tuple[Side, ...], name: str, law: BoundLaw
) -> Evaluate:
    """Species flow across an interface from side K to side L."""
    z = sides[0][1].held(name).z

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["pairs"][position]
        here, there = ((side[0], arrays[end]) for side, end in zip(sides, "KL", strict=True))
        warm = state.warmth_between(here, there)
        numbers = state.resolve(key, law, warm[0])
        edge = Edge(jnp.asarray(0.0), warm[0].thermal_voltage, jnp.asarray(float(z)))

        def flow(K: Carrier, L: Carrier) -> jax.Array:
            return jnp.asarray(arrays["area"] * law.law.function(K, L, edge, numbers))

        def at(side: Side, end: str, own: Warmth) -> Ends:
            index, region = side
            inputs, heat = law_inputs(region, name, law), region.held(name).heat_of_transport
            batch = state.regions[index]
            return carrier_ends(batch, name, law, inputs, arrays[end], own, heat)

        K, L = (at(*one) for one in zip(sides, "KL", warm, strict=True))
        return _differentiate(flow, K, L)

    return evaluate


def _still(like: jax.Array) -> Carrier:
    return Carrier(*([jnp.zeros_like(like)] * len(Carrier._fields)))


def metal_ends(
    voltage: jax.Array, thermal: jax.Array, z: int, like: jax.Array, offset: jax.Array | float = 0.0
) -> Ends:
    """A metal as the end L of a law, of the shape of `like`, and its tangent along the voltage.

    `voltage` of the metal [V]; `thermal` kT/e [V]; `offset` [eV] is the electrochemical
    potential of the species in the metal at 0 V.
    """
    still, one = _still(like), jnp.ones_like(like)
    psi = one * (z * voltage + offset) / thermal
    return still._replace(psi=psi), [still._replace(psi=one * z / thermal)]


def contact_flow(
    key: str, position: int, contact: int, side: Side, name: str, law: BoundLaw
) -> Evaluate:
    """Species flow from a layer into a metal whose potential is the contact's voltage.

    The last derivatives are along the contact's voltage and, for laws that read the
    field, along the potential of the next node inside.
    """
    index, region = side
    z = region.held(name).z
    inputs = law_inputs(region, name, law)

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["faces"][position]
        warm = state.warmth(index, arrays["K"])
        numbers, thermal = state.resolve(key, law, warm), warm.thermal_voltage

        def flow(K: Carrier, L: Carrier) -> jax.Array:
            field = thermal * (K.phi - L.phi) / arrays["inner_length"] if law.law.field else 0.0
            edge = Edge(jnp.asarray(0.0), thermal, jnp.asarray(float(z)), field)
            return jnp.asarray(arrays["area"] * law.law.function(K, L, edge, numbers))

        K = carrier_ends(state.regions[index], name, law, inputs, arrays["K"], warm)
        # What a reservoir holds its species at, on top of the voltage.
        offset = numbers.get("chemical_potential", 0.0)
        metal, tangents = metal_ends(state.voltages[contact], thermal, z, K[0].psi, offset)
        if law.law.field:
            inner = state.regions[index].phi[arrays["inner"]]
            metal = metal._replace(phi=inner / thermal)
            tangents.append(_still(metal.psi)._replace(phi=jnp.ones_like(metal.psi) / thermal))
        return _differentiate(flow, K, (metal, tangents))

    return evaluate


def stored(index: int, region: RegionModel, name: str) -> Evaluate:
    """Number of particles of a species in each control volume."""
    inputs = density_inputs(region, name)

    def evaluate(state: State) -> Contributions:
        volume = state.arrays["nodes"][index]["volume"]
        batch = state.regions[index]
        count = len(volume)
        slopes = [volume * batch.tangents[unknown][name].c[:count] for unknown in inputs]
        return volume * batch.carriers[name].c[:count], slopes

    return evaluate


def gradient_potential(index: int, name: str) -> Evaluate:
    """Gradient term of a species' potential times the control volume [V m^3]."""

    def evaluate(state: State) -> Contributions:
        volume = state.arrays["nodes"][index]["volume"]
        return volume * state.regions[index].gradients[gradient_of(name)][: len(volume)], [volume]

    return evaluate


def content_gradient(index: int, region: RegionModel, name: str) -> Evaluate:
    """-kappa times the gradient of the content through each edge [eV m^3]."""
    inputs = density_inputs(region, name)

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["edges"][index]
        kappa = state.numbers[f"{region.name}/{name}/excess"]["gradient_energy"]
        factor = kappa * arrays["factor"]
        batch = state.regions[index]

        def difference(carriers: Carriers) -> jax.Array:
            x = carriers[name].x
            return jnp.asarray(factor * (x[arrays["K"]] - x[arrays["L"]]))

        def one_end(unknown: str, end: str, sign: float) -> jax.Array:
            return jnp.asarray(sign * factor * batch.tangents[unknown][name].x[arrays[end]])

        slopes = [one_end(unknown, "K", 1.0) for unknown in inputs]
        slopes += [one_end(unknown, "L", -1.0) for unknown in inputs]
        return difference(batch.carriers), slopes

    return evaluate


def wetting(key: str, index: int, position: int) -> Evaluate:
    """Minus the wetting coefficient times the area of a region's faces [eV m^3]."""

    def evaluate(state: State) -> Contributions:
        return -state.numbers[key]["wetting"] * state.arrays["bounds"][index][position], []

    return evaluate


def pinned(index: int, region: RegionModel, name: str, group: int) -> Evaluate:
    """Electrochemical potential minus its equilibrium value [V], for the equilibrium search."""
    inputs = carrier_inputs(region, name)

    def evaluate(state: State) -> Contributions:
        count = len(state.arrays["nodes"][index]["volume"])
        batch = state.regions[index]
        thermal = state.warmth(index, slice(count)).thermal_voltage
        value = thermal * batch.carriers[name].psi[:count] - state.arrays["levels"][group]
        slopes = [thermal * batch.tangents[unknown][name].psi[:count] for unknown in inputs]
        return value, slopes

    return evaluate


def frozen(index: int, region: RegionModel, name: str) -> Evaluate:
    """Logarithm of content over given content times kT/e [V], for a start as given."""
    inputs = density_inputs(region, name)

    def evaluate(state: State) -> Contributions:
        count = len(state.arrays["nodes"][index]["volume"])
        batch, given = state.regions[index], state.arrays["frozen"][f"{region.name}/{name}"]
        own, thermal = batch.carriers[name], state.warmth(index, slice(count)).thermal_voltage
        value = thermal * (own.log_x[:count] - given)
        # log_x is linear in the fields, so that of a tangent is the tangent of log_x.
        slopes = [thermal * batch.tangents[unknown][name].log_x[:count] for unknown in inputs]
        return value, slopes

    return evaluate


def held(key: str, position: int, contact: int, side: Side, name: str, law: BoundLaw) -> Evaluate:
    """Electrochemical potential of a carrier less that of the metal which holds it [V]."""
    index, region = side
    z, inputs = region.held(name).z, carrier_inputs(region, name)

    def evaluate(state: State) -> Contributions:
        arrays, batch = state.arrays["held"][position], state.regions[index]
        nodes, scale = arrays["K"], arrays["scale"]
        warm = state.warmth(index, nodes)
        thermal, numbers = warm.thermal_voltage, state.resolve(key, law, warm)
        metal = z * state.voltages[contact] + numbers.get("chemical_potential", 0.0)
        value = thermal * batch.carriers[name].psi[nodes] - metal
        slopes = [scale * thermal * batch.tangents[unknown][name].psi[nodes] for unknown in inputs]
        return scale * value, [*slopes, -z * scale]

    return evaluate
