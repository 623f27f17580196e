"""Terms: one law on one batch of entities, with the rows that it enters and its columns.

A term's value enters each of its rows with a sign; the signs are written here and
nowhere else. Its derivatives are taken along the unknowns that the law declares (own
potential, own species, coupled species), by forward mode: once at the nodes, then along
those tangents over the edges, pairs and faces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.model import Arrhenius, BoundLaw, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.states import Carrier, Edge

Ints = NDArray[np.int64]
Contributions = tuple[jax.Array, list[jax.Array]]


@dataclass(frozen=True)
class Term:
    """One batch of contributions.

    `evaluate(state)` returns values (n,) and derivatives, one array (n,) per entry of
    `columns`. `rows` are (local unknowns, sign). `weight`: "flow" values are times
    per second and are multiplied by the step, "stored" ones by the leading
    coefficient of the time scheme, "algebraic" ones enter as they are. A "flow" into
    a contact carries the contact's index and the charge that leaves with each particle.
    """

    name: str
    weight: Literal["flow", "stored", "algebraic"]
    rows: tuple[tuple[Ints, int], ...]
    columns: tuple[Ints, ...]
    evaluate: Callable[[State], Contributions]
    contact: int | None = None
    charge: int = 0


@dataclass(frozen=True)
class NodeBatch:
    """Nodes of one region: values of the laws' inputs and tangents per unknown."""

    carriers: Mapping[str, Carrier]
    tangents: Mapping[str, Mapping[str, Carrier]]  # by unknown ("phi" or a species)
    phi: jax.Array


@dataclass(frozen=True)
class State:
    """What terms evaluate from: node batches, geometry and numbers, voltages [V]."""

    regions: tuple[NodeBatch, ...]
    arrays: Mapping[str, Any]
    numbers: Mapping[str, Any]
    temperature: jax.Array
    voltages: jax.Array

    @property
    def thermal_voltage(self) -> jax.Array:
        """Return kT/e [V]."""
        return BOLTZMANN_EV * self.temperature

    def resolve(self, key: str) -> dict[str, jax.Array]:
        """Numbers of a law at the temperature, with their Arrhenius factor."""
        return {name: at(value, self.temperature) for name, value in self.numbers[key].items()}


Evaluate = Callable[[State], Contributions]


def at(number: Any, temperature: Any) -> jax.Array:
    """Evaluate an `Arrhenius` number at a temperature [K]; other numbers stay as they are."""
    if not isinstance(number, Arrhenius):
        return jnp.asarray(number)
    inverse = 1.0 / temperature - 1.0 / number.reference_temperature
    factor = jnp.exp(-number.activation_energy / BOLTZMANN_EV * inverse)
    return jnp.asarray(number.value * factor)


def settled(numbers: Mapping[str, Any], temperature: float) -> dict[str, Any]:
    """Copy of the numbers with every `Arrhenius` number evaluated at a temperature [K]."""

    def one(number: Any) -> Any:
        return np.asarray(at(number, temperature)) if isinstance(number, Arrhenius) else number

    return {
        key: {name: one(number) for name, number in group.items()}
        if isinstance(group, Mapping)
        else group
        for key, group in numbers.items()
    }


def node_batch(
    region: RegionModel, numbers: Mapping[str, Any], temperature: jax.Array, u: Mapping[str, Any]
) -> NodeBatch:
    """Evaluate densities and electrochemical potentials of a region, with tangents.

    Args:
        region: the region's laws.
        numbers: the model's numbers by key, see `numbers_of`.
        temperature: [K].
        u: unknowns [V] at the region's nodes, "phi" and each species.
    """
    thermal = BOLTZMANN_EV * temperature

    def carriers(unknowns: Mapping[str, jax.Array]) -> dict[str, Carrier]:
        return {
            one.name: _carrier(region, one.name, numbers, thermal, unknowns)
            for one in region.species
        }

    tangents = {}
    for name, own in u.items():
        along = partial(_replaced, carriers, u, name)
        tangents[name] = jax.jvp(along, (own,), (jnp.ones_like(own),))[1]
    return NodeBatch(carriers(u), tangents, u["phi"])


