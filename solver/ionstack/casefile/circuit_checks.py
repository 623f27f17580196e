"""Checks of the section `circuit`: names, nodes that hang in the air, sources that clash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from ionstack.casefile.case_subject import Subject
from ionstack.casefile.circuit_schema import CircuitModel, CrossbarModel
from ionstack.casefile.netlist import Netlist, Part, netlist
from ionstack.casefile.nucleation_schema import NUCLEATION
from ionstack.circuits.circuit import GROUND, contact_of
from ionstack.circuits.crossbar import SCHEMES, Crossbar
from ionstack.errors import nearest
from ionstack.physics.catalogue import elements
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem


def single_sources(subject: Subject) -> list[str]:
    """Return the names of the sources; without a circuit those of the contacts."""
    given = _given(subject)
    return _contacts(subject) if given is None else [part.name for part in given.sources]


def cells(subject: Subject) -> list[str]:
    """Return the names of an array's cells, each also with every scheme."""
    given = _given(subject)
    if given is None or given.crossbar is None:
        return []
    names = (name for name, _, _ in Crossbar(*given.crossbar, 0.0).devices())
    return [one for name in names for one in (name, *(f"{name}/{s}" for s in SCHEMES))]


def probed(subject: Subject) -> list[str]:
    """Return the contacts of all devices, whose impedance can be taken."""
    given, contacts = _given(subject), _contacts(subject)
    if given is None or given.single:
        return contacts
    return [contact_of(one.name, name) for one in given.devices for name in contacts]


def switches(subject: Subject) -> list[str]:
    """Return the names of the switches."""
    given = _given(subject)
    return [] if given is None else [one.name for one in given.elements if one.kind == "switch"]


def random_events(subject: Subject) -> list[str]:
    """Return the names of events that come at random, at contacts and in elements."""
    given, nuclei = _given(subject), subject.case.nucleation
    found = [f"{one}.{NUCLEATION}" for one in probed(subject) if one.rpartition(".")[2] in nuclei]
    for one in () if given is None else given.elements:
        found += [f"{one.name}.{event.name}" for event in elements()[one.kind].events]
    return found


def measurable(subject: Subject) -> list[str]:
    """Return the names of what a trace has voltage and current of: contacts and sources."""
    contacts = probed(subject)
    return [*contacts, *(name for name in single_sources(subject) if name not in contacts)]


def _contacts(subject: Subject) -> list[str]:
    return [electrode.name for electrode in subject.stack.electrodes]


def _given(subject: Subject) -> Netlist | None:
    """The netlist of a case; None without one, and where its names do not fit."""
    section, contacts = subject.case.circuit, _contacts(subject)
    if section is None or any(_name_problems(subject, section, contacts)):
        return None
    return netlist(section, contacts)


