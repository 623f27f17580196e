"""Checks of a case against its stack and materials: do the names fit together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ionstack.case_schema import CaseModel
from ionstack.errors import nearest
from ionstack.law_choice import LawChoice, registered
from ionstack.materials import Material
from ionstack.schema import not_among
from ionstack.stack import Layer, Stack
from ionstack.yaml_source import Keys, Node, Problem


@dataclass(frozen=True)
class Subject:
    """What is checked: the case as read, its tree, its stack and its materials."""

    case: CaseModel
    node: Node
    stack: Stack
    materials: Mapping[str, Material]

    def problem(self, keys: Keys, message: str, *, of_key: bool = False) -> Problem:
        """Return a problem at these keys of the case file."""
        return Problem(self.node.place(keys, of_key=of_key), keys, message)

    def held(self, layer: str) -> list[str]:
        """Return the species of the case that a layer's material holds."""
        material = next(entry.material for entry in self.stack.layers if entry.name == layer)
        return [name for name in self.case.species if name in self.materials[material].species]


def case_problems(subject: Subject) -> Iterator[Problem]:
    """Yield every name that does not fit and every law that is missing."""
    names = list(_name_problems(subject))
    yield from names
    yield from _species_problems(subject)
    yield from _interface_problems(subject)
    yield from _contact_problems(subject)
    yield from _coupling_problems(subject)
    if not names:
        yield from _content_problems(subject)


def _name_problems(subject: Subject) -> Iterator[Problem]:
    case, stack = subject.case, subject.stack
    layers = [layer.name for layer in stack.layers]
    electrodes = [electrode.name for electrode in stack.electrodes]
    yield from _unknown(subject, ("content",), case.content, "layer", layers)
    either_order = [*stack.interfaces, *map(_reversed, stack.interfaces)]
    for name in case.interfaces:
        if name not in either_order:
            message = not_among("interface", name, stack.interfaces)
            yield subject.problem(("interfaces", name), message, of_key=True)
    yield from _unknown(subject, ("contacts",), case.contacts, "contact", electrodes)
    for section in ("content", "interfaces", "contacts"):
        for name, entries in getattr(case, section).items():
            yield from _unknown(subject, (section, name), entries, "species", list(case.species))
    for index, step in enumerate(case.protocol):
        kind = "sweep" if step.sweep is not None else "hold"
        contact = getattr(step, kind).contact
        if contact not in electrodes:
            keys = ("protocol", index, kind, "contact")
            yield subject.problem(keys, not_among("contact", contact, electrodes))


def _unknown(
    subject: Subject, at: Keys, names: Mapping[str, object], what: str, allowed: Sequence[str]
) -> Iterator[Problem]:
    for name in names:
        if name not in allowed:
            yield subject.problem((*at, name), not_among(what, name, allowed), of_key=True)


def _species_problems(subject: Subject) -> Iterator[Problem]:
    known = sorted({name for entry in subject.materials.values() for name in entry.species})
    for name in subject.case.species:
        if name not in known:
            listed = ", ".join(known)
            message = f"no layer holds {name!r}; they hold: {listed}{nearest(name, known)}"
            yield subject.problem(("species", name), message, of_key=True)


def _interface_problems(subject: Subject) -> Iterator[Problem]:
    for name in subject.stack.interfaces:
        upper, lower = (subject.held(side) for side in name.split("/"))
        keys = [key for key in subject.case.interfaces if key in (name, _reversed(name))]
        if len(keys) > 1:
            message = f"the same interface as {keys[0]}; give it once"
            yield subject.problem(("interfaces", keys[1]), message, of_key=True)
        shared = [species for species in upper if species in lower]
        at = ("interfaces", keys[0] if keys else name)
        yield from _law_problems(subject, at, shared, "both layers")


def _contact_problems(subject: Subject) -> Iterator[Problem]:
    ends = (subject.stack.layers[0], subject.stack.layers[-1])
    for electrode, layer in zip(subject.stack.electrodes, ends, strict=True):
        at = ("contacts", electrode.name)
        yield from _law_problems(subject, at, subject.held(layer.name), layer.name)


