"""Correct files, to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "files"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Copies of a correct case and its stack."""
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(FILES / name, tmp_path / name)
    return tmp_path / "case.yaml", tmp_path / "stack.yaml"


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """Copy of a case that uses every section, beside its stack."""
    for name in ("everything.yaml", "everything_stack.yaml"):
        shutil.copy(FILES / name, tmp_path / name)
    return tmp_path / "everything.yaml"