def _replaced(
    carriers: Callable[[Mapping[str, jax.Array]], dict[str, Carrier]],
    u: Mapping[str, jax.Array],
    name: str,
    value: jax.Array,
) -> dict[str, Carrier]:
    return carriers({**u, name: value})


def _carrier(
    region: RegionModel,
    name: str,
    numbers: Mapping[str, Any],
    thermal: jax.Array,
    u: Mapping[str, jax.Array],
) -> Carrier:
    species = region.held(name)
    own = numbers[f"{region.name}/{name}"]
    bare = (own["level"] + species.z * u["phi"]) / thermal
    psi = u[name] / thermal
    eta = psi - bare
    statistics = _plain(numbers[f"{region.name}/{name}/statistics"])
    occupation = species.statistics.law.function(eta, statistics, thermal)
    if species.excess is not None:
        excess = _plain(numbers[f"{region.name}/{name}/excess"])
        shift = species.excess.law.function(occupation.x, excess, thermal)
        bare, psi = bare + shift, psi + shift
    return Carrier(
        c=own["site_density"] * occupation.x,
        x=occupation.x,
        vacancy=occupation.vacancy,
        psi=psi,
        drift=bare + occupation.log_gamma,
        bare=bare,
        coupled=jnp.zeros_like(eta),
    )


