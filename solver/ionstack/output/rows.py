"""Tables that grow row by row, and can be cut back to where a checkpoint saw them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from ionstack.errors import InputError


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
