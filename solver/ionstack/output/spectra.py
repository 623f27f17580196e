"""The table of impedances, ``impedance.csv``: one row per frequency."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ionstack.errors import InputError
from ionstack.output.rows import RowWriter, read_cells

COLUMNS = ("step", "contact", "frequency [Hz]", "real [ohm]", "imaginary [ohm]")


@dataclass(frozen=True)
class SpectrumRow:
    """Impedance [Ω] seen at `contact` at a `frequency` [Hz], in step `step` of the protocol."""

    step: int
    contact: str
    frequency: float
    real: float
    imaginary: float


class SpectrumWriter(RowWriter):
    """Writes ``impedance.csv``."""

    def __init__(self, path: Path, position: int | None = None) -> None:
        super().__init__(path, COLUMNS, position)


def read_spectra(path: Path) -> tuple[SpectrumRow, ...]:
    """Return the rows in their order.

    Raises InputError with file and line where the file is missing, damaged or another one.
    """
    rows = read_cells(path, "a table of impedances", COLUMNS)
    return tuple(_row(path, line, cells) for line, cells in rows)


def _row(path: Path, line: int, cells: list[str]) -> SpectrumRow:
    step, contact, *numbers = cells
    try:
        return SpectrumRow(int(step), contact, *(float(number) for number in numbers))
    except ValueError as error:
        raise InputError(f"{path}:{line}: {error}") from error
