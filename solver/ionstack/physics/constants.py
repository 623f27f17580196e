"""Physical constants in SI units (CODATA 2018, exact since the 2019 SI)."""

from __future__ import annotations

ELEMENTARY_CHARGE = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K
AVOGADRO = 6.02214076e23  # 1/mol
PLANCK = 6.62607015e-34  # J s
REDUCED_PLANCK = PLANCK / 6.283185307179586  # J s
ELECTRON_MASS = 9.1093837015e-31  # kg (CODATA 2018)
VACUUM_PERMITTIVITY = 8.8541878128e-12  # F/m
BOLTZMANN_EV = BOLTZMANN / ELEMENTARY_CHARGE  # eV/K


def thermal_voltage(temperature: float) -> float:
    """Return kT/e [V] at a temperature [K]."""
    return BOLTZMANN_EV * temperature
