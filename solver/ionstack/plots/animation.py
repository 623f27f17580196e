"""A step of the protocol as a film: the curve with a moving point beside a moving species.

Frames are the snapshots of the field file. Pillow, which Matplotlib brings along, writes the GIF.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from PIL import Image

from ionstack.errors import InputError
from ionstack.metrics import Trace, device_curve
from ionstack.output.atomic import replacing
from ionstack.output.field_reader import Fields, read_fields
from ionstack.output.names import first_neutral_species, first_positive_ion, species_in
from ionstack.output.run_directory import RunDirectory
from ionstack.output.steps import StepRow, read_steps
from ionstack.output.trace import CYCLE, TIME, read_trace
from ionstack.plots.maps import (
    draw_slice,
    lateral_axis,
    mark_layers,
    species_quantity,
    value_limits,
    vertical_slice,
)
from ionstack.plots.style import RC, prefixed, shade_layers
from ionstack.reading.schema import not_among

FloatArray = npt.NDArray[np.float64]

SWEPT = ("sweep", "cv")
# Frames at most, inches, dots per inch, seconds for each frame, and bytes of the file at most.
_FRAMES = 80
_SIZE = (9.0, 3.9)
_DPI = 80
_SECONDS = 0.12
_BYTES = 5_000_000
# Fewer frames than this do not move smoothly.
_FEW = 12


@dataclass(frozen=True)
class Film:
    """The file, and what there is to say about it."""

    path: Path
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Scene:
    """What is shown: the rows of the trace, the steps of the field file, a species' array."""

    trace: Trace
    step: StepRow
    fields: Fields
    shots: tuple[int, ...]
    name: str
    label: str


def animate(folder: Path, step: str = "", species: str = "") -> Film:
    """Draw a step of a run, by default the first that is swept, and its ion, as a GIF.

    `step` is a name or a number of ``steps.csv``. Raises InputError where the run has no such step
    or species, or fewer than two snapshots of it.
    """
    run = RunDirectory(folder)
    if not run.fields.exists() or not run.trace.exists():
        raise InputError(f"{folder}: holds no run with fields (fields.vtkhdf)")
    fields = read_fields(run.fields)
    chosen = _step(run, step)
    shots = _shots(fields, chosen, run)
    array = species_quantity(fields, _species(fields, species))
    scene = _Scene(read_trace(run.trace), chosen, fields, shots, *array)
    run.figures.mkdir(exist_ok=True)
    path = run.figures / "animation.gif"
    with mpl.rc_context(RC):
        frames = _frames(scene)
    kept = _write(path, frames)
    lines: tuple[str, ...] = (f"{kept} frames of {chosen.kind} {chosen.name or chosen.step}",)
    if len(shots) < _FEW:
        lines += (f"for more, run with --set output.snapshot_every={_advised(chosen)}",)
    return Film(path, lines)


def _step(run: RunDirectory, wanted: str) -> StepRow:
    """All that a step did, from its first row to its last."""
    rows = read_steps(run.steps) if run.steps.exists() else ()
    if not rows:
        raise InputError(f"{run.steps}: lists no steps")
    swept = [row for row in rows if row.kind in SWEPT]
    names = {str(row.step): row for row in reversed(rows)}
    names |= {row.name: row for row in reversed(rows) if row.name}
    if wanted and wanted not in names:
        raise InputError(f"{run.steps}: {not_among('step', wanted, sorted(names))}")
    first = names[wanted] if wanted else (swept or list(rows))[0]
    same = [row for row in rows if (row.step, row.name) == (first.step, first.name)]
    ends = {"start": same[0].start, "end": same[-1].end}
    return StepRow(**{**vars(first), **ends})


def _shots(fields: Fields, step: StepRow, run: RunDirectory) -> tuple[int, ...]:
    """Snapshots of a step, evenly chosen where there are many."""
    slack = 1e-9 * max(abs(step.end), 1e-30)
    inside = np.flatnonzero(
        (fields.times >= step.start - slack) & (fields.times <= step.end + slack)
    )
    if len(inside) < 2:
        raise InputError(
            f"{run.fields}: has {len(inside)} snapshots of {step.kind} {step.name or step.step}, "
            f"too few for a film; run with --set output.snapshot_every={_advised(step)}"
        )
    chosen = np.linspace(0, len(inside) - 1, min(_FRAMES, len(inside))).round().astype(np.int64)
    return tuple(int(number) for number in inside[chosen])


def _advised(step: StepRow) -> str:
    return f"{(step.end - step.start) / _FRAMES:.2g}s"


def _species(fields: Fields, wanted: str) -> str:
    known = species_in(fields.names)
    if wanted and wanted not in known:
        raise InputError(f"{fields.path}: {not_among('species', wanted, known)}")
    movers = (first_positive_ion(fields.names), first_neutral_species(fields.names))
    return wanted or next((one for one in (*movers, *known) if one), "")


def _frames(scene: _Scene) -> list[Image.Image]:
    """Draw everything once, then move what moves."""
    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    movers = [
        _curve(left, scene),
        _profile(right, scene) if scene.fields.dimension == 1 else _map(figure, right, scene),
    ]
    frames = []
    for number, shot in enumerate(scene.shots):
        for move in movers:
            move(shot)
        if number == 1:
            # Labels keep their places from here on.
            figure.set_layout_engine("none")
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    return frames


