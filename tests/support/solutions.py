"""Phases of a regular solution: silver that dissolves, and moves along its surface alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.lifetime import Surface
from support.films import bound
from support.phase_fields import KT, SITES

Floats = NDArray[np.float64]

OMEGA, BENDING, DIFFUSIVITY = 6.0 * KT, 6.0 * KT * (5e-10) ** 2, 1e-14
SOLUTION = bound(
    "excess", "regular_solution", interaction=OMEGA, gradient_energy=BENDING, wetting=0.0
)
HOP = bound("transport", "site_hopping", diffusivity=DIFFUSIVITY)


def mixing(x: ArrayLike) -> Floats:
    """Energy of the mixture per site [eV]."""
    x = np.asarray(x)
    return KT * (x * np.log(x) + (1.0 - x) * np.log(1.0 - x)) + OMEGA * x * (1.0 - x)


BINODAL = brentq(lambda x: KT * np.log(x / (1.0 - x)) + OMEGA * (1.0 - 2.0 * x), 1e-9, 0.05)


def profile_slope(x: ArrayLike) -> Floats:
    """Slope of a flat surface [1/m], from its first integral."""
    return np.sqrt(2.0 * np.maximum(mixing(x) - mixing(BINODAL), 0.0) / BENDING)


def tension() -> float:
    """Energy of the flat surface [J/m^2], by quadrature."""
    whole = quad(lambda x: BENDING * profile_slope(x), BINODAL, 1.0 - BINODAL)[0]
    return whole * SITES * ELEMENTARY_CHARGE


def diffuse_surface() -> Surface:
    """Surface along which what is in between the phases moves.

    Its coefficient (`mullins_coefficient`) is that of both phases over the square of their
    difference 1 - 2 BINODAL.
    """
    low, high = BINODAL * 1.001, 1.0 - BINODAL * 1.001
    moving = quad(lambda x: x * (1.0 - x) / profile_slope(x), low, high, limit=200)[0]
    return Surface(tension(), DIFFUSIVITY, 1.0 / SITES, SITES * moving)
