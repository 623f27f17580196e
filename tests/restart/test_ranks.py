"""What two ranks wrote, one or three go on with, to the same results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ionstack.case import load_case
from support.devices import COARSE
from support.launch import launch
from support.restarts import difference, results, run, write_case

# Of one rank against several, see tests/mpi: results differ as Newton's tolerance allows.
RANKS = 1e-6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a case, its run on two ranks, and one that was cut off."""
    folder = tmp_path_factory.mktemp("two")
    numerics = {"step_tolerance": "20 mV", "newton_tolerance": "1e-11 V"}
    write_case(folder / "case.yaml", numerics=numerics)
    start(2, folder, "whole", "cut")
    return folder


def start(ranks: int, folder: Path, *tasks: str) -> None:
    arguments = ["-m", "support.restart_on_ranks", str(folder / "case.yaml"), str(folder), *tasks]
    done = launch(ranks, arguments, timeout=300.0)
    assert done.returncode == 0, done.stderr[-3000:]


def resumed(two: Path, ranks: int) -> dict[str, Any]:
    folder = two / str(ranks)
    folder.mkdir()
    shutil.copy(two / "case.yaml", folder)
    shutil.copytree(two / "cut", folder / "cut")
    if ranks == 1:
        run(load_case(folder / "case.yaml", COARSE), folder / "cut", resume=True)
    else:
        start(ranks, folder, "resume")
    found = results(folder / "cut")
    assert found["restarts"] == 1
    assert found["checks"]["conservation.Li+"] < 1e-12
    return found


def test_two_ranks_go_on_to_the_last_digit_that_counts(two: Path):
    """Kept factors of the matrix are lost on the way: less than 1e-9 shows."""
    assert difference(resumed(two, 2), results(two / "whole")) < 1e-9


@pytest.mark.parametrize("ranks", [1, 3])
def test_other_numbers_of_ranks_go_on(two: Path, ranks: int):
    counters = ("newton", "linear", "lateral", "equilibrium")
    found, expected = resumed(two, ranks), results(two / "whole")
    if ranks == 3:
        # Points on the border of two ranks appear once per rank.
        for part in (found, expected):
            part["fields"] = {"times": part["fields"]["times"]}
    assert difference(found, expected, without=counters) < RANKS


def test_the_order_in_the_file_does_not_depend_on_the_ranks(two: Path, tmp_path: Path):
    start(1, one := tmp_path, "whole") if (shutil.copy(two / "case.yaml", tmp_path)) else None
    files = [h5py.File(folder / "whole" / "checkpoint.h5") for folder in (one, two)]
    np.testing.assert_array_equal(files[0]["keys"][:], files[1]["keys"][:])
    names = ("unknowns", "amounts")
    for name in names:
        here, there = (file["states/0/owned"][name][:] for file in files)
        scale = np.abs(here).max()
        assert np.abs(here - there).max() < RANKS * scale
