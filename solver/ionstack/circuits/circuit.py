"""Circuit around the devices: modified nodal analysis of its elements.

Unknowns are the voltages of the nodes against ground and the own unknowns of elements,
such as the currents of sources and resistors. Devices stand outside: their currents
enter the rows of the nodes at which their contacts are.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit_equations import Numbers, Wire, Wiring, equations
from ionstack.physics.catalogue import elements
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.element_registry import Choice, ElementLaw
from ionstack.physics.registry import Parameter

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]

GROUND = "ground"


@dataclass(frozen=True)
class Settings:
    """What a protocol sets at one instant, in the order of the circuit's sources and switches.

    `value` is in V, or in A where `current` says that a source gives a current. Both
    compliances are positive [A], infinite where there is none.
    """

    value: Floats
    current: Bools
    positive: Floats
    negative: Floats
    closed: Bools


INPUTS = tuple(one.name for one in dataclasses.fields(Settings))


@dataclass(frozen=True)
class Values:
    """What a circuit's equations say of n unknowns.

    Rows of nodes: `residual` sums the currents [A] that leave the node through elements,
    `charge` the charges [C] whose growth leaves it too; device contacts are not in it.
    Rows of states: how fast they fall [1/s], and the states. The other rows of `residual`
    are balances of elements, those of `charge` are zero.
    Slopes are (n, n), derivatives by the unknowns in columns.
    """

    residual: Floats
    charge: Floats
    residual_slopes: Floats
    charge_slopes: Floats


@dataclass(frozen=True)
class Element:
    """An element: its law by name, the node number at each terminal (-1 ground), its numbers.

    Of inputs, which the protocol may change, the numbers are those at the start.
    """

    name: str
    kind: str
    nodes: tuple[int, ...]
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def law(self) -> ElementLaw:
        """The element's law."""
        return elements()[self.kind]


