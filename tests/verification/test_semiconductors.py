"""Semiconductors: pn junction without recombination, space-charge-limited current."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import airy

from ionstack.geometry.stack import Layer
from ionstack.models.model import InterfaceModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.films import bound, film, model, slab, species
from support.problems import steady

THERMAL = thermal_voltage(300.0)
ACCEPTORS, DONORS, INTRINSIC, STATES = 2e23, 5e22, 1e16, 1e25
EPSILON = 11.7 * VACUUM_PERMITTIVITY
ELECTRONS, HOLES = 0.1 * THERMAL, 0.04 * THERMAL  # diffusivities [m^2/s]
AFFINITY = 4.05
GAP = 2.0 * THERMAL * np.log(STATES / INTRINSIC)
SIDE = 2e-6


def neutral(doping: float) -> float:
    """Potential in a neutral layer [V] at 0 V; doping positive for donors."""
    middle = -AFFINITY - 0.5 * GAP
    return float(middle + THERMAL * np.arcsinh(0.5 * doping / INTRINSIC))


BUILT_IN = neutral(DONORS) - neutral(-ACCEPTORS)


def junction(exchange=1e8):
    """Layers p (top) and n of 2 um with ohmic contacts, in equilibrium.

    The exchange current density is far above the current, but not by so much that the
    drop at the contact, from which the current follows, drowns in round-off.
    """
    carriers = (
        species(
            "e",
            -1,
            "boltzmann",
            STATES,
            bound("transport", "sedan", diffusivity=ELECTRONS),
            -AFFINITY,
        ),
        species(
            "h",
            1,
            "boltzmann",
            STATES,
            bound("transport", "sedan", diffusivity=HOLES),
            AFFINITY + GAP,
        ),
    )
    regions = tuple(
        RegionModel(name, 11.7, doping, carriers)
        for name, doping in (("p", -ACCEPTORS), ("n", DONORS))
    )
    ohmic = {name: bound("contact", "exchange", exchange_current_density=exchange) for name in "eh"}
    # In proportion to the carriers: a constant exchange current drowns the minority's.
    crossing = {name: bound("interface", "transfer", velocity=1e7) for name in "eh"}
    works = (-neutral(-ACCEPTORS), -neutral(DONORS))
    single = model(
        carriers,
        11.7,
        300.0,
        work_functions=works,
        contacts=dict.fromkeys(("cathode", "anode"), ohmic),
    )
    chosen = replace(single, regions=regions, interfaces=(InterfaceModel(("p", "n"), crossing),))
    layers = tuple(Layer(name, name, SIDE, 5e-10, 1.03) for name in "pn")
    found = film(replace(slab(2 * SIDE, 1e-9), layers=layers), chosen)
    found.settle({})
    return found


def sweep(found, volts: float) -> float:
    """Walk from equilibrium to a voltage on the p side; current density [A/m^2]."""
    for level in np.linspace(0.0, volts, 1 + int(np.ceil(abs(volts) / 0.05)))[1:]:
        current = steady(found, (float(level), 0.0))[0]
    return float(current)


def _nodes(found, region: int) -> np.ndarray:
    """Nodes of a layer along the depth."""
    nodes = np.flatnonzero(found.volumes.node_region == region)
    return nodes[np.argsort(found.volumes.depth[nodes])]


def profile(found, region: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth and potential in a layer."""
    nodes = _nodes(found, region)
    return found.volumes.depth[nodes], found.potential()[nodes]


def field_at_junction(found) -> float:
    """Modulus of the field at the junction [V/m], from the last cell of the p side."""
    depth, phi = profile(found, 0)
    x, y = depth[-2:], phi[-2:]
    node = _nodes(found, 0)[-1]
    u = found.system.local_unknowns()
    n, p = (
        STATES * np.exp((u[found.layout.species[name][node]] - level - z * y[1]) / THERMAL)
        for name, z, level in (("e", -1, -AFFINITY), ("h", 1, AFFINITY + GAP))
    )
    charge = ELEMENTARY_CHARGE * (p - n - ACCEPTORS)
    return float((y[1] - y[0]) / (x[1] - x[0]) - 0.5 * charge * (x[1] - x[0]) / EPSILON)


