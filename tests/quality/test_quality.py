"""The gates that every change passes: style, types, import rules, documented names."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "solver").rglob("*.py"))
BIN = Path(sys.executable).parent
GATES = {
    "ruff check": ["ruff", "check", "--no-cache", "solver", "tests"],
    "ruff format": ["ruff", "format", "--no-cache", "--check", "solver", "tests"],
    "mypy": ["mypy"],
    "import rules": ["lint-imports", "--no-cache"],
}
LONGEST_FILE = 400


@pytest.mark.parametrize("name", GATES)
def test_gate(name: str) -> None:
    program, *arguments = GATES[name]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "solver")}
    run = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_files_stay_readable_in_length() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_every_public_function_and_class_is_documented() -> None:
    undocumented = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert undocumented == []


def test_nothing_in_a_file_can_run_code() -> None:
    """Design: no eval, exec, pickle or unsafe YAML in the package."""
    forbidden = {"eval", "exec"}
    calls = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in forbidden
    ]
    assert calls == []
    assert not any("import pickle" in path.read_text() for path in SOURCES)
