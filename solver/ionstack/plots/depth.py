"""Depth profiles of the first positive ion, the carriers and the potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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
# States that can be told apart.
_MOST = 10


@dataclass(frozen=True)
class _Panel:
    """One quantity; `change`: its difference from the first state is drawn."""

    name: str
    label: str
    logarithmic: bool = False
    change: bool = False


def draw_profiles(profiles: Sequence[Profile], path: Path) -> Path:
    """Draw one panel per quantity over the depth, one line per named state."""
    profiles = _shown(profiles)
    panels = _panels(profiles)
    layers = layers_of(profiles[0])
    figure = new_figure(8.0, 1.0 + 2.1 * len(panels))
    column = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(column, panels, strict=True):
        shade_layers(axes, layers, names=axes is column[0])
        _draw_panel(axes, panel, profiles)
    column[-1].set_xlabel("depth below the top electrode [nm]")
    column[-1].set_xlim(layers[0][1], layers[-1][2])
    handles = [Line2D([], [], **_look(number)) for number in range(len(profiles))]
    labels = [f"{profile.state} (t = {profile.time:.4g} s)" for profile in profiles]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(profiles), 3))
    figure.align_ylabels(list(column))
    return save(figure, path)


def _shown(profiles: Sequence[Profile]) -> Sequence[Profile]:
    """Return what a figure has room for: of many devices the first start and every end."""
    if len(profiles) <= _MOST:
        return profiles
    ends = [profile for profile in profiles if profile.state.endswith("end")]
    return [profiles[0], *ends[: _MOST - 1]]


def layers_of(profile: Profile) -> tuple[tuple[str, float, float], ...]:
    """Return name, upper and lower depth [nm] of the layers in their order."""
    depths = profile.depth * 1e9
    groups = groupby(range(len(depths)), key=lambda k: profile.region[k])
    spans = ((name, depths[list(rows)]) for name, rows in groups)
    return tuple((name, float(span.min()), float(span.max())) for name, span in spans)


def _panels(profiles: Sequence[Profile]) -> list[_Panel]:
    """Return the panels for what the profiles hold: ion, its change, carriers, potential."""
    names = profiles[0].quantities
    ion = first_positive_ion(names)
    panels: list[_Panel] = []
    if ion is not None:
        fraction = site_fraction(ion) in names
        name = site_fraction(ion) if fraction else density(ion)
        label = species_label(ion) + (" site fraction" if fraction else " [m$^{-3}$]")
        panels.append(_Panel(name, label, logarithmic=not fraction))
        if len(profiles) > 1 and all(len(p.depth) == len(profiles[0].depth) for p in profiles):
            panels.append(_Panel(name, f"change of\n{label}", change=True))
    carriers = [carrier for carrier in ("e-", "h+") if carrier in species_in(names)]
    panels += [_Panel(density(c), f"{species_label(c)} [m$^{{-3}}$]", True) for c in carriers]
    if POTENTIAL in names:
        panels.append(_Panel(POTENTIAL, "potential [V]"))
    return panels


def _draw_panel(axes: Axes, panel: _Panel, profiles: Sequence[Profile]) -> None:
    for number, profile in enumerate(profiles):
        if panel.name in profile.quantities:
            values = profile.quantities[panel.name]
            start = profiles[0].quantities[panel.name] if panel.change else 0.0
            _draw_by_layer(axes, profile, values - start, _look(number))
    axes.set_ylabel(panel.label)
    axes.grid(visible=False, axis="x")
    if panel.logarithmic:
        _log_scale(axes, profiles, panel.name)


def _look(number: int) -> dict[str, Any]:
    count = len(STATE_COLORS)
    # After a round of colours their styles differ.
    style = STATE_STYLES[(number + number // count) % (count - 1)]
    return {"color": STATE_COLORS[number % count], "linestyle": style}


def _draw_by_layer(
    axes: Axes, profile: Profile, values: npt.NDArray[np.float64], look: dict[str, Any]
) -> None:
    """Draw layer by layer: no line joins the two sides of an interface."""
    for _, group in groupby(range(len(profile.depth)), key=lambda k: profile.region[k]):
        rows = list(group)
        axes.plot(profile.depth[rows] * 1e9, values[rows], **look)


def _log_scale(axes: Axes, profiles: Sequence[Profile], name: str) -> None:
    values = np.concatenate([p.quantities[name] for p in profiles if name in p.quantities])
    positive = values[np.isfinite(values) & (values > 0.0)]
    if positive.size:
        top = float(positive.max())
        bottom = max(float(positive.min()), top * 10.0**-_DECADES)
        # First the limits: those of equal values are no range on a logarithmic scale.
        axes.set_ylim(0.3 * bottom, 3.0 * top)
        axes.set_yscale("log")
