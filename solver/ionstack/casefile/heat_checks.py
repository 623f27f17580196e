"""Checks of the section ``heat`` against the stack and its materials."""

from __future__ import annotations

from collections.abc import Iterator

from ionstack.casefile.case_subject import Subject, turned
from ionstack.reading.coupled_curve import CoupledCurve
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Problem

_STORED, _CONDUCTED = "heat_capacity", "thermal_conductivity"


def heat_problems(subject: Subject) -> Iterator[Problem]:
    """Yield unknown names, materials without thermal numbers, and heat that cannot leave."""
    if subject.case.heat is None:
        return
    yield from _unknown_contacts(subject)
    yield from _unknown_interfaces(subject)
    yield from _missing_numbers(subject)
    yield from _unknown_species(subject)
    yield from _no_way_out(subject)


def _unknown_contacts(subject: Subject) -> Iterator[Problem]:
    assert subject.case.heat is not None
    allowed = [electrode.name for electrode in subject.stack.electrodes]
    for name in subject.case.heat.contacts:
        if name not in allowed:
            message = not_among("contact", name, allowed)
            yield subject.problem(("heat", "contacts", name), message, of_key=True)


def _unknown_interfaces(subject: Subject) -> Iterator[Problem]:
    assert subject.case.heat is not None
    allowed, given = subject.stack.interfaces, list(subject.case.heat.interfaces)
    for name in given:
        at = ("heat", "interfaces", name)
        if name not in allowed and turned(name) not in allowed:
            message = not_among("interface", name, allowed)
            yield subject.problem(at, message, of_key=True)
        elif turned(name) in given[: given.index(name)]:
            message = f"the same interface as {turned(name)}; give it once"
            yield subject.problem(at, message, of_key=True)


def _missing_numbers(subject: Subject) -> Iterator[Problem]:
    """Every layer conducts heat; it stores heat where the balance is transient."""
    assert subject.case.heat is not None
    needed = [_CONDUCTED] + [_STORED] * (subject.case.heat.balance == "transient")
    for name in dict.fromkeys(layer.material for layer in subject.stack.layers):
        lacking = [key for key in needed if getattr(subject.materials[name], key) is None]
        if lacking:
            message = (
                f"material {name!r} has no {' and no '.join(lacking)}; add it to the material's "
                f"file, or to the case under materials.{name}"
            )
            yield subject.problem(("heat",), message, of_key=True)


def _unknown_species(subject: Subject) -> Iterator[Problem]:
    """A conductivity reads a species that the layer holds in this case."""
    for layer in subject.stack.layers:
        given = subject.materials[layer.material].thermal_conductivity
        held = list(subject.held(layer.name))
        couples = given.couples if isinstance(given, CoupledCurve) else None
        if couples is not None and couples not in held:
            keys = ("materials", layer.material, _CONDUCTED, "couples")
            yield subject.problem(keys, not_among("species", couples, held))


def _no_way_out(subject: Subject) -> Iterator[Problem]:
    """A steady temperature needs a contact through which heat leaves."""
    heat = subject.case.heat
    assert heat is not None
    open_ones = [name for name, one in heat.contacts.items() if one.kind != "adiabatic"]
    if heat.balance == "steady" and not open_ones:
        message = (
            "no contact takes heat up, so there is no steady temperature; "
            "add one of kind fixed, convective or substrate under heat.contacts"
        )
        yield subject.problem(("heat", "balance"), message)
