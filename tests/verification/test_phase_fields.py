"""Filaments as fields: fronts, tension, drops and threads of a phase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ReactionModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.lifetime import ripple_growth, solubility_ratio, sphere_potential
from support.convergence import order
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.phase_fields import (
    KAPPA,
    KT,
    SITES,
    WELL,
    WIDTH,
    Shape,
    T,
    begin,
    contents,
    march,
    places,
    volume,
)
from support.solutions import BINODAL, DIFFUSIVITY, HOP, SOLUTION, diffuse_surface, tension

# Silver atoms that attach with 1/s per kT; mobility of the Allen-Cahn equation per eV.
RATE = 1.0
MOBILITY = RATE / KT
DRIVE = 0.5  # kT


def well_slope(x):
    """Derivative of the quartic well with the ideal term outside 0.001 to 0.999 [kT]."""
    inside = np.clip(x, 1e-3, 0.999)
    ideal = np.log(x / (1.0 - x)) - np.log(inside / (1.0 - inside))
    return 2.0 * WELL / KT * x * (1.0 - x) * (1.0 - 2.0 * x) + ideal


def front_speed() -> float:
    """Speed of a flat front by shooting: x' = -p from both wells, met in the middle."""
    ends = [brentq(lambda x: well_slope(x) - DRIVE, *span) for span in
            ((1e-9, 0.1), (0.9, 1.0 - 1e-9))]  # fmt: skip

    def mismatch(speed):
        def slope(x, p):
            return (speed / MOBILITY - KT * (DRIVE - well_slope(x)) / p) / KAPPA

        found = []
        for end, sign in zip(ends, (1.0, -1.0), strict=True):
            step = sign * 1e-6 * min(end, 1.0 - end)
            stiff = KT * (well_slope(end + step) - well_slope(end - step)) / (2.0 * step)
            drag = 0.5 * speed / MOBILITY
            begin_slope = (drag * sign + np.sqrt(drag**2 + KAPPA * stiff)) / KAPPA
            solved = solve_ivp(slope, (end + step, 0.5), [begin_slope * abs(step)], rtol=1e-10,
                               atol=1.0, method="LSODA")  # fmt: skip
            found.append(solved.y[0, -1])
        return found[0] - found[1]

    guess = 6.0 * WIDTH * RATE * DRIVE
    return brentq(mismatch, 0.5 * guess, 2.0 * guess, rtol=1e-8)