def circuit_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what is wrong with the circuit of a case, if it has one."""
    section = subject.case.circuit
    if section is None:
        return
    contacts = [electrode.name for electrode in subject.stack.electrodes]
    yield from _floating_contacts(subject)
    names = list(_name_problems(subject, section, contacts))
    yield from names
    if names:
        return
    given = netlist(section, contacts)
    yield from _duplicates(subject, given)
    ends = list(_end_problems(subject, given))
    yield from ends
    if not ends:
        yield from _floating_nodes(subject, given)
        yield from _loops(subject, given)


def _floating_contacts(subject: Subject) -> Iterator[Problem]:
    for name, contact in subject.case.contacts.items():
        if contact.floating:
            message = "the circuit decides what a contact is joined to; take it out"
            yield subject.problem(("contacts", name, "floating"), message)


def _name_problems(
    subject: Subject, section: CircuitModel, contacts: Sequence[str]
) -> Iterator[Problem]:
    """Contacts that the stack does not have, and contacts without a node."""
    for name, nodes in (section.devices or {}).items():
        at = ("circuit", "devices", name)
        for contact in nodes:
            if contact not in contacts:
                message = not_among("contact", contact, contacts)
                yield subject.problem((*at, contact), message, of_key=True)
        missing = [contact for contact in contacts if contact not in nodes]
        if missing:
            message = f"no node for {', '.join(missing)}; every contact needs one"
            yield subject.problem(at, message, of_key=True)
    if section.crossbar is not None:
        yield from _crossbar_problems(subject, section.crossbar, contacts)


def _crossbar_problems(
    subject: Subject, read: CrossbarModel, contacts: Sequence[str]
) -> Iterator[Problem]:
    at = ("circuit", "crossbar")
    for key, contact in (("top", read.top), ("bottom", read.bottom)):
        if contact is not None and contact not in contacts:
            yield subject.problem((*at, key), not_among("contact", contact, contacts))
    if read.top is not None and read.top == read.bottom:
        yield subject.problem((*at, "bottom"), f"{read.top} is the contact of the rows already")


def _duplicates(subject: Subject, given: Netlist) -> Iterator[Problem]:
    """Names of devices, sources and elements appear together in tables and figures."""
    first: dict[str, Part] = {}
    # Parts that the section makes by itself first: what is written is the mistake.
    for part in sorted(given.parts, key=lambda part: len(part.keys)):
        other = first.setdefault(part.name, part)
        if other is not part:
            made = f"a {other.kind} of this name is there by itself"
            place = ".".join(str(key) for key in other.keys)
            used = made if other.keys in _MAKERS else f"already used by {place}"
            message = f"duplicate name {part.name!r}; {used}"
            yield subject.problem(part.keys, message, of_key=True)


def _end_problems(subject: Subject, given: Netlist) -> Iterator[Problem]:
    """Nodes to which nothing else is joined, and parts that begin where they end."""
    counts: dict[str, int] = {}
    for part in given.parts:
        for node in part.nodes.values():
            counts[node] = counts.get(node, 0) + 1
    known = [GROUND, *(node for node, count in counts.items() if count > 1 and node != GROUND)]
    for part in given.parts:
        for terminal, node in part.nodes.items():
            if node != GROUND and counts[node] == 1:
                listed = f"nodes: {', '.join(known)}{nearest(node, known)}"
                message = f"nothing else is joined to node {node!r}; {listed}"
                yield subject.problem(part.place(terminal), message)
        yield from _short_circuits(subject, part)


def _short_circuits(subject: Subject, part: Part) -> Iterator[Problem]:
    ends = list(part.nodes.items())
    if part.kind == "source" and part.nodes["node"] == GROUND:
        message = "a source drives a node other than ground"
        yield subject.problem(part.place("node"), message)
    elif len(ends) == 2 and ends[0][1] == ends[1][1] and part.name:
        message = f"{part.name} begins and ends at {ends[0][1]!r}"
        yield subject.problem(part.place(ends[1][0]), message)


class _Joined:
    """Sets of nodes that are joined, grown pair by pair."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, node: str) -> str:
        """The node that stands for all that are joined to this one."""
        while (above := self._parent.get(node, node)) != node:
            node = above
        return node

    def join(self, a: str, b: str) -> bool:
        """Join two nodes; False if they were joined already."""
        roots = self.root(a), self.root(b)
        self._parent[roots[0]] = roots[1]
        return roots[0] != roots[1]


def _floating_nodes(subject: Subject, given: Netlist) -> Iterator[Problem]:
    """Groups of nodes from which no steady current can flow to ground."""
    joined = _Joined()
    for part in given.parts:
        for a, b in part.paths():
            joined.join(a, b)
    groups: dict[str, list[str]] = {}
    for node in given.nodes:
        if joined.root(node) != joined.root(GROUND):
            groups.setdefault(joined.root(node), []).append(node)
    for nodes in groups.values():
        message = (
            f"no conducting path from {' and '.join(nodes)} to 'ground': "
            "capacitors and gates carry no steady current, a source or resistor would"
        )
        yield subject.problem(_first_place(given, nodes[0]), message)


def _first_place(given: Netlist, node: str) -> Keys:
    places = (
        part.place(terminal)
        for part in given.parts
        for terminal, name in part.nodes.items()
        if name == node
    )
    return next(places)


def _loops(subject: Subject, given: Netlist) -> Iterator[Problem]:
    """Loops of sources without compliance and wires, where voltages contradict each other."""
    ideal = [part for part in (*given.sources, *given.elements) if _ideal(part)]
    clashing = set()
    for one, other in combinations((part for part in ideal if part.kind == "source"), 2):
        if set(one.nodes.values()) == set(other.nodes.values()):
            clashing.add(other.name)
            message = f"{one.name} drives node {other.nodes['node']!r} already; {_ADVICE}"
            yield subject.problem(other.place("node"), message)
    joined = _Joined()
    for part in ideal:
        a, b = part.nodes.values()
        if part.name not in clashing and not joined.join(a, b):
            message = f"closes a loop of sources and wires without resistance; {_ADVICE}"
            yield subject.problem(part.keys, message, of_key=True)


# Where parts stand that nobody wrote.
_MAKERS: tuple[Keys, ...] = (("circuit",), ("circuit", "crossbar"))
_ADVICE = "put a resistor between, or give one a compliance of both signs"


def _ideal(part: Part) -> bool:
    """Whether the voltage between the ends does not depend on the current."""
    numbers: Mapping[str, float] = part.parameters
    if part.kind == "source":
        return any(np.isinf(numbers.get(name, np.inf)) for name in ("positive", "negative"))
    return 0.0 in (numbers.get("resistance"), numbers.get("on"))