def _plain(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of a node law, which are not activated."""
    return {k: v.value if isinstance(v, Arrhenius) else v for k, v in numbers.items()}


def _coupled(carriers: Mapping[str, Carrier], name: str, couples: str | None) -> Carrier:
    own = carriers[name]
    if couples is None or couples not in carriers:
        return own
    return own._replace(coupled=carriers[couples].x)


def inputs_of(region: RegionModel, name: str, law: BoundLaw) -> tuple[str, ...]:
    """Unknowns of `region` on which a law of species `name` depends."""
    extra = law.couples if law.couples and region.find(law.couples) else None
    return ("phi", name) if extra is None or extra == name else ("phi", name, extra)


def _ends(
    batch: NodeBatch, name: str, law: BoundLaw, inputs: tuple[str, ...], index: jax.Array
) -> tuple[Carrier, list[Carrier]]:
    """Carrier at the indexed nodes and its tangents along `inputs`."""

    def take(carriers: Mapping[str, Carrier]) -> Carrier:
        return Carrier(*(field[index] for field in _coupled(carriers, name, law.couples)))

    return take(batch.carriers), [take(batch.tangents[unknown]) for unknown in inputs]


def _differentiate(
    function: Callable[[Carrier, Carrier], jax.Array],
    K: tuple[Carrier, list[Carrier]],
    L: tuple[Carrier, list[Carrier]],
) -> Contributions:
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
    """Species flow along the edges of region `index`; law numbers under `key`."""
    z = region.held(name).z
    inputs = inputs_of(region, name, law)

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["edges"][index]
        numbers = state.resolve(key)
        edge = Edge(arrays["length"], state.thermal_voltage, jnp.asarray(float(z)))

        def flow(K: Carrier, L: Carrier) -> jax.Array:
            return jnp.asarray(arrays["factor"] * law.law.function(K, L, edge, numbers))

        batch = state.regions[index]
        K = _ends(batch, name, law, inputs, arrays["K"])
        L = _ends(batch, name, law, inputs, arrays["L"])
        return _differentiate(flow, K, L)

    return evaluate


def pair_flow(
    key: str,
    position: int,
    sides: tuple[tuple[int, RegionModel], ...],
    name: str,
    law: BoundLaw,
) -> Evaluate:
    """Species flow across an interface from side K to side L."""
    (index_k, region_k), (index_l, region_l) = sides
    z = region_k.held(name).z

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["pairs"][position]
        numbers = state.resolve(key)
        edge = Edge(jnp.asarray(0.0), state.thermal_voltage, jnp.asarray(float(z)))

        def flow(K: Carrier, L: Carrier) -> jax.Array:
            return jnp.asarray(arrays["area"] * law.law.function(K, L, edge, numbers))

        K = _ends(state.regions[index_k], name, law, inputs_of(region_k, name, law), arrays["K"])
        L = _ends(state.regions[index_l], name, law, inputs_of(region_l, name, law), arrays["L"])
        return _differentiate(flow, K, L)

    return evaluate


def contact_flow(
    key: str, position: int, contact: int, index: int, region: RegionModel, name: str, law: BoundLaw
) -> Evaluate:
    """Species flow from a layer into a metal whose potential is the contact's voltage."""
    z = region.held(name).z
    inputs = inputs_of(region, name, law)

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["faces"][position]
        numbers = state.resolve(key)
        edge = Edge(jnp.asarray(0.0), state.thermal_voltage, jnp.asarray(float(z)))

        def flow(K: Carrier, L: Carrier) -> jax.Array:
            return jnp.asarray(arrays["area"] * law.law.function(K, L, edge, numbers))

        K = _ends(state.regions[index], name, law, inputs, arrays["K"])
        zero = jnp.zeros_like(K[0].psi)
        metal = Carrier(*([zero] * len(Carrier._fields)))._replace(
            psi=zero + z * state.voltages[contact] / state.thermal_voltage
        )
        return _differentiate(flow, K, (metal, []))

    return evaluate


def displacement(index: int, region: RegionModel) -> Evaluate:
    """Electric flux along edges [elementary charges], positive from K to L."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["edges"][index]
        permittivity = state.numbers[region.name]["permittivity"] * VACUUM_PERMITTIVITY
        capacitance = permittivity / ELEMENTARY_CHARGE * arrays["factor"]
        phi = state.regions[index].phi
        return capacitance * (phi[arrays["K"]] - phi[arrays["L"]]), [capacitance, -capacitance]

    return evaluate


def charge(index: int, region: RegionModel) -> Evaluate:
    """Minus the charge in each control volume [elementary charges]."""
    unknowns = ("phi", *(one.name for one in region.species))

    def evaluate(state: State) -> Contributions:
        volume = state.arrays["nodes"][index]["volume"]
        batch = state.regions[index]

        def density(carriers: Mapping[str, Carrier]) -> jax.Array:
            parts = [one.z * carriers[one.name].c[: len(volume)] for one in region.species]
            return sum(parts, jnp.zeros_like(volume))

        total = state.numbers[region.name]["fixed_charge"] + density(batch.carriers)
        slopes = [-volume * density(batch.tangents[unknown]) for unknown in unknowns]
        return -volume * total, slopes

    return evaluate


def stored(index: int, name: str) -> Evaluate:
    """Number of particles of a species in each control volume."""

    def evaluate(state: State) -> Contributions:
        volume = state.arrays["nodes"][index]["volume"]
        batch = state.regions[index]
        count = len(volume)
        slopes = [volume * batch.tangents[unknown][name].c[:count] for unknown in ("phi", name)]
        return volume * batch.carriers[name].c[:count], slopes

    return evaluate


def pinned(index: int, name: str, group: int) -> Evaluate:
    """Electrochemical potential minus its equilibrium value [V], for the equilibrium search."""

    def evaluate(state: State) -> Contributions:
        count = len(state.arrays["nodes"][index]["volume"])
        batch = state.regions[index]
        thermal = state.thermal_voltage
        value = thermal * batch.carriers[name].psi[:count] - state.arrays["levels"][group]
        slopes = [thermal * batch.tangents[unknown][name].psi[:count] for unknown in ("phi", name)]
        return value, slopes

    return evaluate


def metal_potential(contact: int) -> Evaluate:
    """Potential at a metal: phi - (V - work function/e), scaled like a Poisson row."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["metals"][contact]
        phi = state.arrays["u"][arrays["phi"]]
        target = state.voltages[contact] - state.numbers["contacts"][contact]
        return arrays["scale"] * (phi - target), [arrays["scale"]]

    return evaluate
