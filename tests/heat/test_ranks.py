"""The same temperature on 1, 2 and 3 ranks."""

from __future__ import annotations

import json

import pytest

from support.launch import launch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What `support.heat_on_ranks` found, by number of ranks."""
    found = {}
    for ranks in (1, 2, 3):
        path = tmp_path_factory.mktemp(f"ranks-{ranks}") / "found.json"
        done = launch(ranks, ["-m", "support.heat_on_ranks", str(path)])
        assert done.returncode == 0, done.stderr[-3000:]
        found[ranks] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("ranks", [2, 3])
def test_temperatures_and_heat_are_the_same(results, ranks):
    for name, expected in results[1].items():
        assert results[ranks][name] == pytest.approx(expected, rel=1e-8), name


def test_the_device_is_hot_and_its_heat_is_its_power(results):
    found = results[1]["resistors"]
    assert found["rise"] > 1.0
    assert found["top"] + found["bottom"] == pytest.approx(found["power"], rel=1e-8)
    assert results[1]["spot"]["highest"] > 1.0
