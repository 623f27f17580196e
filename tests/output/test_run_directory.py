from __future__ import annotations

from pathlib import Path

import pytest
from mpi4py import MPI

from ionstack.errors import InputError
from ionstack.output.run_directory import claim

CASE = "name: analog\nrate: 1 V/s\n"


def test_new_folder_gets_the_case_text(shared_path: Path, comm: MPI.Intracomm) -> None:
    run = claim(shared_path / "deep" / "analog", CASE, comm)
    assert run.case.read_text() == CASE
    assert run.trace == shared_path / "deep" / "analog" / "trace.csv"


def test_same_case_replaces_results_and_keeps_other_files(tmp_path: Path) -> None:
    first = claim(tmp_path / "run", CASE, MPI.COMM_SELF)
    first.figures.mkdir()
    for file in (*first.results, first.figures / "iv.png", first.path / "notes.txt"):
        file.write_text("old")
    del first
    second = claim(tmp_path / "run", CASE, MPI.COMM_SELF)
    assert not any(file.exists() for file in second.results)
    assert not (second.figures / "iv.png").exists()
    assert (second.path / "notes.txt").read_text() == "old"


def test_other_case_is_refused_on_all_ranks(shared_path: Path, comm: MPI.Intracomm) -> None:
    run = claim(shared_path / "run", CASE, comm)
    if comm.rank == 0:
        run.trace.write_text("precious")
    del run
    with pytest.raises(InputError) as caught:
        claim(shared_path / "run", CASE.replace("1 V/s", "2 V/s"), comm)
    message = str(caught.value)
    assert message.startswith(f"{shared_path / 'run'}: holds the results of another case")
    assert "case.yaml:2: 'rate: 1 V/s' there, 'rate: 2 V/s' in this run" in message
    assert "choose another folder with -o, or remove this one" in message
    assert (shared_path / "run" / "trace.csv").read_text() == "precious"
    assert (shared_path / "run" / "case.yaml").read_text() == CASE


def test_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    for name in ("thesis.tex", "a.dat", "b.dat", "c.dat"):
        (tmp_path / name).write_text("mine")
    expected = r"holds files but no case.yaml.*found a.dat, b.dat, c.dat, \.\.\..*-o"
    with pytest.raises(InputError, match=expected):
        claim(tmp_path, CASE, MPI.COMM_SELF)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "a.dat",
        "b.dat",
        "c.dat",
        "thesis.tex",
    ]


def test_torn_claim_is_taken_for_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".case.yaml.partial").write_text("na")
    assert claim(tmp_path, CASE, MPI.COMM_SELF).case.read_text() == CASE


def test_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match="run: is a file, not a folder"):
        claim(tmp_path / "run", CASE, MPI.COMM_SELF)
    with pytest.raises(InputError, match="cannot be used for results: Not a directory"):
        claim(tmp_path / "run" / "inner", CASE, MPI.COMM_SELF)


def test_folder_in_use_is_refused_until_released(tmp_path: Path) -> None:
    run = claim(tmp_path / "run", CASE, MPI.COMM_SELF)
    with pytest.raises(InputError, match="another run is writing into this folder now"):
        claim(tmp_path / "run", CASE, MPI.COMM_SELF)
    del run
    claim(tmp_path / "run", CASE, MPI.COMM_SELF)
