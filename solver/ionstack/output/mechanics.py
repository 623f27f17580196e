"""Tables and names of mechanics: ``mechanics.csv``, and the arrays of ``mechanics.vtkhdf``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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


def read_mechanics(path: Path) -> dict[str, Floats]:
    """Return the columns by name, as `read_rows`."""
    return read_rows(path, "a table of mechanics", TIME)
