"""Events at given rates: exact distributions, and instants that know no steps and no ranks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import kstest, weibull_min

from ionstack.physics.extreme_values import (
    area_factor,
    event_probability,
    ramp_scale,
    ramp_shape,
    sharp_variation,
    weibull_mean,
    weibull_variation,
)
from ionstack.randomness.hazards import (
    Clocks,
    Events,
    ExactHazard,
    ExponentialHazard,
    Hazard,
    LinearHazard,
    advance,
)
from ionstack.randomness.random_streams import Stream

COUNT = 10_000
STREAM = Stream(11, "nucleation.threshold")
Make = Callable[[Clocks, float, float], Hazard]


def run(make: Make, times: np.ndarray, sites: np.ndarray, renew: bool = True) -> Events:
    """All events along steps that end at `times`."""
    clocks, found = Clocks.started(STREAM, sites), []
    for start, end in pairwise(times):
        clocks, events = advance(clocks, STREAM, make(clocks, start, end), renew=renew)
        found.append(events)
    return Events(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def first_ones(events: Events, count: int) -> np.ndarray:
    """Time of the first event by site; each has to have one."""
    first = events.draws == 0
    assert first.sum() == count
    times = np.empty(count)
    times[events.sites[first]] = events.times[first]
    return times


def constant(rate: float) -> Make:
    def make(clocks: Clocks, start: float, end: float) -> Hazard:
        rates = np.full(len(clocks.sites), rate)
        return LinearHazard(start, end, rates, rates)

    return make


def power(rate: float, shape: float) -> Make:
    """Rate going as t^(shape - 1), its integral exact."""

    def make(clocks: Clocks, start: float, end: float) -> Hazard:
        def integral(which, times):
            return rate * times**shape

        return ExactHazard(start, end, len(clocks.sites), integral)

    return make


def straight(clocks: Clocks, start: float, end: float) -> Hazard:
    ones = np.ones(len(clocks.sites))
    return LinearHazard(start, end, 2.0 * start * ones, 2.0 * end * ones)


def growing(clocks: Clocks, start: float, end: float) -> Hazard:
    """Rate 0.01 e^(2 t) at even sites, 3 e^(-t/3) at odd ones."""
    odd = clocks.sites % 2 == 1
    rates = [np.where(odd, 3.0 * np.exp(-t / 3.0), 0.01 * np.exp(2.0 * t)) for t in (start, end)]
    return ExponentialHazard(start, end, *rates)


SITES = np.arange(COUNT)
UNEVEN = np.r_[0.0, 1e-6, 0.013, 0.9, 0.91, 2.5, 7.0, 7.001, 60.0]


def test_constant_rate_gives_exponential_times() -> None:
    times = first_ones(run(constant(0.25), UNEVEN, SITES), COUNT)
    assert kstest(times, "expon", args=(0.0, 4.0)).pvalue > 0.01
    assert times.mean() == pytest.approx(4.0, rel=3.0 / np.sqrt(COUNT), abs=0.0)


def test_renewals_are_a_poisson_process() -> None:
    """Counts have mean and variance H; what comes between two events is exponential again."""
    events = run(constant(0.5), np.linspace(0.0, 20.0, 8), SITES)
    counts = np.bincount(events.sites, minlength=COUNT)
    assert counts.mean() == pytest.approx(10.0, abs=3.0 * np.sqrt(10.0 / COUNT))
    assert counts.var() == pytest.approx(10.0, rel=0.05, abs=0.0)
    early = (events.draws <= 1) & (counts[events.sites] > 1)
    order = np.lexsort((events.draws[early], events.sites[early]))
    gaps = np.diff(events.times[early][order].reshape(-1, 2))[:, 0]
    # The second event lies within the 20 s with probability 0.9995.
    assert kstest(gaps, "expon", args=(0.0, 2.0)).pvalue > 0.01


@pytest.mark.parametrize("shape", [1.0, 2.0, 30.0])
def test_power_law_gives_weibull(shape: float) -> None:
    grid = np.linspace(0.0, 20.0, 5)
    times = first_ones(run(power(0.7, shape), grid, SITES, renew=False), COUNT)
    scale = 0.7 ** (-1.0 / shape)
    assert kstest(times, weibull_min(shape, scale=scale).cdf).pvalue > 0.01
    assert times.mean() == pytest.approx(
        float(weibull_mean(scale, shape)),
        rel=3.5 * float(weibull_variation(shape)) / 100.0,
        abs=0.0,
    )


def test_exponential_rate_gives_gompertz() -> None:
    even, grid = 2 * SITES, np.linspace(0.0, 8.0, 9)
    found = run(growing, grid, even, renew=False)
    times = first_ones(found._replace(sites=found.sites // 2), COUNT)
    assert kstest(times, lambda t: -np.expm1(-0.005 * np.expm1(2.0 * t))).pvalue > 0.01


@pytest.mark.parametrize("make", [constant(0.3), power(0.02, 3.5), straight, growing])
def test_instants_do_not_depend_on_steps(make: Make) -> None:
    """Where the integral is exact: halved, random and very few steps, to 1e-9."""
    random_steps = np.sort(np.random.default_rng(4).uniform(0.0, 4.0, 60))
    grids = [
        np.linspace(0.0, 4.0, 9),
        np.linspace(0.0, 4.0, 17),
        np.array([0.0, 4.0]),
        np.r_[0.0, random_steps, 4.0],
    ]
    runs = [run(make, grid, np.arange(200)) for grid in grids]
    assert len(runs[0].times) > 100
    for other in runs[1:]:
        assert (other.sites == runs[0].sites).all()
        assert (other.draws == runs[0].draws).all()
        np.testing.assert_allclose(other.times, runs[0].times, rtol=0.0, atol=1e-9)


def test_trapezoid_converges_with_order_two() -> None:
    """A rate that is neither straight nor exponential: errors fall by four."""

    def make(clocks: Clocks, start: float, end: float) -> Hazard:
        rates = [np.full(len(clocks.sites), 1.0 + np.sin(3.0 * t)) for t in (start, end)]
        return LinearHazard(start, end, *rates)

    def exact(clocks: Clocks, start: float, end: float) -> Hazard:
        return ExactHazard(
            start, end, len(clocks.sites), lambda which, t: t + (1.0 - np.cos(3.0 * t)) / 3.0
        )

    right = run(exact, np.linspace(0.0, 2.0, 3), np.arange(100))
    keep = right.draws == 0
    order = right.sites[keep]
    errors = []
    for count in (100, 200, 400):
        found = run(make, np.linspace(0.0, 2.0, count + 1), np.arange(100))
        times = dict(zip(found.sites[found.draws == 0], found.times[found.draws == 0], strict=True))
        moved = [times.get(site, 2.0) for site in order]
        early = right.times[keep] < 1.5
        errors.append(np.abs(np.array(moved) - right.times[keep])[early].mean())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1, abs=0.0)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1, abs=0.0)


@pytest.mark.parametrize("ranks", [2, 7])
def test_same_events_for_every_partition(ranks: int) -> None:
    times, sites = np.linspace(0.0, 4.0, 9), np.arange(150)
    whole = run(growing, times, sites)
    owner = np.random.default_rng(ranks).integers(0, ranks, len(sites))
    parts = [run(growing, times, sites[owner == rank]) for rank in range(ranks)]
    joined = [np.concatenate(values) for values in zip(*parts, strict=True)]
    order = np.lexsort((joined[0], joined[1]))
    for mine, all_ in zip(joined, whole, strict=True):
        assert (mine[order] == all_).all()


def test_a_checkpoint_goes_on_to_the_same_events() -> None:
    """Clocks are three arrays; nothing else is remembered."""
    grid, sites = np.linspace(0.0, 4.0, 9), np.arange(200)
    whole = run(growing, grid, sites)
    clocks = Clocks.started(STREAM, sites)
    for start, end in pairwise(grid[:5]):
        clocks, _ = advance(clocks, STREAM, growing(clocks, start, end))
    kept = [array.tolist() for array in (clocks.sites, clocks.left, clocks.draws)]
    restored = Clocks(*(np.array(values) for values in kept))
    for start, end in pairwise(grid[4:]):
        restored, events = advance(restored, STREAM, growing(restored, start, end))
        late = (whole.times > start) & (whole.times <= end)
        assert (events.sites == whole.sites[late]).all()
        assert (events.times == whole.times[late]).all()


def test_steps_can_be_tried() -> None:
    """A step changes no clocks; cut at its first event it has just that one."""
    clocks = Clocks.started(STREAM, np.arange(50))
    hazard = constant(0.1)
    after, events = advance(clocks, STREAM, hazard(clocks, 0.0, 5.0))
    again, same = advance(clocks, STREAM, hazard(clocks, 0.0, 5.0))
    assert (events.times == same.times).all()
    assert (after.left == again.left).all()
    assert (clocks.left == STREAM.exponential(clocks.sites, 0)).all()
    first = float(events.times[0])
    cut, few = advance(clocks, STREAM, hazard(clocks, 0.0, np.nextafter(first, 6.0)))
    assert few.sites.tolist() == [events.sites[0]]
    _, rest = advance(cut, STREAM, hazard(cut, np.nextafter(first, 6.0), 5.0))
    np.testing.assert_allclose(rest.times, events.times[1:], rtol=0.0, atol=1e-12)


def test_without_renewal_one_event_per_step() -> None:
    clocks = Clocks.started(STREAM, np.arange(100))
    after, events = advance(clocks, STREAM, constant(5.0)(clocks, 0.0, 4.0), renew=False)
    assert len(np.unique(events.sites)) == len(events.sites) > 90
    fired = np.isin(clocks.sites, events.sites)
    assert (after.draws == fired).all()
    assert (after.left[fired] == STREAM.exponential(clocks.sites, 1)[fired]).all()


@pytest.mark.parametrize(
    ("first", "last"),
    [(0.0, 0.0), (0.0, 3.0), (3.0, 0.0), (1e-300, 3.0), (3.0, 1e-300), (2.0, 2.0)],
)
@pytest.mark.parametrize("kind", [LinearHazard, ExponentialHazard])
def test_rates_from_and_to_nothing(kind, first: float, last: float) -> None:
    """Instants invert the integral at every share, also where a rate starts or ends at zero."""
    one = kind(1.0, 3.0, np.array([first]), np.array([last]))
    total = one.total()
    assert np.isfinite(total).all()
    if total[0] == 0.0:
        return
    shares = np.array([0.0, 1e-9, 0.3, 0.99, 1.0])
    times = one.instants(np.zeros(5, dtype=np.int64), shares * total)
    assert (np.diff(times) > 0.0).all()
    assert (times >= 1.0).all()
    assert (times <= 3.0).all()
    for share, time in zip(shares[1:4], times[1:4], strict=True):
        part = (time - 1.0) / 2.0
        middle = first + part * (last - first)
        if kind is ExponentialHazard and min(first, last) > 0.0:
            middle = first ** (1.0 - part) * last**part
        law = LinearHazard if min(first, last) == 0.0 else kind
        until = law(1.0, time, np.array([first]), np.array([middle])).total()[0]
        # Instants near 1 s have the digits of 1 s.
        assert until == pytest.approx(share * total[0], rel=1e-6, abs=1e-14)


@pytest.mark.parametrize("rate", [np.nan, -1.0, np.inf, 1e9])
def test_rates_that_are_none(rate: float) -> None:
    clocks = Clocks.started(STREAM, np.arange(3))
    with pytest.raises(ValueError, match="integrated rate"):
        advance(clocks, STREAM, constant(rate)(clocks, 0.0, 1.0))


def test_nearly_constant_rates_lose_no_digits() -> None:
    for change in (1e-14, 1e-11, 1e-6):
        rates = np.array([1.0]), np.array([1.0 + change])
        hazard = ExponentialHazard(0.0, 1.0, *rates)
        assert hazard.total()[0] == pytest.approx(1.0 + 0.5 * change, rel=1e-11, abs=0.0)
        half = hazard.instants(np.zeros(1, dtype=np.int64), 0.5 * hazard.total())
        assert half[0] == pytest.approx(0.5 + change / 8.0, abs=1e-11)


@pytest.mark.parametrize("shape", [10.0, 30.0])
def test_thresholds_under_a_ramp(shape: float) -> None:
    """B1.8: variation 1.28/k, and a mean that goes as area^(-1/k)."""
    ramp, rate, voltage = 2.0, 5.0, 1.5
    scale = ramp_scale(rate, voltage, ramp, shape)
    means = []
    for area in (1.0, 16.0):
        factor = area * rate * voltage / (ramp * shape) * (ramp / voltage) ** shape
        grid = np.linspace(0.0, 3.0, 4)
        times = first_ones(run(power(factor, shape), grid, SITES, renew=False), COUNT)
        thresholds = ramp * times
        variation = thresholds.std(ddof=1) / thresholds.mean()
        assert variation == pytest.approx(float(weibull_variation(shape)), rel=0.03, abs=0.0)
        exact = float(weibull_mean(scale * area_factor(area, shape), shape))
        assert thresholds.mean() == pytest.approx(
            exact, rel=4.0 * variation / np.sqrt(COUNT), abs=0.0
        )
        means.append(thresholds.mean())
    # The same uniform numbers: the ratio is exact.
    assert means[1] / means[0] == pytest.approx(16.0 ** (-1.0 / shape), rel=1e-9, abs=0.0)


def test_formulas_of_extreme_values() -> None:
    assert float(weibull_variation(1.0)) == pytest.approx(1.0, rel=1e-12, abs=0.0)
    assert float(weibull_variation(2.0)) == pytest.approx(
        np.sqrt(4.0 / np.pi - 1.0), rel=1e-12, abs=0.0
    )
    assert sharp_variation(1.0) == pytest.approx(1.2825, abs=5e-5)
    for shape, tolerance in ((30.0, 0.03), (1e3, 1e-3), (1e5, 1e-5)):
        assert float(weibull_variation(shape)) == pytest.approx(
            sharp_variation(shape), rel=tolerance, abs=0.0
        )
    assert event_probability(1e-20) == pytest.approx(1e-20, rel=1e-15, abs=0.0)
    assert ramp_shape(29.0) == 30.0