def _curve(axes: Axes, scene: _Scene) -> Callable[[int], None]:
    """Draw the whole curve pale; the part that has passed, and the point, follow a snapshot."""
    times = scene.trace[TIME]
    rows = np.flatnonzero((times >= scene.step.start) & (times <= scene.step.end))
    known = scene.step.contact if f"voltage {scene.step.contact} [V]" in scene.trace else None
    curve = device_curve(scene.trace, known)
    factor, unit = prefixed(curve.current[rows], "A")
    swept = scene.step.kind in SWEPT
    across = curve.voltage if swept else times
    current = curve.current * factor
    axes.plot(across[rows], current[rows], color="0.8", lw=1.0)
    (passed,) = axes.plot([], [], color="#0072b2", lw=1.5)
    (point,) = axes.plot([], [], "o", color="#d55e00", ms=9, mec="white", zorder=4)
    axes.set_xlabel(f"voltage at {curve.contact} [V]" if swept else "time [s]")
    axes.set_ylabel(f"current at {curve.contact} [{unit}]")

    def move(shot: int) -> None:
        time = scene.fields.times[shot]
        now = rows[int(np.argmin(np.abs(times[rows] - time)))]
        cycle = scene.trace[CYCLE][now]
        # Of many cycles only the present one: the others are there in grey.
        begun = rows[(rows <= now) & (scene.trace[CYCLE][rows] == cycle)]
        passed.set_data(across[begun], current[begun])
        point.set_data(across[[now]], current[[now]])
        words = f"t = {time:.4g} s, {curve.voltage[now]:+.3f} V"
        axes.set_title(words + (f", cycle {cycle:.0f}" if cycle else ""))

    return move


def _profile(axes: Axes, scene: _Scene) -> Callable[[int], None]:
    """Draw the depth profile of a film, and the first one for comparison."""
    fields = scene.fields
    layers = tuple((name, upper * 1e9, lower * 1e9) for name, upper, lower in fields.layers)
    shade_layers(axes, layers, names=True)
    points = [_in_order(fields, number) for number in range(len(fields.region_names))]
    first = fields.values(scene.name, scene.shots[0])
    lines = []
    for order in points:
        depth = fields.depth[order] * 1e9
        axes.plot(depth, first[order], color="0.7", lw=1.0)
        lines += axes.plot(depth, first[order], color="#0072b2", lw=1.8)
    limits, logarithmic = _limits(scene)
    margin = 0.05 * (limits[1] - limits[0])
    axes.set_ylim(limits if logarithmic else (limits[0] - margin, limits[1] + margin))
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set(xlim=(layers[0][1], layers[-1][2]), ylabel=scene.label)
    axes.set_xlabel("depth below the top electrode [nm]; grey: first frame")

    def move(shot: int) -> None:
        values = fields.values(scene.name, shot)
        for line, order in zip(lines, points, strict=True):
            line.set_ydata(values[order])

    return move


def _in_order(fields: Fields, region: int) -> npt.NDArray[np.int64]:
    points = np.unique(fields.cells[fields.region == region])
    return np.asarray(points[np.argsort(fields.depth[points])])


def _map(figure: Figure, axes: Axes, scene: _Scene) -> Callable[[int], None]:
    """Draw the lateral-depth map, of a body in the plane through its centre."""
    fields = scene.fields
    factor, lateral = lateral_axis(fields)
    limits, logarithmic = _limits(scene)
    plane = vertical_slice(fields, scene.name, scene.shots[0])
    drawn = draw_slice(axes, plane, factor, limits, "viridis")
    if logarithmic:
        drawn.set_norm(LogNorm(*limits))
    mark_layers(axes, fields)
    axes.set(xlabel=lateral, ylabel="depth below the top electrode [nm]")
    figure.colorbar(drawn, ax=axes, label=scene.label, extend="both")

    def move(shot: int) -> None:
        values = vertical_slice(fields, scene.name, shot).values
        drawn.set_array(np.where(np.isfinite(values), values, limits[0]))

    return move


def _limits(scene: _Scene) -> tuple[tuple[float, float], bool]:
    """Extremes over the frames, outside of double layers; whether they are decades apart."""
    inside = scene.fields.inside()
    found = [
        value_limits(scene.fields.values(scene.name, shot)[inside])
        for shot in (scene.shots[0], *scene.shots[1:-1:5], scene.shots[-1])
    ]
    low, high = min(one[0] for one in found), max(one[1] for one in found)
    logarithmic = low > 0.0 and high > 1e3 * low
    return (max(low, 1e-12 * high) if logarithmic else low, high), logarithmic


def _write(path: Path, frames: Sequence[Image.Image]) -> int:
    """Write the film with as many of the frames as its size allows; return their number."""
    sample = np.vstack([np.asarray(frames[number]) for number in (0, len(frames) // 2, -1)])
    # Of few pixels too, such as those of the point.
    shared = Image.fromarray(sample).quantize(256, method=Image.Quantize.MAXCOVERAGE)
    kept = [frame.quantize(palette=shared, dither=Image.Dither.NONE) for frame in frames]
    while True:
        with replacing(path) as partial:
            duration = round(1000 * _SECONDS * max(1.0, len(frames) / len(kept)))
            first, *rest = kept
            options = {"append_images": rest, "duration": duration, "loop": 0}
            first.save(partial, format="GIF", save_all=True, **options)
        if path.stat().st_size <= _BYTES or len(kept) < 4:
            return len(kept)
        kept = kept[::2]
