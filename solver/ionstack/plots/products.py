"""Figure of the products at contacts: how much of each there is along the films."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.output.field_reader import Fields
from ionstack.output.names import areal_amount, products_in
from ionstack.plots.maps import lateral_axis
from ionstack.plots.style import new_figure, save

FloatArray = npt.NDArray[np.float64]


def draw_products(fields: Fields, states: Sequence[tuple[str, int]], path: Path) -> Path | None:
    """Draw amounts per area of the contact in the last state; None in 1-D, 3-D or without any."""
    name, step = states[-1]
    if fields.dimension != 2 or not products_in(fields.names):
        return None
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    factor, lateral = lateral_axis(fields)
    for product in products_in(fields.names):
        for place, amount in _faces(fields, fields.values(areal_amount(product), step)):
            axes.plot(factor * place, amount, label=product, lw=1.3)
    axes.set_xlabel(lateral)
    axes.set_ylabel("amount per area of the contact [m$^{-2}$]")
    axes.set_title(name)
    axes.legend(fontsize=8)
    return save(figure, path)


def _faces(fields: Fields, amount: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Places and amounts along each contact, in order."""
    held = np.isfinite(amount)
    for depth in np.unique(fields.depth[held]):
        there = np.flatnonzero(held & (fields.depth == depth))
        order = there[np.argsort(fields.points[there, 0])]
        yield fields.points[order, 0], amount[order]
