"""Update data in the form that the field's training simulators read.

aihwkit's `fit_measurements` takes pulses ±1 and the responses before each of them. CrossSim's
training releases read two text files, dG_increasing and dG_decreasing: a title, the
conductances, the cumulative probabilities, and one row of ΔG per probability, all separated
by commas. Its later releases, for inference, take the levels reached on many devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.metrics.arrays import FloatArray, IntArray, check_positive, checked, evenly
from ionstack.metrics.plasticity import delta_table


@dataclass(frozen=True)
class PulseResponse:
    """For aihwkit: pulse k, ±1, takes response k to response k + 1; both of shape (n,).

    The last pulse is not applied by aihwkit's fit. `response` is the weight, −1 at
    `low` [S] and +1 at `high` [S].
    """

    pulses: FloatArray
    response: FloatArray
    low: float
    high: float


@dataclass(frozen=True)
class LookupTable:
    """For CrossSim: ΔG [S] of a pulse up or down, shape (n_probabilities, n_conductances).

    `conductance` [S] and `probability` from 0 to 1 are evenly spaced.
    """

    conductance: FloatArray
    probability: FloatArray
    increasing: FloatArray
    decreasing: FloatArray


@dataclass(frozen=True)
class Levels:
    """For CrossSim's `InterpolatedDevice`: `targets` [S], (n,), and `values` [S], (n, m)."""

    targets: FloatArray
    values: FloatArray


def to_aihwkit(
    conductance: npt.ArrayLike,
    direction: npt.ArrayLike | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
) -> PulseResponse:
    """Return a sequence of conductances [S] as aihwkit's `pulse_data` and `response_data`.

    `direction` as for `split_updates`. `low` and `high` become weights −1 and 1; if not
    given they are the extremes of the data.
    """
    (data,) = checked(2, conductance=conductance)
    _, _, signs = delta_table(data, direction)
    bottom = float(data.min()) if low is None else low
    top = float(data.max()) if high is None else high
    if not bottom < top:
        raise InputError(f"low, high: {bottom:g} has to be less than {top:g}")
    response = 2.0 * (data - bottom) / (top - bottom) - 1.0
    pulses = np.concatenate([signs, signs[-1:]]).astype(np.float64)
    return PulseResponse(pulses, response, bottom, top)


def to_crosssim(
    conductance: npt.ArrayLike,
    direction: npt.ArrayLike | None = None,
    *,
    bins: int = 50,
    probabilities: int = 51,
) -> LookupTable:
    """Return the table of ΔG against G and cumulative probability.

    Every measured update goes to the nearest of `bins` conductances; a column holds the
    quantiles of its updates. A conductance that was never met takes the updates of the
    nearest one that was. Raises InputError if one direction is missing.
    """
    if bins < 2 or probabilities < 2:
        raise InputError("bins, probabilities: at least 2 of each")
    (data,) = checked(3, conductance=conductance)
    before, change, signs = delta_table(data, direction)
    grid = evenly(data.min(), data.max(), bins)
    levels = evenly(0.0, 1.0, probabilities)
    sides = [_quantiles(before, change, signs == sign, grid, levels) for sign in (1, -1)]
    return LookupTable(grid, levels, sides[0], sides[1])


def _quantiles(
    before: FloatArray,
    change: FloatArray,
    chosen: npt.NDArray[np.bool_],
    grid: FloatArray,
    levels: FloatArray,
) -> FloatArray:
    if not chosen.any():
        raise InputError("direction: a lookup table needs pulses in both directions")
    g, d = before[chosen], change[chosen]
    nearest: IntArray = np.abs(g[:, None] - grid[None, :]).argmin(axis=1)
    met = np.unique(nearest)
    # A bin without updates uses those of the closest bin that has some.
    source = met[np.abs(np.arange(len(grid))[:, None] - met[None, :]).argmin(axis=1)]
    columns = {int(k): np.quantile(d[nearest == k], levels) for k in met}
    return np.stack([columns[int(k)] for k in source], axis=1)


def crosssim_text(table: LookupTable, direction: int) -> str:
    """Return the content of dG_increasing.txt (`direction` > 0) or dG_decreasing.txt."""
    changes = table.increasing if direction > 0 else table.decreasing
    title = "conductance [S]; cumulative probability; dG [S], one row per probability"
    rows = [table.conductance, table.probability, *changes]
    return "\n".join([title, *(",".join(f"{value:.9e}" for value in row) for row in rows)]) + "\n"


def to_crosssim_levels(values: npt.ArrayLike) -> Levels:
    """Return levels [S] reached in repeated runs, shape (n_levels, n_runs), sorted.

    Targets are the means; give them and `values` to `InterpolatedDevice` with
    Rmin = 1/max and Rmax = 1/min of the targets.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or not np.isfinite(table).all():
        raise InputError(f"values: needs finite numbers of shape (levels, runs), not {table.shape}")
    check_positive("values", table.ravel())
    order = np.argsort(table.mean(axis=1), kind="stable")
    return Levels(table.mean(axis=1)[order], table[order])
