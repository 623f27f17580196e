"""Physical constants in SI units (CODATA 2018, exact since the 2019 SI)."""

from __future__ import annotations

ELEMENTARY_CHARGE = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K
VACUUM_PERMITTIVITY = 8.8541878128e-12  # F/m
BOLTZMANN_EV = BOLTZMANN / ELEMENTARY_CHARGE  # eV/K


def thermal_voltage(temperature: float) -> float:
    """Return kT/e [V] at a temperature [K]."""
    return BOLTZMANN_EV * temperature
