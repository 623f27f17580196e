"""Films with fronts and jumps: exclusion front in a field, solubility jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import erfc

from ionstack.geometry.stack import Layer
from ionstack.models.model import InterfaceModel, RegionModel
from ionstack.physics.constants import thermal_voltage
from support.convergence import order
from support.films import bound, film, model, slab, species
from support.problems import contents, fill, hold, reservoir

LENGTH, FIELD, SITES = 2e-7, 1e7, 1e27
DIFFUSIVITY = 1e-14
BEHIND, AHEAD = 0.1, 0.5
THERMAL = thermal_voltage(300.0)
DRIFT = DIFFUSIVITY * FIELD / THERMAL  # m/s of a single ion
SPEED = DRIFT * (1.0 - BEHIND - AHEAD)
WIDTH = 2.0 * THERMAL / (FIELD * (AHEAD - BEHIND))


def travelling(depth, place):
    """Content in a front at `place`: solution of x_t + v (x(1-x))_z = D x_zz."""
    return BEHIND + 0.5 * (AHEAD - BEHIND) * (1.0 + np.tanh((depth - place) / WIDTH))


def moved(cell) -> tuple[np.ndarray, np.ndarray, float]:
    """Depths, contents and the ideal place after the front went half of the film."""
    hop = bound("transport", "site_hopping", diffusivity=DIFFUSIVITY)
    held = species("vacancy", 1, "lattice_gas", SITES, hop)
    contacts = {
        side: {"vacancy": reservoir(content * SITES, 1e3 * DRIFT)}
        for side, content in (("cathode", BEHIND), ("anode", AHEAD))
    }
    # The permittivity is so high that the charge does not bend the potential.
    found = film(slab(LENGTH, cell), model((held,), 1e12, 300.0, contacts=contacts))
    depth, volts = found.volumes.depth, FIELD * LENGTH
    fill(found, {"vacancy": travelling(depth, 0.3 * LENGTH)}, volts * (1.0 - depth / LENGTH))
    end = 0.4 * LENGTH / SPEED
    list(found.drive(hold((end,), (volts, 0.0)), fixed=end / 800))
    return depth, contents(found, "vacancy"), 0.7 * LENGTH


def test_front_of_excluding_ions(verify):
    """Site exclusion makes the balance a Burgers equation; the front is a tanh."""
    sizes = (4e-9, 2e-9, 1e-9, 5e-10)
    errors = []
    for cell in sizes:
        depth, found, place = moved(cell)
        errors.append(float(np.abs(found - travelling(depth, place)).max()))
    sorting = np.argsort(depth)
    middle = 0.5 * (BEHIND + AHEAD)
    reached = np.interp(middle, found[sorting], depth[sorting])
    source = "travelling wave of x_t + v (x(1-x))_z = D x_zz; compare Tang et al. (2016)"
    verify(
        "exclusion.speed",
        (reached - 0.3 * LENGTH) / (0.4 * LENGTH),
        1.0,
        rel=2e-4,
        title="speed of the front over v(1 - x_l - x_r)",
        source=source,
    )
    verify(
        "exclusion.profile",
        found,
        travelling(depth, place),
        rel=1e-3,
        title="content in a front from 0.1 to 0.5 after 80 nm",
        source=source,
    )
    verify(
        "exclusion.order",
        order(sizes[:-1], errors[:-1]),
        1.9,
        least=True,
        title="order in space of the profile",
        source="2 for exponential fitting with small steps of the potential",
    )
    axes = {"xlabel": "depth (nm)", "ylabel": "content", "title": "Front of excluding ions"}
    pick = sorting[::16]
    verify.curve("exclusion", depth * 1e9, travelling(depth, place), label="exact", **axes)
    verify.curve("exclusion", depth[pick] * 1e9, found[pick], label="ionstack", points=True, **axes)


JUMP = {
    0.01: 7.480278846e-8,
    0.02: 9.006952868e-4,
    0.05: 0.1970272852,
    0.1: 0.9902859877,
    0.2: 1.954131731,
    0.5: 2.475034143,
    2.0: 2.5,
}
UNIT = 1e-6  # m; with 1e-12 m^2/s a unit of time is 1 s
DENSITY = 1e27
TRACE = 1e-9
# Velocity of the reservoirs, in units of diffusivity over length.
FAST = 1e6


def two_layers():
    """Layers of 0.4 and 0.6 with diffusivities 2 and 1 and solubilities 1 and 3."""
    regions = tuple(
        RegionModel(
            name,
            10.0,
            0.0,
            (
                species(
                    "tracer",
                    0,
                    "boltzmann",
                    solubility * DENSITY,
                    bound("transport", "sedan", diffusivity=diffusivity * UNIT**2),
                ),
            ),
        )
        for name, solubility, diffusivity in (("upper", 1.0, 2.0), ("lower", 3.0, 1.0))
    )
    contacts = {
        "cathode": {"tracer": reservoir(DENSITY, FAST * UNIT)},
        "anode": {"tracer": reservoir(3.0 * TRACE * DENSITY, FAST * UNIT)},
    }
    crossing = {"tracer": bound("interface", "transfer", velocity=FAST * UNIT)}
    single = model(regions[0].species, 10.0, 300.0, contacts=contacts)
    chosen = replace(
        single, regions=regions, interfaces=(InterfaceModel(("upper", "lower"), crossing),)
    )
    layers = tuple(
        Layer(name, name, size * UNIT, 1e-3 * UNIT, 1.0)
        for name, size in (("upper", 0.4), ("lower", 0.6))
    )
    return film(replace(slab(UNIT, 1e-9), layers=layers), chosen)


def test_solubility_jump(verify):
    """Permeation from the left; the start is the exact profile of a half-space at 5e-4."""
    begin = 5e-4
    found = two_layers()
    depth = found.volumes.depth / UNIT
    start = erfc(depth / np.sqrt(8.0 * begin))
    fill(found, {"tracer": TRACE + (1.0 - TRACE) * start})
    last = int(np.argmax(depth))
    control = {"tolerance": 1e-7, "initial": 1e-8}
    rows = []
    for state in found.drive(hold(tuple(time - begin for time in JUMP)), **control):
        drop = 3.0 * (contents(found, "tracer")[last] - TRACE) / (1.0 - TRACE)
        rows.append((state.time + begin, FAST * drop))
    times, fluxes = np.array(rows[1:]).T
    # Where next to nothing has arrived the flux is sensitive to cells and steps.
    tail = {0.01: 1e-2, 0.02: 2e-3}
    for time, expected in JUMP.items():
        verify(
            f"solubility.flux({time:g})",
            np.interp(time, times, fluxes),
            expected,
            rel=tail.get(time, 2e-4),
            title=f"flux out of the second layer at t = {time:g} (steady 2.5)",
            source="inverse Laplace transform",
        )
    axes = {"xlabel": "time", "ylabel": "flux out of the second layer", "xscale": "log"}
    axes |= {"title": "Two layers with a jump of solubility", "yscale": "log"}
    late = times > 0.008
    verify.curve("solubility", times[late], fluxes[late], label="ionstack", **axes)
    verify.curve("solubility", list(JUMP), list(JUMP.values()), label="exact", points=True, **axes)
