"""Checks of the mechanics of a case: names, and numbers that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ionstack.casefile.case_subject import Subject
from ionstack.casefile.cohesion_checks import cohesion_problems
from ionstack.casefile.mechanics_schema import MechanicsModel
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem

_SECTION = "mechanics"


def mechanics_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what the section names wrongly, and the stiffness that a material lacks."""
    read = subject.case.mechanics
    if read is None:
        return
    yield from _unknown_names(subject, read)
    yield from _missing_stiffness(subject, read)
    yield from _missing_metals(subject, read)
    yield from _unknown_swelling(subject)
    if subject.case.initial is not None:
        message = "not with a state of another run: it has no plastic strains to begin with"
        yield subject.problem((_SECTION,), message, of_key=True)
    if subject.case.circuit is not None:
        message = "not beside a circuit yet; drive the contacts by the protocol"
        yield subject.problem((_SECTION,), message, of_key=True)
    if read.rotations == "large" and not (read.debonds or read.cohesive):
        message = "rotations are large only of films that part; name them under debonds or cohesive"
        yield subject.problem((_SECTION, "rotations"), message)
    for name in ("debonds", "zones") if subject.stack.dimension == "1d" else ():
        if getattr(read, name):
            message = "a 1-D stack has no lateral place; use dimension axisymmetric, 2d or 3d"
            yield subject.problem((_SECTION, name), message)


def _unknown_names(subject: Subject, read: MechanicsModel) -> Iterator[Problem]:
    metals = [one.name for one in subject.stack.electrodes]
    layers = [one.name for one in subject.stack.layers]
    for name in read.metals:
        yield from _checked(subject, ("metals", name), name, "electrode", metals)
    for index, rough in enumerate(read.roughness):
        at: Keys = ("roughness", index)
        yield from _checked(subject, (*at, "metal"), rough.metal, "electrode", metals)
        yield from _checked(subject, (*at, "layer"), rough.layer, "layer", layers)
    for index, pores in enumerate(read.porosity):
        yield from _checked(subject, ("porosity", index, "metal"), pores.metal, "electrode", metals)
    top, bottom = subject.stack.electrodes
    faces = [f"{top.name}/{layers[0]}", *subject.stack.interfaces, f"{layers[-1]}/{bottom.name}"]
    if read.substrate is not None:
        lowest = bottom.name if bottom.name in read.metals else layers[-1]
        faces.append(f"{lowest}/substrate")
    for index, debond in enumerate(read.debonds):
        at = ("debonds", index, "interface")
        yield from _checked(subject, at, debond.interface, "interface", faces)
    yield from cohesion_problems(subject, read, faces)
    yield from _zone_names(subject, read, [one for one in metals if one in read.metals])


def _zone_names(subject: Subject, read: MechanicsModel, metals: Sequence[str]) -> Iterator[Problem]:
    """Zones lie in a layer that is meshed, and have a name of their own."""
    solids = [*metals, *(one.name for one in subject.stack.layers)]
    solids += ["substrate"] if read.substrate is not None else []
    taken = [*solids, *(one.name for one in subject.stack.electrodes)]
    for index, zone in enumerate(read.zones):
        at: Keys = ("zones", index)
        yield from _checked(subject, (*at, "layer"), zone.layer, "layer", solids)
        if zone.name in taken:
            message = f"there is a layer or zone {zone.name!r}; give it another name"
            yield subject.problem((_SECTION, *at, "name"), message)
        taken.append(zone.name)


def _checked(
    subject: Subject, at: Keys, name: str, what: str, allowed: Sequence[str]
) -> Iterator[Problem]:
    if name not in allowed:
        yield subject.problem((_SECTION, *at), not_among(what, name, allowed))


def _missing_stiffness(subject: Subject, read: MechanicsModel) -> Iterator[Problem]:
    """Layers, metals with a thickness, the substrate and zones need a stiffness."""
    used = {one.material: one.name for one in subject.stack.layers}
    used |= {e.material: e.name for e in subject.stack.electrodes if e.name in read.metals}
    if read.substrate is not None:
        used[read.substrate.material] = "the substrate"
    used |= {one.material: f"zone {one.name}" for one in read.zones if one.material is not None}
    for material, place in used.items():
        if material in subject.materials and subject.materials[material].mechanics is None:
            message = (
                f"{place} needs the stiffness of {material}; write for instance 'materials: "
                f"{{{material}: {{mechanics: {{young_modulus: {{value: 100 GPa, source: ...}}, "
                f"poisson_ratio: {{value: 0.3, source: ...}}}}}}}}'"
            )
            yield subject.problem((_SECTION,), message, of_key=True)


def _missing_metals(subject: Subject, read: MechanicsModel) -> Iterator[Problem]:
    """What happens in a metal needs its thickness."""
    named = [("roughness", k, one.metal) for k, one in enumerate(read.roughness)]
    named += [("porosity", k, one.metal) for k, one in enumerate(read.porosity)]
    known = [one.name for one in subject.stack.electrodes]
    for section, index, metal in named:
        if metal in known and metal not in read.metals:
            message = f"{metal} has no thickness; write for instance 'metals: {{{metal}: 50 nm}}'"
            yield subject.problem((_SECTION, section, index, "metal"), message)


def _unknown_swelling(subject: Subject) -> Iterator[Problem]:
    """Species with a swelling law that the case does not list."""
    for name in {entry.material for entry in subject.stack.layers}:
        for species, record in subject.materials[name].species.items():
            keys: Keys = ("materials", name, "species", species, "swelling")
            if subject.node.find(keys) is None or record.swelling is None:
                continue
            if species not in subject.case.species:
                listed = list(subject.case.species)
                yield subject.problem(keys, not_among("species", species, listed))
