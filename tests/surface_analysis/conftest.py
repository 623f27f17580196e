"""A hand-made run with a stack, and setups of little work."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.compute import configure
from ionstack.surface_analysis.setup import Setup, load_setup
from support import synthetic

STACK = Path(__file__).with_name("stack.yaml").read_text()
SMALL = ("imaging.pixels=20", "imaging.depths=12", "imaging.beam='8 um'", "sputter.cycle='40 s'")


@pytest.fixture(autouse=True, scope="session")
def double_precision() -> None:
    configure()


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """An axisymmetric run with three named states."""
    run = synthetic.write_run(tmp_path / "disc", 2)
    run.case.write_text(synthetic.CASE + STACK)
    return run.path


@pytest.fixture
def small() -> Setup:
    """The shipped setup, with few pixels and long analyses."""
    return load_setup("tof_sims_c60", SMALL)
