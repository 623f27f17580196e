"""Distributions of an ensemble: what the members' numbers are, sorted, with their Weibull fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ionstack.distributions import Sample, samples
from ionstack.metrics.statistics import cumulative, fit_weibull
from ionstack.output.campaign import CampaignDirectory
from ionstack.plots.style import RC, STATE_COLORS, new_figure, prefixed, save

# What people look for first, and how many panels a page takes.
_FIRST = ("threshold", "hold", "resistance", "conductance", "window", "delay")
_MOST = 6


def draw_distributions(folder: CampaignDirectory) -> list[Path]:
    """Draw ``distributions.png`` from the table; return it, or nothing where nothing differs."""
    chosen = _chosen(samples(folder))
    if not chosen:
        return []
    with mpl.rc_context(RC):
        columns = min(3, len(chosen))
        rows = -(-len(chosen) // columns)
        figure = new_figure(4.4 * columns, 3.4 * rows)
        panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for panel, sample in zip(panels, chosen, strict=False):
            _draw(panel, sample)
        for panel in panels[len(chosen) :]:
            panel.set_visible(False)
        return [save(figure, folder.path / "distributions.png")]


def _chosen(found: Sequence[Sample]) -> list[Sample]:
    def rank(sample: Sample) -> int:
        words = sample.name.split(" ")[0].split(".")
        return next((k for k, one in enumerate(_FIRST) if one in words), len(_FIRST))

    return sorted(found, key=rank)[:_MOST]


def _draw(panel: Axes, sample: Sample) -> None:
    quantity, unit = _split(sample.name)
    factor, label = prefixed(sample.values, unit) if unit not in ("", "1") else (1.0, "")
    values, probability = cumulative(sample.values)
    panel.plot(factor * values, probability, "o", ms=4.0, mfc="none", color=STATE_COLORS[1])
    if (values > 0.0).all() or (values < 0.0).all():
        fit = fit_weibull(values)
        grid = np.linspace(values[0], values[-1], 200)
        share = 1.0 - np.exp(-((grid / fit.scale) ** fit.shape))
        # Of negative values the largest come first.
        share = share if values[0] > 0.0 else 1.0 - share
        panel.plot(factor * grid, share, "--", color=STATE_COLORS[0], lw=1.2)
    panel.set_title(quantity)
    panel.set_xlabel(label or "1")
    panel.set_ylabel("cumulative probability")
    panel.set_ylim(0.0, 1.0)


def _split(name: str) -> tuple[str, str]:
    """The quantity and its unit."""
    found = re.fullmatch(r"(.*) \[(.*)\]", name)
    return (found[1], found[2]) if found else (name, "")
