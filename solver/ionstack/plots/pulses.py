"""Currents of pulses and the conductance that reads find, against the number of pulses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ionstack.output.pulses import KINDS
from ionstack.plots.style import new_figure, prefixed, save

# Of the largest: values that differ by less are the same.
_SAME = 1e-6

Table = Mapping[str, NDArray[np.float64]]


def draw_pulses(table: Table, path: Path) -> Path:
    """Draw one panel for the pulses, and one for the reads if there are any."""
    reads = table["kind [1]"] == KINDS["read"]
    # Reads stand at the pulse before them.
    count = np.cumsum(~reads)
    figure = new_figure(6.4, 6.4 if reads.any() else 4.2)
    panels = figure.subplots(1 + int(reads.any()), 1, sharex=True, squeeze=False)[:, 0]
    current, voltage = table["current [A]"], table["voltage [V]"]
    _panel(panels[0], count[~reads], current[~reads], voltage[~reads], ("current at the end", "A"))
    if reads.any():
        conductance = current[reads] / voltage[reads]
        _panel(panels[1], count[reads], conductance, voltage[reads], ("conductance", "S"))
    panels[-1].set_xlabel("pulse")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return save(figure, path)


def _panel(
    axes: Axes,
    count: NDArray[np.int64],
    values: NDArray[np.float64],
    voltages: NDArray[np.float64],
    quantity: tuple[str, str],
) -> None:
    """Draw values against pulses by the sign of the voltage; `quantity` is name and unit."""
    name, unit = quantity
    factor, prefixed_unit = prefixed(values, unit)
    looks = ((-1.0, "o", "#1f4e9c", "#1f4e9c"), (1.0, "s", "#d9791a", "white"))
    for sign, marker, edge, face in looks:
        here = np.sign(voltages) == sign
        if here.any():
            low, high = np.unique(np.round(voltages[here], 6))[[0, -1]]
            label = f"{low:+g} V" if low == high else f"{low:+g} to {high:+g} V"
            axes.plot(
                count[here], values[here] * factor, marker, ms=5.0, mec=edge, mfc=face, ls="none",
                label=label.replace("-", "−"),
            )  # fmt: skip
    axes.set_ylabel(f"{name} [{prefixed_unit}]")
    axes.margins(y=0.12)
    shown = values[np.isfinite(values)] * factor
    if shown.size and np.ptp(shown) <= _SAME * np.abs(shown).max():
        # Differences of round-off are no course.
        axes.set_ylim(*sorted((0.0, 1.25 * float(shown.mean()) or 1.0)))
    axes.legend()
