"""Gases around a device: mixtures by partial pressure, and what they add to a potential.

Ideal gases at 1 bar as the standard pressure.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

STANDARD_PRESSURE = 1e5  # Pa

# Dry air by volume: U.S. Standard Atmosphere (1976); CO2 as of the 2020s (NOAA).
_DRY = {"N2": 0.7808, "O2": 0.2095, "Ar": 0.0093, "CO2": 420e-6}
_ATMOSPHERE = 101325.0  # Pa, standard atmosphere (CODATA)
# Half of the saturation pressure of water at 25 degC, 3.17 kPa (Wagner, Pruss 2002).
_WATER = 1.58e3  # Pa
# Base pressure of a deposition chamber; its composition is not known, here that of air.
_BASE = 1e-4  # Pa

AIR = {name: share * (_ATMOSPHERE - _WATER) for name, share in _DRY.items()} | {"H2O": _WATER}
VACUUM = {name: _BASE * pressure / sum(AIR.values()) for name, pressure in AIR.items()}
MIXTURES = {"air": AIR, "vacuum": VACUUM}


def gas_potential(
    counts: Mapping[str, float], pressures: Mapping[str, float], thermal_voltage: float
) -> float:
    """Sum of n kT ln(p/1 bar) [eV]: what gases add to the chemical potential of a species.

    Args:
        counts: particles of each gas per particle of the species (negative: set free).
        pressures: partial pressures [Pa]; those of all gases in `counts` are positive.
        thermal_voltage: kT/e [V].
    """
    terms = (n * log(pressures[name] / STANDARD_PRESSURE) for name, n in counts.items())
    return thermal_voltage * sum(terms)
