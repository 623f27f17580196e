"""Checks of a case against its stack and materials: do the names fit together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ionstack.casefile.ambient_checks import ambient_problems
from ionstack.casefile.case_subject import Section, Subject, turned
from ionstack.casefile.circuit_checks import circuit_problems
from ionstack.casefile.content_checks import content_problems
from ionstack.casefile.ensemble_scatter import scattered_numbers
from ionstack.casefile.gap_checks import gap_problems
from ionstack.casefile.heat_checks import heat_problems
from ionstack.casefile.instrument_checks import instrument_problems
from ionstack.casefile.mechanics_checks import mechanics_problems
from ionstack.casefile.noise_checks import noise_problems
from ionstack.casefile.nucleation_checks import nucleation_problems
from ionstack.casefile.physics_checks import physics_problems
from ionstack.casefile.protocol_checks import protocol_names, timed_steps
from ionstack.casefile.reference_values import reference_values
from ionstack.errors import nearest
from ionstack.physics.catalogue import elements
from ionstack.reading.law_choice import registered
from ionstack.reading.schema import known_keys, not_among
from ionstack.reading.yaml_source import Keys, Problem

_SECTIONS: tuple[Section, Section] = ("interfaces", "contacts")


def case_problems(subject: Subject) -> Iterator[Problem]:
    """Yield every name that does not fit and every law that is missing."""
    names = [*_name_problems(subject), *protocol_names(subject)]
    yield from names
    yield from _species_problems(subject)
    yield from _interface_problems(subject)
    yield from _contact_problems(subject)
    yield from _coupling_problems(subject)
    yield from circuit_problems(subject)
    yield from _ensemble_problems(subject)
    yield from _reference_problems(subject)
    yield from instrument_problems(subject)
    yield from ambient_problems(subject)
    yield from heat_problems(subject)
    yield from mechanics_problems(subject)
    yield from nucleation_problems(subject)
    yield from noise_problems(subject)
    if not names:
        yield from physics_problems(subject)
        yield from gap_problems(subject)
        yield from content_problems(subject)


def circuit_case_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what is wrong with a case that is a circuit alone."""
    section = subject.case.circuit
    assert section is not None
    given = {"devices": section.devices, "crossbar": section.crossbar}
    needs = [key for key, one in given.items() if one is not None]
    for key in needs:
        message = "needs a stack that the devices are made of: add 'stack' and 'species'"
        yield subject.problem(("circuit", key), message, of_key=True)
    if needs:
        return
    yield from _surroundings_problems(subject)
    yield from protocol_names(subject)
    yield from circuit_problems(subject)
    yield from _ensemble_problems(subject)
    yield from _reference_problems(subject)
    yield from instrument_problems(subject)


def _surroundings_problems(subject: Subject) -> Iterator[Problem]:
    for index, step in enumerate(subject.case.protocol):
        for at, leaf in step.parts(("protocol", index)):
            if leaf.ambient is not None:
                message = "a circuit alone has no surroundings; its temperature is that of the case"
                yield subject.problem((*at, "ambient"), message, of_key=True)


def _reference_problems(subject: Subject) -> Iterator[Problem]:
    """Values for steps that no limit ends, and formulas that cannot be evaluated."""
    given = subject.case.references
    timed = timed_steps(subject)
    for name in given:
        if name not in timed:
            message = not_among("step with a name and 'until'", name, timed)
            yield subject.problem(("references", name), message, of_key=True)
    found = reference_values(subject.node, given)
    yield from (one for one in found if isinstance(one, Problem))


def _ensemble_problems(subject: Subject) -> Iterator[Problem]:
    """An ensemble of a case in which nothing is random, and numbers that cannot scatter."""
    circuit, ensemble = subject.case.circuit, subject.case.ensemble
    if ensemble is None:
        return
    found = scattered_numbers(subject.node, ensemble.scatter)
    yield from (one for one in found if isinstance(one, Problem))
    kinds = () if circuit is None else (one.kind for one in circuit.elements.values())
    drawn = subject.case.nucleation or subject.case.noise
    random = drawn or any(elements()[one].events for one in kinds)
    if not ensemble.scatter and not random:
        having = ", ".join(name for name, law in elements().items() if law.events)
        message = (
            "nothing in this case is random, all members would be alike; give numbers that "
            "'scatter', a section nucleation or noise, or circuit elements with random events: "
            f"{having}"
        )
        yield subject.problem(("ensemble",), message, of_key=True)


def _name_problems(subject: Subject) -> Iterator[Problem]:
    case, stack = subject.case, subject.stack
    layers = [layer.name for layer in stack.layers]
    electrodes = [electrode.name for electrode in stack.electrodes]
    yield from _unknown(subject, ("content",), case.content, "layer", layers)
    yield from _unknown(subject, ("layers",), case.layers, "layer", layers)
    either_order = [*stack.interfaces, *map(turned, stack.interfaces)]
    for name in case.interfaces:
        if name not in either_order:
            message = not_among("interface", name, stack.interfaces)
            yield subject.problem(("interfaces", name), message, of_key=True)
    yield from _unknown(subject, ("contacts",), case.contacts, "contact", electrodes)
    for name, contents in case.content.items():
        yield from _unknown(subject, ("content", name), contents, "species", list(case.species))
    for section in _SECTIONS:
        for name, entry in getattr(case, section).items():
            allowed = [*case.species, *known_keys(type(entry))]
            yield from _unknown(subject, (section, name), entry.laws, "species or key", allowed)


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
        keys = [key for key in subject.case.interfaces if key in (name, turned(name))]
        if len(keys) > 1:
            message = f"the same interface as {keys[0]}; give it once"
            yield subject.problem(("interfaces", keys[1]), message, of_key=True)
        shared = [species for species in upper if species in lower]
        at: tuple[Section, str] = ("interfaces", keys[0] if keys else name)
        yield from _law_problems(subject, at, shared, "both layers")


def _contact_problems(subject: Subject) -> Iterator[Problem]:
    ends = (subject.stack.layers[0], subject.stack.layers[-1])
    for electrode, layer in zip(subject.stack.electrodes, ends, strict=True):
        at: tuple[Section, str] = ("contacts", electrode.name)
        yield from _law_problems(subject, at, subject.held(layer.name), layer.name)


def _law_problems(
    subject: Subject, at: tuple[Section, str], held: Sequence[str], where: str
) -> Iterator[Problem]:
    """One law for every species that can pass, and for no other."""
    section, name = at
    given = subject.laws(section, name)
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
    for section in _SECTIONS:
        for name in getattr(subject.case, section):
            for entry, choice in subject.laws(section, name).items():
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
