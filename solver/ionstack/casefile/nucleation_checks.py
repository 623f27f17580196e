"""Checks of the section ``nucleation``: contacts and species that there are."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Problem


def nucleation_problems(subject: Subject) -> Iterator[Problem]:
    """Yield contacts that the stack lacks, and species that no layer at a contact holds."""
    stack = subject.stack
    electrodes = [one.name for one in stack.electrodes]
    ends = dict(zip(electrodes, (stack.layers[0], stack.layers[-1]), strict=True))
    for name, entry in subject.case.nucleation.items():
        if name not in ends:
            message = not_among("contact", name, electrodes)
            yield subject.problem(("nucleation", name), message, of_key=True)
            continue
        species, held = entry.law.couples, subject.held(ends[name].name)
        if species is not None and species not in held:
            keys = ("nucleation", name, "law", "couples")
            yield subject.problem(keys, not_among("species", species, held))
        if entry.nucleus is not None and entry.nucleus.species not in held:
            keys = ("nucleation", name, "nucleus", "species")
            yield subject.problem(keys, not_among("species", entry.nucleus.species, held))
