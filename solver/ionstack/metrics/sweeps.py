"""Loops of current against voltage: sweeps, branches, resistance states, enclosed area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.metrics.arrays import NAN, FloatArray, checked, ratio, runs

# Shares of the largest |voltage|: what counts as zero, and what is too small for a sweep.
_ZERO = 0.02
_LEAST = 0.05


@dataclass(frozen=True)
class Branches:
    """A sweep parted at its largest |voltage|; `turn` belongs to both branches.

    `out_voltage`, `out_current`: from the start to the turn. `back_voltage`,
    `back_current`: from the turn to the end. V and A, in the order of the measurement.
    """

    out_voltage: FloatArray
    out_current: FloatArray
    back_voltage: FloatArray
    back_current: FloatArray


@dataclass(frozen=True)
class States:
    """Resistance states of a loop at a read voltage.

    `conductance_out`, `conductance_back` [S] of the two branches; `high` and `low`
    resistance state [Ω]; `window`: high over low. NaN outside the sweep.
    """

    read_voltage: float
    conductance_out: float
    conductance_back: float
    high: float
    low: float
    window: float


def find_sweeps(voltage: npt.ArrayLike) -> tuple[slice, ...]:
    """Return the rows of every sweep: from one zero of the voltage to the next.

    A loop 0 → +V → 0 → −V → 0 gives two, one per polarity; 0 → +V → 0 → +V → 0 gives two
    as well. Zero is what lies below 2 % of the largest |voltage|; a sweep reaches to the
    smallest |voltage| there, and neighbours share that row. Stretches that stay below 5 %
    are passed over.
    """
    (volts,) = checked(2, voltage=voltage)
    size = np.abs(volts)
    largest = float(size.max())
    side = np.where(size > _ZERO * largest, np.sign(volts), 0.0)
    away = [(a, b) for a, b in runs(side) if side[a] and size[a:b].max() > _LEAST * largest]
    stops = [0, *(b for _, b in away)]
    starts = [*(a for a, _ in away), len(volts)]
    return tuple(
        slice(
            _reach(volts, a, range(a - 1, stops[k] - 1, -1)),
            _reach(volts, b - 1, range(b, starts[k + 1])) + 1,
        )
        for k, (a, b) in enumerate(away)
    )


def _reach(volts: FloatArray, edge: int, beyond: range) -> int:
    """Return the row of smallest |voltage| from an edge on, not past a change of sign."""
    best = edge
    for k in beyond:
        if volts[k] * volts[edge] < 0.0:
            break
        if abs(volts[k]) < abs(volts[best]):
            best = k
    return best


def branches(voltage: npt.ArrayLike, current: npt.ArrayLike) -> Branches:
    """Part one sweep at its largest |voltage| (the first of equal ones, as under compliance)."""
    volts, amps = checked(2, voltage=voltage, current=current)
    turn = int(np.argmax(np.abs(volts)))
    return Branches(volts[: turn + 1], amps[: turn + 1], volts[turn:], amps[turn:])


def current_at(voltage: npt.ArrayLike, current: npt.ArrayLike, read_voltage: float) -> float:
    """Return the current [A] of a branch at a voltage, interpolated; NaN outside the branch."""
    volts, amps = checked(1, voltage=voltage, current=current)
    order = np.argsort(volts, kind="stable")
    read = np.interp(read_voltage, volts[order], amps[order], left=NAN, right=NAN)
    return float(read)


def states(voltage: npt.ArrayLike, current: npt.ArrayLike, read_voltage: float) -> States:
    """Return the resistance states of one sweep: V_read / I on its two branches.

    The displacement current C dV/dt of a capacitance is part of the measured current.
    """
    parts = branches(voltage, current)
    out = ratio(current_at(parts.out_voltage, parts.out_current, read_voltage), read_voltage)
    back = ratio(current_at(parts.back_voltage, parts.back_current, read_voltage), read_voltage)
    sizes = sorted((abs(out), abs(back))) if np.isfinite(out + back) else [NAN, NAN]
    high, low = ratio(1.0, sizes[0]), ratio(1.0, sizes[1])
    return States(read_voltage, out, back, high, low, ratio(high, low))


def loop_area(voltage: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return the area ∮ I dV [W] that a loop encloses, positive where it runs clockwise.

    A sweep is closed by the straight line from its end to its start. The sign tells
    the polarity: with V > 0, positive means less current on the way back.
    """
    volts, amps = checked(3, voltage=voltage, current=current)
    middle = 0.5 * (amps + np.roll(amps, -1))
    return float(middle @ (np.roll(volts, -1) - volts))
