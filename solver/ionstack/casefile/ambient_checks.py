"""Checks of the gas around a device: a law needs the pressure of every gas that it reads."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject
from ionstack.errors import nearest
from ionstack.reading.law_choice import registered
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem


def ambient_problems(subject: Subject) -> Iterator[Problem]:
    """Yield gases of laws that have no pressure at the start or after a step."""
    yield from _binding_problems(subject)
    for keys, gas in _read(subject):
        given = subject.case.ambient
        if given is None:
            message = f"no pressure of {gas}: add a section 'ambient' with air, vacuum or pressures"
            yield subject.problem(keys, message, of_key=True)
        elif gas not in given:
            yield subject.problem(keys, not_among("gas", gas, list(given)), of_key=True)
    for index, step in enumerate(subject.case.protocol):
        for at, leaf in step.leaves(("protocol", index)):
            if leaf.ambient is not None:
                yield from _lacking(subject, (*at, "ambient", "to"), leaf.ambient.to)


def _lacking(subject: Subject, at: Keys, given: dict[str, float]) -> Iterator[Problem]:
    for keys, gas in _read(subject):
        if gas not in given:
            law = ".".join(map(str, keys[:3]))
            message = f"no pressure of {gas}, which {law} needs{nearest(gas, list(given))}"
            yield subject.problem(at, message)


def _read(subject: Subject) -> Iterator[tuple[Keys, str]]:
    """Gases that the contacts' laws read, with the keys where they stand."""
    for name in subject.case.contacts:
        for species, law in subject.laws("contacts", name).items():
            at: Keys = ("contacts", name, species)
            for gas in law.gas:
                yield (*at, "gas", gas), gas
            binding = registered("contact")[law.kind].binding
            for gas in binding.gases if binding else ():
                yield (*at, "kind"), gas


def _binding_problems(subject: Subject) -> Iterator[Problem]:
    """A reaction with air makes products of one species."""
    for name in subject.case.contacts:
        for species, law in subject.laws("contacts", name).items():
            binding = registered("contact")[law.kind].binding
            if binding is not None and species != binding.species:
                message = f"{law.kind} binds {binding.species}, not {species}"
                yield subject.problem(("contacts", name, species, "kind"), message)
