"""Pulse updates: NeuroSim's table, CrossSim's ν, and fits of curves with known numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.arrays import FloatArray
from ionstack.metrics.plasticity import (
    asymmetry,
    conductance_window,
    delta_table,
    fit_update,
    label_of_shape,
    nu_of_shape,
    number_of_states,
    shape_of_label,
    split_updates,
    update_curve,
)

# NeuroSim's own table: label against A/P_max.
TABLE = [(0.6, 2.0979), (1.0, 1.2517), (2.4, 0.4992), (4.88, 0.2003), (7.7, 0.0632), (9.0, 0.0228)]


@pytest.mark.parametrize(("label", "shape"), TABLE)
def test_labels_of_the_table(label: float, shape: float) -> None:
    """The label is a maximum over the table's own grid of pulses; 0.3 % of it."""
    assert label_of_shape(shape) == pytest.approx(label, rel=3e-3)
    assert shape_of_label(label) == pytest.approx(shape, rel=1.5e-2)
    assert label_of_shape(-shape) == -label_of_shape(shape)


@pytest.mark.parametrize("label", [-9.5, -7.7, -0.6, 1e-4, 0.6, 5.0, 10.0])
def test_label_and_shape_are_inverse(label: float) -> None:
    assert label_of_shape(shape_of_label(label)) == pytest.approx(label, rel=1e-9)


def test_the_label_is_the_largest_deviation() -> None:
    p = np.linspace(0.0, 1.0, 200001)
    for shape in (0.03, 0.5, 3.0):
        largest = float(np.max(np.abs(update_curve(p, 1.0 / shape) - p)))
        assert label_of_shape(shape) == pytest.approx(10.1 * largest, rel=1e-8)


def test_a_straight_line_has_label_zero() -> None:
    assert label_of_shape(float("inf")) == 0.0
    assert shape_of_label(0.0) == float("inf")
    assert nu_of_shape(0.5) == 2.0
    for wrong in (0.0, float("nan")):
        with pytest.raises(InputError, match="A/P_max"):
            label_of_shape(wrong)
    with pytest.raises(InputError, match=r"between −10.1 and 10.1"):
        shape_of_label(10.1)


@pytest.mark.parametrize("nu", [-150.0, -3.0, -1e-10, 0.0, 1e-10, 3.0, 150.0])
def test_the_update_curve_runs_from_0_to_1(nu: float) -> None:
    curve = update_curve(np.linspace(0.0, 1.0, 101), nu)
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0, abs=1e-12)
    # Far from zero ν the flat part rises by less than the spacing of doubles.
    assert (np.diff(curve) >= 0.0).all()
    mirrored = 1.0 - update_curve(np.linspace(1.0, 0.0, 101), -nu)
    np.testing.assert_allclose(curve, mirrored, atol=1e-12)


def branch(first: float, last: float, nu: float, pulses: int = 64) -> FloatArray:
    return first + (last - first) * update_curve(np.linspace(0.0, 1.0, pulses + 1), nu)


@pytest.mark.parametrize("label", [0.6, 2.4, 7.7, -0.6, -4.88])
def test_potentiation_of_a_given_label(label: float) -> None:
    found = fit_update(branch(2e-6, 1.15e-4, 1.0 / shape_of_label(label)))
    assert found.pulses == 64
    assert found.label == pytest.approx(label, rel=1e-5)
    assert found.shape == pytest.approx(shape_of_label(label), rel=1e-5)
    assert found.nu == pytest.approx(1.0 / found.shape)
    assert found.first == pytest.approx(2e-6, rel=1e-5)
    assert found.last == pytest.approx(1.15e-4, rel=1e-6)
    assert found.residual < 1e-6


def test_depression_that_saturates_has_a_negative_label() -> None:
    """NeuroSim: G = B (1 − e^(−P/A)) + G_min with A < 0, read from P_max back to 0."""
    shape, p = -0.0632, np.linspace(0.0, 1.0, 101)
    scale = (1.0 - 0.01) / (1.0 - np.exp(-1.0 / shape))
    backwards = scale * (1.0 - np.exp(-p / shape)) + 0.01
    found = fit_update(backwards[::-1])
    assert found.shape == pytest.approx(shape, rel=1e-5)
    assert found.label == pytest.approx(-7.7, rel=3e-3)
    assert found.nu == pytest.approx(-1.0 / shape, rel=1e-5)
    assert found.first == pytest.approx(1.0)


