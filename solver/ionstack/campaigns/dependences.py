"""Numbers of a campaign over one quantity, against that quantity."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ionstack.campaigns.distributions import SEED
from ionstack.output.campaign import COMPLETED, CampaignDirectory, read_record
from ionstack.plots.panels import Axis, Panel, Series, draw_panels
from ionstack.reading.variation import numbers

Floats = NDArray[np.float64]

# What is drawn: the durations of steps that a limit ended.
_PREFIX = "duration."
# What a case compares them with, by the same names.
_REFERENCE = "reference."
_LEAST, _DECADES = 3, 10.0


def draw_dependences(folder: CampaignDirectory) -> list[Path]:
    """Draw ``dependences.png`` from the table; return it, or nothing where nothing depends."""
    varied = read_record(folder).varied()
    if len(varied) != 1 or SEED in varied:
        return []
    ((key, values),) = varied.items()
    read = numbers(values)
    if read is None or len(values) < _LEAST:
        return []
    with folder.table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == COMPLETED]
    names = [name for name in (rows[0] if rows else {}) if name.startswith(_PREFIX)]
    panels = tuple(_panel(rows, name, key, read[1]) for name in names)
    return [draw_panels(panels, folder.path / "dependences.png")] if panels else []


def _panel(rows: list[dict[str, str]], name: str, key: str, unit: str) -> Panel:
    """Points of those members that have the number, on logarithmic axes where it spans decades.

    What the case compares it with is drawn as lines.
    """
    what, of = name.removeprefix(_PREFIX).removesuffix("]").split(" [")
    column = next(one for one in rows[0] if one.split(" [")[0] == key)
    begin = f"{_REFERENCE}{what}."
    compared = {
        one: one.removeprefix(begin).rsplit(" [", 1)[0] for one in rows[0] if one.startswith(begin)
    }
    x, y = _pairs(rows, column, name)
    lines = [Series(*_pairs(rows, column, one), label) for one, label in compared.items()]
    axes = (Axis(key.split(".")[-1], unit, _spans(x)), Axis("duration", of, _spans(y)))
    joined = [] if lines else [Series(x, y)]
    label = "simulated" if lines else ""
    return Panel(what, *axes, (Series(x, y, label, "points"), *joined, *lines))


def _pairs(rows: list[dict[str, str]], x: str, y: str) -> tuple[Floats, Floats]:
    """Two columns in the order of the first, where the second is known."""
    pairs = sorted((float(row[x]), float(row[y])) for row in rows if row[y])
    first, second = np.array(pairs).reshape(-1, 2).T
    return first, second


def _spans(values: Floats) -> bool:
    return bool((values > 0.0).all() and values.max() > _DECADES * values.min())
