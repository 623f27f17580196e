"""Tables with words in them: one record per row, complete when it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ionstack.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class RowWriter:
    """Writes records row by row, fields in the order of the columns; lives on one rank only."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Create the file, replacing an older one, and write the header."""
        self._file = path.open("wb", buffering=0)
        self._write(columns)

    def append(self, row: DataclassInstance) -> None:
        """Add a row."""
        self._write([str(getattr(row, field.name)) for field in fields(row)])

    def _write(self, cells: Sequence[str]) -> None:
        # A single write, so that a kill leaves complete rows and at most one torn last line.
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        self._file.write(line.getvalue().encode())

    def close(self) -> None:
        """Close the file; further rows are refused."""
        self._file.close()


def read_cells(path: Path, what: str, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Return line number and cells of every row; a torn last line is left out.

    Raises InputError with file and line for a missing file, other columns than these, or a
    row of another length.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    rows = list(enumerate(csv.reader(text.split("\n")[:-1]), start=1))
    if not rows or rows[0][1] != list(columns):
        raise InputError(f"{path}:1: is not {what}: the columns are not {', '.join(columns)}")
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            raise InputError(f"{path}:{line}: has {len(cells)} values, not {len(columns)}")
    return rows[1:]
