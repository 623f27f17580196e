"""The same stress, flow and displacement on 1, 2 and 3 ranks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from support.launch import launch

SEVERAL = (2, pytest.param(3, marks=pytest.mark.long))
FIELDS = ("pressure", "plastic", "displacement")

pytestmark = pytest.mark.slow


class Results(dict[int, dict[str, Any]]):
    """What so many ranks find, once they are asked for it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, ranks: int) -> dict[str, Any]:
        folder = self._folders.mktemp(f"ranks-{ranks}")
        done = launch(ranks, ["-m", "support.mechanics_on_ranks", str(folder)])
        assert done.returncode == 0, done.stderr[-3000:]
        self[ranks] = json.loads((folder / "body.json").read_text())
        return self[ranks]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    return Results(tmp_path_factory)


@pytest.mark.parametrize("shape", ["axisymmetric", "3d-rectangle"])
@pytest.mark.parametrize("ranks", SEVERAL)
def test_fields_do_not_depend_on_the_ranks(results, ranks, shape) -> None:
    found, serial = results[ranks][shape], results[1][shape]
    assert found["keys"] == serial["keys"]
    for name in FIELDS:
        one, other = np.array(found[name]), np.array(serial[name])
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8 * np.abs(other).max())


@pytest.mark.parametrize("shape", ["axisymmetric", "3d-rectangle"])
@pytest.mark.parametrize("ranks", SEVERAL)
def test_checkpoints_do_not_depend_on_the_ranks(results, ranks, shape) -> None:
    found, serial = results[ranks][shape]["memory"], results[1][shape]["memory"]
    assert found.keys() == serial.keys()
    for name, expected in serial.items():
        one, other = np.array(found[name]), np.array(expected)
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8 * np.abs(other).max())


@pytest.mark.parametrize("ranks", SEVERAL)
def test_a_buckled_film_does_not_depend_on_the_ranks(results, ranks) -> None:
    found, serial = results[ranks]["buckled"], results[1]["buckled"]
    assert found["converged"]
    assert serial["converged"]
    assert max(serial["equivalent"]) > 1e-3
    assert max(np.abs(serial["displacement"])) > 50e-9
    for name, expected in serial.items():
        one, other = np.array(found[name], dtype=float), np.array(expected, dtype=float)
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8 * np.abs(other).max())


@pytest.mark.parametrize("ranks", SEVERAL)
def test_a_film_that_comes_off_does_not_depend_on_the_ranks(results, ranks) -> None:
    found, serial = results[ranks]["parted"], results[1]["parted"]
    assert found["converged"]
    assert serial["converged"]
    assert serial["failed"] > 0.2
    assert serial["whole"] > 0.1
    assert serial["pressed"] < -1e6
    assert found["memory"].keys() == serial["memory"].keys()
    for name, expected in serial["memory"].items():
        one, other = np.array(found["memory"][name]), np.array(expected)
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8 * np.abs(other).max())


@pytest.mark.parametrize("dimension", ["axisymmetric", "3d"])
@pytest.mark.parametrize("ranks", SEVERAL)
def test_pores_do_not_depend_on_the_ranks(results, ranks, dimension) -> None:
    found, serial = results[ranks]["pores"][dimension], results[1]["pores"][dimension]
    assert found["solved"]
    assert max(serial["opened"]) > 0.02
    assert np.ptp(serial["opened"]) > 0.01
    for name in ("opened", "stretch", "porosity", "entries"):
        one, other = np.array(found[name]), np.array(serial[name])
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8 * np.abs(other).max())


@pytest.mark.parametrize("ranks", [1, *SEVERAL])
def test_every_step_found_equilibrium_and_the_metal_flowed(results, ranks) -> None:
    for shape in ("axisymmetric", "3d-rectangle"):
        found = results[ranks][shape]
        assert all(found["converged"])
        assert found["most"] > 1e-3
        assert found["ghosts"] < 1e-12


@pytest.mark.parametrize("ranks", [1, *SEVERAL])
def test_a_mistake_reaches_all_ranks(results, ranks) -> None:
    messages = results[ranks]["mistake"]
    assert len(messages) == ranks
    assert set(messages) == {messages[0]}
    assert "did you mean 'oxide'" in messages[0]