@dataclass(frozen=True)
class Circuit:
    """Nodes (ground is none of them), device contacts, and the elements between them.

    `contact_node` gives the node number of every contact, -1 for ground. `copies` names
    the devices, all alike; their contacts stand one device after the other.
    `crossbar` holds the numbers of rows and columns of a generated array.
    """

    nodes: tuple[str, ...]
    contacts: tuple[str, ...]
    contact_node: tuple[int, ...]
    elements: tuple[Element, ...]
    temperature: float
    copies: tuple[str, ...] = ("",)
    crossbar: tuple[int, int] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is compiled."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.unknowns)

    @cached_property
    def unknowns(self) -> tuple[str, ...]:
        """Every unknown with its unit, as in the header of a table: ``V(in) [V]``."""
        own = (
            f"{name}({one.name}) [{unit}]" for one in self.elements for name, unit in one.law.own
        )
        return (*(f"V({name}) [V]" for name in self.nodes), *own)

    @cached_property
    def own_start(self) -> tuple[int, ...]:
        """Number of the first own unknown of every element."""
        counts = [len(one.law.own) for one in self.elements]
        return tuple(int(n) for n in len(self.nodes) + np.cumsum([0, *counts])[:-1])

    @cached_property
    def stores(self) -> Bools:
        """Which unknowns have something stored in their row: nodes and states of elements."""
        found = np.zeros(self.size, dtype=bool)
        found[: len(self.nodes)] = True
        found[[place for place, _ in self._states()]] = True
        return found

    @cached_property
    def rest(self) -> Floats:
        """Unknowns before anything happens: 0, states at their values at the start."""
        found = np.zeros(self.size)
        for place, value in self._states():
            found[place] = value
        return found

    def _states(self) -> Iterator[tuple[int, float]]:
        """Place and value at the start of every state."""
        for start, one in zip(self.own_start, self.elements, strict=True):
            own = [name for name, _ in one.law.own]
            for name, parameter in one.law.states:
                yield start + own.index(name), one.parameters[parameter]

    def _of_kind(self, kind: str) -> list[tuple[int, Element]]:
        pairs = zip(self.own_start, self.elements, strict=True)
        return [(start, one) for start, one in pairs if one.kind == kind]

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources."""
        return tuple(one.name for _, one in self._of_kind("source"))

    @cached_property
    def switches(self) -> tuple[str, ...]:
        """Names of the switches."""
        return tuple(one.name for _, one in self._of_kind("switch"))

    @cached_property
    def source_node(self) -> tuple[int, ...]:
        """Node number that each source drives."""
        return tuple(one.nodes[0] for _, one in self._of_kind("source"))

    @cached_property
    def return_node(self) -> tuple[int, ...]:
        """Node number to which each source returns, -1 for ground."""
        return tuple(one.nodes[1] for _, one in self._of_kind("source"))

    @cached_property
    def source_current(self) -> tuple[int, ...]:
        """Number of each source's current among the unknowns.

        The row of that number balances the source's value, by which it has the slope -1.
        """
        return tuple(start for start, _ in self._of_kind("source"))

    @cached_property
    def plain(self) -> bool:
        """Whether there is nothing but voltages at contacts."""
        floating = [name for name in self.contacts if name not in self.sources]
        usual = plain_circuit(self.contacts, floating, self.temperature)
        return self.elements == usual.elements and self.nodes == usual.nodes

    @cached_property
    def start(self) -> Settings:
        """Settings before a protocol: 0 V, compliances and switches as the file gives them."""
        read = {
            name: np.array([one.parameters[name] for _, one in self._of_kind(kind)], dtype=float)
            for kind in ("source", "switch")
            for name in elements()[kind].inputs
        }
        logical = {name: read[name] > 0.5 for name in ("current", "closed")}
        return Settings(**{**read, **logical})

    def in_order_of(self, contacts: Sequence[str]) -> Circuit:
        """Return the same circuit with its contacts in another order."""
        node = dict(zip(self.contacts, self.contact_node, strict=True))
        ordered = tuple(node[name] for name in contacts)
        return dataclasses.replace(self, contacts=tuple(contacts), contact_node=ordered)

    def evaluate(self, unknowns: Floats, settings: Settings) -> Values:
        """Return residuals, charges and their slopes at the unknowns."""
        inputs = (getattr(settings, name) for name in INPUTS)
        given = np.concatenate([unknowns, *inputs])
        found = np.asarray(self._compiled(given, self.numbers, self.warmth))
        (residual, charge), (residual_slopes, charge_slopes) = found[..., -1], found[..., :-1]
        return Values(residual, charge, residual_slopes, charge_slopes)

    def source_currents(self, unknowns: Floats) -> Floats:
        """Return the current out of every source into its node [A]."""
        return np.asarray(unknowns[list(self.source_current)])

    def source_voltages(self, unknowns: Floats) -> Floats:
        """Return the voltage [V] across every source, its node less its return."""
        with_ground = np.append(unknowns, 0.0)
        return np.asarray(with_ground[list(self.source_node)] - with_ground[list(self.return_node)])

    @cached_property
    def wiring(self) -> Wiring:
        """What is joined to what, without the numbers of the elements."""
        pairs = zip(self.elements, self.own_start, strict=True)
        return Wiring(self.size, tuple(Wire(one.kind, one.nodes, first) for one, first in pairs))

    @cached_property
    def _compiled(self) -> Callable[[Floats, Numbers, jax.Array], jax.Array]:
        return _compiled(self.wiring)

    @cached_property
    def numbers(self) -> Numbers:
        """Numbers of all elements by kind and name, inputs as they are at the start."""
        return {
            law.name: {
                one.name: jnp.array([e.parameters[one.name] for _, e in self._of_kind(law.name)])
                for one in law.parameters
            }
            for law, _ in self.wiring.kinds()
        }

    @cached_property
    def warmth(self) -> jax.Array:
        """Thermal voltage [V]."""
        return jnp.asarray(thermal_voltage(self.temperature))

    def held(self, settings: Settings) -> tuple[Bools, Floats]:
        """Return which unknowns need not be solved for, and their values.

        A voltage without compliance against ground fixes its node; the source's current
        then follows from Kirchhoff's law, and stands here as 0.
        """
        known, values = np.zeros(self.size, dtype=bool), np.zeros(self.size)
        free = np.isinf(settings.positive) & np.isinf(settings.negative) & ~settings.current
        count = len(elements()["source"].own)
        for number in np.flatnonzero(free & (np.asarray(self.return_node, dtype=int) < 0)):
            first = self.source_current[number]
            known[self.source_node[number]] = True
            values[self.source_node[number]] = settings.value[number]
            known[first : first + count] = True
        return known, values

    def describe(self) -> Iterator[str]:
        """Yield lines that say which elements and contacts are at which nodes."""
        for one in self.elements:
            yield f"  {one.name:<12} {one.kind} {_ends(self, one)}{_numbers(one)}"
        for name, node in zip(self.contacts, self.contact_node, strict=True):
            yield f"  {name:<12} contact at {self.node_name(node)}"
        yield f"  unknowns     {', '.join(self.unknowns)}"

    def node_name(self, number: int) -> str:
        """Return the name of a node, ``ground`` for -1."""
        return GROUND if number < 0 else self.nodes[number]


@functools.cache
def _compiled(wiring: Wiring) -> Callable[[Floats, Numbers, jax.Array], jax.Array]:
    """Function of unknowns and inputs in one array: a call costs less than with many.

    Its result is (2, n, n + 1), residuals and charges, slopes before values.
    """
    of_unknowns, size = equations(wiring), wiring.size
    counts = [sum(name in law.inputs for law, w in wiring.kinds() for _ in w) for name in INPUTS]
    bounds = [int(n) for n in size + np.cumsum([0, *counts])]

    def of(given: jax.Array, numbers: Numbers, warmth: jax.Array) -> jax.Array:
        places = zip(INPUTS, pairwise(bounds), strict=True)
        inputs = {name: given[first:last] for name, (first, last) in places}

        def both(unknowns: jax.Array) -> tuple[jax.Array, jax.Array]:
            found = jnp.stack(of_unknowns(unknowns, inputs, numbers, warmth))
            return found, found

        slopes, values = jax.jacfwd(both, has_aux=True)(given[:size])
        return jnp.concatenate([slopes, values[..., None]], axis=-1)

    return jax.jit(of)


def contact_of(copy: str, contact: str) -> str:
    """Name of a contact of a copy; a single device without a name keeps it."""
    return f"{copy}.{contact}" if copy else contact


def plain_circuit(contacts: Sequence[str], floating: Sequence[str], temperature: float) -> Circuit:
    """Return a circuit of one voltage source at every contact that does not float.

    Every contact is a node of its own name, and a source has the name of its contact.
    """
    driven = [(number, name) for number, name in enumerate(contacts) if name not in floating]
    sources = tuple(source(name, number) for number, name in driven)
    names = tuple(contacts)
    return Circuit(names, names, tuple(range(len(names))), sources, temperature)


def source(
    name: str,
    node: int,
    back: int = -1,
    positive: float = np.inf,
    negative: float = np.inf,
    value: float = 0.0,
) -> Element:
    """Return a source of a voltage `value` [V] at a node with its compliances [A]."""
    numbers = {"value": value, "current": 0.0, "positive": positive, "negative": negative}
    return Element(name, "source", (node, back), numbers)


def _ends(circuit: Circuit, one: Element) -> str:
    pairs = zip(one.law.terminals, one.nodes, strict=True)
    return ", ".join(f"{name} at {circuit.node_name(node)}" for name, node in pairs)


def _numbers(one: Element) -> str:
    found = (_shown(entry, one.parameters[entry.name]) for entry in one.law.parameters)
    return "".join(f", {part}" for part in found if part)


def _shown(entry: Parameter | Choice, value: float) -> str:
    """A parameter in words; nothing for what a protocol sets anyway or what is not there."""
    if entry.name in ("value", "current") or np.isinf(value):
        return ""
    if isinstance(entry, Choice):
        word = next(word for word, number in entry.options if number == value)
        return f"{entry.name} {word}".lower()
    what = f"{entry.name} compliance" if entry.unit == "A" else entry.name
    return f"{what} {value:g}{'' if entry.unit == '1' else f' {entry.unit}'}"
