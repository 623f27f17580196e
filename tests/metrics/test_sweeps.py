"""Loops made by hand, with states, areas and switching voltages that are known."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.arrays import FloatArray
from ionstack.metrics.sweeps import branches, current_at, find_sweeps, loop_area, states
from ionstack.metrics.thresholds import reset, switching

STEP = 0.005


def triangle(amplitude: float, step: float = STEP) -> FloatArray:
    up = np.linspace(0.0, amplitude, round(abs(amplitude) / step) + 1)
    return np.concatenate([up, up[-2::-1]])


def volatile(
    threshold: float = 1.0, hold: float = 0.4, sign: float = 1.0, limit: float = 1e-5
) -> tuple[FloatArray, FloatArray]:
    """A switch: 1 nS below threshold, 1 mS above until hold, under a current limit."""
    size = triangle(2.0)
    turn = len(size) // 2
    after = np.arange(len(size)) >= turn
    on = np.where(after, size > hold + 1e-9, size > threshold + 1e-9)
    current = np.minimum(np.where(on, 1e-3, 1e-9) * size, limit)
    return sign * size, sign * current


def test_sweeps_are_parted_at_zero_voltage() -> None:
    voltage = np.concatenate([triangle(1.0), triangle(-2.0)[1:]])
    first, second = find_sweeps(voltage)
    assert voltage[first][0] == voltage[first][-1] == 0.0
    assert voltage[first].max() == 1.0
    assert voltage[first].min() == 0.0
    assert voltage[second].min() == -2.0
    assert first.stop - 1 == second.start


def test_sweeps_without_rows_at_zero_and_with_noise_about_zero() -> None:
    ramp = np.concatenate([np.linspace(0.1, 1.0, 10), np.linspace(0.9, 0.1, 9)])
    voltage = np.concatenate([[0.01, -0.02, 0.01, -0.01], ramp, -ramp])
    found = find_sweeps(voltage)
    assert [(s.start, s.stop) for s in found] == [(4, 23), (23, 42)]


def test_sweeps_of_one_polarity_that_never_quite_reach_zero() -> None:
    voltage = 0.001 + np.concatenate([triangle(1.0), triangle(1.0), triangle(1.0)])
    first, second, third = find_sweeps(voltage)
    assert (first.start, third.stop) == (0, len(voltage))
    assert voltage[first][-1] == voltage[second][0] == pytest.approx(0.001)
    assert [voltage[s].max() for s in (first, second, third)] == pytest.approx([1.001] * 3)


def test_a_loop_may_start_at_its_end() -> None:
    voltage = np.concatenate([np.arange(-10, 11), np.arange(9, -11, -1)]) / 10.0
    found = find_sweeps(voltage)
    assert [(s.start, s.stop) for s in found] == [(0, 11), (10, 31), (30, 41)]


def test_no_sweep_in_a_constant_zero() -> None:
    assert find_sweeps(np.zeros(5)) == ()


def test_the_turn_belongs_to_both_branches() -> None:
    parts = branches([0.0, 1.0, 2.0, 1.0], [0.0, 1.0, 2.0, 3.0])
    assert parts.out_voltage.tolist() == [0.0, 1.0, 2.0]
    assert parts.back_current.tolist() == [2.0, 3.0]


def test_states_of_two_resistors() -> None:
    voltage = triangle(1.0)
    after = np.arange(len(voltage)) > len(voltage) // 2
    found = states(voltage, voltage * np.where(after, 2e-3, 1e-6), read_voltage=0.2003)
    assert found.conductance_out == pytest.approx(1e-6, rel=1e-12)
    assert found.high == pytest.approx(1e6, rel=1e-12)
    assert found.low == pytest.approx(500.0, rel=1e-12)
    assert found.window == pytest.approx(2000.0, rel=1e-12)


def test_states_outside_the_sweep_do_not_exist() -> None:
    voltage = triangle(1.0)
    assert np.isnan(states(voltage, voltage, 1.5).window)
    assert np.isnan(states(voltage, voltage, -0.5).high)
    assert np.isnan(current_at(voltage[:201], voltage[:201], 1.2))


def test_area_of_a_capacitor_and_of_a_resistor() -> None:
    voltage = triangle(1.0, 0.001)
    assert loop_area(voltage, 3.0 * voltage) == pytest.approx(0.0, abs=1e-12)
    rising = np.arange(len(voltage)) < len(voltage) // 2
    area = loop_area(voltage, np.where(rising, 2e-9, -2e-9))
    assert area == pytest.approx(4e-9, rel=3e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_threshold_and_hold_by_both_rules(sign: float) -> None:
    found = switching(*volatile(sign=sign), compliance=1e-5)
    assert found.threshold_slope == pytest.approx(sign * 1.0, abs=1e-9)
    assert found.threshold_factor == pytest.approx(sign * 1.0, abs=STEP)
    assert found.hold_slope == pytest.approx(sign * 0.405, abs=1e-9)
    assert found.hold_factor == pytest.approx(sign * 0.4, abs=STEP)
    assert found.off_current == pytest.approx(1e-9, rel=STEP, abs=0.0)
    assert found.step == pytest.approx(STEP)


def test_levels_that_are_given_are_used() -> None:
    voltage = triangle(1.0, 0.01)
    current = 1e-6 * voltage
    found = switching(voltage, current, off_current=5e-8, compliance=2e-6)
    assert found.threshold_factor == pytest.approx(0.5, rel=1e-9)
    assert found.hold_factor == pytest.approx(0.2, rel=1e-9)


def test_the_threshold_is_interpolated() -> None:
    voltage = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 2.0, 0.0])
    current = np.array([0.0, 1.0, 2.0, 3.0, 100.0, 2.0, 0.0])
    found = switching(voltage, current, off_current=1.0)
    assert found.threshold_factor == pytest.approx(3.0 + 7.0 / 97.0)


def test_a_resistor_has_no_threshold() -> None:
    voltage = triangle(2.0)
    found = switching(voltage, 1e-6 * voltage)
    assert np.isnan([found.threshold_slope, found.threshold_factor, found.hold_slope]).all()


@pytest.mark.parametrize("offset", [0.5, 0.5013, 0.50499])
def test_a_cell_with_a_voltage_of_its_own_has_no_threshold(offset: float) -> None:
    """The current passes zero, so log|I| is steep there; nothing switches."""
    voltage = triangle(2.0)
    found = switching(voltage, 1e-6 * (voltage - offset))
    assert np.isnan([found.threshold_slope, found.hold_slope]).all()


def test_a_conductance_that_rises_smoothly_has_no_threshold_by_slope() -> None:
    voltage = triangle(2.0)
    found = switching(voltage, 1e-9 * voltage * np.exp(6.0 * voltage))
    assert np.isnan([found.threshold_slope, found.hold_slope]).all()
    assert 0.5 < found.threshold_factor < 1.0


def test_switching_over_several_steps_is_found() -> None:
    voltage = triangle(2.0)
    smooth = 0.5 * (1.0 + np.tanh((voltage - 1.0) / 0.008))
    found = switching(voltage, voltage * 1e-9 * 10.0 ** (4.0 * smooth))
    assert found.threshold_slope == pytest.approx(1.0, abs=0.01)


def test_a_sweep_that_only_goes_out_has_no_hold() -> None:
    voltage, current = volatile()
    found = switching(voltage[:401], current[:401])
    assert found.threshold_slope == pytest.approx(1.0)
    assert np.isnan(found.hold_slope)
    assert np.isnan(found.hold_factor)


def test_noise_below_the_floor_does_not_move_the_threshold() -> None:
    voltage, current = volatile(limit=1e-7)
    current[150] = 1e-15
    assert switching(voltage, current, floor=1e-10).threshold_slope == pytest.approx(1.0)
    assert switching(voltage, current).threshold_slope == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"compliance": 0.0}, "compliance: has to be greater than 0"),
        ({"off_current": -1.0}, "off_current: has to be greater than 0"),
        ({"factor": 1.0}, "factor: has to be greater than 1"),
    ],
)
def test_wrong_levels_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        switching(*volatile(), **arguments)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(InputError, match="equally long"):
        states([0.0, 1.0], [0.0], 0.1)
    with pytest.raises(InputError, match="current: value 1 is nan"):
        states([0.0, 1.0], [0.0, np.nan], 0.1)
    with pytest.raises(InputError, match="needs at least 2 values, has 1"):
        branches([1.0], [1.0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_reset_is_where_the_current_begins_to_fall_even_if_it_rises_later(sign: float) -> None:
    """0.4 mA at 0.4 V, 0.2 mA at 0.6 V, and more than before at the turn."""
    voltage = sign * triangle(1.0)
    out = np.interp(np.abs(voltage), [0.0, 0.4, 0.6, 1.0], [0.0, 4e-4, 2e-4, 5e-4])
    found = reset(voltage, sign * out)
    assert found.voltage == pytest.approx(sign * 0.4, abs=STEP)
    assert found.current == pytest.approx(sign * 4e-4, rel=0.01)


def test_neither_a_resistor_nor_a_limited_current_has_a_reset() -> None:
    voltage = triangle(1.0)
    assert np.isnan(reset(voltage, 1e-3 * voltage).voltage)
    assert np.isnan(reset(voltage, np.minimum(1e-3 * voltage, 2e-4)).voltage)


def test_noise_is_no_reset() -> None:
    """Noise of 1 nA before the switch; with a floor also where all of it is noise."""
    voltage = triangle(1.0)
    noise = 1e-9 * np.where(np.arange(len(voltage)) % 2, 1.0, 0.5)
    assert np.isnan(reset(voltage, noise + np.where(voltage > 0.5, 1e-5, 0.0)).voltage)
    assert np.isfinite(reset(voltage, noise).voltage)
    assert np.isnan(reset(voltage, noise, floor=2e-9).voltage)
