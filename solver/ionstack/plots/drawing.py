"""Which figures a run gets."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from ionstack.errors import InputError
from ionstack.output.field_reader import read_fields
from ionstack.output.names import first_positive_ion
from ionstack.output.profiles import read_profiles
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import CYCLE, read_trace
from ionstack.plots import depth, loops, maps
from ionstack.plots.style import RC


def draw_all(run_dir: Path) -> list[Path]:
    """Draw every figure that the files of a run allow; return the PNG files written.

    Files that a run has not written yet are passed over. Raises InputError if
    the folder holds no run, or if a file in it is damaged.
    """
    run = RunDirectory(run_dir)
    if not run.trace.exists():
        raise InputError(f"{run_dir}: holds no run (no trace.csv in it)")
    run.figures.mkdir(exist_ok=True)
    with mpl.rc_context(RC):
        return [*_from_trace(run), *_from_profiles(run), *_from_fields(run)]


def _from_trace(run: RunDirectory) -> list[Path]:
    trace = read_trace(run.trace)
    drawn: list[Path] = []
    if len(trace[CYCLE]) > 1:
        drawn.append(loops.draw_iv(trace, run.figures / "iv.png"))
    if trace[CYCLE].any():
        drawn.append(loops.draw_conductance(trace, run.figures / "conductance.png"))
    return drawn


def _from_profiles(run: RunDirectory) -> list[Path]:
    if not run.profiles.exists():
        return []
    profiles = read_profiles(run.profiles)
    return [depth.draw_profiles(profiles, run.figures / "profiles.png")] if profiles else []


def _from_fields(run: RunDirectory) -> list[Path]:
    if not run.fields.exists():
        return []
    fields = read_fields(run.fields)
    if fields.dimension == 1 or first_positive_ion(fields.names) is None:
        return []
    states = maps.named_steps(fields, read_profiles(run.profiles) if run.profiles.exists() else ())
    drawn = [maps.draw_map(fields, states, run.figures / "li_map.png")]
    if fields.dimension == 3:
        from ionstack.plots import scene

        drawn.append(scene.draw_scene(fields, states, run.figures / "li_3d.png"))
    return drawn
