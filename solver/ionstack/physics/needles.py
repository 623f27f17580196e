"""Nucleation of metallic needles by a field: the work to form a prolate spheroid along it.

F = share [gamma S + dmu V - eps E^2 V/(2 n)], half axes a >= b, n the depolarisation factor
along a: Landau and Lifshitz, Electrodynamics of Continuous Media, paragraph 4. A needle cannot
be thinner than some b; the barrier is the largest F over a at that b. Karpov, Kryukov, Karpov
and Mitra, Phys. Rev. B 78, 052201 (2008); thin layers: Karpov and Niraula, arXiv:1804.03754.

All functions take floats and arrays of NumPy or JAX, and broadcast. The barrier carries its
derivatives, exact since F is stationary in a; the critical length carries none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ionstack.physics.array_module import module_of, without_slope
from ionstack.physics.constants import VACUUM_PERMITTIVITY
from ionstack.physics.nucleation import Nucleus

# Needles longer than this many widths count as infinite.
_LONGEST = 1e6
# Fields beyond it [V/m] are taken as it: their square would overflow.
_STRONGEST = 1e100
# Each of the rounds divides the logarithm of the aspect by the points of the grid.
_GRID, _ROUNDS = 32, 4
# Below this squared eccentricity the series are used, whose 18th term is below round-off.
_ROUND = 0.1
_TERMS = np.arange(18)
_ARC = np.cumprod(np.r_[1.0, 1.0 - 0.5 / _TERMS[1:]]) / (2.0 * _TERMS + 1.0)
# By row the coefficients of arcsin(e)/e and of (artanh e - e)/e^3 in e^2.
_SERIES = np.stack([_ARC, 1.0 / (2.0 * _TERMS + 3.0)], axis=-1)


@dataclass(frozen=True)
class Needle:
    """A metallic phase in a dielectric, as needles.

    tension [J/m^2] of its surface; narrowest [m], smallest half width b; cost [J/m^3], free
    energy of the phase per volume over that of the matrix, negative where it would form by
    itself; focus, local field over that of the layer; share, 1 for a needle amid the
    layer, 1/2 for half of a spheroid that stands on an electrode, whose image is the other half.
    """

    tension: Any
    narrowest: Any
    relative_permittivity: Any
    cost: Any = 0.0
    focus: Any = 1.0
    share: Any = 1.0


class Spheroid(NamedTuple):
    """A prolate spheroid of aspect s = a/b, with slopes by s.

    `surface` over 4 pi b^2; `response` s/n, so that V/n is 4/3 pi b^3 times it.
    """

    surface: Any
    surface_slope: Any
    response: Any
    response_slope: Any


def spheroid(aspect: Any) -> Spheroid:
    """Return surface and response of a prolate spheroid, exact for every aspect >= 1.

    S = 2 pi b^2 (1 + s arcsin(e)/e), n = (1 - e^2)(artanh e - e)/e^3, e^2 = 1 - 1/s^2.
    """
    xp = module_of(aspect)
    square = (aspect - 1.0) * (aspect + 1.0) / aspect**2
    arc, arc_slope, p, p_slope = _by_series(square)
    near = square < _ROUND
    far = _in_closed_form(xp, xp.where(near, 2.0, aspect))
    arc, arc_slope, p, p_slope = (
        xp.where(near, one, other)
        for one, other in zip((arc, arc_slope, p, p_slope), far, strict=True)
    )
    # With u = e^2: du/ds = 2/s^3 and n = p/s^2.
    return Spheroid(
        0.5 * (1.0 + aspect * arc),
        0.5 * arc + arc_slope / aspect**2,
        aspect**3 / p,
        3.0 * aspect**2 / p - 2.0 * p_slope / p**2,
    )


def _by_series(square: Any) -> tuple[Any, Any, Any, Any]:
    """arcsin(e)/e, slope by u = e^2, (artanh e - e)/e^3, slope: from series in u (Horner)."""
    xp = module_of(square)
    u = xp.where(square < _ROUND, square, 0.0)[..., None]
    value, slope = 0.0 * u, 0.0 * u
    for row in _SERIES[::-1]:
        value, slope = value * u + row, slope * u + value
    return value[..., 0], slope[..., 0], value[..., 1], slope[..., 1]


def _in_closed_form(xp: Any, aspect: Any) -> tuple[Any, Any, Any, Any]:
    """As `_by_series`; artanh e = ln(s (1 + e)) and arcsin e = arctan(s e) keep their digits."""
    tangent = xp.sqrt((aspect - 1.0) * (aspect + 1.0))
    e = tangent / aspect
    arc = xp.arctan(tangent) / e
    p = (xp.log(aspect + tangent) - e) / e**3
    return arc, (aspect - arc) / (2.0 * e**2), p, (aspect**2 - 3.0 * p) / (2.0 * e**2)


def depolarisation(aspect: Any) -> Any:
    """Depolarisation factor along the axis of a prolate spheroid of aspect a/b, 1/3 to 0."""
    return aspect / spheroid(aspect).response


def needle_energy(needle: Needle, field: Any, length: Any) -> Any:
    """Work F [J] to form a needle of half axis `length` >= narrowest [m] in a `field` [V/m].

    For a needle on an electrode (share 1/2) `length` is its height.
    """
    return _energy(needle, _density(needle, field), length / needle.narrowest)


def _energy(needle: Needle, density: Any, aspect: Any) -> Any:
    shape = spheroid(aspect)
    volume = 4.0 / 3.0 * math.pi * needle.narrowest**3
    inner = needle.cost * aspect - density * shape.response
    outer = 3.0 * needle.tension / needle.narrowest * shape.surface
    return needle.share * volume * (outer + inner)


def _density(needle: Needle, field: Any) -> Any:
    """Energy density of the field at the needle, eps E^2/2 [J/m^3]."""
    local = needle.focus * field
    local = module_of(local).clip(local, -_STRONGEST, _STRONGEST)
    return 0.5 * needle.relative_permittivity * VACUUM_PERMITTIVITY * local * local


def _slope(needle: Needle, density: Any, aspect: Any) -> Any:
    """Slope of the work by the aspect, over share 4/3 pi b^3 [J/m^3]."""
    shape = spheroid(aspect)
    surface = 3.0 * needle.tension / needle.narrowest * shape.surface_slope
    return surface + needle.cost - density * shape.response_slope


def needle_nucleus(needle: Needle, field: Any) -> Nucleus:
    """Barrier [J] and half axis a [m] of the critical needle, max of F over a >= b.

    Where F falls from a = b on, the nucleus is a sphere of the narrowest radius; the
    barrier is not negative. Infinite without a field unless the phase forms by itself.
    """
    density = _density(needle, field)
    aspect, exists = _critical_aspect(needle, density)
    highest = _highest(needle, density, aspect)
    xp = module_of(highest.barrier)
    return Nucleus(*(xp.where(exists, value, xp.inf) for value in highest))


def _highest(needle: Needle, density: Any, aspect: Any) -> Nucleus:
    """Work at the aspect, or of the sphere where that is more; at least 0."""
    energy = _energy(needle, density, aspect)
    sphere = _energy(needle, density, 0.0 * aspect + 1.0)
    xp = module_of(energy)
    barrier = xp.maximum(xp.maximum(energy, sphere), 0.0)
    return Nucleus(barrier, needle.narrowest * xp.where(energy < sphere, 1.0, aspect))


def _critical_aspect(needle: Needle, density: Any) -> tuple[Any, Any]:
    """Aspect of the last maximum of F, 1 where F only falls; False beside it where F only rises."""
    named = (needle.tension, needle.narrowest, needle.cost, density)
    xp = module_of(*named)
    tension, narrowest, cost, energy = (
        without_slope(one)[..., None] for one in xp.broadcast_arrays(*map(xp.asarray, named))
    )
    inner = Needle(tension, narrowest, needle.relative_permittivity, cost)
    shares = xp.linspace(0.0, 1.0, _GRID)
    low, high = 0.0 * energy, 0.0 * energy + math.log(_LONGEST)
    exists = _slope(inner, energy, xp.exp(high))[..., 0] <= 0.0
    for _ in range(_ROUNDS):
        logs = low + (high - low) * shares
        low, high, ends = _around_last_fall(xp, logs, _slope(inner, energy, xp.exp(logs)))
    rises, falls = ends[0] > 0.0, ends[1] <= 0.0
    span = xp.where(rises & falls, ends[0] - ends[1], 1.0)
    share = xp.where(rises, xp.where(falls, ends[0] / span, 1.0), 0.0)
    return xp.exp((low + (high - low) * share)[..., 0]), exists


def _around_last_fall(xp: Any, logs: Any, slopes: Any) -> tuple[Any, Any, tuple[Any, Any]]:
    """Neighbours in the grid between which the slope turns negative for good, and the slopes."""
    behind = slopes[..., ::-1] > 0.0
    last = xp.where(behind.any(-1), _GRID - 1 - xp.argmax(behind, -1), 0)
    first = xp.minimum(last, _GRID - 2)[..., None]
    pair = tuple(
        (xp.take_along_axis(of, first, -1), xp.take_along_axis(of, first + 1, -1))
        for of in (logs, slopes)
    )
    return pair[0][0], pair[0][1], pair[1]


def long_needle(needle: Needle, field: Any, logarithm: Any) -> Nucleus:
    """Critical needle far longer than wide, in closed form: W = 2/3 A a, a^2 = A L/(2 pi eps E^2).

    F = A a - 2/3 pi eps E^2 a^3/L with A = pi^2 gamma b + 4/3 pi b^2 dmu and L = ln(2 a/b) - 1
    taken as the constant `logarithm` (Karpov et al. 2008), so W goes as gamma^(3/2) b^(3/2)/E.
    With a from `needle_nucleus` in L it is right to about 1/L; E > 0, A > 0.
    """
    b = needle.narrowest
    line = math.pi**2 * needle.tension * b + 4.0 / 3.0 * math.pi * b**2 * needle.cost
    square = line * logarithm / (4.0 * math.pi * _density(needle, field))
    length = square**0.5
    return Nucleus(2.0 / 3.0 * needle.share * line * length, length)


def needle_in_film(needle: Needle, voltage: Any, thickness: Any) -> Nucleus:
    """Barrier [J] and height [m] of the critical needle on an electrode of a film.

    In a film thicker than the critical needle the field V/d decides. In a thinner one the
    needle reaches the other side while F still rises: the barrier is F there. Its images in the
    electrode ahead are left out.
    """
    field = voltage / thickness
    density = _density(needle, field)
    aspect, _ = _critical_aspect(needle, density)
    across = module_of(thickness, voltage).maximum(thickness / needle.narrowest, 1.0)
    aspect = module_of(aspect, across).minimum(aspect, across)
    return _highest(needle, density, aspect)


def controlling_voltage(needle: Needle, thickness: Any) -> Any:
    """Voltage [V] at which the critical needle is as long as the film is thick.

    Above it the field decides on nucleation, below it the voltage. In long needles it
    depends on the thickness d by ln(2 d/b) only.
    """
    aspect = thickness / needle.narrowest
    shape = spheroid(aspect)
    force = 3.0 * needle.tension / needle.narrowest * shape.surface_slope + needle.cost
    return _voltage(needle, thickness, force / shape.response_slope)


def bridging_voltage(needle: Needle, thickness: Any) -> Any:
    """Voltage [V] above which a needle across the film has F < 0 and so forms for good.

    In films thinner than the critical needle it is the threshold, whatever the field; it
    depends on the thickness d by ln(2 d/b) only (Karpov and Niraula). sqrt(3) times the
    controlling voltage in long needles.
    """
    aspect = thickness / needle.narrowest
    shape = spheroid(aspect)
    work = 3.0 * needle.tension / needle.narrowest * shape.surface + needle.cost * aspect
    return _voltage(needle, thickness, work / shape.response)


def _voltage(needle: Needle, thickness: Any, density: Any) -> Any:
    """Voltage of an energy density of the field at the needle."""
    permittivity = needle.relative_permittivity * VACUUM_PERMITTIVITY
    return thickness / needle.focus * (2.0 * density / permittivity) ** 0.5
