"""The surface analyses of a case: their setups read, their names checked against the device."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from ionstack.casefile.analysis_schema import AnalysisModel
from ionstack.casefile.case_subject import Subject
from ionstack.errors import InputError
from ionstack.output.names import CARRIERS
from ionstack.output.states import BY_THEMSELVES
from ionstack.protocols.protocol import Protocol
from ionstack.reading.schema import not_among
from ionstack.reading.units import parse
from ionstack.reading.yaml_source import Keys, Problem, missing_file
from ionstack.surface_analysis.measured import read_measured
from ionstack.surface_analysis.order import KINDS, Order, PlannedAnalysis
from ionstack.surface_analysis.setup import Setup, load_setup, setup_path


def planned_analyses(subject: Subject, protocol: Protocol) -> Iterator[PlannedAnalysis | Problem]:
    """Yield the analyses that a case asks for, and what is wrong with them."""
    folders: list[str] = []
    for index, given in enumerate(subject.case.instruments):
        if not isinstance(given, AnalysisModel):
            continue
        at: Keys = ("instruments", index)
        setup = _setup(subject, at, given)
        if isinstance(setup, Problem):
            yield setup
            continue
        folder = "sims" if given.name is None else f"sims/{given.name}"
        if f"{folder}/{setup.prefix}" in folders:
            message = f"would write the files of another {given.kind} in {folder}: give it a 'name'"
            yield subject.problem(at, message)
        folders.append(f"{folder}/{setup.prefix}")
        yield from _problems(subject, at, given, setup, protocol)
        yield PlannedAnalysis(setup, _order(subject, given, folder))


def _setup(subject: Subject, at: Keys, given: AnalysisModel) -> Setup | Problem:
    keys: Keys = (*at, "setup")
    try:
        path = setup_path(given.setup or KINDS[given.kind], _folder(subject), "setup")
        setup = load_setup(str(path))
    except InputError as error:
        return subject.problem(keys, str(error))
    if setup.given.kind != given.kind:
        return subject.problem(keys, f"{setup.name} is a setup of {setup.given.kind}")
    return setup


def _order(subject: Subject, given: AnalysisModel, folder: str) -> Order:
    measured = None if given.measured is None else _folder(subject) / given.measured
    states = tuple(_time(state) or state for state in given.states)
    chosen = (states, tuple(given.signals), tuple(given.without))
    return Order(*chosen, given.maps, measured, folder)


def _folder(subject: Subject) -> Path:
    """Where the case lies: names of files begin there."""
    return Path(subject.node.mark.file).parent


def _problems(
    subject: Subject, at: Keys, given: AnalysisModel, setup: Setup, protocol: Protocol
) -> Iterator[Problem]:
    if subject.case.output.snapshots == "none":
        message = f"{given.kind} looks at fields, which output.snapshots: none leaves out"
        yield subject.problem((*at, "kind"), message)
    yield from _device_problems(subject, at, setup)
    for state in given.states:
        yield from _state_problems(subject, (*at, "states"), state, protocol)
    signals = list(setup.given.signals)
    for signal in given.signals:
        if signal not in signals:
            yield subject.problem((*at, "signals"), not_among("signal", signal, signals))
    if given.measured is not None:
        yield from _measured_problems(subject, at, given, setup)


def _device_problems(subject: Subject, at: Keys, setup: Setup) -> Iterator[Problem]:
    """What the setup does not know of the device; a circuit alone has no films."""
    stack, specimen = subject.stack, setup.given.specimen
    if not stack.layers:
        yield subject.problem((*at, "kind"), "a circuit alone has no films to analyse")
        return
    electrodes = zip((specimen.top, specimen.bottom), stack.electrodes, strict=True)
    materials = [one.material for one in stack.layers]
    materials += [one.material for thickness, one in electrodes if thickness]
    moving = [name for name in subject.case.species if name not in CARRIERS]
    for lack in setup.lacking(materials, moving):
        yield subject.problem((*at, "setup"), f"{setup.name}: {lack}")


def _state_problems(
    subject: Subject, at: Keys, state: str, protocol: Protocol
) -> Iterator[Problem]:
    names = list(dict.fromkeys([*BY_THEMSELVES, *_named_steps(subject)]))
    if any(state == name or state.endswith(f" {name}") for name in names):
        return
    time = _time(state)
    if time is None:
        yield subject.problem(at, f"{not_among('state', state, names)}, or a time such as '5 s'")
    elif not 0.0 <= float(time) <= _latest(protocol):
        message = f"{state}: the protocol takes from 0 s to {protocol.duration:.6g} s"
        yield subject.problem(at, message)


def _latest(protocol: Protocol) -> float:
    """Latest end [s]; infinite where the state decides how long something takes."""
    if any(one.rate is not None for one in protocol.laid):
        return math.inf
    return protocol.duration * (1.0 + 1e-9)


def _named_steps(subject: Subject) -> Iterator[str]:
    for index, step in enumerate(subject.case.protocol):
        for _, part in step.parts(("protocol", index)):
            if part.name:
                yield part.name


def _time(state: str) -> str | None:
    """Return a time in s as text, None for the name of a state."""
    try:
        return repr(parse(state, "s"))
    except ValueError:
        return None


def _measured_problems(
    subject: Subject, at: Keys, given: AnalysisModel, setup: Setup
) -> Iterator[Problem]:
    keys: Keys = (*at, "measured")
    path = _folder(subject) / str(given.measured)
    if len(given.states) != 1:
        yield subject.problem(keys, "is compared with one state: name it with 'states'")
    if not path.is_file():
        yield subject.problem(keys, missing_file(path))
        return
    try:
        read_measured(path, given.signals or list(setup.given.signals))
    except InputError as error:
        yield subject.problem(keys, str(error))
