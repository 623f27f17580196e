"""Figures of counts along the depth: all signals of each state, and each signal in all states."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from ionstack.output.counts import CountProfile
from ionstack.plots.style import RC, STATE_COLORS, STATE_STYLES, new_figure, save, shade_layers

# Okabe and Ito (2008): told apart with every kind of colour vision; styles differ after eight.
_COLORS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#8a8a00")
_STYLES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
# Analyses that a line shows as a mean, at least so many of them along the depth.
_POINTS = 300


def draw_profiles(profiles: Sequence[CountProfile], title: str, folder: Path) -> list[Path]:
    """Draw the signals of each state, and, of several states, each signal in all of them."""
    kind = "xps" if profiles[0].unit == "1" else "sims"
    with mpl.rc_context(RC):
        drawn = [_draw_states(profiles, title, folder / f"{kind}_profiles.png")]
        if len(profiles) > 1:
            drawn.append(_draw_signals(profiles, title, folder / f"{kind}_comparison.png"))
    return drawn


def draw_measured(
    profile: CountProfile,
    measured: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    note: str,
    path: Path,
) -> Path:
    """Draw measured counts (depth [m], counts) as points over the expected ones of a state."""
    with mpl.rc_context(RC):
        figure = new_figure(6.4, 4.4)
        axes = figure.subplots()
        shade_layers(axes, layers_of(profile), names=True)
        for number, (signal, (depth, counts)) in enumerate(measured.items()):
            color = _COLORS[number % len(_COLORS)]
            axes.plot(depth * 1e9, counts, ".", ms=2.5, color=color, alpha=0.6)
            expected = profile.expected[signal]
            _line(axes, profile, expected, color=color, label=signal_label(signal))
        axes.set(yscale="log", ylim=(_floor([profile]), None), xlabel="depth [nm]")
        axes.set_xlim(0.0, profile.depth[-1] * 1e9)
        axes.set_ylabel("counts per analysis")
        axes.set_title(f"{profile.state}: points measured, lines simulated", pad=22)
        figure.legend(loc="outside right upper")
        figure.supxlabel(note, fontsize=8.5, color="0.35")
        return save(figure, path)


def signal_label(signal: str) -> str:
    """Return a secondary ion with its numbers lowered and its charge raised."""
    if " " in signal:
        return signal
    name = signal.rstrip("+-")
    charge = signal[len(name) :].replace("-", "−")
    lowered = re.sub(r"(\d+)", r"$_{\1}$", name)
    return f"{lowered}$^{{{charge}}}$" if charge else lowered


def layers_of(profile: CountProfile) -> tuple[tuple[str, float, float], ...]:
    """Return name, upper and lower depth [nm] of the materials as they come."""
    depth = profile.depth * 1e9
    groups = [list(rows) for _, rows in groupby(range(len(depth)), profile.material.__getitem__)]
    tops = [0.0, *(0.5 * float(depth[rows[0] - 1] + depth[rows[0]]) for rows in groups[1:])]
    ends = [*tops[1:], float(depth[-1])]
    names = (profile.material[rows[0]] for rows in groups)
    return tuple(zip(names, tops, ends, strict=True))


def _draw_states(profiles: Sequence[CountProfile], title: str, path: Path) -> Path:
    figure = new_figure(1.6 + 3.6 * len(profiles), 4.4)
    row = figure.subplots(1, len(profiles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, profile in zip(row, profiles, strict=True):
        shade_layers(axes, layers_of(profile), names=True)
        for number, (signal, counts) in enumerate(profile.counts.items()):
            style = _STYLES[number // len(_COLORS) % len(_STYLES)]
            color = _COLORS[number % len(_COLORS)]
            _line(axes, profile, counts, color=color, ls=style, label=signal_label(signal))
        axes.set_xlabel("depth [nm]")
        axes.set_title(profile.state, pad=22)
    row[0].set_xlim(0.0, profiles[0].depth[-1] * 1e9)
    if profiles[0].unit == "1":
        row[0].set(ylim=(0.0, 1.0), ylabel="share of all atoms")
    else:
        row[0].set(yscale="log", ylim=(_floor(profiles), None), ylabel="counts per analysis")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside right upper")
    figure.supxlabel(title, fontsize=8.5, color="0.35")
    return save(figure, path)


def _draw_signals(profiles: Sequence[CountProfile], title: str, path: Path) -> Path:
    """Draw counts over the largest of the first state: what changes, not how well it is seen."""
    signals = list(profiles[0].counts)
    columns = min(3, len(signals))
    rows = -(-len(signals) // columns)
    figure = new_figure(0.6 + 3.5 * columns, 1.1 + 2.3 * rows)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for axes, signal in zip(grid, signals, strict=False):
        largest = float(_smooth(profiles[0].counts[signal]).max()) or 1.0
        shade_layers(axes, layers_of(profiles[0]), names=axes in grid[:columns])
        for number, one in enumerate(profiles):
            color, style = STATE_COLORS[number % 5], STATE_STYLES[number % 5]
            counts = one.counts[signal] / largest
            _line(axes, one, counts, color=color, ls=style, label=one.state)
        axes.set_ylim(0.0, 1.25 * max(axes.get_ylim()[1], 1.0) / 1.05)
        axes.annotate(
            signal_label(signal), (0.97, 0.97), xycoords="axes fraction", ha="right", va="top"
        )
    for axes in grid[len(signals) :]:
        axes.set_visible(False)
    grid[0].set_xlim(0.0, profiles[0].depth[-1] * 1e9)
    figure.supylabel(f"over the largest of {profiles[0].state}", fontsize=10)
    handles = grid[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=min(len(profiles), 4))
    figure.supxlabel(f"depth [nm]\n{title}", fontsize=9)
    return save(figure, path)


def _line(axes: Axes, profile: CountProfile, counts: npt.ArrayLike, **look: Any) -> None:
    axes.plot(_smooth(profile.depth) * 1e9, _smooth(counts), lw=1.3, **look)


def _smooth(analyses: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mean of neighbouring analyses, as many as leave a line its shape."""
    values = np.asarray(analyses, dtype=np.float64)
    size = max(1, len(values) // _POINTS)
    whole = len(values) // size * size
    return np.asarray(values[:whole].reshape(-1, size).mean(axis=1))


def _floor(profiles: Sequence[CountProfile]) -> float:
    """What is counted at all, and not more than six decades below the most."""
    smallest = min(float(one.min()) for p in profiles for one in p.expected.values())
    largest = max(float(one.max()) for p in profiles for one in p.expected.values())
    return max(smallest, min(0.7, 0.1 * largest), 1e-6 * largest)
