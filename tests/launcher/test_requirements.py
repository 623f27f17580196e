"""The list of dependencies as the launcher and set-up read it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def requirements(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["python3", str(REPOSITORY / "docker/requirements.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_requirements_are_listed_with_their_extra() -> None:
    pyproject = str(REPOSITORY / "pyproject.toml")
    runtime = requirements("list", pyproject).stdout.splitlines()
    tested = requirements("list", pyproject, "test").stdout.splitlines()
    assert "fenics-dolfinx>=0.9" in runtime
    assert tested[: len(runtime)] == runtime
    assert any(line.startswith("pytest>=") for line in tested[len(runtime) :])


def test_unmet_requirements_are_named(tmp_path: Path) -> None:
    if requirements("missing", str(REPOSITORY / "pyproject.toml")).returncode:
        pytest.skip("this Python has no DOLFINx")
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[project]\ndependencies = ["numpy>=2", "numpy>=99.1", "nonesuch>=1"]\n')
    result = requirements("missing", str(pyproject))
    assert (result.returncode, result.stdout) == (1, "numpy>=99.1 nonesuch>=1\n")
