"""Lateral-depth maps of counts, from the voxels of an instrument."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ionstack.output.voxels import read_voxels
from ionstack.plots.counts import signal_label
from ionstack.plots.style import RC, new_figure, prefixed, save

FloatArray = npt.NDArray[np.float64]

# Signals that one figure has room for.
_MOST = 6
# Part of the voxels along y that a sheet sums up, around the middle.
_BAND = 5


def draw_sections(
    maps: Sequence[tuple[str, Path]], signals: Sequence[str], path: Path, title: str
) -> Path:
    """Draw the middle fifth of the voxels along y, summed: rows of signals, columns of states."""
    shown = signals[:_MOST]
    with mpl.rc_context(RC):
        figure = new_figure(1.6 + 3.4 * len(maps), 0.9 + 2.1 * len(shown))
        grid = figure.subplots(len(shown), len(maps), sharex=True, sharey=True, squeeze=False)
        columns = [_sheets(file, shown) for _, file in maps]
        for row, signal, *sheets in zip(grid, shown, *columns, strict=True):
            norm = Normalize(0.0, max(float(counts.max()) for counts, _ in sheets) or 1.0)
            for axes, (counts, bounds) in zip(row, sheets, strict=True):
                unit = _draw(axes, counts, bounds, norm)
            figure.colorbar(
                row[0].images[0], ax=list(row), label=f"{signal_label(signal)} [counts]", pad=0.02
            )
            row[0].set_ylabel("depth [nm]")
        for axes, (state, _) in zip(grid[0], maps, strict=True):
            axes.set_title(state)
        for axes in grid[-1]:
            axes.set_xlabel(f"x [{unit}]")
        note = f"{title}; sum over the middle fifth along y"
        figure.supxlabel(note, fontsize=8.5, color="0.35")
        return save(figure, path)


Sheet = tuple[FloatArray, tuple[float, float, float]]


def _sheets(file: Path, signals: Sequence[str]) -> list[Sheet]:
    """Counts (depths, columns) of the middle rows of voxels; lowest and largest x, depth [m]."""
    names = [f"{signal} [counts]" for signal in signals]
    image = read_voxels(file, names)
    columns, rows, depths = (size - 1 for size in image.dimensions)
    band = slice((rows - rows // _BAND) // 2, (rows + rows // _BAND + 1) // 2)
    low, high, *_, bottom, top = image.bounds
    bounds = (float(low), float(high), float(top - bottom))
    counts = (np.asarray(image.cell_data[name]).reshape(depths, rows, columns) for name in names)
    return [(one[::-1, band].sum(axis=1, dtype=np.float64), bounds) for one in counts]


def _draw(
    axes: Axes, counts: FloatArray, bounds: tuple[float, float, float], norm: Normalize
) -> str:
    """Draw one sheet and return the unit of the lateral axis."""
    left, right, depth = bounds
    factor, unit = prefixed(np.array([left, right]), "m")
    extent = (left * factor, right * factor, depth * 1e9, 0.0)
    axes.imshow(counts, extent=extent, aspect="auto", cmap="viridis", norm=norm)
    axes.grid(visible=False)
    return unit
