from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import numpy as np
import pytest

import ionstack
from ionstack.errors import InputError
from ionstack.output import summary
from ionstack.output.provenance import git_commit, provenance, source_hash


def test_entries_are_flat_sorted_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    entries = {
        "timing": {"total [s]": np.float64(1.5), "steps": np.int64(7)},
        "conservation.Li+": 1e-14,
        "curve": np.array([1.0, 2.0]),
        "converged": True,
    }
    summary.write(path, entries)
    assert summary.read(path) == {
        "conservation.Li+": 1e-14,
        "converged": True,
        "curve": [1.0, 2.0],
        "not_finite": [],
        "timing.steps": 7,
        "timing.total [s]": 1.5,
    }
    assert list(summary.read(path)) == sorted(summary.read(path))


def test_not_finite_numbers_are_null_and_listed(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    summary.write(path, {"a": float("nan"), "b": {"c": [1.0, float("inf")]}, "d": 1})
    found = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert found == {"a": None, "b.c": [1.0, None], "d": 1, "not_finite": ["a", "b.c"]}


def test_refused_entries_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    summary.write(path, {"a": 1})
    with pytest.raises(ValueError, match=r"'a\.b' is given twice"):
        summary.write(path, {"a.b": 1, "a": {"b": 2}})
    with pytest.raises(TypeError, match="'a' holds a set"):
        summary.write(path, {"a": {1, 2}})
    assert summary.read(path) == {"a": 1, "not_finite": []}
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_reading_something_else_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match=r"summary\.json: cannot be read as a summary"):
        summary.read(tmp_path / "summary.json")
    (tmp_path / "summary.json").write_text("[1]")
    with pytest.raises(InputError, match="expected one JSON object"):
        summary.read(tmp_path / "summary.json")


def test_provenance_states_versions_without_host_or_paths(tmp_path: Path) -> None:
    from petsc4py import PETSc

    found = provenance("name: a\n", mesh_hash="ab" * 32, ranks=2, seed=5)
    summary.write(tmp_path / "summary.json", found)
    assert found["version.ionstack"] == ionstack.__version__
    assert found["version.numpy"] == np.__version__
    assert found["version.petsc"] == ".".join(map(str, PETSc.Sys.getVersion()))
    assert (found["mpi.ranks"], found["seed"], found["mesh.sha256"]) == (2, 5, "ab" * 32)
    assert re.fullmatch(r"[0-9a-f]{64}", str(found["source.sha256"]))
    text = json.dumps(found)
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert str(Path(ionstack.__file__).parent) not in text


@pytest.mark.parametrize("kind", ["loose", "packed", "detached", "worktree"])
def test_commit_is_read_from_every_form_of_repository(tmp_path: Path, kind: str) -> None:
    commit, root = "0123456789abcdef" * 2 + "01234567", tmp_path / "repository"
    git = tmp_path / "main" / ".git" if kind == "worktree" else root / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    root.mkdir(exist_ok=True)
    head = git / "HEAD"
    if kind == "worktree":
        head = git / "worktrees" / "w" / "HEAD"
        head.parent.mkdir(parents=True)
        (head.parent / "commondir").write_text("../..\n")
        (root / ".git").write_text(f"gitdir: {head.parent}\n")
    head.write_text(f"{commit}\n" if kind == "detached" else "ref: refs/heads/main\n")
    if kind in ("loose", "worktree"):
        (git / "refs" / "heads" / "main").write_text(f"{commit}\n")
    if kind == "packed":
        (git / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    assert git_commit(root) == commit


def test_no_repository_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None


def test_source_hash_sees_every_change(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    first = source_hash(tmp_path)
    assert source_hash(tmp_path) == first
    (tmp_path / "a.py").write_text("x = 2\n")
    assert source_hash(tmp_path) != first