def test_noise_of_single_updates_is_measured() -> None:
    rng = np.random.default_rng(11)
    clean = branch(0.0, 1.0, 1.5, pulses=2000)
    walk = np.concatenate([[0.0], np.cumsum(1e-3 * rng.normal(size=2000))])
    found = fit_update(clean + walk)
    extent = found.last - found.first
    assert found.cycle_to_cycle * extent == pytest.approx(1e-3, rel=0.05)
    assert number_of_states(clean + walk) == pytest.approx(1.0 / found.cycle_to_cycle)


def test_read_noise_hardly_moves_the_label() -> None:
    noise = 0.005 * np.random.default_rng(3).normal(size=101)
    found = fit_update(branch(0.0, 1.0, 1.0 / shape_of_label(2.4), pulses=100) + noise)
    assert found.label == pytest.approx(2.4, abs=0.1)
    assert found.residual == pytest.approx(0.005, rel=0.2)


def test_a_branch_without_change_has_no_label() -> None:
    found = fit_update(np.full(10, 1e-6))
    assert np.isnan([found.nu, found.label, found.cycle_to_cycle]).all()
    assert np.isnan(number_of_states(np.full(10, 1e-6)))
    with pytest.raises(InputError, match="at least 4"):
        fit_update([1.0, 2.0])


def test_sequences_are_parted_by_direction_or_at_the_extreme() -> None:
    data = [1.0, 2.0, 3.0, 2.5, 1.5, 2.0]
    parts = split_updates(data, [0, 1, 1, -1, -1, 1])
    assert [(values.tolist(), sign) for values, sign in parts] == [
        ([1.0, 2.0, 3.0], 1),
        ([3.0, 2.5, 1.5], -1),
        ([1.5, 2.0], 1),
    ]
    up, down = split_updates(data[:5])
    assert (up[1], down[1]) == (1, -1)
    assert up[0].tolist() == [1.0, 2.0, 3.0]
    assert [sign for _, sign in split_updates([3.0, 1.0, 3.0])] == [-1, 1]
    assert [sign for _, sign in split_updates([1.0, 2.0, 3.0])] == [1]
    with pytest.raises(InputError, match="positive or negative"):
        split_updates(data, [0, 1, 0, -1, -1, 1])


def test_changes_and_where_they_start() -> None:
    before, change, sign = delta_table([1.0, 2.0, 3.0, 2.5], [1, 1, 1, -1])
    assert before.tolist() == [1.0, 2.0, 3.0]
    assert change.tolist() == [1.0, 1.0, -0.5]
    assert sign.tolist() == [1, 1, -1]


def test_asymmetry_at_equal_conductance() -> None:
    up = np.linspace(0.0, 1.0, 21)
    assert asymmetry(up, up[::-1]).mean_size == pytest.approx(0.0, abs=1e-12)
    # Twice as large steps downwards: (1 − 2)/(1 + 2).
    found = asymmetry(up, up[::-1][::2])
    np.testing.assert_allclose(found.factor, -1.0 / 3.0)
    assert found.mean_size == pytest.approx(1.0 / 3.0)
    # Soft bounds, ΔG_up ~ 1 − G and ΔG_dn ~ −G: 1 − 2G.
    soft = 1.0 - 0.9 ** np.arange(31)
    found = asymmetry(soft, 1.0 - soft)
    np.testing.assert_allclose(found.factor, 1.0 - 2.0 * found.conductance, atol=1e-12)
    # The published pair 0.6/−7.7 is one-sided.
    strong = asymmetry(
        branch(0.0, 1.0, 1.0 / shape_of_label(0.6)), branch(1.0, 0.0, 1.0 / shape_of_label(7.7))
    )
    assert strong.mean_size > 0.5
    assert np.isnan(asymmetry([0.0, 1.0, 2.0], [9.0, 8.0, 7.0]).mean_size)


def test_window_of_conductance() -> None:
    assert conductance_window([2e-6, 1.15e-4]) == pytest.approx(57.5)
    assert np.isnan(conductance_window([0.0, 1.0]))
