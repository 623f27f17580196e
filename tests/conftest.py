"""Set-up shared by all tests: double precision, ``support`` on the path, groups of workers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from ionstack.compute import configure

sys.path.append(str(Path(__file__).parent))
configure()

# Files that start ranks of their own. Two of them at once would wait for each other's cores.
ON_RANKS = (
    "campaign/test_dealing.py",
    "campaign/test_sweep.py",
    "cli/test_mistakes.py",
    "mpi/test_ranks.py",
    "restart/test_endings.py",
    "restart/test_ranks.py",
    "solver/test_equilibrium.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, and all that start ranks.

    First, because pytest-xdist reads the groups when it is asked the same.
    """
    for item in items:
        file = item.path.as_posix()
        group = "ranks" if file.endswith(ON_RANKS) else file
        item.add_marker(pytest.mark.xdist_group(group))
