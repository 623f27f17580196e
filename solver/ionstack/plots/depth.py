"""Depth profiles of the first positive ion, the carriers and the potential."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ionstack.output.names import POTENTIAL, density, first_positive_ion, site_fraction, species_in
from ionstack.output.profiles import Profile
from ionstack.plots.style import (
    STATE_COLORS,
    STATE_STYLES,
    new_figure,
    save,
    shade_layers,
    species_label,
)

# Carriers in an insulator reach densities without meaning; decades shown at most.
_DECADES = 20


def draw_profiles(profiles: Sequence[Profile], path: Path) -> Path:
    """Draw one panel per quantity over the depth, one line per named state."""
    panels = _panels(profiles[0])
    layers = layers_of(profiles[0])
    figure = new_figure(8.0, 1.0 + 2.3 * len(panels))
    column = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, label, logarithmic) in zip(column, panels, strict=True):
        shade_layers(axes, layers, names=axes is column[0])
        for number, profile in enumerate(profiles):
            _draw_state(axes, profile, name, number)
        axes.set_ylabel(label)
        axes.grid(visible=False, axis="x")
        if logarithmic:
            _log_scale(axes, profiles, name)
    column[-1].set_xlabel("depth below the top electrode [nm]")
    column[-1].set_xlim(layers[0][1], layers[-1][2])
    handles = [Line2D([], [], **_look(number)) for number in range(len(profiles))]
    labels = [f"{profile.state} (t = {profile.time:.4g} s)" for profile in profiles]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(profiles), 3))
    figure.align_ylabels(list(column))
    return save(figure, path)


def layers_of(profile: Profile) -> tuple[tuple[str, float, float], ...]:
    """Return name, upper and lower depth [nm] of the layers in their order."""
    depths = profile.depth * 1e9
    groups = groupby(range(len(depths)), key=lambda k: profile.region[k])
    spans = ((name, depths[list(rows)]) for name, rows in groups)
    return tuple((name, float(span.min()), float(span.max())) for name, span in spans)


def _panels(profile: Profile) -> list[tuple[str, str, bool]]:
    """Return name, axis label and whether logarithmic, for what the profile holds."""
    names = profile.quantities
    panels: list[tuple[str, str, bool]] = []
    ion = first_positive_ion(names)
    if ion is not None and site_fraction(ion) in names:
        panels.append((site_fraction(ion), f"{species_label(ion)} site fraction", False))
    elif ion is not None:
        panels.append((density(ion), f"{species_label(ion)} [m$^{{-3}}$]", True))
    carriers = [carrier for carrier in ("e-", "h+") if carrier in species_in(names)]
    panels += [(density(c), f"{species_label(c)} [m$^{{-3}}$]", True) for c in carriers]
    if POTENTIAL in names:
        panels.append((POTENTIAL, "potential [V]", False))
    return panels


def _look(number: int) -> dict[str, Any]:
    index = number % len(STATE_COLORS)
    return {"color": STATE_COLORS[index], "linestyle": STATE_STYLES[index]}


def _draw_state(axes: Axes, profile: Profile, name: str, number: int) -> None:
    """Draw layer by layer: no line joins the two sides of an interface."""
    if name not in profile.quantities:
        return
    for _, group in groupby(range(len(profile.depth)), key=lambda k: profile.region[k]):
        rows = list(group)
        axes.plot(profile.depth[rows] * 1e9, profile.quantities[name][rows], **_look(number))


def _log_scale(axes: Axes, profiles: Sequence[Profile], name: str) -> None:
    values = np.concatenate([p.quantities[name] for p in profiles if name in p.quantities])
    positive = values[np.isfinite(values) & (values > 0.0)]
    if positive.size:
        top = float(positive.max())
        bottom = max(float(positive.min()), top * 10.0**-_DECADES)
        axes.set_yscale("log")
        axes.set_ylim(0.3 * bottom, 3.0 * top)
