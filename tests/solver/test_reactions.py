"""Reactions, traps and species that share sites: what is kept, and where they come to rest."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ContactModel, ReactionModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from support.films import bound, species
from support.layers import Device, layer, model, stack

SITES = 1e27
KT = thermal_voltage(300.0)
HOP = bound("transport", "sedan", diffusivity=1e-15)
STAY = bound("transport", "immobile")


def mass_action(rate=1e30):
    return bound("reaction", "mass_action", rate=rate)


def dissociation(level=0.05):
    """Li0 = Li+ + n-, the bound species immobile (Danilov et al., 2011)."""
    held = (
        species("Li0", 0, "lattice_gas", SITES, STAY, level=-level),
        species("Li+", 1, "lattice_gas", SITES, HOP),
        species("n-", -1, "lattice_gas", SITES, HOP),
    )
    reaction = ReactionModel("dissociation", (("Li0", 1),), (("Li+", 1), ("n-", 1)), mass_action())
    region = RegionModel("LiPON", 16.6, 0.0, held, (reaction,))
    contents = {"LiPON": {"Li0": 0.2, "Li+": 0.1, "n-": 0.1}}
    return Device(stack(layer("LiPON", 4e-8, 1e-9)), model((region,)), contents)


def contents_of(device):
    fields = NodeFields(device.system).evaluate()
    return {name: fields[f"x {name} [1]"] for name in device.model.valences}


def test_equilibrium_obeys_the_law_of_mass_action():
    device = dissociation()
    found = device.settle()
    x = contents_of(device)
    affinity = [np.log(value / (1.0 - value)) for value in (x["Li0"], x["Li+"], x["n-"])]
    np.testing.assert_allclose(affinity[0] - 0.05 / KT, affinity[1] + affinity[2], rtol=1e-10)
    # Lithium, and the negative partner, each with what is bound.
    assert [sorted(g.species for g, _ in one.parts) for one in found.conserved] == [
        ["Li+", "Li0"],
        ["Li0", "n-"],
    ]
    assert np.mean(x["Li0"] + x["Li+"]) == pytest.approx(0.3, rel=1e-12)


def test_a_start_as_given_runs_into_the_same_equilibrium_and_keeps_lithium():
    settled, running = dissociation(), dissociation()
    settled.settle()
    conserved = running.settle("as_given").conserved
    np.testing.assert_allclose(contents_of(running)["Li0"], 0.2, rtol=1e-9)
    states = running.rest(5e-2)
    for name, x in contents_of(settled).items():
        np.testing.assert_allclose(contents_of(running)[name], x, rtol=1e-6)
    for one in conserved:
        weight = sum(
            factor * running.system.members(group.species, group.regions)
            for group, factor in one.parts
        )
        totals = np.array([state.amounts @ weight for state in states])
        assert np.abs(totals / totals[0] - 1.0).max() < 1e-12


def test_a_trap_fills_as_the_electrons_fermi_level_says():
    """Electrons from the contacts, traps 0.1 eV below the band, at 1e-3 occupied band sites."""
    metal = {"e-": bound("contact", "exchange", exchange_current_density=1e6)}
    level, depth = -4.0, 0.1
    held = (
        species("e-", -1, "boltzmann", 1e25, HOP, level=level),
        species("trapped", -1, "lattice_gas", 1e23, STAY, level=level - depth),
    )
    capture = ReactionModel("capture", (("e-", 1),), (("trapped", 1),), mass_action(1e31))
    # Enough fixed charge to keep the bands flat at both contacts.
    work = 4.0 + 3.0 * np.log(10.0) * KT
    n = 1e-3 * 1e25
    filled = 1.0 / (1.0 + 1e3 * np.exp(-depth / KT))
    region = RegionModel("film", 10.0, n + filled * 1e23, held, (capture,))
    contacts = [ContactModel(name, work, metal) for name in ("top", "bottom")]
    device = Device(
        stack(layer("film", 5e-8, 1e-9)),
        model((region,), (), *contacts),
        {"film": {"trapped": 1e-6}},
    )
    found = device.settle()
    assert found.conserved == ()
    np.testing.assert_allclose(contents_of(device)["trapped"], filled, rtol=1e-8)
    device.settle("as_given")
    np.testing.assert_allclose(contents_of(device)["trapped"], 1e-6, rtol=1e-6)
    device.rest(60.0)
    np.testing.assert_allclose(contents_of(device)["trapped"], filled, rtol=1e-6)


# A lattice gas of two ions that share the sites; water, 100 mol/m^3, ions of 0.5 nm.
# Bikerman's closed form at the potential of the wall (V over the diffuse layer):
# charge [C/m^2] and counter-ion density over the bulk's.
BULK = 100.0 * 6.02214076e23
CELL = 1.0 / (0.5e-9) ** 3
BIKERMAN = {0.1: (0.1177910043, 36.19961573), 0.5: (0.816687176, 132.8438431)}


@pytest.mark.parametrize("volts", BIKERMAN)
def test_double_layer_of_ions_that_share_sites(volts):
    """Bikerman, Phil. Mag. 33, 384 (1942), at 298.15 K."""
    sigma, counter = BIKERMAN[volts]
    content = BULK / CELL
    hop = bound("transport", "sedan", diffusivity=1e-9)

    def ion(name, z):
        plain = species(name, z, "lattice_gas", CELL, hop)
        return type(plain)(**{**plain.__dict__, "sublattice": "water"})

    region = RegionModel("water", 78.49, 0.0, (ion("K", 1), ion("Cl", -1)))
    contacts = [ContactModel(n, w, {}) for n, w in (("top", 0.0), ("bottom", 2.0 * volts))]
    device = Device(
        stack(layer("water", 4e-7, 5e-12, 1.03)),
        model((region,), (), *contacts, temperature=298.15),
        {"water": {"K": content, "Cl": content}},
    )
    device.settle()
    fields = NodeFields(device.system).evaluate()
    middle = np.argmin(np.abs(device.depth - 2e-7))
    densities = np.concatenate([fields["K [m^-3]"], fields["Cl [m^-3]"]])
    bulk = fields["K [m^-3]"][middle]
    # The layers took ions from the bulk; the closed form holds for what is left.
    nu, u = 2.0 * bulk / CELL, volts / thermal_voltage(298.15)
    s = 2.0 * nu * np.sinh(0.5 * u) ** 2
    length = np.sqrt(
        78.49 * 8.8541878128e-12 * thermal_voltage(298.15) / (2 * bulk * 1.602176634e-19)
    )
    expected = 2.0 * bulk * ELEMENTARY_CHARGE * length * np.sqrt(2.0 / nu * np.log1p(s))
    assert max(device.charges().values()) == pytest.approx(expected, rel=2e-4)
    assert expected == pytest.approx(sigma, rel=0.05)
    assert densities.max() == pytest.approx(bulk * np.exp(u) / (1.0 + s), rel=1e-6)
    assert densities.max() / BULK == pytest.approx(counter, rel=0.05)
