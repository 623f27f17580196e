"""Netlist of a case: devices, sources and elements with the names of their nodes.

Written from the section `circuit` and what it leaves out; checked by `circuit_checks`,
then numbered as a `Circuit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from ionstack.casefile.circuit_schema import CircuitModel, CrossbarModel, SourceModel
from ionstack.circuits.circuit import GROUND, Circuit, Element, contact_of, source
from ionstack.circuits.crossbar import SCHEMES, Crossbar, Scheme, cell_factors
from ionstack.physics.catalogue import elements
from ionstack.reading.yaml_source import Keys

DEVICE = "device"


@dataclass(frozen=True)
class Part:
    """A device or an element: its nodes by terminal (of a device: by contact).

    `keys` say where in the file it stands, `places` the same of its nodes.
    """

    name: str
    kind: str
    nodes: Mapping[str, str]
    keys: Keys
    parameters: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, Keys] = field(default_factory=dict)

    def place(self, terminal: str) -> Keys:
        """Return the keys of the node at a terminal."""
        return self.places.get(terminal, self.keys)

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield pairs of nodes between which a steady current can flow."""
        if self.kind == DEVICE:
            ends = list(self.nodes)
            pairs: Iterable[tuple[str, str]] = pairwise(ends)
        else:
            pairs = elements()[self.kind].paths
        for a, b in pairs:
            yield self.nodes[a], self.nodes[b]


@dataclass(frozen=True)
class Netlist:
    """All parts of a circuit; `single` is a device whose contacts keep their bare names."""

    devices: tuple[Part, ...]
    sources: tuple[Part, ...]
    elements: tuple[Part, ...]
    single: bool
    crossbar: tuple[int, int] | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Devices, sources and elements."""
        return (*self.devices, *self.sources, *self.elements)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes other than ground, in the order in which parts name them."""
        named = (node for part in self.parts for node in part.nodes.values())
        return tuple(dict.fromkeys(node for node in named if node != GROUND))


def netlist(section: CircuitModel, contacts: Sequence[str]) -> Netlist:
    """Return the netlist of a section for a stack with these contacts, top first.

    A section with neither `devices` nor `crossbar` has one device whose contacts are nodes
    of their own names; contacts that nothing drives get a source of their name. So do the
    lines of a crossbar.
    """
    sources = tuple(_source(name, read) for name, read in section.sources.items())
    parts = tuple(_elements(section))
    if section.crossbar is not None:
        return _array(section.crossbar, contacts, sources, parts)
    if section.devices is not None:
        devices = (_device(name, nodes, contacts) for name, nodes in section.devices.items())
        return Netlist(tuple(devices), sources, parts, single=False)
    device = Part("", DEVICE, {name: name for name in contacts}, ("circuit",))
    joined = {node for part in (*sources, *parts) for path in part.paths() for node in path}
    usual = (_usual(name, ("circuit",)) for name in contacts if name not in joined)
    return Netlist((device,), (*sources, *usual), parts, single=True)


def numbered(given: Netlist, temperature: float) -> Circuit:
    """Return the circuit of a checked netlist at a temperature [K]."""
    numbers = {GROUND: -1} | {name: number for number, name in enumerate(given.nodes)}
    ends = [(part.name, *end) for part in given.devices for end in part.nodes.items()]
    return Circuit(
        given.nodes,
        tuple(contact_of(device, contact) for device, contact, _ in ends),
        tuple(numbers[node] for _, _, node in ends),
        tuple(_element(part, numbers) for part in (*given.sources, *given.elements)),
        temperature,
        tuple(part.name for part in given.devices),
        given.crossbar,
    )


def _element(part: Part, numbers: Mapping[str, int]) -> Element:
    nodes = tuple(numbers[part.nodes[name]] for name in elements()[part.kind].terminals)
    if part.kind == "source":
        return source(part.name, nodes[0], nodes[1], **part.parameters)
    return Element(part.name, part.kind, nodes, part.parameters)


def _source(name: str, read: SourceModel) -> Part:
    keys = ("circuit", "sources", name)
    nodes = {"node": read.node, "return": read.back}
    places = {end: (*keys, end) for end in nodes}
    numbers = {**dict(read.compliance), "value": read.bias}
    return Part(name, "source", nodes, keys, numbers, places)


def _usual(name: str, keys: Keys) -> Part:
    """A source without compliance that nobody wrote, at the node of its name."""
    return Part(name, "source", {"node": name, "return": GROUND}, keys)


def _elements(section: CircuitModel) -> Iterator[Part]:
    for name, read in section.elements.items():
        keys = ("circuit", "elements", name)
        listed = tuple(read.nodes) == ("a", "b")
        ends = enumerate(read.nodes)
        places = {end: (*keys, "nodes", number if listed else end) for number, end in ends}
        yield Part(name, read.kind, read.nodes, keys, read.parameters, places)


def _device(name: str, nodes: Mapping[str, str], contacts: Sequence[str]) -> Part:
    keys = ("circuit", "devices", name)
    ordered = {contact: nodes[contact] for contact in contacts if contact in nodes}
    places = {contact: (*keys, contact) for contact in ordered}
    return Part(name, DEVICE, ordered, keys, {}, places)


def _array(
    read: CrossbarModel, contacts: Sequence[str], sources: tuple[Part, ...], parts: tuple[Part, ...]
) -> Netlist:
    keys = ("circuit", "crossbar")
    array = Crossbar(read.rows, read.columns, read.wire_resistance)
    upper = read.top or next(name for name in contacts if name != read.bottom)
    devices = (
        Part(name, DEVICE, {end: above if end == upper else below for end in contacts}, keys)
        for name, above, below in array.devices()
    )
    resistance = {"resistance": array.wire_resistance}
    wires = (
        Part(name, "resistor", {"a": a, "b": b}, keys, resistance) for name, a, b in array.wires()
    )
    driven = {part.nodes["node"] for part in sources}
    usual = (_usual(name, keys) for name in array.lines if name not in driven)
    size = (array.rows, array.columns)
    return Netlist(tuple(devices), (*usual, *sources), (*wires, *parts), False, size)


def cells_of(circuit: Circuit, scheme: Scheme) -> dict[str, dict[str, float]]:
    """Return the shares of the sources that select each cell of an array, by cell.

    ``M1_2`` takes the scheme given, ``M1_2/third`` and so on another one. Sources are those
    at the lines, whatever their names.
    """
    assert circuit.crossbar is not None
    rows, columns = circuit.crossbar
    names = {circuit.nodes[node]: name for node, name in _driven_nodes(circuit)}
    found = {}
    for cell in product(range(1, rows + 1), range(1, columns + 1)):
        for one in SCHEMES:
            factors = cell_factors(rows, columns, cell, one)
            shares = {names[line]: share for line, share in factors.items() if line in names}
            found[f"M{cell[0]}_{cell[1]}/{one}"] = shares
        found["M{}_{}".format(*cell)] = found["M{}_{}/{}".format(*cell, scheme)]
    return found


def _driven_nodes(circuit: Circuit) -> Iterator[tuple[int, str]]:
    yield from zip(circuit.source_node, circuit.sources, strict=True)
