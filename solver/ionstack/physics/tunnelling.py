"""Electrons that tunnel through a thin gap between two metals.

Simmons, J. Appl. Phys. 34, 1793 (1963): a rectangular barrier of height phi [V] above both
Fermi levels, of width d [m], bent by the voltage across it, at 0 K. Against the integral over
the trapezium in the WKB approximation the current is too low: by a quarter at most for phi of
1.5 to 3 V and d of 1 to 2 nm at small voltages, by a factor of up to 2.2 at V = 0.9 phi.
Image charges are left out.
"""

from __future__ import annotations

import math
from typing import Any

from ionstack.physics.array_module import module_of
from ionstack.physics.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK

# Below, A d sqrt(phi) is so small that the formula does not hold: it would fall with the voltage.
_NARROWEST = 4.0
# Voltage over the height below which the conductance is that without voltage.
_SMALL = 1e-4
# Exponent beyond which nothing passes; the current stays a number that can be divided by.
_FARTHEST = 600.0


def decay(mass: Any) -> Any:
    """Return A = 4 pi sqrt(2 m e)/h [1/(m sqrt(V))] for an effective mass over the free one."""
    return 4.0 * math.pi / PLANCK * (2.0 * mass * ELECTRON_MASS * ELEMENTARY_CHARGE) ** 0.5


def narrowest(barrier: Any, mass: Any = 1.0) -> Any:
    """Return the gap [m] below which a gap counts as that wide, 0.39 nm for 1 V."""
    return _NARROWEST / (decay(mass) * barrier**0.5)


def current_density(voltage: Any, barrier: Any, gap: Any, mass: Any = 1.0) -> Any:
    """Current density [A/m^2] at a voltage [V] up to the barrier height [V].

    J = e^2/(2 pi h d^2) [(phi - V/2) exp(-A d sqrt(phi - V/2)) - (phi + V/2) exp(-A d
    sqrt(phi + V/2))] for V < phi: Simmons' intermediate range, which begins with his low one.
    `mass` is the effective mass over that of a free electron. Odd in the voltage; a higher one
    than phi finds the lower end of the barrier at phi/2 still. For floats and arrays of NumPy
    or JAX; narrow gaps as in `narrowest`.
    """
    return voltage * conductance_per_area(barrier, gap, mass, voltage)


def conductance_per_area(barrier: Any, gap: Any, mass: Any = 1.0, voltage: Any = 0.0) -> Any:
    """Current density over voltage [S/m^2]; without voltage the slope of `current_density`.

    Without voltage e^2/(2 pi h d^2) [A d sqrt(phi)/2 - 1] exp(-A d sqrt(phi)).
    """
    xp = module_of(voltage, barrier, gap, mass)
    wide = xp.maximum(gap, narrowest(barrier, mass))
    half = 0.5 * xp.abs(voltage)
    small = half < _SMALL * barrier
    # Where it is small another voltage stands in, so that no derivative divides by zero.
    half = xp.where(small, 0.25 * barrier, half)
    lower, upper, reach = (
        xp.maximum(barrier - half, 0.5 * barrier),
        barrier + half,
        decay(mass) * wide,
    )
    root = xp.sqrt(lower)
    # With R - r = (u - l)/(R + r) for the roots: nothing cancels.
    apart = reach * (upper - lower) / (root + xp.sqrt(upper))
    net = -lower * xp.expm1(-apart) - (upper - lower) * xp.exp(-apart)
    chord = xp.exp(-xp.minimum(reach * root, _FARTHEST)) * net / (2.0 * half)
    still = reach * barrier**0.5
    slope = (0.5 * still - 1.0) * xp.exp(-xp.minimum(still, _FARTHEST))
    scale = ELEMENTARY_CHARGE**2 / (2.0 * math.pi * PLANCK * wide**2)
    return scale * xp.where(small, slope, chord)
