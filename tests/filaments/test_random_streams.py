"""The generator is Philox as of NumPy; numbers depend on seed, purpose, site, draw alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from ionstack.randomness.random_streams import Stream, philox
from ionstack.randomness.site_scatter import Scatter, scattered

SITES = np.arange(10_000)
LARGEST = 2**64 - 1


@pytest.mark.parametrize("key", [(0, 0), (7, LARGEST), (2**63, 12345), (LARGEST, LARGEST)])
@pytest.mark.parametrize("counter", [(1, 0, 0, 0), (2**40 + 3, 9, 0, 0), (LARGEST, LARGEST, 5, 6)])
def test_philox_is_that_of_numpy(key, counter) -> None:
    """NumPy counts on by one before it makes the first four words."""
    words = philox(np.array(counter, dtype=np.uint64)[:, None], key)[:, 0]
    before = np.array([counter[0] - 1, *counter[1:]], dtype=np.uint64)
    numpy_own = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=before)
    assert words.tolist() == numpy_own.random_raw(4).tolist()


def test_philox_known_answers() -> None:
    """Of the authors' library Random123: all zeros and all ones."""
    zeros = philox(np.zeros((4, 1), dtype=np.uint64), (0, 0))[:, 0]
    assert zeros.tolist() == [
        0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B,
    ]  # fmt: skip
    ones = philox(np.full((4, 1), LARGEST, dtype=np.uint64), (LARGEST, LARGEST))[:, 0]
    assert ones.tolist() == [
        0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0,
    ]  # fmt: skip


def test_first_numbers_stay_what_they_are() -> None:
    """A change of them would change every run that uses the seed."""
    found = Stream(2025, "nucleation.threshold").uniform([0, 1, 0], [0, 0, 1])
    assert found == pytest.approx(PINNED, rel=1e-15, abs=0.0)


PINNED = [0.25985653929072233, 0.5941197702628376, 0.6521710129046983]


@pytest.mark.parametrize(
    ("draw", "law"), [("uniform", "uniform"), ("exponential", "expon"), ("normal", "norm")]
)
def test_distributions(draw: str, law: str) -> None:
    """Along the sites, and along the draws of one site."""
    stream = Stream(1, "test")
    for sites, draws in ((SITES, 0), (3, SITES)):
        assert kstest(getattr(stream, draw)(sites, draws), law).pvalue > 0.01


def test_streams_are_independent() -> None:
    numbers = [
        Stream(1, "one").normal(SITES, 0),
        Stream(2, "one").normal(SITES, 0),
        Stream(1, "two").normal(SITES, 0),
        Stream(1, "one").normal(SITES, 1),
        Stream(1, "one").normal(SITES + len(SITES), 0),
    ]
    correlation = np.corrcoef(numbers) - np.eye(len(numbers))
    assert np.abs(correlation).max() < 4.0 / np.sqrt(len(SITES))


def test_numbers_do_not_depend_on_order_or_partition() -> None:
    stream = Stream(5, "test")
    every = stream.exponential(SITES, 2)
    shuffled = np.random.default_rng(0).permutation(SITES)
    assert (stream.exponential(shuffled, 2) == every[shuffled]).all()
    for k in range(3):
        assert (stream.exponential(SITES[k::3], 2) == every[k::3]).all()
    assert stream.exponential(SITES[17:18], 2)[0] == every[17]


def test_what_is_no_site_or_seed() -> None:
    with pytest.raises(ValueError, match="seed"):
        Stream(-1, "test")
    with pytest.raises(ValueError, match="sites"):
        Stream(0, "test").uniform([-1], 0)
    with pytest.raises(ValueError, match="draws"):
        Stream(0, "test").uniform(0, 0.5)


def test_scatter_of_barriers() -> None:
    stream, barrier = Stream(3, "nucleation.barrier"), 1.6e-19
    normal = scattered(Scatter("normal", 0.1 * barrier), stream, SITES, barrier)
    assert kstest((normal / barrier - 1.0) / 0.1, "norm").pvalue > 0.01
    log = scattered(Scatter("lognormal", 0.2), stream, SITES, barrier)
    assert kstest(np.log(log / barrier) / 0.2, "norm").pvalue > 0.01
    # A site keeps its own while the barrier moves.
    moved = scattered(Scatter("normal", 0.1 * barrier), stream, SITES, 2.0 * barrier)
    np.testing.assert_allclose(moved - normal, barrier, rtol=1e-13)
    assert (scattered(Scatter("normal", 1e-19), stream, SITES, 0.0) >= 0.0).all()
    assert (scattered(Scatter("normal", 0.0), stream, SITES, barrier) == barrier).all()
