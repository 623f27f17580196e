from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.statistics import cumulative, fit_weibull, spread


def test_mean_and_variation_by_hand() -> None:
    found = spread([1.0, 2.0, 3.0, 4.0])
    assert found.count == 4
    assert found.mean == 2.5
    assert found.std == pytest.approx(np.sqrt(5.0 / 3.0))
    assert found.variation == pytest.approx(np.sqrt(5.0 / 3.0) / 2.5)
    assert found.log_std == pytest.approx(np.std(np.log([1, 2, 3, 4]), ddof=1))


def test_bootstrap_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(5.0, 0.5, 400)
    found = spread(values, seed=1, resamples=4000)
    half = 1.96 * found.std / 20.0
    assert found.mean_interval.low == pytest.approx(found.mean - half, abs=0.1 * half)
    assert found.mean_interval.high == pytest.approx(found.mean + half, abs=0.1 * half)
    # σ of a standard deviation: σ/√(2n)
    width = found.variation_interval.high - found.variation_interval.low
    assert width == pytest.approx(2 * 1.96 * found.variation / np.sqrt(800.0), rel=0.15)


def test_bootstrap_is_repeatable_and_depends_on_the_level() -> None:
    values = [1.0, 1.2, 0.9, 1.4, 1.1]
    assert spread(values, seed=7) == spread(values, seed=7)
    narrow, wide = spread(values, level=0.5), spread(values, level=0.99)
    assert narrow.mean_interval.high < wide.mean_interval.high


def test_bootstrap_of_two_values_by_hand() -> None:
    """Resamples are (1, 1), (1, 2), (2, 2): σ/mean is 0 or √½/1.5, the mean 1 to 2."""
    found = spread([1.0, 2.0])
    assert found.variation_interval.low == 0.0
    assert found.variation_interval.high == pytest.approx(np.sqrt(0.5) / 1.5)
    assert (found.mean_interval.low, found.mean_interval.high) == (1.0, 2.0)


def test_negative_values_have_a_positive_variation() -> None:
    found = spread([-1.0, -2.0, -3.0])
    assert found.variation == pytest.approx(0.5)
    assert np.isfinite(found.log_std)
    assert np.isnan(spread([-1.0, 2.0]).log_std)


def test_one_value_has_a_mean_only() -> None:
    found = spread([2.0])
    assert found.mean == 2.0
    assert np.isnan([found.std, found.variation, found.mean_interval.low]).all()


def test_cumulative_distribution_by_hand() -> None:
    values, probability = cumulative([3.0, 1.0, 2.0])
    assert values.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(probability, [0.7 / 3.4, 0.5, 2.7 / 3.4])


@pytest.mark.parametrize(("shape", "scale"), [(0.7, 2.0), (3.0, 1e-6), (25.0, -4.1)])
def test_weibull_of_its_own_quantiles(shape: float, scale: float) -> None:
    """The likelihood's maximum lies near the truth for 20 000 regular quantiles."""
    probability = (np.arange(20000) + 0.5) / 20000
    values = scale * (-np.log1p(-probability)) ** (1.0 / shape)
    found = fit_weibull(values)
    assert found.shape == pytest.approx(shape, rel=1e-3)
    assert found.scale == pytest.approx(scale, rel=1e-3)


def test_weibull_agrees_with_scipy() -> None:
    from scipy.stats import weibull_min

    values = weibull_min.rvs(20.0, scale=3.0, size=100, random_state=4)
    shape, _, scale = weibull_min.fit(values, floc=0)
    found = fit_weibull(values)
    assert found.shape == pytest.approx(shape, rel=1e-3)
    assert found.scale == pytest.approx(scale, rel=1e-4)


def test_weibull_of_two_values_and_of_equal_ones() -> None:
    assert fit_weibull([1.0, 2.0]).shape > 1.0
    assert np.isnan(fit_weibull([2.0, 2.0, 2.0]).shape)


@pytest.mark.parametrize("values", [[1.0, -1.0], [0.0, 1.0]])
def test_weibull_refuses_mixed_signs_and_zeros(values: list[float]) -> None:
    with pytest.raises(InputError, match="one sign"):
        fit_weibull(values)


def test_level_is_checked() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        spread([1.0, 2.0], level=95.0)
