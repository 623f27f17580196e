"""The table of pulses and reads: one row per flat part, ``pulses.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ionstack.output.rows import RowFile
from ionstack.output.trace import read_rows

Floats = NDArray[np.float64]

KINDS: Mapping[str, int] = MappingProxyType({"pulse": 0, "read": 1})


@dataclass(frozen=True)
class PulseRow:
    """A pulse (`kind` 0) or a read (1), numbered as in `ionstack.protocols.laid.Pulse`.

    `current` [A] enters through the pulsed contact at the end of the flat part, `charge`
    [C] from the start of the rise to the end of the fall, with `energy` [J] of all
    contacts. Times in s, voltage in V.
    """

    kind: int
    step: int
    group: int
    number: int
    start: float
    end: float
    voltage: float
    current: float
    charge: float
    energy: float


COLUMNS = (
    "kind [1]",
    "step [1]",
    "group [1]",
    "number [1]",
    "start [s]",
    "end [s]",
    "voltage [V]",
    "current [A]",
    "charge [C]",
    "energy [J]",
)


class PulseWriter:
    """Writes row by row; lives on one rank only. Every row is complete when it is written."""

    def __init__(self, path: Path, position: int | None = None) -> None:
        """Create the file, or go on at a position; see `RowFile`."""
        self._file = RowFile(path, COLUMNS, position)

    def append(self, row: PulseRow) -> None:
        """Add a row."""
        values = (getattr(row, field.name) for field in fields(row))
        self._file.append([repr(value) for value in values])

    def position(self) -> int:
        """Size of what is on the disk [bytes]."""
        return self._file.position()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_pulses(path: Path) -> dict[str, Floats]:
    """Return the columns by name, as `read_rows`."""
    return read_rows(path, "a table of pulses", COLUMNS[0])
