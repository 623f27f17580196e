"""Figure of random events: how the voltages at which they came are distributed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.plots.style import new_figure, save

FloatArray = npt.NDArray[np.float64]


def draw_events(voltages: Mapping[str, FloatArray], path: Path) -> Path:
    """Draw the share of events below every voltage, by name or label; σ/mean in the legend."""
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    for label, values in voltages.items():
        share = (np.arange(len(values)) + 0.5) / len(values)
        spread = np.std(values, ddof=1) / abs(np.mean(values)) if len(values) > 1 else np.nan
        told = f"{label}: {np.mean(values):.3g} V, σ/mean {100.0 * spread:.1f} %"
        axes.plot(np.sort(values), share, ".-", ms=4, lw=0.8, label=told)
    axes.set_xlabel("voltage at the event [V]")
    axes.set_ylabel("share of the events")
    axes.set_ylim(0.0, 1.0)
    axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return save(figure, path)
