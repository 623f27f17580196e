"""The trace: one row of voltages and currents per accepted time step."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.rows import RowFile

TIME = "time [s]"
STEP = "step [s]"
NEWTON = "newton [1]"
CYCLE = "cycle [1]"
PROTOCOL_STEP = "step [1]"


def voltage_column(contact: str) -> str:
    """Return the column name of a contact's voltage."""
    return f"voltage {contact} [V]"


def current_column(contact: str) -> str:
    """Return the column name of the current that enters through a contact."""
    return f"current {contact} [A]"


class TraceWriter:
    """Writes ``trace.csv`` row by row; lives on one rank only."""

    def __init__(
        self,
        path: Path,
        contacts: Sequence[str],
        extra: Sequence[str] = (),
        position: int | None = None,
    ) -> None:
        """Create the file, or go on at a position; see `RowFile`.

        `extra` are more columns, with units, at the end.
        """
        self._contacts = tuple(contacts)
        voltages = (voltage_column(contact) for contact in contacts)
        currents = (current_column(contact) for contact in contacts)
        counts = (STEP, NEWTON, CYCLE, PROTOCOL_STEP)
        self._file = RowFile(path, [TIME, *voltages, *currents, *counts, *extra], position)

    def append(
        self,
        time: float,
        voltages: Mapping[str, float],
        currents: Mapping[str, float],
        step: float,
        newton: int,
        cycle: int,
        number: int = 0,
        extra: Sequence[float] = (),
    ) -> None:
        """Add a row: s, V and A by contact, step size in s, Newton steps, cycle (0: none).

        `number` is that of the protocol's step (0: the start).
        """
        values = [time, *(voltages[c] for c in self._contacts)]
        values += [*(currents[c] for c in self._contacts), step]
        counts = (newton, cycle, number)
        self._file.append(
            [
                *(repr(float(value)) for value in values),
                *(str(int(count)) for count in counts),
                *(repr(float(value)) for value in extra),
            ]
        )

    def position(self) -> int:
        """Size of what is on the disk [bytes]."""
        return self._file.position()

    def close(self) -> None:
        """Close the file; further rows are refused."""
        self._file.close()

    def __enter__(self) -> TraceWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()


def read_trace(path: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Return the columns of a trace by name, as `read_rows`."""
    return read_rows(path, "a trace", TIME)


def read_rows(path: Path, what: str, needed: str) -> dict[str, npt.NDArray[np.float64]]:
    """Return the columns of a table by name, each of shape (n_rows,).

    A last line without its line end is the mark of a killed run and is left out.
    Raises InputError with file and line for a missing file, a damaged row, or a header
    without the `needed` column, which tells that the file is `what` it should be.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    lines = text.split("\n")[:-1]
    rows = list(csv.reader(lines))
    if not rows or needed not in rows[0]:
        raise InputError(f"{path}:1: is not {what}: the header has no column {needed!r}")
    values = [_numbers(path, n, row, len(rows[0])) for n, row in enumerate(rows[1:], start=2)]
    table = np.array(values, dtype=np.float64).reshape(len(values), len(rows[0]))
    return {name: table[:, column].copy() for column, name in enumerate(rows[0])}


def _numbers(path: Path, line: int, row: Sequence[str], expected: int) -> list[float]:
    if len(row) != expected:
        raise InputError(f"{path}:{line}: has {len(row)} values, the header has {expected}")
    try:
        return [float(cell) for cell in row]
    except ValueError as error:
        raise InputError(f"{path}:{line}: {error}") from error


def contacts_in(trace: Mapping[str, npt.NDArray[np.float64]]) -> tuple[str, ...]:
    """Return the contacts of a trace in the order of its columns."""
    names = (name for name in trace if name.startswith("voltage ") and name.endswith(" [V]"))
    return tuple(name[len("voltage ") : -len(" [V]")] for name in names)
