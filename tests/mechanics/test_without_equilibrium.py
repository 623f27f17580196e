"""A body that finds no equilibrium in a step: the step shrinks, and only the start is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ionstack.cli import main
from ionstack.errors import NumericsError
from ionstack.mechanics.body import Body, Trial
from ionstack.solving.newton import Outcome, Scheme
from ionstack.stepping.companions import Companions
from ionstack.stress.stress_field import Stress, Stressed, Unsolved
from support.problems import fill
from support.stateless import Stateless
from support.swelling_films import host, newton_of

Floats = NDArray[np.float64]

CASE = Path(__file__).parents[2] / "cases/stress/dome.yaml"
SMALL = (
    "stack.lateral.cells=3",
    "stack.grading.first_cell=50 nm",
    "mechanics.debonds=[]",
    "mechanics.rotations=small",
    "protocol=[{hold: {contact: Pt, voltage: -50 mV, duration: 1 s}}]",
    "numerics={max_step: 1 s, min_step: 0.1 s, initial_step: 1 s, step_tolerance: 50 mV}",
    "output={figures: false, snapshots: none}",
)


def run(folder: Path) -> int:
    options = [part for one in SMALL for part in ("--set", one)]
    return main(["run", str(CASE), "-o", str(folder), "--quiet", *options])


def fail_beyond(limit: float, patch: pytest.MonkeyPatch) -> list[float]:
    """Let bodies fail in longer steps [s]; return the list to which all steps are added."""
    tried: list[float] = []
    solve = Body.solve

    def limited(body: Body, free: Floats, step: float, *others: Any) -> Trial:
        tried.append(step)
        found = solve(body, free, step, *others)
        return replace(found, newton=replace(found.newton, converged=step <= limit))

    patch.setattr(Body, "solve", limited)
    return tried


def test_a_shorter_step_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = fail_beyond(0.5, monkeypatch)
    assert run(tmp_path / "out") == 0
    found = json.loads((tmp_path / "out/summary.json").read_text())
    assert found["completed"]
    assert found["steps.rejected"] >= 1
    assert max(tried) > 0.5
    # A round that fails is the last one of its step: the next try is a shorter one.
    assert all(later < one for one, later in pairwise(tried) if one > 0.5)


def test_without_any_it_is_a_numerical_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_beyond(0.0, monkeypatch)
    assert run(tmp_path / "out") == 3
    message = capsys.readouterr().err
    assert "the body finds no mechanical equilibrium" in message
    assert "step rejected down to" in message
    assert "at t = " in message


class Broken(Stateless):
    """Mechanics without any solution."""

    solved = False

    def clamped(self) -> Stressed:
        return Stressed(*np.zeros((2, 11)))

    def solve(self, strain: Floats, step: float, heating: float) -> Unsolved:
        return Unsolved("no equilibrium")

    def accept(self) -> bool: ...


def test_only_the_start_raises() -> None:
    """In a step failure is data; the start has none that could be shorter."""
    found = host(10)
    fill(found, {"tracer": 1.0})
    newton = newton_of(found)
    companions = Companions(newton, [Stress(found.system, Broken(), np.zeros(11), 1e-6)])
    zero, none = np.zeros(found.layout.n_owned), np.zeros(2)
    before = newton.evaluate(Scheme(zero, 1.0, 0.0, none)).amounts
    result = companions.solve(Scheme(-before, 1.0, 0.3, none))
    assert result.outcome is Outcome.COUPLING
    assert result.trouble == "no equilibrium"
    with pytest.raises(NumericsError, match="no equilibrium"):
        companions.start()
