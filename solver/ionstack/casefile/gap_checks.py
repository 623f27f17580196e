"""Checks of layers whose electrons tunnel through a gap: one gap, between both contacts."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject
from ionstack.reading.law_choice import registered
from ionstack.reading.yaml_source import Keys, Problem


def gap_problems(subject: Subject) -> Iterator[Problem]:
    """Yield carriers that would need gaps of their own, and contacts that take none of them."""
    found = list(dict.fromkeys(_tunnelling(subject)))
    if not found:
        return
    first = found[0][1]
    for material, name in found:
        if name != first:
            at: Keys = ("materials", material, "species", name, "transport", "kind")
            yield subject.problem(at, f"{first} tunnels already: a device has one gap")
    for electrode in subject.stack.electrodes:
        law = subject.laws("contacts", electrode.name).get(first)
        if law is None or not registered("contact")[law.kind].passes:
            message = (
                f"takes no {first}, which tunnels from metal to metal: give it a law for {first}"
            )
            yield subject.problem(("contacts", electrode.name), message, of_key=True)


def _tunnelling(subject: Subject) -> Iterator[tuple[str, str]]:
    """Materials, from the top, and the species in them that tunnel."""
    for layer in subject.stack.layers:
        for name in subject.held(layer.name):
            kind = subject.material(layer.name).species[name].transport.kind
            if registered("transport")[kind].tunnels:
                yield layer.material, name
