"""Which figures a run gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from ionstack.errors import InputError
from ionstack.metrics import Trace
from ionstack.output.events import read_events
from ionstack.output.field_reader import read_fields
from ionstack.output.mechanics import read_mechanics
from ionstack.output.names import TEMPERATURE, first_neutral_species, first_positive_ion
from ionstack.output.profiles import read_profiles
from ionstack.output.pulses import read_pulses
from ionstack.output.run_directory import RunDirectory
from ionstack.output.states import states_of
from ionstack.output.steps import StepRow, read_steps
from ionstack.output.trace import CYCLE, PROTOCOL_STEP, TIME, read_trace
from ionstack.plots import course, depth, events, loops, maps, mechanics, products, pulses
from ionstack.plots.rendering import rendered
from ionstack.plots.style import RC

# Kinds of steps that make current-voltage curves, and those that belong to them.
_SWEPT = ("sweep", "cv")
_HELD = ("hold", "rest_at")


def draw_all(run_dir: Path) -> list[Path]:
    """Draw every figure that the files of a run allow; return the PNG files written.

    Files that a run has not written yet are passed over; a 3-D view that cannot be
    rendered on this machine is logged as a warning and left out. Raises InputError if
    the folder holds no run, or if a file in it is damaged.
    """
    run = RunDirectory(run_dir)
    if not run.trace.exists():
        raise InputError(f"{run_dir}: holds no run (no trace.csv in it)")
    run.figures.mkdir(exist_ok=True)
    with mpl.rc_context(RC):
        return [
            *_from_trace(run),
            *_from_events(run),
            *_from_pulses(run),
            *_from_profiles(run),
            *_from_fields(run),
            *_from_mechanics(run),
        ]


def _from_trace(run: RunDirectory) -> list[Path]:
    trace = read_trace(run.trace)
    steps = read_steps(run.steps) if run.steps.exists() else ()
    if len(trace[CYCLE]) < 2:
        return []
    kinds = {step.kind for step in steps}
    if kinds and kinds.isdisjoint(_SWEPT):
        return [course.draw_course(trace, steps, run.figures / "course.png")]
    return _loops(run, trace, steps)


def _loops(run: RunDirectory, trace: Trace, steps: Sequence[StepRow]) -> list[Path]:
    """Draw the loops of the source that is swept first, and what every triangle conducts."""
    contact = next((step.contact for step in steps if step.kind in _SWEPT), None)
    mine = [step for step in steps if step.contact == contact]
    swept = _rows_of(trace, mine, (*_SWEPT, *_HELD))
    drawn: list[Path | None] = [loops.draw_iv(swept, run.figures / "iv.png", contact)]
    triangles = _rows_of(trace, mine, ("sweep",))
    if triangles[CYCLE].any():
        path = run.figures / "conductance.png"
        drawn.append(loops.draw_conductance(triangles, path, contact))
    return [path for path in drawn if path is not None]


def _rows_of(trace: Trace, steps: Sequence[StepRow], kinds: Sequence[str]) -> Trace:
    """Return the rows of these kinds of steps and the start; all where no steps are told."""
    numbers = [step.step for step in steps if step.kind in kinds]
    if not steps or PROTOCOL_STEP not in trace:
        return trace
    inside = np.isin(trace[PROTOCOL_STEP], [0, *numbers])
    return {name: values[inside] for name, values in trace.items()}


def _from_events(run: RunDirectory) -> list[Path]:
    """Draw the voltages of events that came twice at least and have one."""
    table = read_events(run.events) if run.events.exists() else ()
    voltages: dict[str, list[float]] = {}
    for row in table:
        if np.isfinite(row.voltage):
            voltages.setdefault(row.event, []).append(row.voltage)
    often = {name: np.array(found) for name, found in voltages.items() if len(found) > 1}
    return [events.draw_events(often, run.figures / "events.png")] if often else []


def _from_pulses(run: RunDirectory) -> list[Path]:
    if not run.pulses.exists():
        return []
    table = read_pulses(run.pulses)
    there = len(table["kind [1]"]) > 0
    return [pulses.draw_pulses(table, run.figures / "pulses.png")] if there else []


def _from_profiles(run: RunDirectory) -> list[Path]:
    if not run.profiles.exists():
        return []
    profiles = read_profiles(run.profiles)
    return [depth.draw_profiles(profiles, run.figures / "profiles.png")] if profiles else []


def _from_fields(run: RunDirectory) -> list[Path]:
    if not run.fields.exists():
        return []
    fields = read_fields(run.fields)
    ion, neutral = first_positive_ion(fields.names), first_neutral_species(fields.names)
    if fields.dimension == 1 or ion is None:
        return []
    states = states_of(run, fields)
    drawn = [maps.draw_map(fields, states, run.figures / "li_map.png", ion)]
    if neutral is not None:
        drawn.append(maps.draw_map(fields, states, run.figures / "neutral_map.png", neutral))
    bound = products.draw_products(fields, states, run.figures / "products.png")
    drawn += [bound] if bound is not None else []
    if TEMPERATURE in fields.names:
        drawn.append(maps.draw_temperature(fields, run.figures / "temperature_map.png"))
    if fields.dimension == 3:
        picture = run.figures / "li_3d.png"
        drawn += rendered("scene", [str(run.path), str(picture)], picture)
    return drawn


def _from_mechanics(run: RunDirectory) -> list[Path]:
    drawn: list[Path | None] = []
    if run.mechanics.exists():
        table = read_mechanics(run.mechanics)
        if len(table[TIME]) > 1:
            drawn.append(mechanics.draw_layers(table, run.figures / "mechanics.png"))
    if run.body.exists():
        body = read_fields(run.body)
        states = states_of(run, body)
        drawn.append(mechanics.draw_faces(body, states, run.figures / "deflection.png"))
        drawn.append(mechanics.draw_plastic(body, states, run.figures / "plastic_strain.png"))
    return [path for path in drawn if path is not None]
