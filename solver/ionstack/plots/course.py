"""Voltage and current over time, of runs that sweep nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ionstack.metrics import Trace
from ionstack.metrics.arrays import FloatArray
from ionstack.output.steps import StepRow
from ionstack.output.trace import TIME, contacts_in, current_column, voltage_column
from ionstack.plots.style import STATE_COLORS, STATE_STYLES, new_figure, prefixed, save

# More curves than that are not told apart.
_MOST = 6


def draw_course(trace: Trace, steps: Sequence[StepRow], path: Path) -> Path:
    """Draw voltage and current of the driven contacts against time."""
    driven = {step.contact for step in steps}
    names = [one for one in contacts_in(trace) if one in driven][:_MOST]
    figure = new_figure(8.0, 5.6)
    panels = figure.subplots(2, 1, sharex=True)
    seconds, unit = prefixed(trace[TIME], "s")
    seconds, unit = (1.0, "s") if unit in ("ks", "Ms") else (seconds, unit)
    for axes, column, what, of in (
        (panels[0], voltage_column, "voltage", "V"),
        (panels[1], current_column, "current", "A"),
    ):
        values = [trace[column(name)] for name in names]
        _draw(axes, trace[TIME] * seconds, values, (what, of))
    panels[-1].set_xlabel(f"time [{unit}]")
    if len(names) > 1:
        looks = [Line2D([], [], color=c, linestyle=s) for c, s in _looks(len(names))]
        figure.legend(looks, names, loc="outside lower center", ncols=len(names))
    return save(figure, path)


def _draw(
    axes: Axes, time: FloatArray, values: Sequence[FloatArray], quantity: tuple[str, str]
) -> None:
    name, unit = quantity
    factor, prefixed_unit = prefixed(np.concatenate([*values, [0.0]]), unit)
    for one, (color, style) in zip(values, _looks(len(values)), strict=True):
        axes.plot(time, one * factor, color=color, linestyle=style, lw=1.2)
    axes.set_ylabel(f"{name} [{prefixed_unit}]")


def _looks(count: int) -> list[tuple[str, Any]]:
    return [
        (STATE_COLORS[k % len(STATE_COLORS)], STATE_STYLES[k % len(STATE_STYLES)])
        for k in range(count)
    ]
