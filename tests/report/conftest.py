from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.output.run_directory import RunDirectory
from support.reported import make_run


@pytest.fixture
def disc(tmp_path: Path) -> RunDirectory:
    """A finished axisymmetric run."""
    return make_run(tmp_path / "disc", 2)
