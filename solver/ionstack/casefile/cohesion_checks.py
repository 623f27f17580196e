"""Checks of cohesive interfaces: names, and laws that no interface can follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ionstack.casefile.case_subject import Subject
from ionstack.casefile.mechanics_schema import MechanicsModel
from ionstack.physics.cohesion import contact_stiffness
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem

_SECTION: Keys = ("mechanics", "cohesive")


def cohesion_problems(
    subject: Subject, read: MechanicsModel, faces: Sequence[str]
) -> Iterator[Problem]:
    """Yield what is wrong with the cohesive interfaces, which must be among `faces`."""
    if read.cohesive and subject.stack.dimension == "1d":
        message = "films in 1-D stay bonded; use dimension axisymmetric, 2d or 3d"
        yield subject.problem(_SECTION, message)
    named = [one.interface for one in read.cohesive]
    for index, one in enumerate(read.cohesive):
        at: Keys = (*_SECTION, index, "interface")
        if one.interface not in faces:
            yield subject.problem(at, not_among("interface", one.interface, faces))
            continue
        if one.interface in named[:index]:
            message = f"{one.interface} is cohesive already; give it one law"
            yield subject.problem(at, message)
        yield from _too_little_work(subject, read, index)


def _too_little_work(subject: Subject, read: MechanicsModel, index: int) -> Iterator[Problem]:
    """What an interface stores at its strength must not exceed what separates it."""
    one = read.cohesive[index]
    contact = _contact(subject, read, one.interface)
    if one.stiffness is None and contact is None:
        return
    law = one.choice().law(contact or 0.0)
    if law.work <= law.least_work:
        message = (
            f"at a stiffness K of {law.stiffness:.3g} Pa/m the interface stores strength^2/(2 K) = "
            f"{law.least_work:.3g} J/m^2 before it gives way, not less than its work of "
            f"separation; raise work or stiffness, or lower the strength"
        )
        yield subject.problem((*_SECTION, index, "work"), message)


def _contact(subject: Subject, read: MechanicsModel, interface: str) -> float | None:
    """Default stiffness [Pa/m]; None where a number is missing, which is told elsewhere."""
    known = {one.name: (one.material, one.thickness) for one in subject.stack.layers}
    for one in subject.stack.electrodes:
        if one.name in read.metals:
            known[one.name] = (one.material, read.metals[one.name])
    if read.substrate is not None:
        known["substrate"] = (read.substrate.material, read.substrate.thickness)
    beside = [known.get(name) for name in interface.split("/")]
    found = [
        (subject.materials[layer[0]].mechanics, layer[1])
        for layer in beside
        if layer is not None and layer[0] in subject.materials
    ]
    pairs = [(solid.solid().young_modulus, size) for solid, size in found if solid is not None]
    return contact_stiffness(pairs) if len(pairs) == 2 else None
