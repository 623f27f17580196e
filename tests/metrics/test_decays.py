"""Retention and short-term plasticity on curves with known parameters."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.fits import fit_double_exponential, fit_power, fit_stretched
from ionstack.metrics.retention import TEN_YEARS, arrhenius, retention
from ionstack.metrics.transients import (
    facilitation,
    facilitation_index,
    learnt_residual,
    rate_gain,
    residual,
    transient,
)

TIMES = np.geomspace(1.0, 1e5, 60)


def test_power_law_is_recovered() -> None:
    found = fit_power(TIMES, 3e-6 * TIMES**-0.05)
    assert found.scale == pytest.approx(3e-6, rel=1e-12)
    assert found.exponent == pytest.approx(0.05, rel=1e-12)
    assert found.residual < 1e-12
    assert float(found.at(1e8)) == pytest.approx(3e-6 * 1e8**-0.05)


@pytest.mark.parametrize(("tau", "beta"), [(1e3, 0.5), (5e6, 0.3), (2e4, 1.0)])
def test_stretched_exponential_is_recovered(tau: float, beta: float) -> None:
    found = fit_stretched(TIMES, 2e-6 * np.exp(-((TIMES / tau) ** beta)))
    assert found.scale == pytest.approx(2e-6, rel=1e-4)
    assert found.tau == pytest.approx(tau, rel=1e-3)
    assert found.beta == pytest.approx(beta, rel=1e-3)
    assert found.residual < 1e-5


def test_stretched_exponential_under_noise() -> None:
    noise = np.exp(0.01 * np.random.default_rng(5).normal(size=len(TIMES)))
    found = fit_stretched(TIMES, 2e-6 * np.exp(-((TIMES / 1e4) ** 0.6)) * noise)
    assert found.tau == pytest.approx(1e4, rel=0.05)
    assert found.beta == pytest.approx(0.6, rel=0.05)
    assert found.residual == pytest.approx(0.01, rel=0.3)


def test_both_extrapolations_bracket_the_truth_of_each() -> None:
    found = retention(TIMES, 1e-6 * np.exp(-((TIMES / 1e7) ** 0.4)))
    truth = 1e-6 * np.exp(-((TEN_YEARS / 1e7) ** 0.4))
    assert found.stretched_value == pytest.approx(truth, rel=1e-3)
    assert found.power_value > found.stretched_value
    assert found.disagreement == pytest.approx(found.power_value / found.stretched_value)
    assert found.kept == pytest.approx(np.exp(-(0.01**0.4) + (1e-7) ** 0.4), rel=1e-9)


def test_a_state_that_does_not_decay_is_kept() -> None:
    found = retention(TIMES, np.full(60, 4e-6))
    assert found.power_kept == pytest.approx(1.0, rel=1e-9)
    assert found.stretched_kept == pytest.approx(1.0, rel=1e-3)
    assert found.disagreement == pytest.approx(1.0, rel=1e-3)


def test_retention_refuses_what_is_no_decay_curve() -> None:
    with pytest.raises(InputError, match="time: has to increase, but value 2 is 2 after 3"):
        retention([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="values: has to be greater than 0"):
        retention([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 0.0, 1.0])


def test_activation_energy() -> None:
    kelvin = np.array([300.0, 330.0, 360.0, 400.0])
    found = arrhenius(kelvin, 1e12 * np.exp(-0.5 / (8.617333262e-5 * kelvin)))
    assert found.energy == pytest.approx(0.5, rel=1e-9)
    assert found.prefactor == pytest.approx(1e12, rel=1e-7)
    assert np.isnan(arrhenius([300.0, 330.0], [1.0, 2.0]).energy)


def test_index_of_paired_pulses() -> None:
    np.testing.assert_allclose(facilitation_index([2.0, 1.0], [3.0, 0.5]), [0.5, -0.5])
    with pytest.raises(InputError, match="first pulse is zero"):
        facilitation_index([0.0], [1.0])


def test_facilitation_is_two_exponentials_of_the_interval() -> None:
    gaps = np.geomspace(0.01, 5.0, 25)
    index = 0.8 * np.exp(-gaps / 0.05) + 0.4 * np.exp(-gaps / 1.5)
    shuffled = np.random.default_rng(0).permutation(25)
    first = np.full(25, 2e-6)
    found = facilitation(gaps[shuffled], first, (first * (1.0 + index))[shuffled])
    np.testing.assert_allclose(found.interval, gaps)
    np.testing.assert_allclose(found.index, index, rtol=1e-12)
    fitted = [found.fit.c1, found.fit.tau1, found.fit.c2, found.fit.tau2]
    np.testing.assert_allclose(fitted, [0.8, 0.05, 0.4, 1.5], rtol=1e-4)


def test_double_exponential_under_noise_and_with_negative_sign() -> None:
    times = np.linspace(0.0, 10.0, 200)
    clean = -0.5 * np.exp(-times / 0.3) - 0.5 * np.exp(-times / 4.0)
    found = fit_double_exponential(times, clean + 2e-3 * np.random.default_rng(2).normal(size=200))
    assert found.c1 == pytest.approx(-0.5, rel=0.05)
    assert found.tau1 == pytest.approx(0.3, rel=0.05)
    assert found.tau2 == pytest.approx(4.0, rel=0.05)
    assert found.residual == pytest.approx(2e-3, rel=0.15)


def test_double_exponential_of_a_single_one_reproduces_the_curve() -> None:
    times = np.linspace(0.0, 5.0, 40)
    found = fit_double_exponential(times, np.exp(-times))
    np.testing.assert_allclose(found.at(times), np.exp(-times), atol=1e-5)


def test_four_values_are_too_few_for_four_parameters() -> None:
    assert np.isnan(fit_double_exponential([0.0, 1.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0]).tau1)


def test_gain_of_a_pulse_train() -> None:
    found = rate_gain([10.0, 0.1, 1.0], [2.0, 2.0, 2.0], [6.0, 2.0, 4.0])
    assert found.frequency.tolist() == [0.1, 1.0, 10.0]
    np.testing.assert_allclose(found.gain, [1.0, 2.0, 3.0])
    assert found.per_decade == pytest.approx(1.0)


def test_response_to_one_pulse() -> None:
    times = np.linspace(0.0, 5.0, 501)
    current = np.where(times < 1.0, 1e-9, 1e-9 + 5e-9 * np.exp(-(times - 1.0) / 0.8))
    found = transient(times, current)
    assert found.baseline == 1e-9
    assert found.amplitude == pytest.approx(5e-9)
    assert found.peak_time == pytest.approx(1.0)
    assert found.half_time == pytest.approx(0.8 * np.log(2.0), rel=1e-3)
    assert found.charge == pytest.approx(5e-9 * 0.8 * (1 - np.exp(-5.0)), rel=1e-3)


def test_what_remains_of_a_training() -> None:
    times = np.linspace(0.0, 100.0, 51)
    found = residual(times, 1e-6 + 3e-6 * np.exp(-((times / 30.0) ** 0.5)), baseline=1e-6)
    assert found.share[0] == pytest.approx(1.0)
    assert found.last == pytest.approx(np.exp(-np.sqrt(100.0 / 30.0)))
    assert found.fit.tau == pytest.approx(30.0, rel=1e-3)
    assert found.fit.beta == pytest.approx(0.5, rel=1e-3)
    with pytest.raises(InputError, match="nothing was learnt"):
        residual([0.0, 1.0], [1.0, 2.0], baseline=1.0)


def test_longer_training_keeps_more() -> None:
    assert learnt_residual([5.0, 50.0], [0.1, 0.4]) == pytest.approx(0.3)
