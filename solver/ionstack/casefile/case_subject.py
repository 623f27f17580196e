"""A case as read, with its tree, stack and materials: what the checks look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ionstack.casefile.case_schema import CaseModel
from ionstack.geometry.stack import Stack
from ionstack.reading.law_choice import LawChoice, registered
from ionstack.reading.materials import Material
from ionstack.reading.yaml_source import Keys, Node, Problem

Section = Literal["interfaces", "contacts"]


@dataclass(frozen=True)
class Part:
    """Neighbouring layers that exchange a species, and whether a contact supplies it."""

    layers: tuple[str, ...]
    supplied: bool


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

    def material(self, layer: str) -> Material:
        """Return the material of a layer."""
        name = next(entry.material for entry in self.stack.layers if entry.name == layer)
        return self.materials[name]

    def held(self, layer: str) -> list[str]:
        """Return the species of the case that a layer's material holds."""
        species = self.material(layer).species
        return [name for name in self.case.species if name in species]

    def laws(self, section: Section, name: str) -> dict[str, LawChoice]:
        """Return the laws by species of an interface or contact, none if it is not given."""
        given = getattr(self.case, section).get(name)
        return {} if given is None else dict(given.laws)

    def neutral(self, layer: str) -> bool:
        """Whether the case makes a layer neutral."""
        return layer in self.case.layers and self.case.layers[layer].neutral

    def parts(self, species: str) -> list[Part]:
        """Split the layers that hold a species where nothing passes between them."""
        layers = [entry.name for entry in self.stack.layers if species in self.held(entry.name)]
        groups: list[list[str]] = []
        for layer in layers:
            if groups and self._passes_between(groups[-1][-1], layer, species):
                groups[-1].append(layer)
            else:
                groups.append([layer])
        ends = self._supplied_ends(species)
        return [Part(tuple(group), bool(ends & set(group))) for group in groups]

    def _passes_between(self, upper: str, lower: str, species: str) -> bool:
        laws = interface_laws(self.case, self.stack)
        name = next((key for key in laws if key in (f"{upper}/{lower}", f"{lower}/{upper}")), "")
        return _passes("interface", laws.get(name, {}), species)

    def _supplied_ends(self, species: str) -> set[str]:
        """Layers at a contact that lets the species through."""
        ends = (self.stack.layers[0], self.stack.layers[-1])
        pairs = zip(self.stack.electrodes, ends, strict=True)
        return {
            layer.name
            for electrode, layer in pairs
            if _passes("contact", self.laws("contacts", electrode.name), species)
        }


def interface_keys(case: CaseModel, stack: Stack) -> list[str]:
    """Return the interfaces of the stack, from the top, under the keys given.

    The file may name the layers of an interface in either order.
    """
    given = case.interfaces
    pairs = ((name, turned(name)) for name in stack.interfaces)
    return [other if name not in given and other in given else name for name, other in pairs]


def interface_laws(case: CaseModel, stack: Stack) -> dict[str, dict[str, LawChoice]]:
    """Return the laws of all interfaces of the stack, from the top, under the keys given."""
    given = case.interfaces
    keys = interface_keys(case, stack)
    return {key: given[key].laws if key in given else {} for key in keys}


def turned(interface: str) -> str:
    """Return the name of an interface with its layers in the other order."""
    return "/".join(reversed(interface.split("/")))


def _passes(
    kind: Literal["interface", "contact"], laws: Mapping[str, LawChoice], name: str
) -> bool:
    return name in laws and registered(kind)[laws[name].kind].passes
