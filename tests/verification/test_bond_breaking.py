"""Bonds that break in a field: rates, temperature, time to breakdown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.carriers import TEMPERATURE
from ionstack.models.model import ContactModel, ReactionModel, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

BONDS, ATTEMPTS, BARRIER = 3e28, 1e13, 1.5
DIPOLE, PERMITTIVITY = 1e-10, 22.0
LOWERING = DIPOLE * (2.0 + PERMITTIVITY) / 3.0  # eV per V/m
LEVEL, START, LENGTH = 0.06, 1e-6, 5e-9


def film(temperature: float = 300.0) -> Device:
    """A film of broken bonds that do not move, nearly none at the start."""
    broken = species("broken", 0, "lattice_gas", BONDS, bound("transport", "immobile"), LEVEL)
    law = bound(
        "reaction",
        "bond_breaking",
        attempt_frequency=ATTEMPTS,
        bond_density=BONDS,
        barrier=BARRIER,
        dipole_length=DIPOLE,
        relative_permittivity=PERMITTIVITY,
        healing_share=1.0,
    )
    breaking = ReactionModel("breaking", (), (("broken", 1),), law)
    region = RegionModel("film", PERMITTIVITY, 0.0, (broken,), (breaking,))
    chosen = replace(model((region,), temperature=temperature), heated=True)
    device = Device(stack(layer("film", LENGTH, 5e-10, 1.3)), chosen, {"film": {"broken": START}})
    device.settle("as_given")
    return device


def rate(field, temperature=300.0):
    """Rate constant of breaking [1/s]."""
    return ATTEMPTS * np.exp(-(BARRIER - LOWERING * field) / (BOLTZMANN_EV * temperature))


def balance(temperature=300.0):
    """Unbroken over broken bonds at rest."""
    return np.exp(LEVEL / (BOLTZMANN_EV * temperature))


def held(device: Device, field: float, duration: float, **control: float):
    """States and contents at the nodes in a field [V/m] that comes at once."""
    volts = (field * LENGTH, 0.0)
    ramp = Ramp((0.0, 1e-6 * duration, duration), ((0.0, 0.0), volts, volts))
    for state in device.march(ramp, **control):
        yield state, NodeFields(device.system).evaluate()["x broken [1]"]


def measured(device: Device, field: float, step: float):
    """Rate constants at the nodes from one implicit step [s], which is exact for these."""
    *_, (_, before), (last, x) = held(device, field, step, fixed=step)
    left = 1.0 - x * (1.0 + balance(at_nodes(device)))
    return (x - before) / (last.step * left)


def at_nodes(device: Device):
    own = device.system.outer[0].get(TEMPERATURE, device.model.temperature)
    return np.asarray(own)


def test_rate_against_field_and_time_to_breakdown(verify):
    fields = np.array([2e8, 4e8, 6e8, 8e8])
    exact = rate(fields)
    found = [
        measured(film(), field, 1e-2 / k).mean() for field, k in zip(fields, exact, strict=True)
    ]
    verify("breaking.rate", found / exact, np.ones(4), rel=1e-6,
           title="rate at which bonds break at 2 to 8e8 V/m over the exact one",
           source="nu exp[-(E - p (2+eps)/3 F)/kT]")  # fmt: skip
    slope = np.polyfit(fields, -np.log(found), 1)[0]
    verify("breaking.slope", slope, -LOWERING / (BOLTZMANN_EV * 300.0), rel=1e-6, unit="m/V",
           title="slope of the logarithm of the time to breakdown in the field",
           source="thermochemical model, p (2+eps)/(3 kT)")  # fmt: skip


def test_rate_against_temperature(verify):
    """Each place breaks at its own temperature, 300 to 600 K through one film."""
    device, field = film(), 6e8
    kelvin = np.linspace(300.0, 600.0, len(device.depth))
    device.system.set_outer(0, {TEMPERATURE: kelvin})
    found = measured(device, field, 1e-3 / rate(field, 600.0))
    verify("breaking.temperature", found / rate(field, kelvin), np.ones(len(kelvin)), rel=1e-6,
           title="rate at 300 to 600 K, by place in one film, over the exact one",
           source="nu exp[-(E - p (2+eps)/3 F)/kT]")  # fmt: skip


def test_course_of_breaking(verify):
    """n' = k (N - n) - k e^(L/kT) n, in a field of 6e8 V/m."""
    field = 6e8
    speed = rate(field) * (1.0 + balance())
    rest = 1.0 / (1.0 + balance())
    times, found = [], []
    for state, x in held(film(), field, 3.0 / speed, tolerance=2e-4):
        times.append(state.time)
        found.append(x.mean())
    expected = rest + (START - rest) * np.exp(-speed * np.array(times))
    verify("breaking.course", found, expected, rel=5e-3, title="broken bonds in time",
           source="exponential towards equilibrium")  # fmt: skip


COST = 0.2  # of a vacancy whose oxygen is in the top electrode [eV]


def oxide() -> Device:
    """Vacancies that stay and oxygen that leaves through the top, in a conductor."""
    stays = bound("transport", "immobile")
    moves = bound("transport", "ohmic", conductivity=1e-3)
    conducts = bound("transport", "ohmic", conductivity=10.0)
    held = (
        species("V", 1, "lattice_gas", 1e26, stays),
        species("O", -1, "boltzmann", 1e28, moves, level=1.0),
        species("e", -1, "boltzmann", 1e29, conducts),
    )
    law = bound(
        "reaction",
        "bond_breaking",
        attempt_frequency=1e13,
        bond_density=1e26,
        barrier=0.5,
        dipole_length=DIPOLE,
        relative_permittivity=PERMITTIVITY,
        healing_share=0.0,
    )
    pair = ReactionModel("pair", (), (("V", 1), ("O", 1)), law)
    region = RegionModel("film", PERMITTIVITY, 1e29, held, (pair,), neutral=True)
    wire = bound("contact", "ohmic")
    reservoir = bound("contact", "fixed_potential", chemical_potential=COST)
    top = ContactModel("top", None, {"e": wire, "O": reservoir})
    bottom = ContactModel("bottom", None, {"e": wire})
    laws = model((region,), top=top, bottom=bottom)
    device = Device(stack(layer("film", LENGTH, 5e-10)), laws, {"film": {"V": 1e-4}})
    device.settle("as_given")
    return device


def test_vacancies_cost_what_their_oxygen_gains_in_the_electrode(verify):
    """A positive voltage there makes them, a negative one heals them, the heat does neither."""
    depth, found, exact = None, [], []
    for volts in (-0.3, 0.0, 0.3):
        device = oxide()
        level = (volts, 0.0)
        ramp = Ramp((0.0, 1e-3, 10.0), ((0.0, 0.0), level, level))
        *_, _ = device.march(ramp, tolerance=1e-2)
        found.append(NodeFields(device.system).evaluate()["x V [1]"])
        depth = device.depth / LENGTH
        exact.append(1.0 / (1.0 + np.exp((COST - volts * depth) / (BOLTZMANN_EV * 300.0))))
    verify("breaking.reservoir", np.array(found), np.array(exact), rel=1e-3,
           title="vacancies at rest through a film at -0.3, 0 and 0.3 V, oxygen in one electrode",
           source="1/(1 + exp[(0.2 eV - e V s)/kT]), s share of the thickness")  # fmt: skip
