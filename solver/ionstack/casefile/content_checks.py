"""Checks of the contents at the start: which are needed, and which follow by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ionstack.casefile.case_subject import Part, Subject
from ionstack.geometry.stack import Layer
from ionstack.reading.law_choice import LawChoice
from ionstack.reading.materials import Material
from ionstack.reading.yaml_source import Problem


def content_problems(subject: Subject) -> Iterator[Problem]:
    """Yield contents that are missing, superfluous, or outside the tables of the laws."""
    for species in subject.case.species:
        for part in subject.parts(species):
            yield from _part_problems(subject, species, part)
    for layer in subject.stack.layers:
        held = subject.held(layer.name)
        for species in subject.case.content.get(layer.name, {}):
            if species not in held:
                message = f"the material of {layer.name} does not hold {species}"
                yield subject.problem(("content", layer.name, species), message, of_key=True)
        yield from _range_problems(subject, layer, held)
        yield from _profile_problems(subject, layer)


def _part_problems(subject: Subject, species: str, part: Part) -> Iterator[Problem]:
    """Layers that exchange a species: all contents or none, as the start wants it."""
    content = subject.case.content
    given = [layer for layer in part.layers if species in content.get(layer, {})]
    as_given = subject.case.start == "as_given"
    if part.supplied and not as_given:
        message = f"{species} is exchanged with a contact: its content follows from equilibrium"
        for layer in given:
            yield subject.problem(("content", layer, species), message, of_key=True)
    if part.supplied and not (as_given and given):
        return
    for layer in part.layers:
        if layer not in given:
            also = f"; {given[0]} has one, and they exchange {species}" if part.supplied else ""
            message = f"missing; {layer} holds {species}, for instance '{species}: 0.5'{also}"
            yield subject.problem(("content", layer, species), message)


def _range_problems(subject: Subject, layer: Layer, held: Sequence[str]) -> Iterator[Problem]:
    """Contents outside the tables of a layer's laws, which take a content as ``x``."""
    given = subject.case.content.get(layer.name, {})
    for owner, part, choice in _layer_laws(subject.materials[layer.material], held):
        whose = choice.couples or owner
        for name, curve in choice.curves.items():
            x = given.get(whose)
            if isinstance(x, float) and not curve.covers("x", x):
                what = f"table of {layer.material}, {owner}.{part}.{name}"
                message = f"outside the {what}: x = {curve.lower:g} to {curve.upper:g}"
                yield subject.problem(("content", layer.name, whose), message)


def _profile_problems(subject: Subject, layer: Layer) -> Iterator[Problem]:
    """Contents that depend on the place stay as they are, on sites of their own."""
    species = subject.materials[layer.material].species
    for name, given in subject.case.content.get(layer.name, {}).items():
        if isinstance(given, float):
            continue
        message = ""
        if subject.case.start != "as_given":
            message = "a content by place needs 'start: as_given'"
        elif subject.case.mechanics is not None:
            message = "a content by place has no stress yet; give one number"
        elif name in species and species[name].sublattice is not None:
            message = "a content by place needs sites of its own; give one number"
        if message:
            yield subject.problem(("content", layer.name, name), message)


def _layer_laws(material: Material, held: Sequence[str]) -> Iterator[tuple[str, str, LawChoice]]:
    for name in held:
        record = material.species[name]
        yield name, "transport", record.transport
        if record.excess is not None:
            yield name, "excess", record.excess