def first_integral(volts: float) -> float:
    """Field at the junction with both quasi-Fermi levels flat [V/m]."""
    low, high = neutral(-ACCEPTORS) + volts, neutral(DONORS)
    p = 0.5 * (ACCEPTORS + np.hypot(ACCEPTORS, 2 * INTRINSIC))
    n = 0.5 * (DONORS + np.hypot(DONORS, 2 * INTRINSIC))

    def pressures(phi):
        holes, electrons = p * np.exp((low - phi) / THERMAL), n * np.exp((phi - high) / THERMAL)
        left = THERMAL * (holes + electrons - p) + ACCEPTORS * (phi - low)
        right = THERMAL * (holes + electrons - n) + DONORS * (high - phi)
        return left, right

    place = brentq(lambda phi: np.subtract(*pressures(phi)), low, high, xtol=1e-15)
    return float(np.sqrt(2.0 * ELEMENTARY_CHARGE / EPSILON * pressures(place)[0]))


def depletion_width(volts: float) -> float:
    both = 1.0 / ACCEPTORS + 1.0 / DONORS
    return float(np.sqrt(2.0 * EPSILON / ELEMENTARY_CHARGE * both * (BUILT_IN - volts)))


def capacity(volts: float) -> float:
    """Junction capacity by central difference [F/m^2]."""
    high, low = [], []
    for side, kept in ((-1e-3, high), (1e-3, low)):
        found = junction()
        sweep(found, volts + side)
        kept.append(EPSILON * field_at_junction(found))
    return float((high[0] - low[0]) / 2e-3)


# Depletion approximation: voltage -> width [m], largest field [V/m], capacity [F/m^2].
DEPLETION = {
    0.0: (1.64140607e-7, 1.015434299e7, 6.311296108e-4),
    -1.0: (2.43456942e-7, 1.5061143835e7, 4.255126042e-4),
}


