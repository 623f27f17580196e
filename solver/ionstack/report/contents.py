"""Everything that the page of a run says, gathered from the run's files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ionstack.errors import InputError
from ionstack.metrics import Trace
from ionstack.output import summary
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.profiles import Profile, read_profiles
from ionstack.output.run_directory import RunDirectory
from ionstack.output.states import named_steps
from ionstack.output.steps import read_steps
from ionstack.output.trace import TIME, read_trace
from ionstack.report import facts
from ionstack.report.checks import Check, checks
from ionstack.report.curves import effort_table, file_table, trace_table
from ionstack.report.depth_profiles import depth_profiles
from ionstack.report.effort import Effort, effort
from ionstack.report.mesh_numbers import MeshNumbers, mesh_numbers
from ionstack.report.pictures import ROOM, Gallery, gallery
from ionstack.report.readings import Instrument, Instruments, instruments
from ionstack.report.scene import scene
from ionstack.report.stack_drawing import StackDrawing, stack_drawing

Json = dict[str, Any]


@dataclass(frozen=True)
class Contents:
    """What a page shows; `data` is what its plots are drawn from, by the id of their place."""

    title: str
    name: str
    cut_off: str
    solved: Mapping[str, str]
    protocol: facts.Protocol
    case_text: str
    parameters: Mapping[str, Sequence[facts.Parameter]]
    elements: Sequence[tuple[str, str, str]]
    stack: StackDrawing | None
    mesh: MeshNumbers | None
    devices: int
    checks: Sequence[Check]
    instruments: Instruments
    gallery: Gallery
    effort: Effort
    origin: Mapping[str, str]
    log: str
    no_scene: str
    data: Mapping[str, Json]


@dataclass(frozen=True)
class _Files:
    """The files of a run as they were read; a missing one is empty."""

    run: RunDirectory
    case: facts.Case
    summary: Mapping[str, Any]
    trace: Trace
    profiles: Sequence[Profile]
    fields: Fields | None

    @property
    def devices(self) -> int:
        """How many devices of the same stack the fields hold, all at one place."""
        return len((self.case.get("circuit") or {}).get("copies") or [""])


def contents_of(folder: Path) -> Contents:
    """Gather what the page of a run shows.

    Raises InputError if the folder holds no run, or if a file in it is damaged.
    """
    files = _read(folder)
    run, case, entries = files.run, files.case, files.summary
    found = instruments(run.instruments)
    device, no_scene = _scene(files)
    data = {**dict(_plots(files, found)), **device}
    end = float(files.trace[TIME][-1]) if len(files.trace[TIME]) else 0.0
    return Contents(
        title=str(case.get("title") or case.get("name") or folder.name),
        name=str(case.get("name") or folder.name),
        cut_off=_cut_off(entries, end),
        solved=facts.solved(case, entries, end),
        protocol=facts.protocol(run),
        case_text=facts.text_of(run.input) or facts.text_of(run.case),
        parameters=facts.parameters(run.sources),
        elements=list(facts.elements(case)),
        stack=stack_drawing(case.get("stack") or {}),
        mesh=mesh_numbers(files.fields) if files.fields is not None else None,
        devices=files.devices,
        checks=checks(entries),
        instruments=found,
        gallery=gallery(_picture_files(run, found), ROOM - len(json.dumps(data))),
        effort=effort(entries, files.trace),
        origin=facts.origin(entries),
        log=facts.text_of(run.log),
        no_scene=no_scene,
        data=data,
    )


def _read(folder: Path) -> _Files:
    run = RunDirectory(folder)
    if not run.trace.exists():
        raise InputError(f"{folder}: holds no run (no {run.trace.name} in it)")
    return _Files(
        run,
        facts.read_case(run),
        summary.read(run.summary) if run.summary.exists() else {},
        read_trace(run.trace),
        read_profiles(run.profiles) if run.profiles.exists() else (),
        read_fields(run.fields) if run.fields.exists() else None,
    )


def _cut_off(entries: Mapping[str, Any], end: float) -> str:
    if entries.get("completed") is True:
        return ""
    return f"This run did not reach the end of its protocol: what follows goes up to {end:.6g} s."


def _picture_files(run: RunDirectory, found: Instruments) -> list[Path]:
    figures = sorted(run.figures.glob("*.png"), key=lambda path: path.stat().st_size)
    others = sorted((run.path / "sims").glob("*.png"))
    return [*figures, *(one.figure for one in found.shown if one.figure.exists()), *others]


def _plots(files: _Files, found: Instruments) -> Iterator[tuple[str, Json]]:
    """Yield what can be plotted by the id of its place on the page."""
    run = files.run
    steps = read_steps(run.steps) if run.steps.exists() else ()
    plots: dict[str, Json | None] = {
        "trace": trace_table(files.trace, steps),
        "pulses": file_table(run.pulses, ("start [s]", "current [A]"), points=True),
        "impedance": file_table(run.spectra, ("real [ohm]", "imaginary [ohm]")),
        "mechanics": file_table(run.mechanics),
        "profiles": depth_profiles(None if files.devices > 1 else files.fields, files.profiles),
        "effort": effort_table(files.trace),
    }
    plots |= {f"instrument-{n}": _instrument_table(one) for n, one in enumerate(found.shown)}
    yield from ((name, plot) for name, plot in plots.items() if plot is not None)


def _instrument_table(instrument: Instrument) -> Json | None:
    loops = instrument.kind in ("iv", "cv")
    return file_table(instrument.table, ("voltage [V]", "current [A]") if loops else None)


def _scene(files: _Files) -> tuple[dict[str, Json], str]:
    """Return the scene, or why there is none."""
    if files.fields is None or not len(files.fields.times):
        return {}, "The run holds no fields, so there is no scene."
    if files.devices > 1:
        return {}, f"The run holds {files.devices} devices: see their depth profiles."
    stack = files.case.get("stack") or {}
    states = named_steps(files.fields, files.profiles)
    found = scene(files.fields, states, stack.get("lateral") or {})
    if found is None:
        return (
            {},
            "There is no scene: the points of the mesh do not lie in columns along the depth.",
        )
    return {"scene": found}, ""
