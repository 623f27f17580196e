"""Heat that flows and reactions make: rate times fall of the electrochemical potential.

Of every flow along an edge, through an interface or into a metal, and of every reaction,
whatever its law: the rows of its term say what it takes and brings, and the potentials
there what that is worth. Half of an edge's or interface's heat goes to each end; a
contact's is made on the side of the layer. Nothing is left over: in a steady state the
sum is that of current times voltage at the contacts.

Heat that the carriers move with them (Peltier and Thomson, and that of transport) is left
out. A flux by the Soret effect may run up the electrochemical potential and cool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ionstack.assembly.assemble import System
from ionstack.assembly.terms import Term
from ionstack.output.names import electrochemical_potential
from ionstack.physics.constants import ELEMENTARY_CHARGE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Into:
    """A flow of one species into a metal: where its values stand, and what it is worth there."""

    positions: slice
    contact: int
    charge: float
    numbers: str


class HeatSources:
    """Heat at the nodes of one rank, from the terms' values at the present unknowns."""

    def __init__(self, system: System) -> None:
        self._system = system
        terms = list(_flows(system))
        self._falls = _falls(system, terms)
        self._shares = _shares(system, terms)
        self._into = [_into(system, term, at) for term, at in terms if term.contact is not None]

    def at_nodes(self, fields: Mapping[str, Floats]) -> Floats:
        """Heat [W] at all local nodes; complete at the nodes of owned vertices.

        `fields` are those of `NodeFields` at the present unknowns.
        """
        system = self._system
        names = system.equations.model.valences
        potentials = [fields[electrochemical_potential(name)] for name in names]
        fall = self._falls @ np.concatenate([*potentials, np.zeros(1)])
        for one in self._into:
            fall[one.positions] -= self._level(one)
        return np.asarray(self._shares @ (ELEMENTARY_CHARGE * fall * system.flows()))

    def _level(self, one: _Into) -> float:
        """Electrochemical potential [eV] of the species in the metal."""
        offset = self._system.equations.numbers[one.numbers].get("chemical_potential")
        own = one.charge * float(self._system.voltages[one.contact])
        return own if offset is None else own + float(offset.value)


def _flows(system: System) -> Iterator[tuple[Term, int]]:
    """Terms that make heat, with the position of their first value.

    That of lithium which air binds is not counted: nothing says where it goes.
    """
    start = 0
    for term in system.equations.terms:
        if term.weight == "flow" and term.places:
            yield term, start
        start += term.size


def _species(system: System, rows: Ints) -> Ints:
    """Number, among the species of the model, of those that rows balance."""
    numbers = {name: k for k, name in enumerate(system.equations.model.valences)}
    by_field = np.array([-1, *(numbers.get(name, -1) for name in system.layout.names)])
    return by_field[system.layout.field[rows]]


def _into(system: System, term: Term, start: int) -> _Into:
    assert term.contact is not None
    field = int(system.layout.field[term.rows[0][0][0]]) if term.size else 1
    key = f"{system.equations.volumes.contacts[term.contact]}/{system.layout.names[field - 1]}"
    return _Into(slice(start, start + term.size), term.contact, term.charge, key)


def _size(system: System) -> int:
    return sum(term.size for term in system.equations.terms)


def _falls(system: System, terms: list[tuple[Term, int]]) -> csr_array:
    """From potentials of all species at the nodes to what each flow loses (n_values, ...)."""
    n_nodes = len(system.equations.volumes.node_region)
    parts: list[tuple[Ints, Ints, Floats]] = []
    for term, start in terms:
        for (rows, factor), nodes in zip(term.rows, term.places, strict=True):
            positions = np.arange(start, start + term.size)
            columns = _species(system, rows) * n_nodes + nodes
            parts.append((positions, columns, np.full(term.size, float(factor))))
    width = len(system.equations.model.valences) * n_nodes + 1
    return _matrix(parts, (_size(system), width))


def _shares(system: System, terms: list[tuple[Term, int]]) -> csr_array:
    """From heat of the flows to heat at the nodes (n_nodes, n_values)."""
    n_nodes = len(system.equations.volumes.node_region)
    parts: list[tuple[Ints, Ints, Floats]] = []
    for term, start in terms:
        for nodes in term.places:
            positions = np.arange(start, start + term.size)
            parts.append((nodes, positions, np.full(term.size, 1.0 / len(term.places))))
    return _matrix(parts, (n_nodes, _size(system)))


def _matrix(parts: list[tuple[Ints, Ints, Floats]], shape: tuple[int, int]) -> csr_array:
    empty = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    rows, columns, values = (np.concatenate(one) for one in zip(empty, *parts, strict=True))
    return csr_array(coo_array((values, (rows, columns)), shape=shape))
