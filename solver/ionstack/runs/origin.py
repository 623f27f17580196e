"""Another run's named state as the start of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ionstack.casefile.case import Case
from ionstack.casefile.case_schema import Initial
from ionstack.errors import InputError
from ionstack.output.checkpoint import Contents, contents
from ionstack.output.run_directory import RunDirectory
from ionstack.protocols.protocol import build_protocol
from ionstack.reading.schema import not_among
from ionstack.reading.yaml_source import missing_file

END = "end"


def identity(case: Case) -> dict[str, Any]:
    """What a device must have in common with another to take its state over."""
    return {
        "species": {name: f"{valence:+d}" for name, valence in case.valences.items()},
        "layers": [
            f"{layer.name} ({', '.join(case.materials[layer.material].species)})"
            for layer in case.stack.layers
        ],
        "electrodes": [electrode.name for electrode in case.stack.electrodes],
        "devices": [name or "one" for name in case.circuit.copies],
    }


def with_origin(case: Case, folder: Path, resume: bool = False) -> Case:
    """Let the protocol of a case begin at the voltages of the state that it starts from.

    `folder` is where the case's own results will lie; a run that is resumed there began at
    the voltages that its checkpoint tells. A case without `initial` is returned as it is.

    Raises:
        InputError: when there is no such state, or it is that of another device.
    """
    initial = case.initial
    if initial is None:
        return case
    own = RunDirectory(folder).checkpoint
    if resume and own.is_file():
        start = contents(own).header["start"]
    else:
        state = _state(initial, _checked(case, initial, folder))
        known = {**state["voltages"], **state["sources"]}
        start = {name: known.get(name, 0.0) for name in case.protocol.sources}
    protocol = case.protocol
    instruments = replace(protocol.instruments, start=start)
    return replace(case, protocol=build_protocol(protocol.steps, instruments))


def _checked(case: Case, initial: Initial, folder: Path) -> Contents:
    """The checkpoint of a run of the same device."""
    run, where = RunDirectory(initial.folder), initial.marks[0]
    if not run.path.exists():
        raise InputError(f"{where}: {missing_file(run.path)}")
    if not run.case.is_file():
        raise InputError(f"{where}: {run.path} is not the folder of a run: no case.yaml in it")
    if run.path.resolve() == folder.resolve():
        raise InputError(f"{where}: {run.path} is where this run's own results go; choose -o")
    if not run.checkpoint.is_file():
        raise InputError(f"{where}: the run in {run.path} ended before it had any state")
    found = contents(run.checkpoint)
    differences = list(_differences(identity(case), found.header["device"]))
    if differences:
        listed = "; ".join(differences)
        raise InputError(f"{where}: {run.path} holds another device: {listed}")
    return found


def _differences(here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    for key, value in here.items():
        if value != there[key]:
            yield f"{key} {_listed(there[key])} there, {_listed(value)} in this case"


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return ", ".join(value)


def _state(initial: Initial, found: Contents) -> Mapping[str, Any]:
    """Plain data of the state; the message lists those there are."""
    if initial.state in found.states:
        return found.states[initial.state]
    message = not_among("state", initial.state, list(found.states))
    if END not in found.states:
        time = found.latest["time"]
        message += f"; the run in {initial.folder} stopped at t = {time:.6g} s, before its end"
    raise InputError(f"{initial.marks[1]}: {message}")
