"""The table of the steps that a protocol went through, ``steps.csv``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ionstack.errors import InputError
from ionstack.output.rows import RowWriter, read_cells

COLUMNS = ("step", "name", "kind", "contact", "start [s]", "end [s]", "ended by")


@dataclass(frozen=True)
class StepRow:
    """One step as it was done.

    `step` counts the entries of the protocol from 1; the steps of a `repeat` have its number
    and a row each, every time. `name` is empty unless given, `kind` the word of the case file.
    `start` and `end` in s; `ended_by` says what ended it.
    """

    step: int
    name: str
    kind: str
    contact: str
    start: float
    end: float
    ended_by: str


class StepWriter(RowWriter):
    """Writes ``steps.csv``, a row when its step ends."""

    def __init__(self, path: Path, position: int | None = None) -> None:
        super().__init__(path, COLUMNS, position)


def read_steps(path: Path) -> tuple[StepRow, ...]:
    """Return the steps in their order.

    Raises InputError with file and line where the file is missing, damaged or another one.
    """
    rows = read_cells(path, "a table of steps", COLUMNS)
    return tuple(_row(path, line, cells) for line, cells in rows)


def _row(path: Path, line: int, cells: list[str]) -> StepRow:
    number, name, kind, contact, start, end, ended_by = cells
    try:
        return StepRow(int(number), name, kind, contact, float(start), float(end), ended_by)
    except ValueError as error:
        raise InputError(f"{path}:{line}: {error}") from error
