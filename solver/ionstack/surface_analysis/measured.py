"""A measured depth profile as read from its table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError, nearest
from ionstack.measure.table import Column, Table, conversion, read_table

FloatArray = npt.NDArray[np.float64]

_DEPTH, _TIME = ("depth",), ("sputter time", "time")


@dataclass(frozen=True)
class Measured:
    """Counts of signals (f,) over depths [m] or, without these, sputter times [s]."""

    depth: FloatArray | None
    time: FloatArray | None
    counts: Mapping[str, FloatArray]


def read_measured(path: Path, signals: Collection[str]) -> Measured:
    """Read a table with a depth or a sputter time and columns of signals.

    Raises InputError for a column that is neither, and for counts below 0.
    """
    table = read_table(path)
    places: dict[tuple[str, ...], FloatArray] = {}
    counts: dict[str, FloatArray] = {}
    for index, column in enumerate(table.columns):
        role = next((r for r in (_DEPTH, _TIME) if column.name.lower() in r), None)
        if role is not None:
            places[role] = _in_si(table, index, column, "m" if role is _DEPTH else "s")
        elif column.name in signals:
            counts[column.name] = _counts(table, index)
        else:
            known = ["depth [nm]", "sputter time [s]", *signals]
            listed = f"{', '.join(known)}{nearest(column.name, known)}"
            raise InputError(f"{path}: unknown column {column.header!r}; allowed: {listed}")
    if not places or not counts:
        raise InputError(f"{path}: needs a depth or a sputter time, and at least one signal")
    return Measured(places.get(_DEPTH), places.get(_TIME), counts)


def _in_si(table: Table, index: int, column: Column, unit: str) -> FloatArray:
    try:
        scale, _ = conversion(column.unit or ("nm" if unit == "m" else "s"), unit)
    except ValueError as error:
        raise InputError(f"{table.path}: column {column.header!r}: {error}") from None
    return scale * table.numbers(index)


def _counts(table: Table, index: int) -> FloatArray:
    values = table.numbers(index)
    for line, value in zip(table.lines, values, strict=True):
        if value < 0.0:
            header = table.columns[index].header
            raise InputError(f"{table.path}:{line}: column {header!r}: {value:g} is no count")
    return values
