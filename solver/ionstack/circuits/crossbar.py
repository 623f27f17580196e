"""Crossbar arrays: rows and columns of wires with a device at every crossing.

Row i is driven at its node ``row<i>``, before the first column, and column j at
``column<j>``, behind the last row. Counting starts at 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

Scheme = Literal["half", "third", "grounded"]
# Shares of the voltage at rows and columns that are not selected; the selected row has 1,
# the selected column 0.
_SHARES: dict[Scheme, tuple[float, float]] = {
    "half": (0.5, 0.5),
    "third": (1.0 / 3.0, 2.0 / 3.0),
    "grounded": (0.0, 0.0),
}
SCHEMES: tuple[Scheme, ...] = tuple(_SHARES)


@dataclass(frozen=True)
class Crossbar:
    """Size of an array, and the resistance of the wire before every crossing [ohm]."""

    rows: int
    columns: int
    wire_resistance: float

    @property
    def lines(self) -> tuple[str, ...]:
        """Nodes at which the rows and the columns are driven."""
        return _lines(self.rows, self.columns)

    def devices(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, upper node and lower node of every device, row by row."""
        for i, j in product(range(1, self.rows + 1), range(1, self.columns + 1)):
            yield f"M{i}_{j}", self._upper(i, j), self._lower(i, j)

    def wires(self) -> Iterator[tuple[str, str, str]]:
        """Yield name and both nodes of every piece of wire; none without resistance."""
        if not self.wire_resistance:
            return
        for i, j in product(range(1, self.rows + 1), range(1, self.columns + 1)):
            before = f"row{i}" if j == 1 else self._upper(i, j - 1)
            behind = f"column{j}" if i == self.rows else self._lower(i + 1, j)
            yield f"row{i}_wire{j}", before, self._upper(i, j)
            yield f"column{j}_wire{i}", self._lower(i, j), behind

    def _upper(self, i: int, j: int) -> str:
        return f"upper{i}_{j}" if self.wire_resistance else f"row{i}"

    def _lower(self, i: int, j: int) -> str:
        return f"lower{i}_{j}" if self.wire_resistance else f"column{j}"


def cell_factors(
    rows: int, columns: int, cell: tuple[int, int], scheme: Scheme
) -> dict[str, float]:
    """Return the share of the selecting voltage that each source has, by source.

    The selected cell (row, column), counted from 1, gets the whole voltage. Others get at
    most half of it (``half``), a third (``third``), or all of it along the selected row and
    nothing elsewhere (``grounded``, to read). Raises `ValueError` for a cell that is not there.
    """
    row, column = cell
    if not (1 <= row <= rows and 1 <= column <= columns):
        raise ValueError(f"no cell {row}, {column} in {rows} rows and {columns} columns")
    across, along = _SHARES[scheme]
    factors = dict.fromkeys(_lines(rows, 0), across) | dict.fromkeys(_lines(0, columns), along)
    return {**factors, f"row{row}": 1.0, f"column{column}": 0.0}


def _lines(rows: int, columns: int) -> tuple[str, ...]:
    return (
        *(f"row{i}" for i in range(1, rows + 1)),
        *(f"column{j}" for j in range(1, columns + 1)),
    )
