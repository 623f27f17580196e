"""Files with a mistake in them, and what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.errors import InputError


def place(path: Path, fragment: str) -> str:
    """Return ``file:line:column`` of the first occurrence of a text."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if fragment in line:
            return f"{path}:{number}:{line.index(fragment) + 1}"
    raise AssertionError(f"{fragment!r} is not in {path}")


def replace(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence of a text, which must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def message(case: Path, *overrides: str) -> str:
    """Return the answer to a case with mistakes."""
    with pytest.raises(InputError) as raised:
        load_case(case, overrides)
    return str(raised.value)
