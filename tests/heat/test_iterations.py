"""Large bodies in 3-D iterate; the temperature is that of a factorisation."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from ionstack.geometry.stack import Lateral
from ionstack.heat import heat_equation
from ionstack.models.heat_model import HeatModel, Medium, Sink
from support.heated import LENGTH, START, Heater
from support.layers import layer, stack

BLOCK = stack(
    *(layer(name, LENGTH, LENGTH / 4) for name in ("upper", "lower")),
    dimension="3d",
    lateral=Lateral("rectangle", None, 4e-6, 2e-6, 6, 1.0),
)
# Films that touch badly, the one on glass through a film that resists, the other held.
LAWS = HeatModel(
    START,
    {"upper": Medium(2.0, 1.5e6), "lower": Medium(0.5, 2e6)},
    {"top": Sink(1e5, 1e4), "bottom": Sink(inf)},
    {frozenset(("upper", "lower")): 1e-7},
)


def heated(step: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Rises, heat into the contacts, and what is left of the balance, two steps into a spot."""
    block = Heater(BLOCK, LAWS)
    place = block.volumes.coordinates[block.volumes.node_vertex]
    spot = np.exp(-((np.hypot(place[:, 0] - 1e-6, place[:, 1] - 1e-6) / 5e-7) ** 2))
    for _ in range(2):
        found = block.heat(1e16 * spot, step, conductivity=1.0 + spot)
    left = found.generated - found.stored - found.outflow.sum()
    return block.at_nodes, found.outflow, abs(left) / found.generated


@pytest.mark.parametrize("step", [1e-8, inf])
def test_iterations_agree_with_a_factorisation(step, monkeypatch):
    exact = heated(step)
    monkeypatch.setattr(heat_equation, "DIRECT_LIMIT_3D", 0)
    found = heated(step)
    np.testing.assert_allclose(found[0], exact[0], rtol=0.0, atol=1e-9 * exact[0].max())
    np.testing.assert_allclose(found[1], exact[1], rtol=1e-9)
    assert found[2] < 1e-10


def test_iterations_that_fail_are_replaced(monkeypatch):
    exact = heated(inf)
    monkeypatch.setattr(heat_equation, "DIRECT_LIMIT_3D", 0)
    iterate = heat_equation._iterate

    def at_most_one(ksp):
        iterate(ksp)
        ksp.setTolerances(max_it=1)

    monkeypatch.setattr(heat_equation, "_iterate", at_most_one)
    np.testing.assert_allclose(heated(inf)[0], exact[0], rtol=1e-12)
