"""The kernel of mixing, roughness and information depth against what it is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import trapezoid

from ionstack.surface_analysis.resolution import Resolution

FloatArray = npt.NDArray[np.float64]

NM = 1e-9
# Mixing, roughness, information depth [nm].
LENGTHS = [(1.5, 1.0, 1.0), (2.0, 0.3, 0.5), (5.0, 0.1, 1.0), (0.5, 3.0, 2.0)]


def kernel(lengths: tuple[float, float, float]) -> tuple[Resolution, FloatArray, FloatArray]:
    mixing, roughness, information = (one * NM for one in lengths)
    resolution = Resolution(mixing, roughness, 0.0, information)
    u = np.linspace(-60.0, 120.0, 360_001) * NM
    return resolution, u, resolution.density(u, roughness)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_it_integrates_to_one(lengths: tuple[float, float, float]) -> None:
    _, u, density = kernel(lengths)
    assert trapezoid(density, u) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_the_centroid_shifts_towards_the_surface(lengths: tuple[float, float, float]) -> None:
    _, u, density = kernel(lengths)
    mixing, _, information = lengths
    expected = -(mixing + information) * np.exp(-mixing / information)
    assert trapezoid(density * u, u) / NM == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("lengths", LENGTHS[:2])
def test_it_is_the_convolution_of_the_three_mechanisms(
    lengths: tuple[float, float, float],
) -> None:
    """Mixing leaves an exponential behind, information comes from below."""
    mixing, roughness, information = lengths
    # The jump at -w lies between two points.
    u = np.arange(-30.0, 60.0, 0.005) + 0.0025
    below = np.exp(-mixing / information)
    trail = np.where(u >= -mixing, np.exp(-(u + mixing) / mixing) / mixing, 0.0)
    lead = np.where(u < -mixing, np.exp((u + mixing) / information) / information, 0.0)
    gauss = np.exp(-0.5 * (u / roughness) ** 2) / (np.sqrt(2.0 * np.pi) * roughness)
    sharp = (1.0 - below) * trail + below * lead
    direct = np.convolve(sharp, gauss, mode="full") * 0.005
    shifted = np.interp(u, u[0] + u[0] + 0.005 * np.arange(len(direct)), direct)
    resolution, _, _ = kernel(lengths)
    found = resolution.density(u * NM, roughness * NM) * NM
    assert np.abs(found - shifted).max() < 1e-3 * shifted.max()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_its_integral_is_its_distribution(lengths: tuple[float, float, float]) -> None:
    resolution, u, density = kernel(lengths)
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(u)
    found = resolution.cumulative(u, np.full(len(u), lengths[1] * NM))
    assert np.abs(found[1:] - found[0] - np.cumsum(steps)).max() < 1e-7


def width_of_a_step(resolution: Resolution) -> float:
    """Depth [nm] between 16 % and 84 % of a step of atoms."""
    edges = np.arange(0.0, 120.0, 0.01) * NM
    middles = 0.5 * (edges[1:] + edges[:-1])
    sigma = resolution.roughness_at(np.array(60.0 * NM))
    seen = resolution.cumulative(middles - 60.0 * NM, sigma)
    low, high = np.interp([0.16, 0.84], seen, middles)
    return float((high - low) / NM)


def test_roughness_alone_has_twice_its_deviation_as_width() -> None:
    # Of a normal distribution 16 to 84 % are 1.989 standard deviations.
    assert width_of_a_step(Resolution(roughness=2.0 * NM)) == pytest.approx(3.978, abs=2e-3)


def test_mixing_alone_has_the_width_of_an_exponential() -> None:
    assert width_of_a_step(Resolution(mixing=2.0 * NM)) == pytest.approx(
        2.0 * np.log(0.84 / 0.16), abs=2e-3
    )


def test_roughness_grows_with_depth() -> None:
    grown = Resolution(roughness=1.0 * NM, roughness_growth=0.05)
    assert grown.roughness_at(np.array(60.0 * NM)) / NM == pytest.approx(np.sqrt(10.0))


@pytest.mark.parametrize(
    "resolution",
    [
        Resolution(),
        Resolution(mixing=2 * NM),
        Resolution(roughness=1 * NM),
        Resolution(information_depth=1 * NM),
        Resolution(2 * NM, 1 * NM, 0.02, 0.5 * NM),
    ],
)
def test_atoms_away_from_the_ends_are_all_seen(resolution: Resolution) -> None:
    matrix = resolution.response(np.arange(0.0, 200.0, 0.25) * NM)
    assert matrix[:, 200:400].sum(axis=0) == pytest.approx(np.ones(200), abs=1e-8)
    assert matrix.min() >= -1e-15


def test_nothing_is_seen_from_beyond_its_reach() -> None:
    resolution = Resolution(2 * NM, 1 * NM, 0.02, 1.0 * NM)
    reach = resolution.reach(100 * NM)
    sigma = resolution.roughness_at(np.array([100 * NM + reach]))
    assert resolution.cumulative(np.array([-reach]), sigma)[0] < 1e-5
