"""Where other codes live and how their environment appears, with a fake pip."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ionstack.errors import InputError
from ionstack.peers import environment, run


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IONSTACK_HOME", str(tmp_path))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would run; the first makes the folder, as `venv` does."""
    recorded: list[list[str]] = []

    def record(command: Sequence[str], **variables: str) -> None:
        recorded.append(list(command))
        if "venv" in command:
            Path(command[-1]).mkdir()

    monkeypatch.setattr(environment, "call", record)
    return recorded


def test_requirements_come_from_the_extra() -> None:
    assert any(line.startswith("devsim>=") for line in environment.requirements())


def test_an_installed_package_keeps_other_conditions() -> None:
    lines = [
        "numpy>=2",
        'devsim>=2.11; extra == "peers"',
        'mkl>=2026; platform_machine == "x86_64" and extra == "peers"',
        'pytest>=8; extra == "test"',
    ]
    expected = ["devsim>=2.11", 'mkl>=2026; platform_machine == "x86_64"']
    assert environment.without_extra(lines) == expected


def test_the_folder_follows_from_the_requirements(tmp_path: Path) -> None:
    one, other = environment.folder(["a", "b"]), environment.folder(["a", "c"])
    assert one == environment.folder(["b", "a"]) != other
    assert one.parent == tmp_path


def test_the_user_cache_serves_without_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IONSTACK_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert environment.folder(["a"]).parent == Path("/somewhere/ionstack")


def test_it_is_made_once_by_venv_and_pip(calls: list[list[str]]) -> None:
    where = environment.create(["a>=1"])
    assert environment.create(["a>=1"]) == where
    assert where.is_dir()
    partial = str(where.with_suffix(".partial"))
    interpreter = str(environment.python(Path(partial)))
    assert calls == [
        [sys.executable, "-m", "venv", "--without-pip", partial],
        [sys.executable, "-m", "pip", "--python", interpreter, "install", "a>=1"],
    ]


def test_an_interrupted_build_leaves_no_environment(tmp_path: Path) -> None:
    def fill(partial: Path) -> None:
        partial.mkdir()
        (partial / "half").touch()
        raise KeyboardInterrupt

    where = tmp_path / "peers-1"
    with pytest.raises(KeyboardInterrupt):
        environment.provide(where, fill)
    assert not where.exists()
    environment.provide(where, Path.mkdir)
    assert list(where.iterdir()) == []


def test_a_failing_command_is_reported() -> None:
    with pytest.raises(InputError, match="cannot be made"):
        environment.call([sys.executable, "-c", "raise SystemExit(1)"])


def test_mkl_is_preferred(tmp_path: Path) -> None:
    assert environment.math_library(tmp_path) == "libopenblas.so.0"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libmkl_rt.so.3").touch()
    assert environment.math_library(tmp_path) == str(tmp_path / "lib" / "libmkl_rt.so.3")


@pytest.mark.parametrize("script", ["devsim_diode", "festim_layers"])
def test_a_missing_environment_names_the_command(script: str) -> None:
    with pytest.raises(InputError, match=r"python3 -m ionstack\.peers\."):
        run.run_peer(script)


def test_an_unknown_program_is_reported() -> None:
    with pytest.raises(InputError, match="no program 'devsin'"):
        run.run_peer("devsin")


def test_pip_settings_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org")
    check = "import os; assert os.environ['PIP_INDEX_URL'] == 'https://example.org'"
    environment.call([sys.executable, "-c", check])
