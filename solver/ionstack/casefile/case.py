"""A case: what is done to which device, read from a file and checked as a whole."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ionstack.casefile.analyses import planned_analyses
from ionstack.casefile.boundary_schema import Boundary
from ionstack.casefile.case_checks import case_problems, circuit_case_problems
from ionstack.casefile.case_schema import (
    CaseModel,
    CircuitCaseModel,
    Ensemble,
    EnsembleModel,
    Initial,
    LayerChoice,
    Numerics,
    Observable,
    OutputOptions,
    Start,
)
from ionstack.casefile.case_subject import Subject, interface_laws
from ionstack.casefile.ensemble_scatter import ScatteredNumber, scattered_numbers
from ionstack.casefile.heat_schema import Heat
from ionstack.casefile.mechanics_schema import MechanicsChoice
from ionstack.casefile.netlist import cells_of, netlist, numbered
from ionstack.casefile.noise_schema import NoiseChoice
from ionstack.casefile.nucleation_schema import NucleationChoice
from ionstack.casefile.protocol_checks import course_problems
from ionstack.casefile.protocol_schema import protocol_from
from ionstack.casefile.reference_values import reference_values
from ionstack.casefile.stack_materials import materials_of
from ionstack.circuits.circuit import Circuit, plain_circuit
from ionstack.errors import InputError
from ionstack.geometry.stack import Stack, no_stack, stack_from_node
from ionstack.instruments.catalogue import Request
from ionstack.protocols.laid import Instruments
from ionstack.protocols.protocol import Protocol
from ionstack.protocols.protocol_steps import Entry, Repeat
from ionstack.reading.curve_choice import CurveChoice
from ionstack.reading.materials import (
    LawChoice,
    Material,
)
from ionstack.reading.schema import validated
from ionstack.reading.yaml_source import (
    Node,
    Problem,
    missing_file,
    raise_problems,
    read_text,
    read_yaml,
    setting,
    with_settings,
)
from ionstack.surface_analysis.order import PlannedAnalysis

__all__ = ["Case", "Numerics", "Observable", "OutputOptions", "load_case"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Case:
    """A complete, checked simulation; SI floats, energies in eV.

    `materials` hold only the species of the case. `contents` are site fractions at the start,
    or curves of the place, `ambient` partial pressures [Pa] as far as they are known, `layers`
    what the case says of layers besides. `interfaces` and `contacts` give a law per species, by
    name ``upper/lower`` of the layers and by name of the electrode; `boundaries` what else there
    is at those that the case gives. Without a section of its own the `circuit` is a source at
    every contact that does not float. `initial` is another run's state that takes the place of
    start and contents. `analyses` are done at the end. Nuclei come at random at the contacts of
    `nucleation`. Random numbers are those of the `seed`; an `ensemble` gives every member its own,
    which has `drawn` its scattered numbers. Without `mechanics` nothing is stressed, without `heat`
    the temperature is the same everywhere. `references` are values [s] that durations of steps are
    compared with. Of a circuit
    alone the stack has no layers.
    """

    name: str
    title: str
    path: Path
    text: str
    overrides: tuple[str, ...]
    stack: Stack
    materials: Mapping[str, Material]
    temperature: float
    ambient: Mapping[str, float]
    valences: Mapping[str, int]
    traces: Mapping[str, float]
    layers: Mapping[str, LayerChoice]
    start: Start
    contents: Mapping[str, Mapping[str, float | CurveChoice]]
    interfaces: Mapping[str, Mapping[str, LawChoice]]
    contacts: Mapping[str, Mapping[str, LawChoice]]
    boundaries: Mapping[str, Boundary]
    circuit: Circuit
    protocol: Protocol
    instruments: tuple[Request, ...]
    numerics: Numerics
    output: OutputOptions
    observables: tuple[Observable, ...]
    initial: Initial | None = None
    analyses: tuple[PlannedAnalysis, ...] = ()
    heat: Heat | None = None
    mechanics: MechanicsChoice | None = None
    nucleation: Mapping[str, NucleationChoice] = dataclasses.field(default_factory=dict)
    noise: NoiseChoice | None = None
    seed: int = 0
    ensemble: Ensemble | None = None
    drawn: Mapping[str, float] = dataclasses.field(default_factory=dict)
    references: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def random(self) -> bool:
        """Whether anything happens at random."""
        events = any(one.law.events for one in self.circuit.elements)
        return bool(self.nucleation or self.drawn or self.noise) or events

    def resolved(self) -> str:
        """Return every setting of the case as YAML, defaults included, in SI units."""
        record = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        # Where the files lie does not change what is run.
        for key in ("text", "path", "drawn"):
            del record[key]
        del record["initial"]
        record["analyses"] = [one.record() for one in self.analyses]
        if self.initial is not None:
            record["initial"] = {"from": self.initial.given, "state": self.initial.state}
        record["stack"] = dataclasses.replace(self.stack, path=Path(self.stack.path.name))
        record["protocol"] = [_entry(step) for step in self.protocol.steps]
        text: str = yaml.safe_dump(_plain(record), sort_keys=False, allow_unicode=True)
        return text


def load_case(path: Path | str, overrides: Sequence[str] = ()) -> Case:
    """Read a case file with its stack and materials.

    Each override is ``dotted.key=value``; keys that begin with ``stack.`` reach
    into the stack file. Raises one `InputError` that lists every mistake with
    file, line and column.
    """
    path = Path(path)
    text = read_text(path)
    settings = [setting(override) for override in overrides]
    node = with_settings(read_yaml(path), [entry for entry in settings if not _in_stack(entry)])
    in_stack = [(keys[1:], value) for keys, value in settings if _in_stack((keys, value))]
    if _is_circuit(node):
        return _circuit_case(node, path, text, overrides)
    errors: list[str] = []
    read = _attempt(errors, lambda: validated(CaseModel, node))
    located = _attempt(errors, lambda: _read_stack(node, path, in_stack))
    folders = (path.parent / "materials",)
    materials = located and _attempt(errors, lambda: materials_of(*located, node, folders))
    if read is None or located is None or materials is None:
        raise InputError("\n".join(errors))
    subject = Subject(read, node, located[0], materials)
    problems = list(case_problems(subject))
    driven, found = None, list[PlannedAnalysis | Problem]()
    if not {one.keys[0] for one in problems} & {"circuit", "contacts", "protocol"}:
        driven = _driven(read, located[0])
        found = list(planned_analyses(subject, driven[1]))
        problems += course_problems(subject, driven[1])
        problems += (one for one in found if isinstance(one, Problem))
    raise_problems(problems)
    assert driven is not None
    case = _case(read, node, located[0], materials, driven, path, text, overrides)
    analyses = tuple(one for one in found if isinstance(one, PlannedAnalysis))
    return dataclasses.replace(case, initial=_initial(read, node, path), analyses=analyses)


def _is_circuit(node: Node) -> bool:
    """Whether a case is a circuit alone: nothing in it needs a stack."""
    return node.child("circuit") is not None and not any(map(node.child, ("stack", "species")))


def _circuit_case(node: Node, path: Path, text: str, overrides: Sequence[str]) -> Case:
    alone, stack = validated(CircuitCaseModel, node), no_stack(path)
    read = CaseModel.model_construct(**dict(alone), stack="", species={}, contacts={})
    subject = Subject(read, node, stack, {})
    problems = list(circuit_case_problems(subject))
    driven = None
    if not {one.keys[0] for one in problems} & {"circuit", "protocol"}:
        driven = _driven(read, stack)
        problems += course_problems(subject, driven[1])
        problems += (
            one for one in planned_analyses(subject, driven[1]) if isinstance(one, Problem)
        )
    raise_problems(problems)
    assert driven is not None
    return _case(read, node, stack, {}, driven, path, text, overrides)


def _case(
    read: CaseModel,
    node: Node,
    stack: Stack,
    materials: Mapping[str, Material],
    driven: tuple[Circuit, Protocol],
    path: Path,
    text: str,
    overrides: Sequence[str],
) -> Case:
    return Case(
        name=read.name or path.stem,
        title=read.title,
        path=path,
        text=text,
        overrides=tuple(overrides),
        stack=stack,
        materials={name: _with_species(entry, read.species) for name, entry in materials.items()},
        temperature=read.temperature,
        ambient=read.ambient or {},
        valences={name: species.valence for name, species in read.species.items()},
        traces={name: species.trace for name, species in read.species.items() if species.trace},
        layers={name: LayerChoice(**dict(entry)) for name, entry in read.layers.items()},
        start=read.start,
        contents=read.content,
        interfaces=interface_laws(read, stack),
        contacts={name: entry.laws for name, entry in read.contacts.items()},
        boundaries={
            name: entry.record()
            for name, entry in (*read.interfaces.items(), *read.contacts.items())
        },
        circuit=driven[0],
        protocol=driven[1],
        instruments=tuple(one for one in read.instruments if isinstance(one, Request)),
        numerics=Numerics(**dict(read.numerics)),
        output=OutputOptions(**dict(read.output)),
        observables=tuple(Observable(**dict(entry)) for entry in read.observables),
        heat=None if read.heat is None else read.heat.record(),
        mechanics=None if read.mechanics is None else read.mechanics.choice(),
        nucleation={name: one.choice() for name, one in read.nucleation.items()},
        noise=None if read.noise is None else read.noise.choice(),
        seed=read.seed,
        ensemble=None if read.ensemble is None else _ensemble(read.ensemble, node),
        references=dict(_references(read, node)),
    )


def _references(read: CaseModel, node: Node) -> Iterator[tuple[str, float]]:
    found = reference_values(node, read.references)
    yield from (one for one in found if not isinstance(one, Problem))


def _ensemble(read: EnsembleModel, node: Node) -> Ensemble:
    numbers = scattered_numbers(node, read.scatter)
    scatter = tuple(one for one in numbers if isinstance(one, ScatteredNumber))
    return Ensemble(read.size, read.seed, scatter)


def _driven(read: CaseModel, stack: Stack) -> tuple[Circuit, Protocol]:
    circuit = _circuit(read, stack)
    return circuit, protocol_from(read.protocol, _instruments(read, circuit))


def _circuit(read: CaseModel, stack: Stack) -> Circuit:
    contacts = [entry.name for entry in stack.electrodes]
    if read.circuit is not None:
        return numbered(netlist(read.circuit, contacts), read.temperature)
    floating = [name for name, entry in read.contacts.items() if entry.floating]
    return plain_circuit(contacts, floating, read.temperature)


def _instruments(read: CaseModel, circuit: Circuit) -> Instruments:
    """What the protocol sets: the sources and switches as they are at the start."""
    start = circuit.start
    cells = {}
    if read.circuit is not None and read.circuit.crossbar is not None:
        cells = cells_of(circuit, read.circuit.crossbar.scheme)
    return Instruments(
        circuit.sources,
        dict(zip(circuit.sources, map(float, start.positive), strict=True)),
        dict(zip(circuit.sources, map(float, start.negative), strict=True)),
        dict(zip(circuit.switches, map(bool, start.closed), strict=True)),
        cells,
        bias=dict(zip(circuit.sources, map(float, start.value), strict=True)),
    )


def _initial(read: CaseModel, node: Node, path: Path) -> Initial | None:
    if read.initial is None:
        return None
    marks = [f"{node.place(('initial', key))}: initial.{key}" for key in ("from", "state")]
    given = read.initial.folder
    folder = Path(os.path.normpath(path.parent / given))
    return Initial(given, read.initial.state, folder, (marks[0], marks[1]))


def _with_species(material: Material, names: Mapping[str, object]) -> Material:
    species = {name: material.species[name] for name in names if name in material.species}
    reactions = {
        name: one for name, one in material.reactions.items() if set(one.species) <= set(names)
    }
    return dataclasses.replace(material, species=species, reactions=reactions)


def _in_stack(entry: tuple[list[str], Node]) -> bool:
    keys = entry[0]
    return keys[0] == "stack" and len(keys) > 1


def _attempt(errors: list[str], work: Callable[[], Result]) -> Result | None:
    """Do one stage of reading; keep its mistakes so that later stages add theirs."""
    try:
        return work()
    except InputError as error:
        errors.append(str(error))
        return None


def _read_stack(
    node: Node, path: Path, settings: Sequence[tuple[list[str], Node]]
) -> tuple[Stack, Node] | None:
    """Read the stack that a case names; None where the case names none."""
    entry = node.child("stack")
    if entry is None or not isinstance(entry.content, str) or not entry.content:
        return None
    file = Path(os.path.normpath(path.parent / entry.content))
    if not file.is_file():
        raise InputError(f"{entry.mark}: stack: {missing_file(file)}")
    stack_node = with_settings(read_yaml(file), settings)
    return stack_from_node(stack_node, file), stack_node


def _entry(entry: Entry) -> dict[str, Any]:
    """A step of the protocol by its kind, with what it says besides if it says it."""
    extra = {
        key: getattr(entry, key) for key in ("name", "until", "compliance") if getattr(entry, key)
    }
    if isinstance(entry.step, Repeat):
        steps = [_entry(one) for one in entry.step.steps]
        return {"repeat": {"times": entry.step.times, "steps": steps}, **extra}
    return {entry.kind: entry.step, **extra}


def _plain(value: Any) -> Any:
    """Turn records into what YAML can hold."""
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value
