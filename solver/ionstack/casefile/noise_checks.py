"""Checks of the section ``noise``: layers, and flows and reactions that these have."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Problem


def noise_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what the section names and the case does not have."""
    noise = subject.case.noise
    if noise is None:
        return
    layers = [one.name for one in subject.stack.layers]
    for section, what in (("flows", "species"), ("reactions", "reaction")):
        for layer, names in getattr(noise, section).items():
            keys = ("noise", section, layer)
            if layer not in layers:
                yield subject.problem(keys, not_among("layer", layer, layers), of_key=True)
                continue
            allowed = _moving(subject, layer) if what == "species" else _reactions(subject, layer)
            for name in names:
                if name not in allowed:
                    yield subject.problem(keys, not_among(what, name, allowed))


def _moving(subject: Subject, layer: str) -> list[str]:
    """Species of a layer that flow there."""
    species = subject.material(layer).species
    return [name for name in subject.held(layer) if species[name].transport.kind != "immobile"]


def _reactions(subject: Subject, layer: str) -> list[str]:
    return list(subject.material(layer).reactions)
