"""The page of measured curves names every kind, column and setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.measure.kind import Kind
from ionstack.measure.run import KINDS

_TEXT = (Path(__file__).parents[2] / "docs/measure.md").read_text()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_is_in_the_table(kind: Kind) -> None:
    (row,) = [line for line in _TEXT.splitlines() if line.startswith(f"| `{kind.name}` |")]
    needed = {role for role in kind.roles if role not in ("conductance", "resistance", "current")}
    for name in (*needed, *(setting.name for setting in kind.settings)):
        assert f"`{name}`" in row
