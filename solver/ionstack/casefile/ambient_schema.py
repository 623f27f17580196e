"""The gas around a device in a case file: a mixture by name, or partial pressures."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ionstack.physics.bounds import POSITIVE
from ionstack.physics.gases import MIXTURES
from ionstack.reading.schema import failure, not_among, quantity

Pressure = Annotated[float, quantity("Pa", POSITIVE)]


def _by_name(data: object) -> object:
    """A mixture that is named as its partial pressures."""
    if not isinstance(data, str):
        return data
    if data not in MIXTURES:
        message = f"{not_among('mixture', data, list(MIXTURES))}, or pressures, for instance"
        raise failure("mixture", f"{message} {{O2: 21 kPa}}")
    return {name: f"{pressure!r} Pa" for name, pressure in MIXTURES[data].items()}


# Partial pressures [Pa] by gas.
Mixture = Annotated[dict[str, Pressure], Field(min_length=1), BeforeValidator(_by_name)]