def simulated_speed(cell: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Speed of the front between 1 and 4 nm of its way; depths and contents at the end."""
    device = Shape(12e-9, cell).device(RATE, level=-DRIVE * KT)
    begin(device, lambda r, z: 4e-9 - z)
    sorting = np.argsort(device.depth)
    depth = device.depth[sorting]
    times = tuple(way / (6.0 * WIDTH * RATE * DRIVE) for way in (1e-9, 4e-9))
    found = []
    for state in march(device, *times, tolerance=1e-4):
        if state.time in times:
            x = contents(device)[sorting]
            found.append(np.interp(0.0, -np.log(x / (1.0 - x)), depth))
    return (found[1] - found[0]) / (times[1] - times[0]), depth, x


def test_a_front_travels(verify):
    exact = front_speed()
    sizes = (5e-10, 2.5e-10, 1.25e-10)
    runs = [simulated_speed(cell) for cell in sizes]
    speeds = [one[0] for one in runs]
    verify("field.front", 1e9 * speeds[-1], 1e9 * exact, rel=5e-3, unit="nm/s",
           title="speed of a flat front, Allen-Cahn, half a kT",
           source="shooting for the travelling wave")  # fmt: skip
    # Roots of W g'(x) = A: the cubic alone, without the limits of the content.
    roots = np.sort(np.roots([4.0 * WELL, -6.0 * WELL, 2.0 * WELL, -DRIVE * KT]).real)
    cubic = MOBILITY * np.sqrt(2.0 * WELL * KAPPA) * (2.0 * roots[1] - roots[0] - roots[2])
    verify("field.front_cubic", 1e9 * speeds[-1], 1e9 * abs(cubic), rel=3e-2, unit="nm/s",
           title="the same against the closed form of a cubic",
           source="M (2 kappa W)^(1/2) (x1 + x3 - 2 x2), contents beyond 1 allowed")  # fmt: skip
    errors = [abs(speed - exact) for speed in speeds[:2]]
    verify("field.front_order", order(sizes[:2], errors), 1.9, least=True,
           title="order in space of that speed", source="2")  # fmt: skip


def flat_energy(cell: float) -> float:
    """Energy per area and site of a flat surface at rest [eV m], from its discrete profile."""
    device = Shape(8e-9, cell).device(RATE)
    begin(device, lambda r, z: 4e-9 - z, width=0.7 * WIDTH)
    for _ in march(device, 0.1, 20.0, tolerance=1e-3):
        pass
    x, geometry = contents(device), device.volumes
    K, L = geometry.edge_nodes.T
    bending = 0.5 * KAPPA * geometry.edge_factor @ (x[K] - x[L]) ** 2
    return float(geometry.node_volume @ (WELL * x**2 * (1.0 - x) ** 2) + bending)


def test_tension(verify):
    sizes = (5e-10, 2.5e-10, 1.25e-10)
    joule = SITES * ELEMENTARY_CHARGE
    found = np.array([flat_energy(cell) for cell in sizes])
    exact = np.sqrt(2.0 * KAPPA * WELL) / 6.0
    verify("field.tension", found[-1] * joule, exact * joule, rel=5e-3, unit="J/m^2",
           title="energy of a flat surface, cells of a quarter of its width",
           source="N (2 kappa W)^(1/2)/6")  # fmt: skip
    verify("field.tension_order", order(sizes[:2], list(np.abs(found - exact)[:2])), 1.9,
           least=True, title="order in space of that energy", source="2")  # fmt: skip


def shrinking(dimension: int, radius: float, cells: int) -> tuple[list[float], list[float]]:
    """Times and squared radii while the curvature takes 60 % off the square."""
    box = 1.5 * radius
    shape = Shape(1e-9, 1e-9, box, cells) if dimension == 2 else Shape(box, box / cells, box, cells)
    device = shape.device(RATE)
    begin(device, lambda r, z: radius - (r if dimension == 2 else np.hypot(r, z)))
    whole = 0.6 * radius**2 / (2.0 * (dimension - 1) * MOBILITY * KAPPA)
    times, squares = [k * whole / 4.0 for k in range(5)], []
    for state in march(device, *times[1:], tolerance=1e-3):
        if state.time in times:
            content = volume(device)
            # A sphere about the corner of the half plane: half of it is in the film.
            squares.append(content / (np.pi * 1e-9) if dimension == 2
                           else (1.5 * content / np.pi) ** (2.0 / 3.0))  # fmt: skip
    return times, squares


def test_curvature_shrinks_cylinders_and_spheres(verify):
    axes = {"xlabel": "time over lifetime", "ylabel": "radius squared, change over R²",
            "title": "Shrinkage by curvature"}  # fmt: skip
    verify.curve("shrinkage", [0.0, 0.6], [0.0, -0.6], label="exact", **axes)
    for dimension, name, radius, cells in ((2, "cylinder", 8e-9, 96), (3, "sphere", 5e-9, 32)):
        times, squares = shrinking(dimension, radius, cells)
        exact = -2.0 * (dimension - 1) * MOBILITY * KAPPA
        slope = np.polyfit(times[1:], squares[1:], 1)[0]
        verify(f"field.{name}", 1e18 * slope, 1e18 * exact, rel=2e-2, unit="nm^2/s",
               title=f"change of the squared radius of a {name}",
               source="-2 (d-1) M kappa")  # fmt: skip
        change = (np.array(squares) - squares[0]) / radius**2
        scaled = -np.array(times) * exact / radius**2
        verify.curve("shrinkage", scaled, change, label=name, points=True, **axes)


def test_a_sphere_is_more_soluble(verify):
    """A conserved sphere in equilibrium with what it has given off (Gibbs-Thomson)."""
    device = Shape(6e-9, 1.8e-10, 6e-9, 33).device(None, SOLUTION, HOP)
    begin(device, lambda r, z: 4e-9 - np.hypot(r, z), width=0.4e-9)
    unit = (6e-9) ** 2 / DIFFUSIVITY
    for _ in march(device, 0.1 * unit, 300.0 * unit, tolerance=2e-2):
        pass
    x, distance = contents(device), np.hypot(*places(device))
    outside, inside = x[np.argmax(distance)], x[np.argmin(distance)]
    radius = (1.5 * device.volumes.node_volume @ (x - outside) / (inside - outside) / np.pi) ** (
        1.0 / 3.0
    )
    rise = sphere_potential(tension(), 1.0 / (SITES * (inside - outside)), radius)
    potential = NodeFields(device.system).evaluate()["electrochemical potential Ag [eV]"]
    verify("field.gibbs_thomson", potential.mean() / KT, rise / ELEMENTARY_CHARGE / KT, rel=2e-2,
           title="chemical potential of a sphere of 4 nm over kT",
           source="2 gamma/(R N dx), tension by quadrature")  # fmt: skip
    verify("field.solubility", outside / BINODAL, float(solubility_ratio(rise, T)), rel=3e-2,
           title="content beside the sphere over that beside a flat surface",
           source="exp(2 gamma/(R N dx kT)), of a dilute solution")  # fmt: skip


def ripple(start: float) -> tuple[float, float, float]:
    """Growth rate [1/s] of the fastest ripple of a thread, that of Nichols and Mullins, its radius.

    The radius is that of the volume at rest, which the profile at the start makes a little larger.
    """
    wave = 1.0 / (np.sqrt(2.0) * start)
    length = np.pi / wave
    shape = Shape(length, length / 16, 1.7 * start, round(1.7 * start / 2e-10))
    device = shape.device(None, SOLUTION, HOP)
    begin(device, lambda r, z: start * (1.0 + 0.015 * np.cos(wave * z)) - r, width=0.4e-9)
    jump = 1.0 - 2.0 * BINODAL
    excess = device.volumes.node_volume @ (contents(device) - BINODAL) / jump
    radius = float(np.sqrt(excess / (np.pi * length)))
    surface = diffuse_surface()
    expected = float(ripple_growth(surface, radius, 2.0 * length, T)) / jump**2
    times, sizes = (0.4 / expected, 0.7 / expected), []
    shape_of = np.cos(wave * device.depth) * device.volumes.node_volume
    for state in march(device, *times, tolerance=2e-3):
        if state.time in times:
            sizes.append(shape_of @ contents(device))
    return float(np.log(sizes[1] / sizes[0]) / (times[1] - times[0])), expected, radius


def test_ripples_break_a_thread(verify):
    found, expected, radii = np.array([ripple(radius) for radius in (4e-9, 6e-9, 9e-9)]).T
    verify("field.ripple", found, expected, rel=0.12, unit="1/s",
           title="growth of the fastest ripple on threads of 4, 6 and 9 nm, surface diffusion",
           source="Nichols and Mullins (1965), coefficient of the diffuse surface")  # fmt: skip
    exponent = -np.polyfit(np.log(radii), np.log(found), 1)[0]
    verify("field.mullins", exponent, 4.0, abs=0.1,
           title="exponent of the time in the radius", source="Mullins (1957)")  # fmt: skip


def test_plating_conserves_matter_and_charge(verify):
    """Ag+ + e- <=> Ag on the surface of a phase in a film that lets nothing out."""
    silver = replace(species("Ag", 0, "lattice_gas", SITES, HOP), excess=SOLUTION)
    ions = species("Ag+", 1, "lattice_gas", 1e27, bound("transport", "site_hopping",
                   diffusivity=1e-12))  # fmt: skip
    electrons = species("e-", -1, "boltzmann", 1e27, bound("transport", "sedan", diffusivity=1e-10))
    law = bound("reaction", "surface_butler_volmer", rate=1e30, transfer_coefficient=0.4)
    plating = ReactionModel("plating", (("Ag+", 1), ("e-", 1)), (("Ag", 1),), law)
    region = RegionModel("film", 10.0, 0.0, (silver, ions, electrons), (plating,))
    device = Device(stack(layer("film", 8e-9, 2e-10)), model((region,), temperature=T))
    begin(device, lambda r, z: 4e-9 - z, width=0.4e-9)
    u, layout = device.system.unknowns.getArray().copy(), device.layout
    for name in ("Ag+", "e-"):
        u[layout.species[name]] = KT * np.log(0.1)
    device.system.unknowns.setArray(u)
    device.system.refresh_ghosts()
    owned = {name: layout.species[name] for name in ("Ag", "Ag+", "e-")}
    whole = [
        [state.amounts[owned[name]].sum() for name in owned]
        for state in march(device, 1e-7, 1e-4, tolerance=5e-3)
    ]
    before, after = np.array(whole[0]), np.array(whole[-1])
    assert abs(after[0] - before[0]) > 1e-2 * before[1]
    verify("field.matter", (after[0] + after[1]) / (before[0] + before[1]), 1.0, abs=1e-13,
           title="silver, ions and metal, after plating over before",
           source="conservation")  # fmt: skip
    verify("field.charge", (after[1] - after[2]) / before[1], (before[1] - before[2]) / before[1],
           abs=1e-12, title="charge of ions and electrons over that of the ions",
           source="conservation")  # fmt: skip
