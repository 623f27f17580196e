"""The table of what happened at random, ``events.csv``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ionstack.errors import InputError
from ionstack.output.rows import RowWriter, read_cells

COLUMNS = (
    "time [s]",
    "event",
    "step [1]",
    "cycle [1]",
    "voltage [V]",
    "x [m]",
    "y [m]",
    "depth [m]",
)


@dataclass(frozen=True)
class EventRow:
    """One event: when, its name, in which step of the protocol and which cycle (0: none).

    `voltage` of its contact against that other contact of the device which differs most; `x`
    (or the radius), `y` and `depth` of the place. NaN for what an event does not have.
    """

    time: float
    event: str
    step: int
    cycle: int
    voltage: float
    x: float
    y: float
    depth: float


class EventWriter(RowWriter):
    """Writes ``events.csv``, a row for every event."""

    def __init__(self, path: Path, position: int | None = None) -> None:
        super().__init__(path, COLUMNS, position)


def read_events(path: Path) -> tuple[EventRow, ...]:
    """Return the events in their order.

    Raises InputError with file and line where the file is missing, damaged or another one.
    """
    rows = read_cells(path, "a table of events", COLUMNS)
    return tuple(_row(path, line, cells) for line, cells in rows)


def _row(path: Path, line: int, cells: list[str]) -> EventRow:
    time, event, step, cycle, *numbers = cells
    try:
        return EventRow(float(time), event, int(step), int(cycle), *map(float, numbers))
    except ValueError as error:
        raise InputError(f"{path}:{line}: {error}") from error
