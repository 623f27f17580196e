"""A run that was killed at any instant goes on to the same results."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from ionstack.casefile.case import Case
from ionstack.errors import InputError
from ionstack.output.run_directory import RunDirectory
from support.restarts import Instants, difference, results, run

pytestmark = pytest.mark.usefixtures("quick")

KILLS = 22
SEED = 20240


@pytest.fixture(scope="module")
def remains(
    case: Case, quick: None, whole: RunDirectory, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, Path]]:
    """What kills at random acts leave: the act that was cut in the middle, and the folder."""
    acts = (whole.path.parent / "acts.txt").read_text().split()
    writes = [n for n, act in enumerate(acts, start=1) if act in ("write_bytes", "replace")]
    draw = random.Random(SEED)
    chosen = {*draw.sample(range(1, len(acts) + 1), KILLS - 8), *draw.sample(writes, 8)}
    base = tmp_path_factory.mktemp("killed")
    places = {n: base / str(n) for n in sorted(chosen)}
    with Instants(base / "run", places):
        run(case, base / "run")
    return [(acts[n - 1], place) for n, place in places.items()]


def test_at_least_twenty_kills_some_during_a_write(remains):
    acts = [act for act, _ in remains]
    assert len(acts) >= 20
    assert set(acts) >= {"append", "write_bytes", "replace"}
    torn = [place for _, place in remains if (place / ".checkpoint.h5.partial").exists()]
    assert len(torn) >= 4


def test_every_killed_run_goes_on_to_the_same_results(case: Case, remains, whole):
    expected = results(whole.path)
    for act, place in remains:
        had = RunDirectory(place).checkpoint.exists()
        run(case, place, resume=True)
        found = results(place)
        if had:
            assert found["restarts"] == 1, (act, place.name)
        assert difference(found, expected) < 1e-9, (act, place.name)
        assert_conserved(found)


def assert_conserved(found: dict[str, Any]) -> None:
    assert found["checks"]["conservation.Li+"] < 1e-12
    assert found["checks"]["current_sum"] < 1e-7


def test_a_run_killed_twice_goes_on_to_the_same_results(case: Case, whole, tmp_path):
    acts = (whole.path.parent / "acts.txt").read_text().split()
    with Instants(tmp_path / "run", {len(acts) // 3: tmp_path / "first"}):
        run(case, tmp_path / "run")
    with Instants(tmp_path / "first", {len(acts) // 4: tmp_path / "second"}):
        run(case, tmp_path / "first", resume=True)
    run(case, tmp_path / "second", resume=True)
    found = results(tmp_path / "second")
    assert found["restarts"] == 2
    assert difference(found, results(whole.path)) < 1e-9


def test_rows_that_the_checkpoint_has_seen_must_be_there(case: Case, whole, tmp_path):
    acts = (whole.path.parent / "acts.txt").read_text().split()
    with Instants(tmp_path / "run", {len(acts) // 2: tmp_path / "cut"}):
        run(case, tmp_path / "run")
    trace = RunDirectory(tmp_path / "cut").trace
    trace.write_bytes(trace.read_bytes()[:200])
    with pytest.raises(InputError, match=r"trace\.csv: has lost rows"):
        run(case, tmp_path / "cut", resume=True)
