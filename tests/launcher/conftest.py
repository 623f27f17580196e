"""A checkout with stand-ins for every tool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.launcher import FAKES, FILES, REPOSITORY, Bench, write_tool


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "my repo", tmp_path / "the cache", tmp_path / "bin", tmp_path / "count")
    for folder in (made.repo / "docker", made.repo / "solver", made.home, made.bin):
        folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy(REPOSITORY / name, made.repo / name)
    for name, body in FAKES.items():
        write_tool(made.bin / name, body)
    return made
