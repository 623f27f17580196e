"""A mistake ends with exit status 2 and an answer, never with a traceback or a hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ionstack
from ionstack.cli import main

sys.path.append(str(Path(__file__).parent))
from mistakes import MISTAKES, Mistake, prepare


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_answered(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(prepare(tmp_path / "case", mistake))
    printed = capsys.readouterr()
    assert status == 2, printed.err
    assert "Traceback" not in printed.err
    for part in mistake.answer:
        assert part in printed.err, f"{part!r} is not in: {printed.err}"


def test_two_ranks_answer_once_and_do_not_hang(tmp_path: Path) -> None:
    script = Path(__file__).parent / "all_mistakes.py"
    command = ["mpirun", "-n", "2", "--oversubscribe", sys.executable, str(script), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(ionstack.__file__).parents[1])}
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    for mistake in MISTAKES:
        assert f"{mistake.name}: 2 2" in run.stdout, run.stdout
        for part in mistake.answer:
            assert part in run.stderr


def test_an_unknown_option_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "case.yaml", "--sett", "a=b"])
    assert ended.value.code == 2
    assert "--sett" in capsys.readouterr().err
