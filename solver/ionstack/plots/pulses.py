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

Table = Mapping[str, NDArray[np.float64]]


def draw_pulses(table: Table, path: Path) -> Path:
    """Draw one panel for the pulses, and one for the reads if there are any."""
    reads = table["kind [1]"] == KINDS["read"]
    # Reads stand at the pulse before them.
    count = np.cumsum(~reads)
    figure = new_figure(6.4, 6.4 if reads.any() else 4.2)
    panels = figure.subplots(1 + int(reads.any()), 1, sharex=True, squeeze=False)[:, 0]
    _panel(panels[0], count, table["current [A]"], table["voltage [V]"], ~reads)
    panels[0].set_ylabel("current at the end [{}]".format(_unit(table["current [A]"][~reads], "A")))
    if reads.any():
        conductance = table["current [A]"] / np.where(reads, table["voltage [V]"], 1.0)
        _panel(panels[1], count, conductance, table["voltage [V]"], reads, unit="S")
        panels[1].set_ylabel(f"conductance [{_unit(conductance[reads], 'S')}]")
    panels[-1].set_xlabel("pulse")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return save(figure, path)


def _unit(values: NDArray[np.float64], unit: str) -> str:
    return prefixed(values, unit)[1]


def _panel(
    axes: Axes,
    count: NDArray[np.int64],
    values: NDArray[np.float64],
    voltages: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    unit: str = "A",
) -> None:
    factor, _ = prefixed(values[chosen], unit)
    looks = ((-1.0, "o", "#1f4e9c", "#1f4e9c"), (1.0, "s", "#d9791a", "white"))
    for sign, marker, edge, face in looks:
        here = chosen & (np.sign(voltages) == sign)
        if here.any():
            low, high = np.unique(np.round(voltages[here], 6))[[0, -1]]
            label = f"{low:+g} V" if low == high else f"{low:+g} to {high:+g} V"
            axes.plot(
                count[here], values[here] * factor, marker, ms=5.0, mec=edge, mfc=face, ls="none",
                label=label.replace("-", "−"),
            )  # fmt: skip
    axes.margins(y=0.12)
    axes.legend()
