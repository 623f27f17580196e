"""Numbers of a campaign over one quantity, against that quantity."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ionstack.campaigns.distributions import SEED
from ionstack.output.campaign import COMPLETED, CampaignDirectory, read_record
from ionstack.plots.panels import Axis, Panel, Series, draw_panels
from ionstack.reading.variation import numbers

Floats = NDArray[np.float64]

# What is drawn: the durations of steps that a limit ended, and how a device switches.
_DURATION = re.compile(r"duration\.(?P<title>.+) \[(?P<unit>.+)\]")
_SWITCHING = re.compile(
    r"iv\S*\.(?P<title>positive|negative)\."
    r"(?P<what>threshold\.slope|hold\.slope|reset|low_resistance) \[(?P<unit>.+)\]"
)
# What a case compares durations with, by the same names.
_REFERENCE = "reference."
# Points that a curve needs, and largest over smallest value from which on an axis is logarithmic.
_LEAST, _SPAN = 3, 4.0


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
    axis = Axis(key.split(".")[-1], read[1])
    column = next((one for one in (rows[0] if rows else {}) if one.split(" [")[0] == key), "")
    panels = [*_durations(rows, column, axis), *_switching(rows, column, axis)]
    return [draw_panels(tuple(panels), folder.path / "dependences.png")] if panels else []


def _durations(rows: list[dict[str, str]], column: str, axis: Axis) -> Iterator[Panel]:
    """How long steps took; what the case compares that with is drawn as lines."""
    for name, found in _columns(rows, _DURATION):
        begin = f"{_REFERENCE}{found['title']}."
        compared = {
            one: one.removeprefix(begin).rsplit(" [", 1)[0]
            for one in rows[0]
            if one.startswith(begin)
        }
        lines = [Series(*_pairs(rows, column, one), label) for one, label in compared.items()]
        points = _pairs(rows, column, name)
        yield _panel(points, found["title"], axis, Axis("duration", found["unit"]), lines)


def _switching(rows: list[dict[str, str]], column: str, axis: Axis) -> Iterator[Panel]:
    """Voltages and resistances of loops of current against voltage, polarities apart."""
    for name, found in _columns(rows, _SWITCHING):
        x, y = _pairs(rows, column, name)
        if len(x) >= _LEAST:
            what = found["what"].split(".")[0].replace("_", " ")
            yield _panel((x, y), f"{found['title']} sweeps", axis, Axis(what, found["unit"]), [])


def _columns(
    rows: list[dict[str, str]], pattern: re.Pattern[str]
) -> list[tuple[str, re.Match[str]]]:
    matches = [(name, pattern.fullmatch(name)) for name in (rows[0] if rows else {})]
    return [(name, found) for name, found in matches if found]


def _panel(
    points: tuple[Floats, Floats], title: str, x: Axis, y: Axis, lines: list[Series]
) -> Panel:
    """Points of those members that have the number, on logarithmic axes where it spans much."""
    x, y = replace(x, log=_spans(points[0])), replace(y, log=_spans(points[1]))
    joined = [] if lines else [Series(*points)]
    label = "simulated" if lines else ""
    return Panel(title, x, y, (Series(*points, label, "points"), *joined, *lines))


def _pairs(rows: list[dict[str, str]], x: str, y: str) -> tuple[Floats, Floats]:
    """Two columns in the order of the first, where the second is known."""
    pairs = sorted((float(row[x]), float(row[y])) for row in rows if row[y])
    first, second = np.array(pairs).reshape(-1, 2).T
    return first, second


def _spans(values: Floats) -> bool:
    return bool((values > 0.0).all() and values.max() > _SPAN * values.min())
