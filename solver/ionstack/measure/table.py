"""An experimenter's table: CSV, tab, semicolon or blanks, with the units in the header."""

from __future__ import annotations

import csv
import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ionstack.errors import InputError
from ionstack.metrics.arrays import FloatArray
from ionstack.reading.units import in_unit

_COMMENTS = ("#", "%", "//")
_LOOKED_AT = 20
_BRACKETED = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]()]*(?:\([^()]*\))?)[\])]\s*")
_SLASHED = re.compile(r"(?P<name>.+?)\s*/\s*(?P<unit>[^\s/]+(?:\^-?\d)?)\s*")
_SPELLINGS = {"OHM": "ohm", "Volt": "V", "Volts": "V", "Amp": "A", "Amps": "A"}
_SPELLINGS |= {"Sec": "s", "sec": "s", "HZ": "Hz", "-": "1", "": "1"}


@dataclass(frozen=True)
class Column:
    """One column: its header as written, name without unit, unit (None: not said), cells."""

    header: str
    name: str
    unit: str | None
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The rows of a file. `lines`: line number of each row; `decimal_comma` of the cells."""

    path: Path
    columns: tuple[Column, ...]
    lines: tuple[int, ...]
    decimal_comma: bool

    def numbers(self, index: int) -> FloatArray:
        """Return a column as floats, shape (n_rows,), in the unit of the file.

        Raises InputError with line and column of the first cell that is no number.
        """
        column = self.columns[index]
        values = [_number(cell, self.decimal_comma) for cell in column.cells]
        for line, cell, value in zip(self.lines, column.cells, values, strict=True):
            if value is None or not np.isfinite(value):
                found = f"{cell!r} is not a number" if cell else "the cell is empty"
                raise InputError(
                    f"{self.path}:{line}: column {index + 1} {column.header!r}: {found}"
                )
        return np.array(values, dtype=np.float64)


def read_table(path: Path, skip: int = 0) -> Table:
    """Read a table with one header line, after `skip` lines that are not looked at.

    The delimiter is found by itself: tab, semicolon, comma or blanks. Numbers may have a
    decimal comma unless the comma is the delimiter. Empty lines and lines that begin with
    #, % or // are passed over, as is what an instrument writes above the header. The
    header is the line above the first row of numbers; a line of units may stand between.
    A commented header right above the numbers is taken as well.
    """
    rows, decimal_comma = _split(_lines(path, skip))
    first = next((k for k, (_, row, _) in enumerate(rows) if _is_data(row, decimal_comma)), None)
    if first is None:
        raise InputError(f"{path}: has no row of numbers")
    width = len(rows[first][1])
    data = [(line, row) for line, row, comment in rows[first:] if not comment]
    _check_width(path, data, width)
    names, units = _header(path, rows[:first], width, decimal_comma)
    cells = list(zip(*(row for _, row in data), strict=True))
    columns = [_column(n, u, c) for n, u, c in zip(names, units, cells, strict=True)]
    return Table(path, tuple(columns), tuple(line for line, _ in data), decimal_comma)


def conversion(unit: str, target: str) -> tuple[float, float]:
    """Return (scale, offset) that bring a number from `unit` to `target`, as files spell it.

    Raises ValueError with a sentence for the user.
    """
    spelt = spelling(unit)
    offset = in_unit(0.0, spelt, target)
    return in_unit(1.0, spelt, target) - offset, offset


def spelling(unit: str) -> str:
    """Return a unit as the unit parser writes it: Ohm, cm2 and μA become ohm, cm^2 and µA."""
    text = _SPELLINGS.get(unit.strip(), unit.strip()).replace("μ", "µ")
    text = text.replace("²", "^2").replace("³", "^3").replace("⁻¹", "^-1").replace("⁻²", "^-2")
    text = re.sub(r"\b([kMGmµu]?)[oO]hms?\b", r"\1ohm", text.replace("\u2126", "Ω"))
    return re.sub(r"(?<=[A-Za-zµ])(-?\d)", r"^\1", text)


def _lines(path: Path, skip: int) -> list[tuple[int, str]]:
    """Return the lines with their numbers; instruments also write Windows' code page."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        near = difflib.get_close_matches(path.name, _siblings(path), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(f"{path}: cannot be read: {error.strerror}{hint}") from error
    if b"\0" in raw:
        raise InputError(f"{path}: is not a text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    numbered = enumerate(text.splitlines(), start=1)
    return [(k, line) for k, line in numbered if k > skip and line.strip()]


def _siblings(path: Path) -> list[str]:
    return [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []


_Row = tuple[int, list[str], bool]


def _split(lines: Sequence[tuple[int, str]]) -> tuple[list[_Row], bool]:
    """Return the rows (line, cells, is a comment) and whether commas are decimal marks."""
    delimiter = _delimiter([line for _, line in lines if not line.startswith(_COMMENTS)])
    return [_row(k, line, delimiter) for k, line in lines], delimiter != ","


def _delimiter(lines: Sequence[str]) -> str:
    """Return what parts one of the last lines into numbers only, or else into most of them."""
    counts = {delimiter: 0 for delimiter in ("\t", ";", ",", " ")}
    for delimiter in counts:
        rows = [_cells(line, delimiter) for line in lines[-_LOOKED_AT:]]
        several = [row for row in rows if len(row) > 1]
        if any(_is_data(row, delimiter != ",", 1.0) for row in several):
            return delimiter
        counts[delimiter] = max((_count(row, delimiter != ",") for row in several), default=0)
    return max(counts, key=lambda delimiter: counts[delimiter])


def _row(number: int, line: str, delimiter: str) -> _Row:
    comment = line.startswith(_COMMENTS)
    return number, _cells(line.lstrip("#%/ ") if comment else line, delimiter), comment


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        # A unit in brackets belongs to the name before it.
        return re.split(r"\s+(?![\[(])", line.strip())
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _number(cell: str, decimal_comma: bool) -> float | None:
    text = cell.replace(",", ".") if decimal_comma and cell.count(",") == 1 else cell
    # float() also takes 1_000, which no instrument writes.
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _is_data(row: Sequence[str], decimal_comma: bool, share: float = 0.5) -> bool:
    """Say whether at least a share of the filled cells are numbers."""
    filled = sum(bool(cell) for cell in row)
    return filled > 0 and _count(row, decimal_comma) >= share * filled


def _count(row: Sequence[str], decimal_comma: bool) -> int:
    return sum(_number(cell, decimal_comma) is not None for cell in row if cell)


def _check_width(path: Path, data: Sequence[tuple[int, list[str]]], width: int) -> None:
    for line, row in data:
        if len(row) != width:
            raise InputError(f"{path}:{line}: has {len(row)} cells, the first row has {width}")


def _header(
    path: Path, above: Sequence[_Row], width: int, decimal_comma: bool
) -> tuple[list[str], list[str | None]]:
    """Return names and units of the columns from the lines above the first row of numbers."""
    rows = [row for _, row, comment in above if len(row) == width and not comment][-2:]
    rows = rows or [row for _, row, _ in above if len(row) == width][-1:]
    if not rows:
        return [f"column {k + 1}" for k in range(width)], [None] * width
    if len(rows) == 2 and all(_is_unit(cell.strip("[]()")) for cell in rows[1]):
        return rows[0], [cell.strip("[]()") for cell in rows[1]]
    return rows[-1], [None] * width


def _column(header: str, unit: str | None, cells: Sequence[str]) -> Column:
    name, own = split_header(header)
    return Column(header, name, unit if own is None else own, tuple(cells))


def split_header(header: str) -> tuple[str, str | None]:
    """Return name and unit of ``I_D (uA)``, ``voltage [V]`` or ``Ewe/V``; None: no unit said."""
    for form in (_BRACKETED, _SLASHED):
        match = form.fullmatch(header.strip())
        if match and match["name"] and _is_unit(match["unit"]):
            return match["name"].strip(), match["unit"].strip()
    return header.strip(), None


@functools.cache
def _is_unit(text: str) -> bool:
    try:
        in_unit(1.0, spelling(text), spelling(text))
    except ValueError:
        return False
    return True
