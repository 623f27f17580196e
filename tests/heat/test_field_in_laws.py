"""What a temperature field does to the laws of transport, reactions and contacts."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from ionstack.models.carriers import TEMPERATURE, node_batch, rescaled, take
from ionstack.models.model import ContactModel, InterfaceModel, Model, RegionModel
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.states import Carrier, Edge
from support.directional import slope_error
from support.everything import CONTENTS, every_law, every_layer
from support.films import bound, species
from support.heated import activated
from support.jacobians import LEAD, STEP, VOLTAGES, disturb, residual
from support.layers import Device, layer, stack
from support.layers import model as model_of


def warm(model: Model) -> Model:
    """The model with activated transport, kinetics and reactions, ready for a field."""

    def bind(chosen):
        return {name: activated(law, 0.3) for name, law in chosen.items()}

    def film(region):
        held = [replace(one, transport=activated(one.transport, 0.4)) for one in region.species]
        reactions = [replace(one, law=activated(one.law, 0.2)) for one in region.reactions]
        return replace(region, species=tuple(held), reactions=tuple(reactions))

    return replace(
        model,
        regions=tuple(map(film, model.regions)),
        interfaces=tuple(replace(one, laws=bind(one.laws)) for one in model.interfaces),
        contacts=tuple(replace(one, laws=bind(one.laws)) for one in model.contacts),
        heated=True,
    )


def set_field(device: Device, temperature) -> None:
    """Hand a field over that is a function of the node's depth [m] and region."""
    volumes = device.volumes
    for region in range(len(volumes.regions)):
        nodes = np.flatnonzero(volumes.node_region == region)
        field = temperature(volumes.depth[nodes], region)
        device.system.set_outer(region, {TEMPERATURE: np.asarray(field)})


def evaluated(device: Device):
    system = device.system
    system.unknowns.set(-0.2)
    disturb(system, 0.08)
    found = system.evaluate(np.zeros(system.layout.n_owned), LEAD, STEP, VOLTAGES)
    return found.residual, found.amounts, found.outflow, found.metal_charge


@pytest.fixture(scope="module")
def every() -> Device:
    """A device with every kind of term and activated numbers, with room for a field."""
    return Device(every_layer(), warm(every_law()), CONTENTS)


def test_a_uniform_field_is_the_model_at_that_temperature(every):
    laws_at = replace(warm(every_law()), temperature=345.0, heated=False)
    plain = evaluated(Device(every_layer(), laws_at, CONTENTS))
    assert every.model.temperature == 300.0
    fields = {}
    for kelvin in (300.0, 345.0):
        set_field(every, lambda depth, region, kelvin=kelvin: np.full_like(depth, kelvin))
        fields[kelvin] = evaluated(every)
    for found, expected in zip(fields[345.0], plain, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13 * scale)
    change = np.abs(fields[300.0][0] - plain[0]) / np.abs(plain[0])
    assert np.median(change) > 1e-2


def _two_films() -> Model:
    """Ions that hop, electrons that drift, an exchange between films, a Schottky contact."""
    hop = bound("transport", "site_hopping", diffusivity=1e-14)
    drift = bound("transport", "sedan", diffusivity=1e-10)
    held = (species("A+", 1, "lattice_gas", 1e27, hop), species("e-", -1, "boltzmann", 1e27, drift))
    films = tuple(RegionModel(name, 10.0, 0.0, held) for name in ("host", "ionic"))
    exchange = bound("interface", "exchange", exchange_current_density=3.0)
    joint = InterfaceModel(("host", "ionic"), {"A+": exchange, "e-": exchange})
    emission = bound("contact", "schottky", velocity=10.0, optical_permittivity=3.0)
    return model_of(films, (joint,), ContactModel("top", 0.2, {"e-": emission}))


