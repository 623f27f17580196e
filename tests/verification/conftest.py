"""The fixture `verify`, and the JSON of a session for the page (see page.py)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.verification import Ledger, Verify

LEDGER = pytest.StashKey[Ledger]()


def topic(docstring: str | None) -> str:
    """Heading of a module's table: the first line of its docstring without the full stop."""
    return (docstring or "").strip().split("\n")[0].rstrip(".")


@pytest.fixture(scope="session")
def ledger(pytestconfig) -> Ledger:
    return pytestconfig.stash.setdefault(LEDGER, Ledger())


@pytest.fixture
def verify(request, ledger) -> Verify:
    """Compare with a known result and record it."""
    return Verify(ledger, topic(request.module.__doc__))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items) -> None:
    """The page is checked when everything else has been recorded."""
    items.sort(key=lambda item: item.path.name == "test_page.py" and item.path.parent == HERE)


HERE = Path(__file__).parent


def pytest_sessionfinish(session) -> None:
    path = os.environ.get("IONSTACK_VERIFICATION")
    if path and LEDGER in session.config.stash:
        session.config.stash[LEDGER].write(Path(path))
