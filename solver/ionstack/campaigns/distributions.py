"""What random numbers change: the distribution of every number over the seeds of a campaign."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.measure.kind import distribution_panel
from ionstack.metrics.statistics import fit_weibull, spread
from ionstack.output.atomic import replacing
from ionstack.output.campaign import COMPLETED, CampaignDirectory, read_record
from ionstack.plots.panels import Axis, draw_panels

Floats = NDArray[np.float64]

SEED = "seed"
# Differences relative to the number that are none.
_ROUND_OFF = 1e-9
# How a run went, not what the device did.
_HOW = (
    *("timing.", "steps.", "newton.", "linear.", "coupling.", "equilibrium.", "restart."),
    *("conservation", "current_sum", "kirchhoff", "heat.closure", "mpi.", "unknowns", SEED),
)
# Statistics of a number within one run; over the members they would be those of statistics.
_OF_ONE_RUN = ("count", "high", "low", "variation", "log_std", "weibull")
# What people look for first in a figure, and how many panels it takes.
_FIRST = ("threshold", "hold", "resistance", "conductance", "window", "delay")
_MOST = 6
_HEADER = (
    *("quantity", "count", "mean", "mean.low", "mean.high", "std"),
    *("variation", "variation.low", "variation.high", "weibull.shape", "weibull.scale"),
)


@dataclass(frozen=True)
class Sample:
    """A number with its unit in its name, and its values in the members that have it."""

    name: str
    values: Floats


def is_ensemble(folder: CampaignDirectory) -> bool:
    """Tell whether nothing but the seed varies in a campaign."""
    return list(read_record(folder).varied()) == [SEED]


def samples(folder: CampaignDirectory) -> list[Sample]:
    """Return the numbers in the table of an ensemble that differ between completed members."""
    try:
        with folder.table.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["status"] == COMPLETED]
    except (OSError, KeyError) as error:
        raise InputError(f"{folder.table}: cannot be read as the table of a campaign") from error
    names = list(rows[0]) if rows else []
    return list(_differing(rows, names[names.index("message") + 1 :] if names else []))


def _differing(rows: Sequence[dict[str, str]], names: Sequence[str]) -> Iterator[Sample]:
    for name in names:
        values = np.array([float(row[name]) for row in rows if row[name]])
        told = name.startswith(_HOW) or set(name.split(" ")[0].split(".")) & set(_OF_ONE_RUN)
        size = float(np.abs(values).max(initial=0.0))
        if not told and len(values) > 1 and np.ptp(values) > _ROUND_OFF * size:
            yield Sample(name, values)


def write_distributions(folder: CampaignDirectory) -> Path:
    """Write ``distributions.csv``: mean, spread and Weibull fit of every number, with intervals.

    Intervals of 95 % are bootstrapped; a fit needs values of one sign.
    """
    path = folder.path / "distributions.csv"
    rows = [_row(one) for one in samples(folder)]
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_HEADER, *rows])
    return path


def _row(sample: Sample) -> list[object]:
    found = spread(sample.values)
    fit: list[object] = ["", ""]
    if (sample.values > 0.0).all() or (sample.values < 0.0).all():
        weibull = fit_weibull(sample.values)
        fit = [weibull.shape, weibull.scale]
    mean = [found.mean, found.mean_interval.low, found.mean_interval.high, found.std]
    interval = found.variation_interval
    return [
        *(sample.name, found.count, *mean),
        *(found.variation, interval.low, interval.high, *fit),
    ]


def draw_distributions(folder: CampaignDirectory) -> list[Path]:
    """Draw ``distributions.png`` from the table; return it, or nothing where nothing differs."""
    chosen = sorted(samples(folder), key=_rank)[:_MOST]
    panels = [
        distribution_panel(quantity, Axis("", unit), {"": sample.values})
        for sample in chosen
        for quantity, unit in [_split(sample.name)]
    ]
    drawn = tuple(panel for panel in panels if panel is not None)
    return [draw_panels(drawn, folder.path / "distributions.png")] if drawn else []


def _rank(sample: Sample) -> int:
    words = sample.name.split(" ")[0].split(".")
    return next((k for k, one in enumerate(_FIRST) if one in words), len(_FIRST))


def _split(name: str) -> tuple[str, str]:
    """The quantity and its unit."""
    found = re.fullmatch(r"(.*) \[(.*)\]", name)
    return (found[1], found[2]) if found else (name, "")
