"""The common look of the figures, and SI prefixes for their axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure

from ionstack.output.atomic import replacing

RC: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "savefig.dpi": 150.0,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
}
# Dark to light also in grey; line styles differ as well.
STATE_COLORS = ("#1b1b1b", "#1f5fa8", "#d9791a", "#6a3d9a", "#3a923a")
STATE_STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1, 1.5)), "-")
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M"}


def new_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in inches, independent of pyplot's global state."""
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as PNG, replacing an older one as a whole; return the path."""
    with replacing(path) as partial:
        figure.savefig(partial, format="png")
    return path


def prefixed(values: npt.NDArray[np.float64], unit: str) -> tuple[float, str]:
    """Return the factor and the prefixed unit in which the largest value is 1 to 1000."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    if largest == 0.0:
        return 1.0, unit
    exponent = 3 * int(np.floor(np.log10(largest) / 3))
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**-exponent, _PREFIXES[exponent] + unit


def cycle_colormap(count: int) -> Colormap:
    """Return one colour per cycle; the palest part of viridis is left out for print."""
    base = mpl.colormaps["viridis"]
    return ListedColormap(base(np.linspace(0.0, 0.88, max(count, 1))))


def species_label(species: str) -> str:
    """Return a species with its charge raised, ``Li$^{+}$``."""
    name = species.rstrip("+-")
    charge = species[len(name) :].replace("-", "−")
    return f"{name}$^{{{charge}}}$" if charge else name


def shade_layers(axes: Axes, layers: tuple[tuple[str, float, float], ...], *, names: bool) -> None:
    """Shade every second layer (name, upper, lower depth in nm) and name them on top."""
    for number, (name, upper, lower) in enumerate(layers):
        if number % 2 == 0:
            axes.axvspan(upper, lower, color="0.94", lw=0, zorder=0)
        if number > 0:
            axes.axvline(upper, color="0.45", lw=0.8, zorder=1)
        if names:
            middle = 0.5 * (upper + lower)
            axes.annotate(
                name,
                (middle, 1.02),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=10.5,
            )