def test_built_in_voltage(verify):
    found = junction()
    halves = []
    for region in (0, 1):
        depth, phi = profile(found, region)
        halves.append(phi[len(phi) // 2])
    verify(
        "pn.built_in",
        halves[1] - halves[0],
        0.8333700107,
        rel=1e-8,
        unit="V",
        title="built-in voltage between the neutral regions",
        source="VT ln(NA ND/ni²)",
    )
    axes = {"xlabel": "distance from the junction (nm)", "ylabel": "potential (V)"}
    axes["title"] = "pn junction at 0 V"
    depth, phi = np.hstack([profile(found, region) for region in (0, 1)])
    near = np.abs(depth - SIDE) < 3e-7
    away = (depth[near] - SIDE) * 1e9
    verify.curve("pn_potential", away, phi[near] - halves[0], label="ionstack", **axes)
    x, y = _depletion_profile()
    verify.curve("pn_potential", x * 1e9, y, label="depletion approximation", points=True, **axes)


def _depletion_profile():
    width = depletion_width(0.0)
    left, right = (width * share / (ACCEPTORS + DONORS) for share in (DONORS, ACCEPTORS))
    x = np.linspace(-3e-7, 3e-7, 31)
    scale = 0.5 * ELEMENTARY_CHARGE / EPSILON
    rise = scale * ACCEPTORS * np.clip(x + left, 0.0, left) ** 2
    fall = scale * DONORS * np.clip(right - x, 0.0, right) ** 2
    return x, np.where(x < 0.0, rise, BUILT_IN - fall)


@pytest.mark.parametrize("volts", DEPLETION)
def test_depletion(volts, verify):
    """Exact: flat quasi-Fermi levels. The depletion approximation leaves out the tails."""
    width, field, ideal = DEPLETION[volts]
    found = junction()
    if volts:
        sweep(found, volts)
    largest, differential = field_at_junction(found), capacity(volts)
    exact_capacity = EPSILON * (first_integral(volts - 1e-4) - first_integral(volts + 1e-4)) / 2e-4
    exact = {"source": "first integral of Poisson's equation"}
    rough = {"source": "depletion approximation, good to 2 VT/Vbi"}
    name = f"{volts:g} V"
    verify(
        f"pn.field({volts:g})",
        largest,
        first_integral(volts),
        rel=1e-4,
        unit="V/m",
        title=f"largest field at {name}",
        **exact,
    )
    verify(
        f"pn.capacity({volts:g})",
        differential,
        exact_capacity,
        rel=1e-4,
        unit="F/m^2",
        title=f"junction capacity at {name}",
        **exact,
    )
    # 2 VT/(Vbi - V) in the square of the field, half of it in all three.
    allowed = 1.2 * THERMAL / (BUILT_IN - volts)
    for key, title, unit, value, expected in (
        ("field", "largest field", "V/m", largest, field),
        ("capacity", "junction capacity", "F/m^2", differential, ideal),
        ("width", "ε over capacity", "m", EPSILON / differential, width),
    ):
        verify(
            f"pn.depletion_{key}({volts:g})",
            value,
            expected,
            rel=allowed,
            unit=unit,
            title=f"{title} at {name}",
            **rough,
        )


@pytest.mark.parametrize("volts", [0.1, 0.5, 0.6])
def test_diode(volts, verify):
    found = junction(1e2 if volts < 0.2 else 1e8)
    current = sweep(found, volts)
    verify(
        f"pn.moll_ross({volts:g})",
        current,
        _moll_ross(found, volts),
        rel=1e-4,
        unit="A/m^2",
        title=f"current density at {volts:g} V",
        source="Moll and Ross (1956): barrier integrals over the potential found",
    )
    width = depletion_width(volts) / (ACCEPTORS + DONORS)
    bases = SIDE - width * DONORS, SIDE - width * ACCEPTORS
    short = ELECTRONS / (ACCEPTORS * bases[0]) + HOLES / (DONORS * bases[1])
    verify(
        f"pn.short_diode({volts:g})",
        current,
        ELEMENTARY_CHARGE * INTRINSIC**2 * short * np.expm1(volts / THERMAL),
        rel=0.01,
        unit="A/m^2",
        title=f"current density at {volts:g} V",
        source="Shockley (1949), bases without recombination, depletion approximation",
    )


def _moll_ross(found, volts: float) -> float:
    """Currents of both carriers, each driven over the whole film by its own difference."""
    up = down = 0.0
    for region in (0, 1):
        depth, phi = profile(found, region)
        x = np.unique([np.linspace(*pair, 9) for pair in pairwise(depth)])
        curve = CubicSpline(depth, phi)(x)
        up += np.trapezoid(np.exp((curve - profile(found, 0)[1][0]) / THERMAL), x)
        down += np.trapezoid(np.exp((profile(found, 1)[1][-1] - curve) / THERMAL), x)
    # Densities at the ohmic contacts: minority electrons left, minority holes right.
    few_electrons = INTRINSIC * np.exp(-np.arcsinh(0.5 * ACCEPTORS / INTRINSIC))
    few_holes = INTRINSIC * np.exp(-np.arcsinh(0.5 * DONORS / INTRINSIC))
    many_electrons, many_holes = INTRINSIC**2 / few_holes, INTRINSIC**2 / few_electrons
    drive = -np.expm1(-volts / THERMAL)
    electrons = ELECTRONS * many_electrons * drive / down
    holes = HOLES * many_holes * drive / up
    return float(ELEMENTARY_CHARGE * (electrons + holes))


PERMITTIVITY, MOBILITY, FILM, CONTACT = 3.0 * VACUUM_PERMITTIVITY, 1e-8, 1e-7, 1e26


def injected(kelvin: float) -> float:
    """Current density at 1 V through 100 nm with contacts that inject freely."""
    diffuse = bound("transport", "sedan", diffusivity=MOBILITY * thermal_voltage(kelvin))
    held = species("e", -1, "boltzmann", CONTACT, diffuse)
    fast = {"e": bound("contact", "exchange", exchange_current_density=1e9)}
    chosen = model((held,), 3.0, kelvin, contacts={"cathode": fast, "anode": fast})
    found = film(slab(FILM, 2e-12, 1.01), chosen)
    found.settle({})
    for level in np.linspace(0.0, 1.0, 51)[1:]:
        current = steady(found, (float(level), 0.0), most=100)[0]
    return float(current)


def with_diffusion(kelvin: float) -> float:
    """The same current from Airy functions.

    E^2/2 - VT E' = J x/(eps mu) + const; E = -2 VT w'/w turns it into Airy's equation
    w'' = a^3 (x/L + s/a) w/L^2 with a^3 = J L^3/(2 eps mu VT^2).
    """
    thermal = thermal_voltage(kelvin)

    def slope(a, z):
        """|w'/w| L/a at a contact, where the density is that of the metal."""
        crowd = ELEMENTARY_CHARGE * CONTACT * FILM**2 / (2.0 * PERMITTIVITY * thermal)
        return np.sqrt(crowd / a**2 + z)

    def weight(a, s):
        """Share of Bi, from the condition at the collecting contact."""
        ai, dai, bi, dbi = airy(s + a)
        return -(dai + slope(a, s + a) * ai) / (dbi + slope(a, s + a) * bi)

    def wave(a, s, z):
        ai, dai, bi, dbi = airy(z)
        return ai + weight(a, s) * bi, dai + weight(a, s) * dbi

    def start(a):
        """Argument at the injecting contact, just above the first zero of Ai."""

        def miss(s):
            value, rise = wave(a, s, s)
            return rise - slope(a, s) * value

        return brentq(miss, -2.338, -1.5, xtol=1e-15)

    def volts(a):
        s = start(a)
        return 2.0 * thermal * np.log(wave(a, s, s)[0] / wave(a, s, s + a)[0])

    # Without diffusion a^3 = 9/16 (V/VT)^2.
    guess = (9.0 / 16.0 / thermal**2) ** (1.0 / 3.0)
    a = brentq(lambda a: volts(a) - 1.0, 0.7 * guess, 1.5 * guess, xtol=1e-13)
    return float(2.0 * PERMITTIVITY * MOBILITY * thermal**2 * a**3 / FILM**3)


def test_mott_gurney(verify):
    """Diffusion is left out of the law: it becomes exact as the film gets cold."""
    ideal = 298.8288387
    kelvins = np.array((300.0, 150.0, 80.0, 40.0, 20.0, 10.0))
    currents = np.array([injected(kelvin) for kelvin in kelvins])
    verify(
        "mott_gurney.with_diffusion",
        currents[0],
        with_diffusion(300.0),
        rel=1e-4,
        unit="A/m^2",
        title="current density at 1 V and 300 K",
        source="Airy functions, the contacts' density finite",
    )
    # The layer in which diffusion counts is (VT/V)^(2/3) of the film.
    line = np.polyfit(kelvins[-3:] ** (2.0 / 3.0), currents[-3:], 2)
    verify(
        "mott_gurney.limit",
        line[-1],
        ideal,
        rel=2e-3,
        unit="A/m^2",
        title="current density at 1 V, extrapolated to 0 K",
        source="Mott and Gurney (1940): 9/8 ε μ V²/L³",
    )
    axes = {"xlabel": "temperature (K)", "ylabel": "current over 9/8 ε μ V²/L³ − 1"}
    axes |= {"title": "Space-charge-limited current", "xscale": "log", "yscale": "log"}
    warm = np.geomspace(20.0, 300.0, 30)
    exact = [with_diffusion(kelvin) / ideal - 1.0 for kelvin in warm]
    verify.curve("mott_gurney", warm, exact, label="exact, with diffusion", **axes)
    verify.curve(
        "mott_gurney", kelvins, currents / ideal - 1.0, label="ionstack", points=True, **axes
    )
