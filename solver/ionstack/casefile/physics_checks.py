"""Checks that what a case combines has a meaning: charges, reactions, double layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ionstack.casefile.boundary_schema import Boundary
from ionstack.casefile.case_subject import Section, Subject, interface_laws
from ionstack.physics.registry import Curve, Kind, Parameter
from ionstack.reading.law_choice import LawChoice, registered
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import Keys, Problem

_CONDUCTIVITIES = ("S/m", "S/m^2")


def physics_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what the names allow and the physics does not."""
    yield from _neutral_layer_problems(subject)
    yield from _reaction_problems(subject)
    yield from _uncharged_problems(subject)
    yield from _continuous_problems(subject)
    yield from _double_layer_problems(subject)
    yield from _floating_problems(subject)


def _valence(subject: Subject, species: str) -> int:
    return subject.case.species[species].valence


def _neutral_layer_problems(subject: Subject) -> Iterator[Problem]:
    for layer in subject.stack.layers:
        charged = [name for name in subject.held(layer.name) if _valence(subject, name)]
        if subject.neutral(layer.name) and not charged:
            message = f"{layer.name} holds no charged species: nothing sets its potential"
            yield subject.problem(("layers", layer.name, "neutral"), message)


def _reaction_problems(subject: Subject) -> Iterator[Problem]:
    """Reactions keep the charge; one that lacks some of its species is a mistake."""
    valences = {name: one.valence for name, one in subject.case.species.items()}
    for material in subject.materials.values():
        for name, reaction in material.reactions.items():
            at = ("materials", material.name, "reactions", name, "equation")
            missing = [one for one in reaction.species if one not in valences]
            if not missing:
                wrong = reaction.surplus(valences)
                if wrong is not None:
                    yield subject.problem(at, f"{wrong} of {reaction.equation!r}")
            elif len(missing) < len(reaction.species):
                message = (
                    f"{reaction.equation!r} needs {', '.join(missing)}, which the case does not "
                    f"list under species; add it, or take the reaction out ('{name}: null')"
                )
                yield subject.problem(at, message)


def _uncharged_problems(subject: Subject) -> Iterator[Problem]:
    """A conductivity or conductance divides by the charge."""
    for name in (one for one in subject.case.species if not _valence(subject, one)):
        for material in subject.materials.values():
            if name in material.species:
                at: Keys = ("materials", material.name, "species", name, "transport", "kind")
                kind = material.species[name].transport.kind
                yield from _of_charge(subject, at, name, "transport", kind)
        for key, laws in interface_laws(subject.case, subject.stack).items():
            if name in laws:
                at = ("interfaces", key, name, "kind")
                yield from _of_charge(subject, at, name, "interface", laws[name].kind)


def _of_charge(subject: Subject, at: Keys, name: str, what: Kind, kind: str) -> Iterator[Problem]:
    allowed = [one for one in registered(what) if not _conducts(what, one)]
    if kind not in allowed:
        message = f"{kind} needs a charge, and {name} has valence 0; allowed: {', '.join(allowed)}"
        yield subject.problem(at, message)


def _conducts(what: Kind, kind: str) -> bool:
    law = registered(what)[kind]
    inputs: tuple[Parameter | Curve, ...] = (*law.parameters, *law.curves)
    return any(one.unit in _CONDUCTIVITIES for one in inputs)


def _continuous_problems(subject: Subject) -> Iterator[Problem]:
    """Sides that share an unknown share the potential without the excess."""
    for key, laws in interface_laws(subject.case, subject.stack).items():
        for name, law in laws.items():
            if not registered("interface")[law.kind].merges:
                continue
            for layer in _sides(subject, key):
                why = _jumps(subject, layer, name)
                if why:
                    message = (
                        f"{law.kind} is not possible: {name} {why} in {layer}; "
                        "use exchange with a large exchange_current_density"
                    )
                    yield subject.problem(("interfaces", key, name, "kind"), message)


def _jumps(subject: Subject, layer: str, species: str) -> str:
    """What makes the potential of a species without its excess jump at a face of a layer."""
    record = subject.material(layer).species.get(species)
    if record is not None and record.excess is not None:
        return "has an excess law"
    # Stress is another one on each side, also of one material.
    if record is not None and record.swelling is not None and subject.case.mechanics is not None:
        return "swells and feels the stress"
    return ""


def _sides(subject: Subject, interface: str) -> list[str]:
    known = [layer.name for layer in subject.stack.layers]
    return [name for name in interface.split("/") if name in known]


def _double_layer_problems(subject: Subject) -> Iterator[Problem]:
    laws = interface_laws(subject.case, subject.stack)
    for key in laws:
        if key in subject.case.interfaces:
            boundary = subject.case.interfaces[key].record()
            at: tuple[Section, str] = ("interfaces", key)
            yield from _carrier_problems(subject, at, boundary, _sides(subject, key), laws[key])
    ends = (subject.stack.layers[0], subject.stack.layers[-1])
    for electrode, layer in zip(subject.stack.electrodes, ends, strict=True):
        if electrode.name in subject.case.contacts:
            boundary = subject.case.contacts[electrode.name].record()
            at = ("contacts", electrode.name)
            yield from _carrier_problems(subject, at, boundary, [layer.name], {})


def _carrier_problems(
    subject: Subject,
    at: tuple[Section, str],
    boundary: Boundary,
    sides: Sequence[str],
    laws: dict[str, LawChoice],
) -> Iterator[Problem]:
    """Each neutral side of a double layer names the species that carries its charge."""
    if boundary.double_layer is None:
        return
    given = boundary.double_layer.carriers
    keys = (*at, "double_layer", "carriers")
    for layer in sides:
        if subject.neutral(layer) and layer not in given:
            message = (
                f"missing; {layer} is neutral: name the species that carries the charge on its "
                f"side; allowed: {', '.join(_charged(subject, layer))}"
            )
            yield subject.problem((*keys, layer), message)
    for layer, name in given.items():
        wrong = _wrong_carrier(subject, layer, name, sides, laws)
        if wrong is not None:
            yield subject.problem((*keys, layer), wrong, of_key=layer not in sides)


def _charged(subject: Subject, layer: str) -> list[str]:
    return [name for name in subject.held(layer) if _valence(subject, name)]


def _wrong_carrier(
    subject: Subject, layer: str, name: str, sides: Sequence[str], laws: dict[str, LawChoice]
) -> str | None:
    if layer not in sides:
        return not_among("layer", layer, sides)
    if not subject.neutral(layer):
        return f"{layer} is not neutral: its space charge balances the double layer; leave it out"
    charged = _charged(subject, layer)
    if name not in charged:
        return not_among("charged species", name, charged)
    if name in laws and registered("interface")[laws[name].kind].merges:
        return f"{name} is continuous here: the charge would be in both layers at once"
    return None


def _floating_problems(subject: Subject) -> Iterator[Problem]:
    floating = [name for name, one in subject.case.contacts.items() if one.floating]
    if len(floating) > 1:
        message = f"one contact must have a voltage; {' and '.join(floating)} float"
        yield subject.problem(("contacts", floating[1], "floating"), message)
    for index, step in enumerate(subject.case.protocol):
        for keys, contact in step.contacts(("protocol", index)):
            if contact in floating:
                message = f"{contact} is floating: its potential cannot be given"
                if keys[-2] == "impedance":
                    message = f"{contact} is floating: no current flows through it"
                yield subject.problem(keys, message)
