"""Tables that grow row by row, and can be cut back to where a checkpoint saw them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ionstack.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class RowFile:
    """A table of text that grows by rows; lives on one rank only.

    Every row goes to the operating system in a single write, so that a process
    killed at any instant leaves complete rows and at most one torn last line,
    which `read_rows` ignores.
    """

    def __init__(self, path: Path, header: Sequence[str], position: int | None = None) -> None:
        """Create the file with its header, replacing an older one, or go on at a position.

        Raises InputError when the file ends before that `position` [bytes].
        """
        self._path = path
        if position is None:
            self._file = path.open("wb", buffering=0)
            self.append(header)
            return
        if not path.exists() or path.stat().st_size < position:
            raise InputError(f"{path}: has lost rows that the checkpoint has seen; run anew")
        self._file = path.open("r+b", buffering=0)
        self._file.truncate(position)
        self._file.seek(position)

    def append(self, cells: Sequence[str]) -> None:
        """Add a row; raises OSError, which names the file, when the disk is full."""
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        left = line.getvalue().encode()
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except OSError as error:
            error.filename = str(self._path)
            raise

    def position(self) -> int:
        """Size [bytes]; all rows up to there are on the disk."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file; further rows are refused."""
        self._file.close()


class RowWriter:
    """Writes records row by row, fields in the order of the columns; lives on one rank only."""

    def __init__(self, path: Path, columns: Sequence[str], position: int | None = None) -> None:
        """Create the file with its header, or go on at a position; see `RowFile`."""
        self._file = RowFile(path, columns, position)

    def append(self, row: DataclassInstance) -> None:
        """Add a row."""
        self._file.append([str(getattr(row, field.name)) for field in fields(row)])

    def position(self) -> int:
        """Size of what is on the disk [bytes]."""
        return self._file.position()

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