def test_the_jacobian_with_a_field_agrees_with_differences():
    films = stack(layer("host", 4e-9, 1e-9), layer("ionic", 6e-9, 2e-9))
    device = Device(films, warm(_two_films()), CONTENTS)
    system = device.system
    set_field(device, lambda depth, region: 320.0 + 2e9 * depth + 5.0 * region)
    system.unknowns.set(-0.2)
    disturb(system, 0.08)
    system.linearise(np.zeros(system.layout.n_owned), LEAD, STEP, VOLTAGES)
    assert slope_error(system, lambda: residual(system)) < 1e-5


def _two_ends(level: float, temperatures) -> tuple[Carrier, Carrier, float]:
    """A species at one electrochemical potential at two temperatures, as an edge sees it."""
    held = species("A", 1, "lattice_gas", 1e27, bound("transport", "sedan", diffusivity=1.0), 0.1)
    region = model_of((_region(held),)).regions[0]
    numbers = {
        "film/A": {"level": held.level, "site_density": held.site_density},
        "film/A/statistics": {},
    }
    u = {"phi": np.array([0.05, -0.1]), "A": np.full(2, level)}
    warm_ends = np.asarray(temperatures)
    batch = node_batch(region, numbers, jax.numpy.asarray(300.0), u, {TEMPERATURE: warm_ends})
    mean = float(warm_ends.mean())
    ends = [
        rescaled(take(batch.carriers["A"], k), jax.numpy.asarray(warm_ends[k] / mean))
        for k in range(2)
    ]
    return ends[0], ends[1], mean


def _region(held):
    return RegionModel("film", 10.0, 0.0, (held,))


@pytest.mark.parametrize("name", ["sedan", "site_hopping", "ohmic", "field_mobility"])
def test_nothing_flows_where_the_electrochemical_potential_is_flat(name):
    """Whatever the gradient of temperature: 300 and 340 K, densities that differ tenfold."""
    numbers = {"diffusivity": 1.0, "conductivity": 1.0, "mobility": 1.0, "field_factor": 1e-4}

    def flow(level, raised):
        K, L, mean = _two_ends(level, (300.0, 340.0))
        edge = Edge(1e-9, BOLTZMANN_EV * mean, jax.numpy.asarray(1.0))
        L = rescaled(L, jax.numpy.asarray(1.0))._replace(psi=L.psi + raised, drift=L.drift + raised)
        L = L._replace(bare=L.bare + raised)
        return abs(float(laws("transport")[name].function(K, L, edge, numbers)))

    K, L, _ = _two_ends(0.12, (300.0, 340.0))
    assert abs(float(K.c / L.c) - 1.0) > 0.5
    # Against what a tenth of kT drives.
    assert flow(0.12, 0.0) < 1e-13 * flow(0.12, 0.1)


def test_a_law_at_an_edge_has_the_mean_temperature():
    """An activated film between 300 and 340 K conducts as at 320 K."""
    law = activated(bound("transport", "ohmic", conductivity=10.0), 0.5)
    one = species("e-", -1, "boltzmann", 1e25, law)
    film = replace(_region(one), fixed_charge=1e24)
    one_cell = stack(layer("film", 1e-9, 1e-9))
    laws_of = replace(model_of((film,)), heated=True)
    device = Device(one_cell, laws_of, {"film": {"e-": 0.1}})
    system, layout = device.system, device.layout
    set_field(device, lambda depth, region: 300.0 + 40.0 * depth / 1e-9)
    u = np.zeros(layout.n_owned)
    u[layout.species["e-"]] = [0.0, 1e-3]
    system.unknowns.setArray(u)
    start = next(_starts(system, "flux"))
    found = system.flows()[start]
    boost = np.exp(-0.5 / BOLTZMANN_EV * (1.0 / 320.0 - 1.0 / 300.0))
    current = 10.0 * boost * 1e-3 / 1e-9 / 1.602176634e-19
    assert found == pytest.approx(-current, rel=1e-12)


def _starts(system, name):
    start = 0
    for term in system.equations.terms:
        if term.name == name:
            yield start
        start += term.size
