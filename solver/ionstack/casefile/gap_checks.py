"""Checks of layers whose electrons tunnel through a gap: one gap, between both contacts."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject
from ionstack.reading.law_choice import registered
from ionstack.reading.yaml_source import Keys, Problem


def gap_problems(subject: Subject) -> Iterator[Problem]:
    """Yield carriers that would need gaps of their own, and contacts that take none of them."""
    found = [(layer.material, name) for layer in subject.stack.layers
             for name in subject.held(layer.name) if _tunnels(subject, layer.material, name)]  # fmt: skip
    carriers = list(dict.fromkeys(name for _, name in found))
    for material, name in dict.fromkeys(found):
        at: Keys = ("materials", material, "species", name, "transport", "kind")
        if name != carriers[0]:
            message = f"{carriers[0]} tunnels already, and a device has one gap for one carrier"
            yield subject.problem(at, message)
    for name in carriers[:1]:
        for electrode in subject.stack.electrodes:
            law = subject.laws("contacts", electrode.name).get(name)
            if law is None or not registered("contact")[law.kind].passes:
                message = f"takes no {name}, which tunnels: the gap lies between two metals; add a law"
                yield subject.problem(("contacts", electrode.name), message, of_key=True)


def _tunnels(subject: Subject, material: str, name: str) -> bool:
    kind = subject.materials[material].species[name].transport.kind
    return registered("transport")[kind].tunnels
