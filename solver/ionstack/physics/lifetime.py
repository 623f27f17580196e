"""How long filaments and clusters last: curvature, dissolution, diffusion along the surface.

A small radius raises the chemical potential (Gibbs and Thomson) and so drives what dissolves
a particle or breaks a filament. All functions take floats and arrays of NumPy or JAX but for
`curvature_lifetime`. Volumes are per atom [m^3], potentials per atom [J].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import quad

from ionstack.physics.array_module import module_of
from ionstack.physics.constants import BOLTZMANN


def cylinder_potential(tension: Any, atomic_volume: Any, radius: Any) -> Any:
    """Chemical potential [J] of a cylinder over that of the bulk: gamma Omega/R."""
    return tension * atomic_volume / radius


def sphere_potential(tension: Any, atomic_volume: Any, radius: Any) -> Any:
    """Chemical potential [J] of a sphere over that of the bulk: 2 gamma Omega/R."""
    return 2.0 * tension * atomic_volume / radius


def solubility_ratio(potential: Any, temperature: Any) -> Any:
    """Solubility over that of the bulk: exp(mu/kT) (Ostwald, Freundlich)."""
    return module_of(potential, temperature).exp(potential / (BOLTZMANN * temperature))


@dataclass(frozen=True)
class Dissolution:
    """A sphere that dissolves in a medium which its own atoms do not fill (quasi-steady).

    undersaturation Omega (c_s - c), the volume share of atoms at its surface over that far
    away, at most a few per cent; diffusivity [m^2/s] in the medium; exchange [m/s], the rate
    constant of the surface. An infinite one of the two does not limit. Both in series:
    dR/dt = -undersaturation/(1/exchange + R/diffusivity).
    """

    undersaturation: Any
    diffusivity: Any = math.inf
    exchange: Any = math.inf


def dissolution_time(law: Dissolution, start: Any, end: Any = 0.0) -> Any:
    """Time [s] in which the radius falls from `start` to `end` [m].

    (R0^2 - R^2)/(2 D u) + (R0 - R)/(k u), of diffusion and of reaction.
    """
    diffusion = (start**2 - end**2) / (2.0 * law.diffusivity)
    return (diffusion + (start - end) / law.exchange) / law.undersaturation


def dissolved_radius(law: Dissolution, start: Any, time: Any) -> Any:
    """Radius [m] after `time` [s]; 0 once the sphere is gone. Inverse of `dissolution_time`."""
    left = dissolution_time(law, start) - time
    xp = module_of(left)
    lasts = left > 0.0
    rest = law.undersaturation * xp.where(lasts, left, 1.0)
    slow = 1.0 / law.exchange
    # R^2/(2 D) + R/k = rest, in the form that holds for infinite D and for infinite k.
    radius = 2.0 * rest / (slow + (slow**2 + 2.0 * rest / law.diffusivity) ** 0.5)
    return xp.where(lasts, radius, 0.0)


def curvature_lifetime(radius: float, diffusivity: float, share: float, capillary: float) -> float:
    """Time [s] in which a sphere dissolves in a saturated medium by its curvature alone.

    dR/dt = -D s (exp(l/R) - 1)/R with the volume `share` s = Omega c of saturation and the
    `capillary` length l = 2 gamma Omega/kT [m]. For R >> l it tends to R^3/(3 D s l) from below.
    """
    largest = capillary / radius

    def integrand(part: float) -> float:
        exponent = largest / part
        return 0.0 if exponent > 700.0 else part / float(np.expm1(exponent))

    integral, _ = quad(integrand, 0.0, 1.0, epsabs=0.0, epsrel=1e-12)
    return float(radius**2 * integral / (diffusivity * share))


@dataclass(frozen=True)
class Surface:
    """A metal's surface along which its atoms move.

    tension [J/m^2], diffusivity [m^2/s] of atoms on it, atomic_volume [m^3], atoms per area
    site_density [1/m^2].
    """

    tension: Any
    diffusivity: Any
    atomic_volume: Any
    site_density: Any


def mullins_coefficient(surface: Surface, temperature: Any) -> Any:
    """B = D_s gamma Omega^2 nu/kT [m^4/s], Mullins, J. Appl. Phys. 28, 333 (1957), eq. 10."""
    moving = surface.diffusivity * surface.tension * surface.site_density
    return moving * surface.atomic_volume**2 / (BOLTZMANN * temperature)


def filament_lifetime(surface: Surface, radius: Any, temperature: Any) -> Any:
    """Time [s] in which diffusion along the surface breaks a filament: R^4/B.

    W. Wang et al., Nat. Commun. 10, 81 (2019), of silver and copper; a number of order one
    that the filament's shape gives is left out.
    """
    return radius**4 / mullins_coefficient(surface, temperature)


def retentive_radius(surface: Surface, time: Any, temperature: Any) -> Any:
    """Radius [m] from which on a filament outlasts `time` [s]: (B t)^(1/4).

    A thinner one is volatile for an observer who waits that long.
    """
    return (mullins_coefficient(surface, temperature) * time) ** 0.25


def ripple_growth(surface: Surface, radius: Any, wavelength: Any, temperature: Any) -> Any:
    """Growth rate [1/s] of a small ripple along a cylinder: B/R^4 x^2 (1 - x^2), x = 2 pi R/l.

    Nichols and Mullins, Trans. AIME 233, 1840 (1965): ripples longer than the circumference
    grow, fastest at l = 2 pi sqrt(2) R with B/(4 R^4).
    """
    square = (2.0 * math.pi * radius / wavelength) ** 2
    return mullins_coefficient(surface, temperature) / radius**4 * square * (1.0 - square)


def necking_time(surface: Surface, radius: Any, ripple: Any, temperature: Any) -> Any:
    """Time [s] in which the fastest ripple grows from `ripple` to the radius [m], linear theory.

    4 R^4/B ln(R/ripple), of the same law as `filament_lifetime` but for a logarithm.
    """
    decades = module_of(radius, ripple).log(radius / ripple)
    return 4.0 * filament_lifetime(surface, radius, temperature) * decades
