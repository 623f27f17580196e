"""Equations of a circuit and rates of its random events, as functions that compile once.

What is joined to what is a `Wiring`; numbers of elements are arguments, so circuits that
differ in them alone, such as the members of an ensemble, share what is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.physics.catalogue import elements
from ionstack.physics.element_registry import ElementLaw, RandomEvent

Ints = NDArray[np.int32]
# Numbers of all elements of a kind, by kind and name.
Numbers = Mapping[str, Mapping[str, jax.Array]]


@dataclass(frozen=True)
class Wire:
    """An element: its kind, the number of the node at each terminal, of its first own unknown."""

    kind: str
    nodes: tuple[int, ...]
    first: int


@dataclass(frozen=True)
class Wiring:
    """All elements of a circuit of `size` unknowns; ground is node -1."""

    size: int
    wires: tuple[Wire, ...]

    def kinds(self) -> Iterator[tuple[ElementLaw, list[Wire]]]:
        """Yield every law and the elements that follow it."""
        for kind in dict.fromkeys(one.kind for one in self.wires):
            yield elements()[kind], [one for one in self.wires if one.kind == kind]

    def sites(self) -> Iterator[tuple[Wire, int, RandomEvent]]:
        """Yield element, its position among those of its kind, and event, of all events."""
        seen: dict[str, int] = {}
        for wire in self.wires:
            position = seen[wire.kind] = seen.get(wire.kind, -1) + 1
            for event in elements()[wire.kind].events:
                yield wire, position, event


Equations = Callable[
    [jax.Array, Mapping[str, jax.Array], Numbers, jax.Array], tuple[jax.Array, jax.Array]
]


@dataclass(frozen=True)
class _Group:
    """All elements of one law: rows of their terminals and own unknowns.

    Ground is the last entry of arrays that are one longer than the unknowns.
    """

    law: ElementLaw
    terminals: dict[str, Ints]
    own: dict[str, Ints]


def _groups(wiring: Wiring) -> Iterator[_Group]:
    for law, wires in wiring.kinds():
        nodes = np.array([one.nodes for one in wires], dtype=np.int32)
        first = np.array([one.first for one in wires], dtype=np.int32)
        yield _Group(
            law,
            {name: nodes[:, k] for k, name in enumerate(law.terminals)},
            {name: first + np.int32(k) for k, (name, _) in enumerate(law.own)},
        )


def equations(wiring: Wiring) -> Equations:
    """Return (unknowns, inputs, numbers, thermal voltage [V]) -> (residual, charge)."""
    groups = tuple(_groups(wiring))

    def of(
        unknowns: jax.Array,
        inputs: Mapping[str, jax.Array],
        numbers: Numbers,
        warmth: jax.Array,
    ) -> tuple[jax.Array, jax.Array]:
        with_ground = jnp.append(unknowns, 0.0)
        residual = charge = jnp.zeros_like(with_ground)
        for group in groups:
            v = {name: with_ground[rows] for name, rows in group.terminals.items()}
            own = {name: with_ground[rows] for name, rows in group.own.items()}
            changed = {name: inputs[name] for name in group.law.inputs}
            found = group.law.function(v, own, {**numbers[group.law.name], **changed}, warmth)
            residual = _added(residual, group.terminals, found.currents)
            charge = _added(charge, group.terminals, found.charges)
            residual = _added(residual, group.own, found.balances)
            charge = _added(charge, group.own, {name: own[name] for name, _ in group.law.states})
        return residual[:-1], charge[:-1]

    return of


def _added(total: jax.Array, rows: Mapping[str, Ints], parts: Mapping[str, jax.Array]) -> jax.Array:
    for name, part in parts.items():
        total = total.at[rows[name]].add(part)
    return total


def event_rates(wiring: Wiring) -> Callable[[jax.Array, Numbers, jax.Array], jax.Array]:
    """Return (unknowns, numbers, thermal voltage [V]) -> rates [1/s] of all events."""
    sites = tuple(wiring.sites())

    def of(unknowns: jax.Array, numbers: Numbers, warmth: jax.Array) -> jax.Array:
        with_ground, rates = jnp.append(unknowns, 0.0), []
        for wire, position, event in sites:
            ends = zip(elements()[wire.kind].terminals, wire.nodes, strict=True)
            v = {name: with_ground[node] for name, node in ends}
            mine = _own(wire, unknowns), _numbers(wire, position, numbers)
            rates.append(event.rate(v, *mine, warmth))
        return jnp.stack(rates) if rates else jnp.zeros(0)

    return of


def event_outcome(wiring: Wiring, site: int) -> Callable[[jax.Array, Numbers], jax.Array]:
    """Return (unknowns, numbers) -> unknowns after the event of a site."""
    wire, position, event = tuple(wiring.sites())[site]
    places = {name: wire.first + k for k, (name, _) in enumerate(elements()[wire.kind].own)}

    def of(unknowns: jax.Array, numbers: Numbers) -> jax.Array:
        changed = event.after(_own(wire, unknowns), _numbers(wire, position, numbers))
        for name, value in changed.items():
            unknowns = unknowns.at[places[name]].set(value)
        return unknowns

    return of


def event_outcomes(wiring: Wiring) -> Callable[[jax.Array, Numbers], jax.Array]:
    """Return (unknowns, numbers) -> unknowns after the event of each site (n_sites, size)."""
    found = [event_outcome(wiring, site) for site, _ in enumerate(wiring.sites())]

    def of(unknowns: jax.Array, numbers: Numbers) -> jax.Array:
        after = [one(unknowns, numbers) for one in found]
        return jnp.stack(after) if after else jnp.zeros((0, wiring.size))

    return of


def _own(wire: Wire, unknowns: jax.Array) -> dict[str, jax.Array]:
    names = enumerate(elements()[wire.kind].own)
    return {name: unknowns[wire.first + k] for k, (name, _) in names}


def _numbers(wire: Wire, position: int, numbers: Numbers) -> dict[str, jax.Array]:
    return {name: given[position] for name, given in numbers[wire.kind].items()}
