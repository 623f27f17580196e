"""Second order with every kind of term: reaction, field, phases, neutral layers, emission."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ionstack.models.model import (
    ContactModel,
    DoubleLayer,
    InterfaceModel,
    ReactionModel,
    RegionModel,
)
from ionstack.physics.constants import thermal_voltage
from support.convergence import richardson_order
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.nested import fields
from support.problems import steady

T = 300.0
KT = thermal_voltage(T)
OHMIC = bound("contact", "ohmic")


def sedan(mobility):
    return bound("transport", "sedan", diffusivity=mobility * KT)


def ohmic(*names):
    """Contacts with which carriers are in equilibrium, without band bending."""
    return tuple(
        ContactModel(side, None, dict.fromkeys(names, OHMIC)) for side in ("top", "bottom")
    )


def pushed(device, volts):
    """Current into the top contact in the steady state, reached in steps of 0.1 V at most."""
    top, current = device.volumes.contacts.index("top"), 0.0
    for step in np.linspace(0.0, volts, int(np.ceil(volts / 0.1 - 1e-9)) + 1)[1:]:
        ends = [0.0, 0.0]
        ends[top] = float(step)
        current = float(steady(device, tuple(ends), most=60)[top])
    return current


def profile(device, name, every):
    """A quantity at the nodes of the coarsest mesh, film by film from the top down."""
    found = fields(device)[name]
    return np.concatenate(
        [found[device.inside(region)][::every] for region in device.volumes.regions]
    )


# p-n junction with smooth doping, so that recombination over traps carries the current.


@cache
def junction(cells, lifetime=1e-11):
    length = 4e-7
    carriers = tuple(
        species(name, z, "boltzmann", 1e25, sedan(mobility), level=0.5)
        for name, z, mobility in (("e-", -1, 0.1), ("h+", 1, 0.04))
    )
    numbers = {"first_density": 1e17, "second_density": 1e17}
    law = bound("reaction", "srh", first_lifetime=lifetime, second_lifetime=lifetime, **numbers)
    traps = ReactionModel("traps", (("e-", 1), ("h+", 1)), (), law)

    def doping(place):
        return -1e22 * np.tanh((0.5 * length - place[:, -1]) / 5e-8)

    region = RegionModel("film", 12.0, doping, carriers, (traps,))
    device = Device(
        stack(layer("film", length, length / cells)),
        model((region,), (), *ohmic("e-", "h+"), temperature=T),
    )
    device.settle()
    current = pushed(device, 0.4)
    every = cells // 40
    logarithm = [np.log(profile(device, f"{name} [m^-3]", every)) for name in ("e-", "h+")]
    return {
        "current": np.array([current]),
        "potential": profile(device, "potential [V]", every),
        "logarithms of the densities": np.concatenate(logarithm),
    }


# Holes whose mobility rises with the field, in a film of uneven doping.


@cache
def driven_holes(cells, factor=6e-4):
    length = 1e-7
    law = bound("transport", "field_mobility", mobility=1e-9, field_factor=factor)
    held = species("h+", 1, "boltzmann", 1e24, law)

    def doping(place):
        return -1e22 * (1.0 + 0.5 * np.cos(2.0 * np.pi * place[:, -1] / length))

    device = Device(
        stack(layer("film", length, length / cells)),
        model((RegionModel("film", 4.0, doping, (held,)),), (), *ohmic("h+"), temperature=T),
    )
    device.settle()
    current = pushed(device, 1.0)
    return {
        "current": np.array([current]),
        "potential": profile(device, "potential [V]", cells // 40),
    }


# Thermionic emission over a step of 0.15 eV between two doped films.


@cache
def emitted(cells, velocity=200.0):
    length = 5e-8
    regions = tuple(
        RegionModel(name, 10.0, doping, (species("e-", -1, "boltzmann", 1e25, sedan(0.01), level),))
        for name, doping, level in (("upper", 2e23, 0.0), ("lower", 1e23, 0.15))
    )
    joint = InterfaceModel(
        ("upper", "lower"), {"e-": bound("interface", "thermionic", velocity=velocity)}
    )
    device = Device(
        stack(*(layer(name, length, length / cells) for name in ("upper", "lower"))),
        model(regions, (joint,), *ohmic("e-"), temperature=T),
    )
    device.settle()
    current = pushed(device, 0.2)
    every = cells // 20
    return {
        "current": np.array([current]),
        "electrochemical potential": profile(device, "electrochemical potential e- [eV]", every),
    }


# The interface between two phases, and a neutral film through which one ion is driven:
# one step of implicit Euler between breakpoints, the same on every mesh.


def steps(times, voltages):
    """Each interval is one step."""
    return Ramp((0.0, *times), ((0.0, 0.0), *[voltages] * len(times))), {"fixed": 2.0 * times[-1]}


@cache
def two_phases(cells):
    length, width = 2e-8, 2e-9
    hop = bound("transport", "site_hopping", diffusivity=1e-15)
    phases = bound(
        "excess", "regular_solution", interaction=3.0 * KT, gradient_energy=2.0 * KT * width**2
    )
    lithium = replace(species("Li", 0, "lattice_gas", 1e27, hop), excess=phases)
    device = Device(
        stack(layer("film", length, length / cells)),
        model((RegionModel("film", 10.0, 0.0, (lithium,)),), temperature=T),
    )
    # Not in the middle, so that the interface has no symmetry of the mesh.
    x = 0.5 + 0.4 * np.tanh((device.depth - 0.42 * length) / width)
    u = np.zeros(device.layout.n_owned)
    u[device.layout.species["Li"]] = KT * np.log(x / (1.0 - x))
    device.system.unknowns.setArray(u)
    unit = width**2 / 1e-15
    ramp, control = steps([unit * t for t in (0.01, 0.1, 1.0, 10.0, 100.0, 1e4)], (0.0, 0.0))
    device.drive(ramp, **control)
    return {"content": profile(device, "x Li [1]", cells // 40)}


@cache
def salt(cells, neutral=True):
    length, sites = 1e-6, 1e25
    ions = tuple(
        species(name, z, "boltzmann", sites, bound("transport", "sedan", diffusivity=D))
        for name, z, D in (("K+", 1, 2e-12), ("Cl-", -1, 5e-13))
    )
    reaction = {"K+": bound("contact", "exchange", exchange_current_density=50.0)}
    sides = DoubleLayer(0.1, 0.0, {"salt": "K+"})
    contacts = [ContactModel(name, 0.0, reaction, sides) for name in ("top", "bottom")]
    device = Device(
        stack(layer("salt", length, length / cells)),
        model((RegionModel("salt", 80.0, 0.0, ions, neutral=neutral),), (), *contacts),
        {"salt": {"K+": 1.0, "Cl-": 1.0}},
    )
    device.settle("as_given")
    unit = length**2 / 2e-12
    ramp, control = steps([unit * t for t in (0.01, 0.03, 0.1, 0.3)], (0.1, 0.0))
    states = device.drive(ramp, **control)
    return {
        "current": states[-1].currents[:1],
        "content": profile(device, "x K+ [1]", cells // 20),
        "potential": profile(device, "potential [V]", cells // 20),
    }


QUANTITIES = {
    junction: ("current", "potential", "logarithms of the densities"),
    driven_holes: ("current", "potential"),
    emitted: ("current", "electrochemical potential"),
    two_phases: ("content",),
    salt: ("current", "content", "potential"),
}
MESHES = {
    junction: (80, 160, 320),
    driven_holes: (40, 80, 160),
    emitted: (40, 80, 160),
    two_phases: (40, 80, 160),
    salt: (20, 40, 80),
}
EVERY = [(problem, name) for problem, names in QUANTITIES.items() for name in names]


@pytest.mark.parametrize(
    ("problem", "quantity"), EVERY, ids=lambda one: getattr(one, "__name__", one)
)
def test_order(problem, quantity, record_property):
    cells = MESHES[problem]
    values = [problem(count)[quantity] for count in cells]
    found = richardson_order([1.0 / count for count in cells], values)
    record_property("order", found)
    assert found == pytest.approx(2.0, abs=0.1)
    # The quantity is one that the mesh changes, far above what Newton's method leaves over.
    assert np.abs(values[-1] - values[-2]).max() > 1e-8 * np.abs(values[-1]).max()


def test_the_terms_count():
    """Without the term the current is another: the orders are not those of something else."""
    slow, fixed, open_ = junction(80, 1e-6), driven_holes(40, 0.0), emitted(40, 1e5)
    assert junction(80)["current"][0] > 3.0 * slow["current"][0]
    assert driven_holes(40)["current"][0] > 3.0 * fixed["current"][0]
    assert emitted(40)["current"][0] < 0.7 * open_["current"][0]
