"""When interfaces come: exact sputter times of layers with rates of their own."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.surface_analysis.depth_profile import Erosion
from ionstack.surface_analysis.sputtering import reached

NM = 1e-9
RATES = {"soft": 0.3 * NM, "hard": 0.1 * NM}


def bilayer(step: float, transition: float, depth: float = 30.1) -> Erosion:
    """30.1 nm of a soft material on 60 nm of a hard one; the interface lies within a cell."""
    edges = np.arange(0.0, 90.0 + 0.5 * step, step) * NM
    soft = np.diff(np.clip(edges, 0.0, depth * NM)) / np.diff(edges)
    times = reached({"soft": soft, "hard": 1.0 - soft}, RATES, edges, transition * NM)
    return Erosion(edges, times)


@pytest.mark.parametrize("step", [0.5, 0.25])
def test_an_interface_comes_at_the_exact_time(step: float) -> None:
    worn = bilayer(step, 0.0)
    behind = 40.0
    exact = 30.1 / 0.3 + (behind - 30.1) / 0.1
    assert worn.time(np.array(behind * NM)) == pytest.approx(exact, rel=1e-12)


def test_rates_that_change_linearly_take_the_mean_of_the_logarithm() -> None:
    """Across a transition of width t the time is t ln(r1/r2) / (r1 - r2)."""
    worn = bilayer(0.01, 6.0)
    exact = 27.1 / 0.3 + 6.0 * np.log(3.0) / 0.2 + (60.0 - 33.1) / 0.1
    assert worn.time(np.array(60.0 * NM)) == pytest.approx(exact, rel=1e-6)


def test_depth_is_the_inverse_of_time() -> None:
    worn = bilayer(0.5, 1.0)
    depths = np.linspace(0.0, 90.0, 50) * NM
    assert worn.depth(worn.time(depths)) == pytest.approx(depths, abs=1e-15)


def test_frames_hold_all_that_is_eroded() -> None:
    worn = bilayer(0.5, 1.0)
    values = np.random.default_rng(3).random((2, len(worn.edges) - 1))
    frames = np.linspace(0.0, worn.times[-1], 38)
    found = (worn.means(values, frames) * np.diff(frames)).sum(axis=-1)
    assert found == pytest.approx((values * np.diff(worn.times)).sum(axis=-1), rel=1e-12)
