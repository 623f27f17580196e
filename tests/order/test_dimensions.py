"""Second order in 1-D, 2-D, bodies of revolution and 3-D, through an interface each."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq

from ionstack.models.model import ContactModel, InterfaceModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.convergence import order, richardson_order
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, model
from support.nested import DIMENSIONS, WAVES, WIDTH, common, fields, films, lateral_mode, points
from support.problems import steady

KT = thermal_voltage(300.0)
CELLS = {"1d": (8, 16, 32), "2d": (8, 16, 32), "axisymmetric": (8, 16, 32), "3d": (4, 8, 16)}
EVEN = Ramp((0.0, 1.0), ((0.0, 0.0), (0.0, 0.0)))

# Diffusion of a neutral species: a mode of both films that decays with one rate needs
# equal in-plane diffusivities; the ratio to the through-plane ones is the anisotropy.
THICKNESS = (2e-8, 3e-8)
THROUGH = (1e-15, 4e-15)  # m^2/s
IN_PLANE = 2e-15
VELOCITY = 2e-7  # m/s, of the interface


def eigenvalue() -> float:
    """Through-plane part of the decay rate [1/s] of the first mode that crosses the interface."""

    def mismatch(rate: float) -> float:
        q = np.sqrt(rate / np.array(THROUGH))
        flux = np.array(THROUGH) * q * np.sin(q * np.array(THICKNESS))
        end = np.cos(q * np.array(THICKNESS))
        return float(flux[0] * flux[1] - VELOCITY * (end[0] * flux[1] + end[1] * flux[0]))

    most = min(D * (np.pi / L) ** 2 for D, L in zip(THROUGH, THICKNESS, strict=True))
    return float(brentq(mismatch, 1e-3 * most, most, rtol=1e-14))


def through_mode(depth, lower):
    """The mode along the stack, which jumps at the interface."""
    q = np.sqrt(eigenvalue() / np.array(THROUGH))
    flux = np.array(THROUGH) * q * np.sin(q * np.array(THICKNESS))
    below = -flux[0] / flux[1] * np.cos(q[1] * (sum(THICKNESS) - depth))
    return np.where(lower, below, np.cos(q[0] * depth))


def diffusion_error(dimension, cells):
    """Largest error of the content after one step of implicit Euler, which damps the mode."""
    transfer = InterfaceModel(
        ("upper", "lower"), {"A": bound("interface", "transfer", velocity=VELOCITY)}
    )
    regions = tuple(
        RegionModel(name, 10.0, 0.0, (species("A", 0, "boltzmann", 1e25, hop),))
        for name, hop in zip(
            ("upper", "lower"),
            (bound("transport", "sedan", diffusivity=D, anisotropy=IN_PLANE / D) for D in THROUGH),
            strict=True,
        )
    )
    device = Device(films(dimension, cells, THICKNESS), model(regions, (transfer,)))
    lower = device.volumes.node_region == device.volumes.regions.index("lower")
    mode = lateral_mode(dimension)(points(device)) * through_mode(device.depth, lower)
    u = np.zeros(device.layout.n_owned)
    u[device.layout.species["A"]] = KT * np.log1p(0.4 * mode)
    device.system.unknowns.setArray(u)
    rate = eigenvalue() + IN_PLANE * (WAVES[dimension] / WIDTH) ** 2
    device.drive(Ramp((0.0, 1.0 / rate), ((0.0, 0.0),) * 2), fixed=1.0 / rate)
    return float(np.abs(fields(device)["x A [1]"] - 1.0 - 0.2 * mode).max())


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_anisotropic_diffusion_through_an_interface(dimension, record_property):
    """The exact solution of a step depends on both diffusivities of both films."""
    errors = [diffusion_error(dimension, cells) for cells in CELLS[dimension]]
    found = order([1.0 / cells for cells in CELLS[dimension]], errors)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 0.2 * 0.01


PERMITTIVITIES = (5.0, 20.0)


def waves():
    """Wave numbers and sizes of sines from both contacts that meet at the interface."""
    q = np.array([0.75 * np.pi / THICKNESS[0], 0.0])

    def mismatch(angle: float) -> float:
        other = angle / THICKNESS[1] / np.tan(angle)
        return float(PERMITTIVITIES[0] * q[0] / np.tan(0.75 * np.pi) + PERMITTIVITIES[1] * other)

    angle = brentq(mismatch, 1e-3, 0.5 * np.pi, rtol=1e-14)
    q[1] = angle / THICKNESS[1]
    return q, np.array([1.0, np.sin(0.75 * np.pi) / np.sin(angle)])


def potential_error(dimension, cells):
    """Largest error of the potential of a charge that has a mode as its potential [V]."""
    k, (q, size) = WAVES[dimension] / WIDTH, waves()

    def potential(place, index):
        z = place[:, -1] if index == 0 else sum(THICKNESS) - place[:, -1]
        return size[index] * np.sin(q[index] * z) * lateral_mode(dimension)(place)

    def charge(index):
        scale = PERMITTIVITIES[index] * VACUUM_PERMITTIVITY / ELEMENTARY_CHARGE
        return lambda place: scale * (q[index] ** 2 + k**2) * potential(place, index)

    regions = tuple(
        RegionModel(name, PERMITTIVITIES[index], charge(index), ())
        for index, name in enumerate(("upper", "lower"))
    )
    device = Device(films(dimension, cells, THICKNESS), model(regions))
    device.settle()
    lower = device.volumes.node_region == device.volumes.regions.index("lower")
    exact = np.where(lower, *(potential(points(device), index) for index in (1, 0)))
    return float(np.abs(device.potential() - exact).max())


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_potential_of_a_charge_across_an_interface(dimension, record_property):
    errors = [potential_error(dimension, cells) for cells in CELLS[dimension]]
    found = order([1.0 / cells for cells in CELLS[dimension]], errors)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)


# Ions on a fixed background that is not even, driven by 0.1 V through an electrode
# reaction between two films; the Debye length is about 8 nm.
FILM = 1e-8
SITES = 1e24


def background(dimension, part):
    mode = lateral_mode(dimension)
    return lambda place: -part * SITES * (1.0 + 0.4 * mode(place) * np.cos(1e8 * place[:, -1]))


@cache
def driven(dimension, cells):
    """Potential, electrochemical potential at the common nodes, and the current."""
    hops = (
        bound("transport", "site_hopping", diffusivity=1e-15, anisotropy=4.0),
        bound("transport", "site_hopping", diffusivity=2e-15),
    )
    regions = tuple(
        RegionModel(
            name,
            permittivity,
            background(dimension, part),
            (species("ion", 1, "lattice_gas", SITES, hop, level=level),),
        )
        for name, permittivity, part, hop, level in zip(
            ("upper", "lower"), (5.0, 10.0), (0.4, 0.6), hops, (0.0, 0.05), strict=True
        )
    )
    kinetics = {"exchange_current_density": 2e4, "transfer_coefficient": 0.3}
    joint = InterfaceModel(
        ("upper", "lower"), {"ion": bound("interface", "butler_volmer", **kinetics)}
    )
    wire = {"ion": bound("contact", "ohmic")}
    contacts = (ContactModel("top", 0.02, wire), ContactModel("bottom", 0.0, wire))
    device = Device(
        films(dimension, cells, (FILM, FILM)), model(regions, (joint,), *contacts, temperature=300)
    )
    device.settle()
    top = device.volumes.contacts.index("top")
    current = steady(device, (0.1, 0.0) if top == 0 else (0.0, 0.1))[top]
    first = CELLS[dimension][0]
    spacings = (WIDTH / first,) * (device.volumes.dimension - 1) + (FILM / first,)
    kept = common(device, spacings)
    found = fields(device)
    return {
        "potential": found["potential [V]"][kept],
        "electrochemical potential": found["electrochemical potential ion [eV]"][kept],
        "current": np.array([current]),
    }


@pytest.mark.parametrize("quantity", ["potential", "electrochemical potential", "current"])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_ions_driven_through_an_electrode_reaction(dimension, quantity, record_property):
    cells = CELLS[dimension]
    values = [driven(dimension, count)[quantity] for count in cells]
    found = richardson_order([1.0 / count for count in cells], values)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)
