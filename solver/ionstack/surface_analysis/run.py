"""``ionstack sims``: a run's folder and a setup in, tables, maps and figures out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from ionstack.errors import InputError
from ionstack.output.counts import CountProfile, write_counts
from ionstack.output.voxels import write_voxels
from ionstack.plots.counts import draw_measured, draw_profiles
from ionstack.plots.voxels import draw_sections
from ionstack.reading.schema import not_among
from ionstack.surface_analysis.analysis import Analysis, analysis_of, chosen
from ionstack.surface_analysis.comparison import (
    Measured,
    compare,
    read_measured,
    write_misfits,
)
from ionstack.surface_analysis.depth_profile import Stage
from ionstack.surface_analysis.foreign import foreign_subject
from ionstack.surface_analysis.photoelectrons import atomic_fractions
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.subject import Subject, subject_of


@dataclass(frozen=True)
class Order:
    """What is wanted of an instrument: states, signals, stages switched off, maps besides.

    `measured`: a table to compare one state with.
    """

    states: Sequence[str] = ()
    signals: Sequence[str] = ()
    without: Sequence[str] = ()
    maps: bool = False
    measured: Path | None = None


def run_sims(folder: Path, setup: Setup, order: Order) -> list[Path]:
    """Analyse a run, or a file, and return the files written into its folder ``sims``.

    Raises InputError for a state, signal or stage that does not exist, before anything is written.
    """
    off = _stages(order.without)
    _known(f"{setup.path}: --signals", "signal", order.signals, list(setup.given.signals))
    subject = _opened(folder, setup, order)
    if order.measured is not None and len(subject.states) != 1:
        names = ", ".join(name for name, _ in subject.states)
        raise InputError(f"--measured is compared with one state; choose it with --state: {names}")
    analyses = [analysis_of(subject, state, setup, off) for state in subject.states]
    profiles = chosen([one.profile() for one in analyses], order.signals)
    measured = read_measured(order.measured, profiles[0]) if order.measured else None
    target = (folder if folder.is_dir() else folder.with_suffix("")) / "sims"
    target.mkdir(parents=True, exist_ok=True)
    kind = setup.prefix
    written = [write_counts(target / f"{kind}_profile.csv", profiles)]
    if kind == "xps":
        profiles = tuple(_composition(one, setup) for one in profiles)
        written.append(write_counts(target / "xps_composition.csv", profiles))
    written += draw_profiles(profiles, setup.given.title, target)
    if measured is not None:
        written += _compared(profiles[0], measured, target / kind)
    return written + (_maps(analyses, profiles, target) if order.maps else [])


def _opened(path: Path, setup: Setup, order: Order) -> Subject:
    """A run's folder, or a file of another program."""
    if path.is_file():
        return foreign_subject(path, order.states, setup)
    return subject_of(path, order.states)


def _compared(profile: CountProfile, measured: Measured, stem: Path) -> list[Path]:
    """Write how a measurement agrees with a state, and draw both."""
    found = compare(profile, measured)
    path = write_misfits(stem.with_name(f"{stem.name}_misfit.csv"), found)
    overlay = {
        name: (found.depth, np.asarray(counts / found.signals[name].factor, dtype=np.float64))
        for name, counts in measured.counts.items()
    }
    note = (
        f"measured depth = {found.shift * 1e9:.3g} nm + {found.stretch:.4g} times the simulated one"
    )
    drawn = draw_measured(profile, overlay, note, stem.with_name(f"{stem.name}_measured.png"))
    return [path, drawn]


def _maps(
    analyses: Sequence[Analysis], profiles: Sequence[CountProfile], target: Path
) -> list[Path]:
    """Write the voxels of every state and draw the sheet through their middle."""
    setup = analyses[0].setup
    kind = setup.prefix
    files = [target / f"{kind}_map_{_file_name(one.state)}.vti" for one in analyses]
    signals = list(profiles[0].counts)
    image = analyses[0].raster()
    for one, path in zip(analyses, files, strict=True):
        write_voxels(path, *one.voxels(signals, image))
    states = [(one.state, path) for one, path in zip(analyses, files, strict=True)]
    by_change = sorted(signals, key=lambda name: -_change(profiles, name))
    drawn = draw_sections(states, by_change, target / f"{kind}_map.png", setup.given.title)
    return [*files, drawn]


def _change(profiles: Sequence[CountProfile], signal: str) -> float:
    """Share of the counts of a signal that moves most between the states."""
    first = profiles[0].expected[signal]
    changes = [np.abs(one.expected[signal] - first).sum() for one in profiles]
    return float(max(changes) / max(float(first.sum()), 1e-300))


def _composition(profile: CountProfile, setup: Setup) -> CountProfile:
    """Counts as shares of all atoms, as they are drawn and as they are expected."""
    sensitivities = {name: setup.given.signals[name].sensitivity for name in profile.counts}
    background = setup.given.counting.background
    return replace(
        profile,
        counts=atomic_fractions(profile.counts, sensitivities, background),
        expected=atomic_fractions(profile.expected, sensitivities, background),
        unit="1",
    )


def _stages(names: Sequence[str]) -> Collection[Stage]:
    allowed = get_args(Stage)
    _known("--without", "stage", names, allowed)
    return [stage for stage in allowed if stage in names]


def _known(where: str, what: str, names: Sequence[str], allowed: Sequence[str]) -> None:
    for name in names:
        if name not in allowed:
            raise InputError(f"{where}: {not_among(what, name, allowed)}")


def _file_name(state: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "+-." else "_" for letter in state)
