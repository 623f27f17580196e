"""Tables and names of mechanics: ``mechanics.csv``, and the arrays of ``mechanics.vtkhdf``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ionstack.output.rows import RowFile
from ionstack.output.trace import TIME, read_rows

Floats = NDArray[np.float64]

# Arrays at the corners of the cells; deflection is counted upwards.
DEFLECTION = "deflection [m]"
LATERAL = "lateral displacement [m]"
HYDROSTATIC = "hydrostatic stress [Pa]"
PLASTIC = "equivalent plastic strain [1]"
POROSITY = "porosity [1]"


def film_growth(layer: str) -> str:
    """Return the column name of how much thicker a film has become, ``growth.WO3 [m]``."""
    return f"growth.{layer} [m]"


class MechanicsWriter:
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


def read_mechanics(path: Path) -> dict[str, Floats]:
    """Return the columns by name, as `read_rows`."""
    return read_rows(path, "a table of mechanics", TIME)
