"""Tables of a run as curves to look at: columns to choose from, thinned to what a screen shows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ionstack.metrics import Trace, device_curve
from ionstack.metrics.arrays import FloatArray
from ionstack.output.steps import StepRow
from ionstack.output.trace import CYCLE, NEWTON, STEP, TIME, contacts_in
from ionstack.report.packing import kept_rows, packed

# Numbers of a table that a page carries: of the trace, and of others.
_MOST_OF_TRACE = 120_000
_MOST = 8_000

Json = dict[str, Any]


def table(
    columns: Mapping[str, FloatArray],
    axes: tuple[str, str],
    *,
    group: str | None = None,
    logarithmic: bool = False,
    most: int = _MOST,
    points: bool = False,
) -> Json:
    """Return a table for the page: columns by name, those of the axes, that which groups rows.

    Rows are points that no line joins if `points`. Of more than `most` numbers those rows are
    kept that a curve needs, and the note says so.
    """
    names = [name for name, values in columns.items() if np.isfinite(values).any()]
    shown = {name: columns[name] for name in names}
    kept = {name: columns[name] for name in axes if name in shown}
    rows = kept_rows(kept, max(most // max(len(names), 1), 100))
    count = len(next(iter(columns.values()), ()))
    return {
        "names": names,
        "columns": [packed(values[rows]) for values in shown.values()],
        "x": axes[0],
        "y": axes[1],
        "group": group,
        "logarithmic": logarithmic,
        "points": points,
        "note": f"{len(rows)} of {count} rows are shown" if len(rows) < count else "",
    }


def campaign_table(path: Path, varied: Sequence[str]) -> Json | None:
    """Return the numbers of all points of a campaign, against what is varied first."""
    columns = _read_columns(path)
    count = len(next(iter(columns.values()), ()))
    across = next((name for name in columns if name.partition(" [")[0] in varied), None)
    others = [name for name in columns if name != across]
    if not others:
        return None
    if across is None:
        across = "point [1]"
        columns = {across: np.asarray(np.arange(1.0, count + 1.0)), **columns}
    up = "current_max [A]" if "current_max [A]" in others else others[0]
    return table(columns, (across, up), most=_MOST_OF_TRACE, points=True)


def trace_table(trace: Trace, steps: Sequence[StepRow]) -> Json | None:
    """Return the trace as loops of the contact that moves first, or over time without cycles."""
    if len(trace[TIME]) < 2 or not contacts_in(trace):
        return None
    curve = device_curve(trace, next((step.contact for step in steps if step.contact), None))
    voltage, current = f"voltage at {curve.contact} [V]", f"current at {curve.contact} [A]"
    columns = {voltage: curve.voltage, current: curve.current, **trace}
    cycles = bool(trace[CYCLE].any())
    axes = (voltage if cycles else TIME, current)
    return table(columns, axes, group=CYCLE if cycles else None, most=_MOST_OF_TRACE)


def effort_table(trace: Trace) -> Json | None:
    """Return step sizes and Newton iterations over time."""
    if len(trace[TIME]) < 3:
        return None
    columns = {name: trace[name][1:] for name in (TIME, STEP, NEWTON)}
    return table(columns, (TIME, STEP), logarithmic=True, most=4 * _MOST)


def file_table(
    path: Path, axes: tuple[str, str] | None = None, *, points: bool = False
) -> Json | None:
    """Return the columns of numbers of a CSV file, the second over the first unless told."""
    columns = _read_columns(path)
    if len(columns) < 2 or len(next(iter(columns.values()))) < 2:
        return None
    first, second, *_ = columns
    chosen = axes if axes is not None and set(axes) <= set(columns) else (first, second)
    group = CYCLE if CYCLE in columns and CYCLE not in chosen else None
    return table(columns, chosen, group=group, points=points)


def _read_columns(path: Path) -> dict[str, FloatArray]:
    """Return the columns of a CSV file that hold numbers only; a row that is cut is left out."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    return {
        name: values
        for index, name in enumerate(rows[0] if rows else ())
        if (values := _numbers([row[index] for row in whole])) is not None
    }


def _numbers(cells: Sequence[str]) -> FloatArray | None:
    try:
        return np.array([float(cell or "nan") for cell in cells])
    except ValueError:
        return None
