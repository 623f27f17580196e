"""``ionstack sims``: a run's folder and a setup in, tables, maps and figures out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import get_args

import numpy as np

from ionstack.errors import InputError
from ionstack.output.counts import CountProfile, write_counts
from ionstack.output.paraview import write_map_script
from ionstack.output.voxels import write_voxels
from ionstack.plots.counts import draw_measured, draw_profiles, layers_of
from ionstack.plots.volume_order import MOST_TOGETHER, VolumeOrder, draw_apart
from ionstack.plots.voxels import draw_sections
from ionstack.reading.schema import not_among
from ionstack.surface_analysis.analysis import Analysis, analysis_of, chosen, images
from ionstack.surface_analysis.comparison import Comparison, compare, write_misfits
from ionstack.surface_analysis.foreign import foreign_subject
from ionstack.surface_analysis.measured import Measured, read_measured
from ionstack.surface_analysis.order import Order, copy_of_measured
from ionstack.surface_analysis.photoelectrons import atomic_fractions
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.setup_schema import Stage
from ionstack.surface_analysis.subject import Subject, subject_of


def run_sims(folder: Path, setup: Setup, order: Order) -> list[Path]:
    """Analyse a run, or a file, and return the files written into a folder of it, ``sims``.

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
    measured = read_measured(order.measured, profiles[0].counts) if order.measured else None
    target = (folder if folder.is_dir() else folder.with_suffix("")) / order.folder
    target.mkdir(parents=True, exist_ok=True)
    written = [write_counts(target / f"{setup.prefix}_profile.csv", profiles)]
    if setup.given.kind == "xps":
        profiles = tuple(_composition(one, setup) for one in profiles)
        written.append(write_counts(target / "xps_composition.csv", profiles))
    if order.figures:
        written += draw_profiles(profiles, setup.given.title, target)
    if measured is not None:
        written += _compared(profiles[0], measured, setup, order, target)
    return written + (_maps(analyses, profiles, order, target) if order.maps else [])


def _opened(path: Path, setup: Setup, order: Order) -> Subject:
    """A run's folder, or a file of another program."""
    if path.is_file():
        return foreign_subject(path, order.states, setup)
    return subject_of(path, order.states)


def _compared(
    profile: CountProfile, measured: Measured, setup: Setup, order: Order, target: Path
) -> list[Path]:
    """Write how a measurement agrees with a state, keep its table beside, and draw both."""
    found = compare(profile, measured)
    kept = copy_of_measured(target, setup)
    assert order.measured is not None
    if not (kept.exists() and kept.samefile(order.measured)):
        copyfile(order.measured, kept)
    written = [write_misfits(target / f"{setup.prefix}_misfit.csv", found), kept]
    if order.figures:
        path = target / f"{setup.prefix}_measured.png"
        written.append(_draw_compared(profile, measured, found, path))
    return written


def _draw_compared(
    profile: CountProfile, measured: Measured, found: Comparison, path: Path
) -> Path:
    overlay = {
        name: (found.depth, np.asarray(counts / found.signals[name].factor, dtype=np.float64))
        for name, counts in measured.counts.items()
    }
    note = (
        f"measured depth = {found.shift * 1e9:.3g} nm + {found.stretch:.4g} times the simulated one"
    )
    return draw_measured(profile, overlay, note, path)


def _maps(
    analyses: Sequence[Analysis], profiles: Sequence[CountProfile], order: Order, target: Path
) -> list[Path]:
    """Write the voxels of every state and draw the sheet through their middle."""
    setup = analyses[0].setup
    kind = setup.prefix
    files = [target / f"{kind}_map_{_file_name(one.state)}.vti" for one in analyses]
    signals = list(profiles[0].counts)
    for one, image, path in zip(analyses, images(analyses), files, strict=True):
        write_voxels(path, *one.voxels(signals, image))
    if not order.figures:
        return files
    states = [(one.state, path) for one, path in zip(analyses, files, strict=True)]
    by_change = sorted(signals, key=lambda name: -_change(profiles, name))
    drawn = draw_sections(states, by_change, target / f"{kind}_map.png", setup.given.title)
    layers = [(name, top * 1e-9, end * 1e-9) for name, top, end in layers_of(profiles[0])]
    script = write_map_script(files, [name for name, _ in states], layers, by_change)
    written = [*files, drawn, script]
    if analyses[0].specimen.columns.arrangement == "film":
        return written
    picture = target / f"{kind}_volumes.png"
    named = [(state, str(path)) for state, path in states]
    apart = _unlike(profiles[0], by_change)
    return written + draw_apart(VolumeOrder(named, apart, layers, setup.given.title, str(picture)))


def _unlike(profile: CountProfile, ranked: Sequence[str]) -> list[str]:
    """The first signal, and by turns the one whose profile is least like those chosen."""
    shapes = {name: profile.expected[name] for name in ranked}
    units = {name: one / max(float(np.linalg.norm(one)), 1e-300) for name, one in shapes.items()}
    found = list(ranked[:1])
    while len(found) < min(MOST_TOGETHER, len(ranked)):
        likeness = {
            name: max(float(units[name] @ units[other]) for other in found)
            for name in ranked
            if name not in found
        }
        found.append(min(likeness, key=lambda name: likeness[name]))
    return found


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
