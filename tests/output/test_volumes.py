"""Counts in space: bins keep the counts, the picture shows each signal where it is."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from ionstack.output.voxels import VoxelGrid, write_voxels
from ionstack.plots.volume_order import VolumeOrder, draw_apart
from ionstack.plots.volumes import _binned, _bright, _mixed

LAYERS = (("upper", 0.0, 100e-9), ("lower", 100e-9, 200e-9))


@pytest.mark.parametrize("shape", [(5, 7, 3), (100, 61, 130)])
def test_bins_hold_the_mean_of_their_voxels(shape: tuple[int, int, int]) -> None:
    ramp = np.arange(shape[0], dtype=np.float32)[:, None, None] * np.ones(shape, dtype=np.float32)
    bins = _binned(ramp)
    assert max(bins.shape) <= 48
    edges = np.linspace(0, shape[0], bins.shape[0] + 1).astype(int)
    sums = bins[:, 0, 0] * np.diff(edges)
    assert sums.sum() == pytest.approx(ramp[:, 0, 0].sum())
    assert bins == pytest.approx(np.broadcast_to(bins[:, :1, :1], bins.shape))


def test_full_colour_is_where_a_tenth_of_the_counts_lies() -> None:
    counts = np.array([1.0] * 45 + [10.0] * 5 + [5.0])
    assert _bright(counts) == 10.0
    assert _bright(np.zeros(4)) == 1.0


def test_signals_mix_by_their_shares_and_nothing_is_clear() -> None:
    red, blue = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    shares = [np.array([1.0, 0.0, 0.5, 0.0]), np.array([0.0, 1.0, 0.5, 0.0])]
    found = _mixed(shares, [red, blue]).astype(int)
    assert found[0].tolist() == [255, 0, 0, 255]
    assert found[1].tolist() == [0, 0, 255, 255]
    assert found[2][0] == found[2][2] > found[2][1]
    assert found[3][3] == 0


def test_picture_shows_each_signal_in_its_layer(tmp_path: Path) -> None:
    upper = np.zeros((24, 24, 20), dtype=np.float32)
    upper[:, :, :10] = 8.0
    arrays = {"Li+ [counts]": upper, "W- [counts]": upper[:, :, ::-1]}
    grid = VoxelGrid((-50e-6, -50e-6, 0.0), (100e-6 / 24, 100e-6 / 24, 10e-9))
    file = write_voxels(tmp_path / "map.vti", grid, arrays.items())
    order = VolumeOrder([("start", str(file))], ["Li+", "W-"], LAYERS, "", str(tmp_path / "a.png"))
    (picture,) = draw_apart(order)
    image = matplotlib.image.imread(picture)[:, :, :3]
    blue = (image[:, :, 2] > image[:, :, 0] + 0.2) & (image[:, :, 2] > 0.4)
    orange = image[:, :, 0] > image[:, :, 2] + 0.2
    body = slice(0, image.shape[0] // 3), slice(0, image.shape[1] // 2)
    assert blue[body].sum() > 1000
    assert orange[body].sum() > 1000
    # Of the two bodies in the first row the blue one lies above.
    assert np.nonzero(blue[body])[0].mean() < np.nonzero(orange[body])[0].mean()
