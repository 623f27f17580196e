"""A CSV table of numbers, one row per accepted state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ionstack.output.rows import RowFile
from ionstack.output.trace import TIME


class StateRows:
    """Writes a row per state: time, then numbers by name with unit; lives on one rank only."""

    def __init__(self, path: Path, names: Sequence[str], position: int | None = None) -> None:
        """Create the file, or go on at a position; see `RowFile`."""
        self._file = RowFile(path, [TIME, *names], position)

    def append(self, time: float, values: Sequence[float]) -> None:
        """Add a row."""
        self._file.append([repr(float(value)) for value in (time, *values)])

    def position(self) -> int:
        """Size of what is on the disk [bytes]."""
        return self._file.position()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
