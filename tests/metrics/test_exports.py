"""The exported arrays and files, read again by the rules of the readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.exports import (
    crosssim_text,
    to_aihwkit,
    to_crosssim,
    to_crosssim_levels,
)
from ionstack.metrics.plasticity import update_curve

SHARE = np.linspace(0.0, 1.0, 41)
UP = 1e-6 + 9e-6 * update_curve(SHARE, 2.0)
DOWN = 1e-5 - 9e-6 * update_curve(SHARE, 5.0)
CYCLE = np.concatenate([UP, DOWN[1:]])
SIGNS = np.concatenate([np.ones(41), -np.ones(40)])


def test_aihwkit_pulses_precede_what_they_change() -> None:
    found = to_aihwkit(CYCLE, SIGNS)
    assert found.pulses.shape == found.response.shape == CYCLE.shape
    assert set(found.pulses) == {-1.0, 1.0}
    assert found.response[0] == pytest.approx(-1.0)
    assert found.response.max() == pytest.approx(1.0)
    steps = np.diff(found.response)
    assert (np.sign(steps) == found.pulses[:-1]).all()


def test_aihwkit_weights_of_given_limits() -> None:
    found = to_aihwkit([1.0, 2.0, 3.0], low=0.0, high=4.0)
    np.testing.assert_allclose(found.response, [-0.5, 0.0, 0.5])
    with pytest.raises(InputError, match="less than"):
        to_aihwkit([1.0, 2.0], low=2.0, high=2.0)


def test_crosssim_table_holds_the_updates() -> None:
    table = to_crosssim(CYCLE, SIGNS, bins=20, probabilities=11)
    assert table.increasing.shape == table.decreasing.shape == (11, 20)
    assert (np.diff(table.increasing, axis=0) >= 0.0).all()
    assert (table.increasing > 0.0).all()
    assert (table.decreasing < 0.0).all()
    # ΔG up falls towards G_max: its slope against G is −(1 − e^(−ν/P)) of the exponential law.
    slope = np.polyfit(table.conductance, table.increasing[5], 1)[0]
    assert slope == pytest.approx(np.expm1(-2.0 / 40.0), rel=0.1)


def test_crosssim_conductances_never_met_take_the_nearest() -> None:
    table = to_crosssim([0.0, 10.0, 0.0], [1, 1, -1], bins=5, probabilities=3)
    np.testing.assert_allclose(table.increasing, 10.0)
    np.testing.assert_allclose(table.decreasing, -10.0)
    with pytest.raises(InputError, match="both directions"):
        to_crosssim([0.0, 1.0, 2.0], [1, 1, 1])


def test_crosssim_files_are_read_back(tmp_path: Path) -> None:
    """As CrossSim's numeric core does: a title line, G, probabilities, then the matrix."""
    table = to_crosssim(CYCLE, SIGNS, bins=12, probabilities=9)
    for direction, expected in ((1, table.increasing), (-1, table.decreasing)):
        path = tmp_path / "dG.txt"
        path.write_text(crosssim_text(table, direction))
        conductance = np.genfromtxt(path, delimiter=",", skip_header=1, max_rows=1)
        probability = np.genfromtxt(path, delimiter=",", skip_header=2, max_rows=1)
        matrix = np.genfromtxt(path, delimiter=",", skip_header=3)
        np.testing.assert_allclose(conductance, table.conductance, rtol=1e-8)
        np.testing.assert_allclose(probability, np.linspace(0.0, 1.0, 9), rtol=1e-8)
        np.testing.assert_allclose(matrix, expected, rtol=1e-8)
        # Its fast look-up needs both axes evenly spaced to 1e-4 of a step.
        for axis in (np.diff(conductance), np.diff(probability)):
            assert np.ptp(axis) < 1e-4 * axis.max()


def test_crosssim_levels_are_sorted() -> None:
    found = to_crosssim_levels([[3.0, 5.0], [1.0, 1.0]])
    assert found.targets.tolist() == [1.0, 4.0]
    assert found.values.tolist() == [[1.0, 1.0], [3.0, 5.0]]
    with pytest.raises(InputError, match="levels, runs"):
        to_crosssim_levels([1.0, 2.0])
