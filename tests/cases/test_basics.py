"""A diode as users try first, and a device that uses every section of the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.trace import read_trace

ROOT = Path(__file__).parents[2]
DIODE = ROOT / "cases/basics/pn_diode.yaml"
EVERYTHING = ROOT / "tests/config/files/everything.yaml"
DIODE_AREA = 1e-6  # m^2


def _run(case: Path, folder: Path, *settings: str) -> dict[str, float]:
    options = [part for one in ("output.figures=false", *settings) for part in ("--set", one)]
    assert main(["run", str(case), "-o", str(folder), "--quiet", *options]) == 0
    return dict(json.loads((folder / "summary.json").read_text()))


@pytest.fixture(scope="module")
def diode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diode") / "out"
    summary = _run(DIODE, folder)
    assert summary["current_sum"] < 1e-8
    return folder


def _current_density(folder: Path, voltage: float) -> float:
    """Current density [A/m^2] on the way up, from the logarithm of the current."""
    trace = read_trace(folder / "trace.csv")
    given, current = (trace[name] for name in ("voltage anode [V]", "current anode [A]"))
    up = slice(1, int(np.argmax(given)) + 1)
    return float(np.exp(np.interp(voltage, given[up], np.log(current[up])))) / DIODE_AREA


def test_the_diode_carries_its_current(diode: Path) -> None:
    """3.84e3 A/m^2 on a fine mesh, steady at 0.6 V."""
    assert _current_density(diode, 0.6) == pytest.approx(3.84e3, rel=0.005)


def test_the_diode_rises_as_recombination_and_diffusion_let_it(diode: Path) -> None:
    """Ideality between 1 (diffusion) and 2 (recombination in the depletion layer)."""
    thermal = 8.617333262e-5 * 300.0
    low = np.log(_current_density(diode, 0.3) / _current_density(diode, 0.25))
    high = np.log(_current_density(diode, 0.65) / _current_density(diode, 0.6))
    assert 0.05 / thermal / low == pytest.approx(1.5, abs=0.5)
    assert 0.05 / thermal / high == pytest.approx(1.0, abs=0.1)


def test_the_current_goes_with_the_area(diode: Path, tmp_path: Path) -> None:
    """In 1-D exactly: twice the width, twice the current of every step (V3)."""
    _run(DIODE, tmp_path / "wide", "stack.lateral.width=2 mm")
    name = "current anode [A]"
    narrow, wide = (read_trace(folder / "trace.csv")[name] for folder in (diode, tmp_path / "wide"))
    largest = np.abs(wide).max()
    np.testing.assert_allclose(wide, 2.0 * np.asarray(narrow), rtol=1e-8, atol=1e-8 * largest)


@pytest.mark.parametrize("start", ["as_given", "equilibrium"])
def test_everything_together_keeps_its_balances(start: str, tmp_path: Path) -> None:
    summary = _run(EVERYTHING, tmp_path / "out", f"start={start}")
    assert summary["conservation.Li+"] < 1e-11
    assert summary["completed"] is True
    # Contents as given need not leave a neutral layer neutral: the first step makes it so.
    assert summary["current_sum"] < (1e-9 if start == "equilibrium" else 0.1)
