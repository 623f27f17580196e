"""Current-voltage loops and the conductance of successive cycles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ionstack.metrics import DeviceCurve, Trace, cycle_conductance, device_curve
from ionstack.output.trace import CYCLE
from ionstack.plots.style import cycle_colormap, new_figure, prefixed, save

# Cycles whose marks have room side by side.
_FEW = 40
# Decades shown below the largest current: the zero crossing itself reaches none.
_DECADES = 6


def draw_iv(trace: Trace, path: Path, contact: str | None = None) -> Path:
    """Draw I(V), linear and as log|I|, one colour per cycle; rows outside cycles in grey."""
    curve = device_curve(trace, contact)
    cycles = np.unique(trace[CYCLE][trace[CYCLE] > 0]).astype(np.int64)
    colors = cycle_colormap(len(cycles))
    factor, unit = prefixed(curve.current, "A")
    figure = new_figure(10.0, 4.4)
    linear, logarithmic = figure.subplots(1, 2)
    _draw_curves(linear, trace, curve, curve.current * factor, colors)
    nonzero = np.where(curve.current == 0.0, np.nan, np.abs(curve.current))
    _draw_curves(logarithmic, trace, curve, nonzero, colors)
    _arrows(linear, trace, curve, factor, cycles, colors)
    linear.set(ylabel=f"current at {curve.contact} [{unit}]", title="linear")
    logarithmic.set(ylabel=f"|current at {curve.contact}| [A]", title="logarithmic")
    _log_scale(logarithmic, curve)
    for axes in (linear, logarithmic):
        axes.set_xlabel(f"voltage at {curve.contact} [V]")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    linear.axhline(0.0, color="0.6", lw=0.7, zorder=1)
    linear.axvline(0.0, color="0.6", lw=0.7, zorder=1)
    _colorbar(figure, (linear, logarithmic), cycles, colors)
    return save(figure, path)


def _cycle_rows(trace: Trace, cycle: float) -> npt.NDArray[np.intp]:
    """Return the rows of a cycle and the row before, where its first step starts."""
    rows = np.flatnonzero(trace[CYCLE] == cycle)
    return np.arange(max(rows[0] - 1, 0), rows[-1] + 1)


def _draw_curves(
    axes: Axes, trace: Trace, curve: DeviceCurve, values: npt.NDArray[np.float64], colors: Colormap
) -> None:
    outside = np.where(trace[CYCLE] == 0, values, np.nan)
    axes.plot(curve.voltage, outside, color="0.75", lw=1.0)
    for number, cycle in enumerate(np.unique(trace[CYCLE][trace[CYCLE] > 0])):
        rows = _cycle_rows(trace, cycle)
        axes.plot(curve.voltage[rows], values[rows], color=colors(number), lw=1.3)


def _log_scale(axes: Axes, curve: DeviceCurve) -> None:
    largest = float(np.abs(curve.current).max(initial=0.0))
    if largest > 0.0:
        smallest = np.abs(curve.current[curve.current != 0.0]).min()
        axes.set_yscale("log")
        axes.set_ylim(max(0.7 * smallest, largest * 10.0**-_DECADES), 2.0 * largest)


def _arrows(
    axes: Axes,
    trace: Trace,
    curve: DeviceCurve,
    factor: float,
    cycles: npt.NDArray[np.int64],
    colors: Colormap,
) -> None:
    """Mark the direction on the last cycle of each polarity."""
    last = {np.sign(_extreme(curve, _cycle_rows(trace, n))): k for k, n in enumerate(cycles)}
    for number in last.values():
        rows = _cycle_rows(trace, cycles[number])
        turn = int(np.argmax(np.abs(curve.voltage[rows])))
        for branch, tail, head in ((rows[: turn + 1], 0.75, 0.8), (rows[turn:], 0.6, 0.55)):
            voltage, current = curve.voltage[branch], curve.current[branch] * factor
            _arrow(axes, voltage, current, (tail, head), colors(number))


def _extreme(curve: DeviceCurve, rows: npt.NDArray[np.intp]) -> float:
    return float(curve.voltage[rows][np.argmax(np.abs(curve.voltage[rows]))])


def _arrow(
    axes: Axes,
    voltage: npt.NDArray[np.float64],
    current: npt.NDArray[np.float64],
    shares: tuple[float, float],
    color: object,
) -> None:
    """Draw an arrow head between two shares of the largest |voltage| of a branch."""
    size = np.abs(voltage)
    tail, head = (int(np.argmin(np.abs(size - share * size.max()))) for share in shares)
    if tail == head:
        return
    style = {"arrowstyle": "-|>", "color": color, "lw": 0.0, "mutation_scale": 16.0}
    style |= {"shrinkA": 0.0, "shrinkB": 0.0}
    ends = [(voltage[k], current[k]) for k in (head, tail)]
    axes.annotate("", xy=ends[0], xytext=ends[1], arrowprops=style)


def _colorbar(
    figure: Figure, axes: tuple[Axes, ...], cycles: npt.NDArray[np.int64], colors: Colormap
) -> None:
    if len(cycles) < 2:
        return
    norm = BoundaryNorm(np.arange(len(cycles) + 1) + 0.5, len(cycles))
    every = max(1, int(np.ceil(len(cycles) / 10)))
    positions = np.arange(len(cycles))[::every] + 1
    bar = figure.colorbar(ScalarMappable(norm, colors), ax=axes, ticks=positions, label="cycle")
    bar.ax.set_yticklabels([str(cycles[k - 1]) for k in positions])
    bar.ax.minorticks_off()


def draw_conductance(trace: Trace, path: Path, contact: str | None = None) -> Path | None:
    """Draw the conductance at half the amplitude of every cycle against its number.

    None where no cycle has one.
    """
    found = cycle_conductance(trace, contact=contact)
    if not np.isfinite(found.conductance).any():
        return None
    factor, unit = prefixed(found.conductance, "S")
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    axes.plot(found.cycle, found.conductance * factor, color="0.7", lw=1.0, zorder=2)
    looks = ((-1, "o", "#1f4e9c", "#1f4e9c"), (1, "s", "#d9791a", "white"))
    size = 7.0 if len(found.cycle) <= _FEW else 4.0
    for sign, marker, edge, face in looks:
        chosen = np.sign(found.amplitude) == sign
        if chosen.any():
            label = _sweep_label(found.amplitude[chosen])
            axes.plot(
                found.cycle[chosen],
                found.conductance[chosen] * factor,
                marker,
                ms=size,
                mec=edge,
                mfc=face,
                mew=0.21 * size,
                ls="none",
                label=label,
                zorder=3,
            )
    axes.set(xlabel="cycle", ylabel=f"conductance at half amplitude [{unit}]")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(y=0.12)
    axes.legend()
    return save(figure, path)


def _sweep_label(amplitude: npt.NDArray[np.float64]) -> str:
    kind = "negative" if amplitude[0] < 0 else "positive"
    reads = np.unique(np.round(0.5 * amplitude, 4))
    if len(reads) > 1:
        return f"{kind} sweeps"
    return f"{kind} sweeps, read at {reads[0]:+g} V".replace("-", "−")
