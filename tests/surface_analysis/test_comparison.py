"""Measured profiles are aligned with simulated ones, and what does not fit is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.output.counts import CountProfile
from ionstack.surface_analysis.comparison import compare, width_of_edge
from ionstack.surface_analysis.counting import counted
from ionstack.surface_analysis.measured import Measured, read_measured
from ionstack.surface_analysis.resolution import Resolution

NM = 1e-9


def profile(counts: float = 400.0) -> CountProfile:
    """Two layers on a third, blurred by 1 nm of roughness."""
    depth = np.arange(0.25, 120.0, 0.5) * NM
    blur = Resolution(roughness=1.0 * NM)
    sigma = np.full(len(depth), 1.0 * NM)
    first, second = (blur.cumulative(depth - top * NM, sigma) for top in (40.0, 80.0))
    expected = {"Li+": counts * (first - 0.5 * second) + 1.0, "W-": counts * (1.0 - first) + 1.0}
    return CountProfile("start", depth / NM, depth, ("A",) * len(depth), expected, expected)


def test_a_shifted_and_stretched_measurement_is_aligned() -> None:
    """The depth scale of an instrument is off by 3 nm and 4 %."""
    simulated = profile()
    depth = np.linspace(5.0, 115.0, 300) * NM
    true = (depth - 3.0 * NM) / 1.04
    counts = {
        name: counted(2.5 * np.interp(true, simulated.depth, one), 3, name)
        for name, one in simulated.expected.items()
    }
    found = compare(simulated, Measured(depth, None, counts))
    assert found.shift / NM == pytest.approx(3.0, abs=0.15)
    assert found.stretch == pytest.approx(1.04, abs=3e-3)
    for misfit in found.signals.values():
        assert misfit.factor == pytest.approx(2.5, rel=0.02)
        assert misfit.deviance == pytest.approx(1.0, abs=0.35)
        assert misfit.width == pytest.approx(1.9889 * NM, rel=0.15)
        assert misfit.expected_width == pytest.approx(1.9889 * NM, rel=0.02)


def test_a_signal_that_differs_has_a_large_deviance() -> None:
    simulated = profile()
    counts = {"Li+": simulated.expected["Li+"], "W-": np.full(len(simulated.depth), 100.0)}
    found = compare(simulated, Measured(simulated.depth, None, counts))
    assert found.signals["W-"].deviance > 30.0 > 3.0 > found.signals["Li+"].deviance


def test_times_become_depths() -> None:
    simulated = profile()
    measured = Measured(None, simulated.time, simulated.expected)
    found = compare(simulated, measured)
    assert found.depth == pytest.approx(simulated.depth, abs=0.05 * NM)


def test_nothing_to_fit_has_no_width() -> None:
    assert np.isnan(width_of_edge(np.arange(4.0) * NM, np.ones(4)))


def test_a_table_is_read_with_its_units(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("depth [um],Li+ [counts],W-\n0.001,5,6\n0.002,7,8\n")
    found = read_measured(file, profile().counts)
    assert found.depth == pytest.approx([1.0 * NM, 2.0 * NM])
    assert found.counts["W-"] == pytest.approx([6.0, 8.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depth [nm],Li\n1,5\n2,6\n", "unknown column 'Li'"),
        ("depth [V],Li+\n1,5\n2,6\n", "depth [V]"),
        ("depth [nm],Li+\n1,5\n2,-6\n", ":3: column 'Li+': -6 is no count"),
        ("Li+,W-\n1,5\n2,6\n", "needs a depth or a sputter time"),
    ],
)
def test_mistakes_of_a_table_are_named(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "m.csv"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_measured(file, profile().counts)
    assert expected in str(caught.value)
