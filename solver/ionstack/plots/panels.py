"""Figures of measured curves: panels described by data, drawn in the common look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from ionstack.metrics.arrays import FloatArray
from ionstack.plots.style import (
    RC,
    STATE_COLORS,
    STATE_STYLES,
    cycle_colormap,
    new_figure,
    prefixed,
    save,
)

Mark = Literal["points", "line", "fit"]
_PLAIN = ("", "1", "%", "°", "dB")
_MANY = 6
# Most decades of a logarithmic axis, counted from its upper end.
_MOST_DECADES = 16.0
_OVER_A_LINE = STATE_COLORS[2]


@dataclass(frozen=True)
class Axis:
    """Label and unit of an axis; `log` scale; `whole` numbers only."""

    label: str
    unit: str = ""
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Series:
    """One curve, shape (n,), in the units of the axes.

    `mark`: measured points, a line through them, or a dashed fit. More than six series
    without labels are coloured in their order, like cycles.
    """

    x: FloatArray
    y: FloatArray
    label: str = ""
    mark: Mark = "line"


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    `equal`: the same scale on both, as in a Nyquist plot. `order`: what series without labels
    count, ``sweep`` for instance; a few get labels of it, many a colour bar.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    equal: bool = False
    order: str = ""


def draw_panels(panels: tuple[Panel, ...], path: Path) -> Path:
    """Draw the panels side by side, up to three in a row, and return the PNG file."""
    columns = 3 if len(panels) in (3, 5, 6) else min(2, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(RC):
        figure = new_figure(4.9 * columns + 0.4, 3.9 * rows)
        axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for panel, one in zip(panels, axes, strict=False):
            _draw(figure, one, panel)
        for unused in axes[len(panels) :]:
            unused.set_visible(False)
        return save(figure, path)


def _draw(figure: Figure, axes: Axes, panel: Panel) -> None:
    scales = [_scale(panel, axis) for axis in ("x", "y")]
    if panel.equal:
        scales = [max(scales, key=lambda scale: 1.0 / scale[0])] * 2
    for series, look in zip(panel.series, _looks(panel), strict=True):
        _curve(axes, panel, series, (scales[0][0], scales[1][0]), look)
    for name, axis, (_, unit) in zip("xy", (panel.x, panel.y), scales, strict=True):
        shown = unit.replace("^2", "²")
        axes.set(**{f"{name}label": f"{axis.label} [{shown}]" if unit else axis.label})
        if axis.log:
            _logarithmic(axes, name)
        elif axis.whole:
            getattr(axes, f"{name}axis").set_major_locator(MaxNLocator(integer=True))
    axes.set_title(panel.title)
    if panel.equal:
        axes.set_aspect("equal", adjustable="datalim")
    if any(series.label for series in panel.series):
        # What is long would hide curves.
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02)}
        axes.legend(**beside if len(panel.series) > _MANY else {})
    if panel.order:
        _tell_order(figure, axes, panel)


def _tell_order(figure: Figure, axes: Axes, panel: Panel) -> None:
    """Number the curves: a legend for a few, a colour bar for many."""
    count = len(panel.series)
    if 1 < count <= _MANY:
        axes.legend([f"{panel.order} {number}" for number in range(1, count + 1)])
    elif count > _MANY:
        norm = BoundaryNorm(np.arange(count + 1) + 0.5, count)
        ticks = np.arange(1, count + 1)[:: max(1, -(-count // 10))]
        mappable = ScalarMappable(norm, cycle_colormap(count))
        bar = figure.colorbar(mappable, ax=axes, ticks=ticks, label=panel.order)
        bar.ax.minorticks_off()


def _logarithmic(axes: Axes, name: str) -> None:
    """Set a logarithmic scale over a decade at least: less has no room for its labels.

    It ends below what any instrument tells from zero.
    """
    axes.set(**{f"{name}scale": "log"})
    low, high = np.log10(getattr(axes, f"get_{name}lim")())
    low = max(low, high - _MOST_DECADES)
    missing = 0.5 * max(0.0, 1.05 - (high - low))
    axes.set(**{f"{name}lim": (10.0 ** (low - missing), 10.0 ** (high + missing))})
    # Of a single decade more than its end is needed, but not so much that it overlaps.
    short = high - low + 2.0 * missing < 2.0
    minor = FuncFormatter(_between_decades) if short else NullFormatter()
    getattr(axes, f"{name}axis").set_minor_formatter(minor)


def _between_decades(value: float, _: int | None = None) -> str:
    """Label 2 and 5 between powers of ten."""
    exponent = int(np.floor(np.log10(value) + 1e-9))
    digit = round(value / 10.0**exponent)
    return f"${digit}\\times 10^{{{exponent}}}$" if digit in (2, 5) else ""


def _scale(panel: Panel, which: Literal["x", "y"]) -> tuple[float, str]:
    axis: Axis = getattr(panel, which)
    if axis.log or axis.unit in _PLAIN or not panel.series:
        return 1.0, axis.unit
    values = np.concatenate([getattr(series, which) for series in panel.series])
    factor, unit = prefixed(values, axis.unit)
    # Nobody reads kiloseconds.
    return (1.0, "s") if unit in ("ks", "Ms") else (factor, unit)


def _looks(panel: Panel) -> list[tuple[Any, Any]]:
    """Return colour and style of a line per series; many with names differ in their styles too."""
    many = len(panel.series) > _MANY and not panel.order
    styles = STATE_STYLES if many else ("-",)
    return [(color, styles[number % len(styles)]) for number, color in enumerate(_colors(panel))]


def _colors(panel: Panel) -> list[Any]:
    """Return a colour per series; a fit takes that of the points before it."""
    measured = [series for series in panel.series if series.mark != "fit"]
    many = cycle_colormap(len(measured)) if len(measured) > _MANY else None
    found: list[Any] = []
    number = -1
    for series in panel.series:
        number += series.mark != "fit"
        index = max(number, 0)
        own = many(index) if many else STATE_COLORS[index % len(STATE_COLORS)]
        hidden = series.mark == "fit" and number >= 0 and measured[number].mark == "line"
        found.append(_OVER_A_LINE if hidden else own)
    return found


def _curve(
    axes: Axes, panel: Panel, series: Series, factors: tuple[float, float], look: tuple[Any, Any]
) -> None:
    color, style = look
    x, y = series.x * factors[0], series.y * factors[1]
    if panel.x.log:
        x = np.where(x > 0.0, x, np.nan)
    if panel.y.log:
        y = np.where(y > 0.0, y, np.nan)
    looks: dict[str, dict[str, Any]] = {
        "points": {"marker": "o", "ms": 4.0, "ls": "none", "mfc": "none"},
        "line": {"lw": 1.3, "ls": style},
        "fit": {"lw": 1.3, "ls": (0, (5, 1.5))},
    }
    axes.plot(x, y, color=color, label=series.label or None, **looks[series.mark])
