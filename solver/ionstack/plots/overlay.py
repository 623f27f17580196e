"""All points of a campaign over each other, coloured by what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.metrics import DeviceCurve, device_curve
from ionstack.output.campaign import CampaignDirectory, Record, axis, read_record
from ionstack.output.pulses import KINDS, read_pulses
from ionstack.output.trace import read_trace
from ionstack.plots.style import RC, STATE_STYLES, cycle_colormap, new_figure, prefixed, save

Floats = NDArray[np.float64]
# More colours than this are read from a bar, not from a legend.
_MOST_NAMED = 8
_DECADES = 8
_STYLES = STATE_STYLES[:4]


@dataclass(frozen=True)
class Look:
    """Colour and line style of every point, and what explains them.

    `named` are the entries of a legend, (label, colour, style); `scale` is a colour bar
    in place of colours in the legend, labelled `title`.
    """

    points: Mapping[str, tuple[Any, Any]]
    named: tuple[tuple[str, Any, Any], ...]
    title: str
    scale: ScalarMappable | None


def draw_overlay(folder: CampaignDirectory) -> list[Any]:
    """Draw ``overlay.png`` from the points' files; return it, or nothing without curves.

    Points without a trace, or with a damaged one, are passed over. Colours follow the
    key that was given first, line styles the others.
    """
    record = read_record(folder)
    curves, reads = _curves(folder, record), _conductances(folder, record)
    if not curves:
        return []
    with mpl.rc_context(RC):
        look = _look(record)
        figure = new_figure(14.0 if reads else 10.0, 4.6)
        panels = figure.subplots(1, 3 if reads else 2)
        _draw_loops(panels[0], panels[1], curves, look)
        if reads:
            _draw_conductances(panels[2], reads, look)
        _explain(figure, panels, look)
        return [save(figure, folder.overlay)]


def _curves(folder: CampaignDirectory, record: Record) -> dict[str, DeviceCurve]:
    found = {}
    for point in record.points:
        try:
            curve = device_curve(read_trace(folder.run(point).trace))
        except InputError:
            continue
        if len(curve.voltage) > 1:
            found[point] = curve
    return found


def _conductances(folder: CampaignDirectory, record: Record) -> dict[str, tuple[Floats, Floats]]:
    """Return number of pulses and conductance [S] of the reads, or else of the pulses."""
    found = {}
    for point in record.points:
        try:
            table = read_pulses(folder.run(point).pulses)
        except InputError:
            continue
        read = table["kind [1]"] == KINDS["read"]
        chosen = (read if read.any() else ~read) & (table["voltage [V]"] != 0.0)
        if chosen.any():
            conductance = table["current [A]"][chosen] / table["voltage [V]"][chosen]
            found[point] = (np.cumsum(~read)[chosen].astype(np.float64), conductance)
    return found


def _look(record: Record) -> Look:
    keys = list(record.varied())
    first, others = keys[0], keys[1:]
    levels = record.varied()[first]
    known = axis(record, first)
    named = known is None or len(levels) <= _MOST_NAMED
    scale = None if named else _bar(*known) if known else None
    colors = {point: _color(record, point, first, scale) for point in record.points}
    rest = {point: _label(values, others) for point, values in record.points.items()}
    kinds = list(dict.fromkeys(rest.values()))
    styles = {kind: _STYLES[number % len(_STYLES)] for number, kind in enumerate(kinds)}
    entries = [] if scale else _color_entries(record, first, colors)
    entries += [(kind, "0.3", styles[kind]) for kind in kinds] if others else []
    points = {point: (colors[point], styles[rest[point]]) for point in record.points}
    title = first if known is None or known[1] == "1" else f"{first} [{known[1]}]"
    return Look(points, tuple(entries), title, scale)


def _bar(values: Sequence[float], unit: str) -> ScalarMappable:
    low, high = min(values), max(values)
    spread = low > 0.0 and high / low > 20.0
    return ScalarMappable((LogNorm if spread else Normalize)(low, high), cycle_colormap(256))


def _color(record: Record, point: str, key: str, scale: ScalarMappable | None) -> Any:
    number = list(record.points).index(point)
    known = axis(record, key)
    if scale is not None and known is not None:
        return scale.to_rgba(np.array(known[0]))[number]
    levels = record.varied()[key]
    return cycle_colormap(len(levels))(levels.index(record.points[point][key]))


def _color_entries(
    record: Record, key: str, colors: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    seen = {values[key]: colors[point] for point, values in record.points.items()}
    known = axis(record, key)
    names = [f"{one:.4g}" for one in dict.fromkeys(known[0])] if known else list(seen)
    return [(name, color, "-") for name, color in zip(names, seen.values(), strict=True)]


def _label(values: Mapping[str, str], keys: Sequence[str]) -> str:
    return ", ".join(f"{key.split('.')[-1]} {values[key]}" for key in keys)


def _draw_loops(
    linear: Axes, logarithmic: Axes, curves: Mapping[str, DeviceCurve], look: Look
) -> None:
    currents = np.concatenate([curve.current for curve in curves.values()])
    factor, unit = prefixed(currents, "A")
    for point, curve in curves.items():
        color, style = look.points[point]
        line = {"color": color, "ls": style, "lw": 1.3}
        linear.plot(curve.voltage, curve.current * factor, **line)
        size = np.where(curve.current == 0.0, np.nan, np.abs(curve.current))
        logarithmic.plot(curve.voltage, size, **line)
    contact = next(iter(curves.values())).contact
    linear.set(ylabel=f"current into {contact} [{unit}]", title="linear")
    logarithmic.set(ylabel=f"|current into {contact}| [A]", title="logarithmic")
    largest, smallest = (
        np.abs(currents).max(),
        np.abs(currents[currents != 0.0]).min(initial=np.inf),
    )
    if largest > 0.0:
        logarithmic.set_yscale("log")
        logarithmic.set_ylim(max(0.7 * smallest, largest * 10.0**-_DECADES), 2.0 * largest)
    for axes in (linear, logarithmic):
        axes.set_xlabel(f"voltage at {contact} [V]")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    linear.axhline(0.0, color="0.6", lw=0.7, zorder=1)
    linear.axvline(0.0, color="0.6", lw=0.7, zorder=1)


def _draw_conductances(axes: Axes, reads: Mapping[str, tuple[Floats, Floats]], look: Look) -> None:
    factor, unit = prefixed(np.concatenate([values for _, values in reads.values()]), "S")
    for point, (number, conductance) in reads.items():
        color, style = look.points[point]
        axes.plot(number, conductance * factor, color=color, ls=style, lw=1.0, marker="o", ms=3.0)
    axes.set(xlabel="pulse", ylabel=f"conductance [{unit}]", title="pulses")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _explain(figure: Figure, panels: Sequence[Axes], look: Look) -> None:
    if look.scale is not None:
        bar = figure.colorbar(look.scale, ax=list(panels), label=look.title)
        if isinstance(look.scale.norm, Normalize) and not isinstance(look.scale.norm, LogNorm):
            bar.formatter = ScalarFormatter(useOffset=False)
    if look.named:
        lines = [Line2D([], [], color=color, ls=style) for _, color, style in look.named]
        labels = [label.replace("-", "−") for label, _, _ in look.named]
        title = look.title if look.scale is None else None
        figure.legend(lines, labels, title=title, loc="outside right center")