def _law_problems(
    subject: Subject, at: tuple[str, str], held: Sequence[str], where: str
) -> Iterator[Problem]:
    """One law for every species that can pass, and for no other."""
    section, name = at
    given: Mapping[str, LawChoice] = getattr(subject.case, section).get(name, {})
    kinds = ", ".join(registered("contact" if section == "contacts" else "interface"))
    missing = [species for species in held if species not in given]
    if missing:
        message = f"missing law for {', '.join(missing)}; allowed kinds: {kinds}"
        yield subject.problem(at, message, of_key=True)
    for species in given:
        if species in subject.case.species and species not in held:
            message = f"no law possible: {species} is not held by {where}"
            yield subject.problem((*at, species), message, of_key=True)


def _coupling_problems(subject: Subject) -> Iterator[Problem]:
    species = list(subject.case.species)
    for section in ("interfaces", "contacts"):
        for name, entries in getattr(subject.case, section).items():
            for entry, choice in entries.items():
                if choice.couples is not None and choice.couples not in species:
                    keys = (section, name, entry, "couples")
                    yield subject.problem(keys, not_among("species", choice.couples, species))
    for material in subject.materials.values():
        held = [name for name in species if name in material.species]
        for entry in held:
            couples = material.species[entry].transport.couples
            if couples is not None and couples not in held:
                place = ("materials", material.name, "species", entry, "transport", "couples")
                yield subject.problem(place, not_among("species", couples, held))


def _content_problems(subject: Subject) -> Iterator[Problem]:
    supplied = {name: _supplied(subject, name) for name in subject.case.species}
    for layer in subject.stack.layers:
        given = subject.case.content.get(layer.name, {})
        held = subject.held(layer.name)
        for species in held:
            if species not in given and layer.name not in supplied[species]:
                message = f"missing; {layer.name} holds {species}, for instance '{species}: 0.5'"
                yield subject.problem(("content", layer.name, species), message)
        for species in given:
            yield from _superfluous(subject, layer.name, species, held, supplied[species])
        yield from _range_problems(subject, layer, held)


def _range_problems(subject: Subject, layer: Layer, held: Sequence[str]) -> Iterator[Problem]:
    """Contents outside the tables of a layer's laws, which take a content as ``x``."""
    given = subject.case.content.get(layer.name, {})
    for owner, part, choice in _layer_laws(subject.materials[layer.material], held):
        whose = choice.couples or owner
        for name, curve in choice.curves.items():
            if whose in given and not curve.covers("x", given[whose]):
                what = f"table of {layer.material}, {owner}.{part}.{name}"
                message = f"outside the {what}: x = {curve.lower:g} to {curve.upper:g}"
                yield subject.problem(("content", layer.name, whose), message)


def _layer_laws(material: Material, held: Sequence[str]) -> Iterator[tuple[str, str, LawChoice]]:
    for name in held:
        record = material.species[name]
        yield name, "transport", record.transport
        if record.excess is not None:
            yield name, "excess", record.excess


def _superfluous(
    subject: Subject, layer: str, species: str, held: Sequence[str], supplied: set[str]
) -> Iterator[Problem]:
    keys = ("content", layer, species)
    if species not in held:
        yield subject.problem(keys, f"the material of {layer} does not hold {species}", of_key=True)
    elif layer in supplied:
        message = f"{species} is exchanged with a contact: its content follows from equilibrium"
        yield subject.problem(keys, message, of_key=True)


def _supplied(subject: Subject, species: str) -> set[str]:
    """Layers that exchange a species with a contact, directly or through other layers."""
    stack, case = subject.stack, subject.case
    between = list(interface_laws(case, stack).values())
    reached: set[str] = set()
    for electrode, layers, laws in (
        (stack.top, stack.layers, between),
        (stack.bottom, stack.layers[::-1], between[::-1]),
    ):
        steps = [case.contacts.get(electrode.name, {}), *laws]
        for layer, step in zip(layers, steps, strict=True):
            if species not in step or step[species].kind == "blocking":
                break
            reached.add(layer.name)
    return reached


def interface_laws(case: CaseModel, stack: Stack) -> dict[str, dict[str, LawChoice]]:
    """Return the laws of all interfaces of the stack, from the top, under the keys given.

    The file may name the layers of an interface in either order.
    """
    given = case.interfaces
    keys = [name if name in given else _reversed(name) for name in stack.interfaces]
    pairs = zip(keys, stack.interfaces, strict=True)
    return {key if key in given else name: given.get(key, {}) for key, name in pairs}


def _reversed(interface: str) -> str:
    return "/".join(reversed(interface.split("/")))
