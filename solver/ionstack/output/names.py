"""Names of the quantities in the output files, each with its unit.

Densities are written in m^-3 (not 1/m^3): an HDF5 name cannot hold a slash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

POTENTIAL = "potential [V]"
TEMPERATURE = "temperature [K]"
REGION = "region"
# Species that are no atoms.
CARRIERS = ("e-", "h+")


def density(species: str) -> str:
    """Return the column or array name of a number density, ``Li+ [m^-3]``."""
    return f"{species} [m^-3]"


def areal_amount(product: str) -> str:
    """Return the column or array name of a product at a contact, ``Li2O [m^-2]``."""
    return f"{product} [m^-2]"


def products_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the products whose amounts at contacts are among the names, in their order."""
    matches = (re.fullmatch(r"(\S+) \[m\^-2\]", name) for name in names)
    return tuple(match.group(1) for match in matches if match)


def site_fraction(species: str) -> str:
    """Return the column or array name of a site fraction, ``x Li+ [1]``."""
    return f"x {species} [1]"


def electrochemical_potential(species: str) -> str:
    """Return the column or array name, ``electrochemical potential Li+ [eV]``."""
    return f"electrochemical potential {species} [eV]"


def species_in(names: Iterable[str]) -> tuple[str, ...]:
    """Return the species whose density is among the names, in their order."""
    matches = (re.fullmatch(r"(\S+) \[m\^-3\]", name) for name in names)
    return tuple(match.group(1) for match in matches if match)


def first_positive_ion(names: Iterable[str]) -> str | None:
    """Return the first positive species that is not a hole, or None."""
    return next((s for s in species_in(names) if s.endswith("+") and s != "h+"), None)


def first_neutral_species(names: Iterable[str]) -> str | None:
    """Return the first species without charge, such as a filament's metal, or None."""
    return next((s for s in species_in(names) if not s.endswith(("+", "-"))), None)
