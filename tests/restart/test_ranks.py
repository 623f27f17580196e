"""What two ranks wrote, one or three go on with, to the same results."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ionstack.casefile.case import load_case
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
    """Kept factors of the matrix are made once more."""
    found = resumed(two, 2)
    assert difference(found, results(two / "whole")) < 1e-9


@pytest.mark.parametrize("ranks", [1, pytest.param(3, marks=pytest.mark.long)])
def test_other_numbers_of_ranks_go_on(two: Path, ranks: int):
    counters = ("newton", "linear", "lateral", "equilibrium")
    found = resumed(two, ranks)
    assert difference(found, results(two / "whole"), without=counters) < RANKS


def test_the_order_in_the_file_does_not_depend_on_the_ranks(two: Path, tmp_path: Path):
    run(load_case(two / "case.yaml", COARSE), tmp_path / "whole")
    found = []
    for folder in (tmp_path, two):
        with h5py.File(folder / "whole" / "checkpoint.h5") as file:
            state = file["states/0/owned"]
            found.append([file["keys"][:], state["unknowns"][:], state["amounts"][:]])
    for here, there in zip(*found, strict=True):
        assert np.abs(here - there).max() <= RANKS * np.abs(here).max()
    np.testing.assert_array_equal(found[0][0], found[1][0])
