"""Capacitors at interfaces and contacts, sheet charges, and layers without space charge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ContactModel, DoubleLayer, InterfaceModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

FILMS = stack(layer("upper", 2e-8, 2e-9), layer("lower", 3e-8, 2e-9))
EMPTY = (RegionModel("upper", 5.0, 0.0, ()), RegionModel("lower", 20.0, 0.0, ()))
CAPACITANCE = 0.05  # F/m^2
IN_SERIES = 1.0 / (2e-8 / (5.0 * VACUUM_PERMITTIVITY) + 3e-8 / (20.0 * VACUUM_PERMITTIVITY))


def interface(**marks):
    return InterfaceModel(("upper", "lower"), {}, **marks)


def at(volts, laws):
    """Charges with the top at a voltage, without carriers: one step is exact."""
    device = Device(FILMS, laws)
    top = device.volumes.contacts.index("top")
    ends = [0.0, 0.0]
    ends[top] = volts
    device.drive(Ramp((0.0, 1.0), ((0.0, 0.0), tuple(ends))), fixed=0.5)
    return device, device.charges(tuple(ends))


def test_a_double_layer_is_a_capacitor_in_series():
    _, charges = at(1.5, model(EMPTY, (interface(double_layer=DoubleLayer(CAPACITANCE)),)))
    expected = 1.5 / (1.0 / IN_SERIES + 1.0 / CAPACITANCE)
    assert charges["top"] == pytest.approx(expected, rel=1e-12)
    assert charges["bottom"] == pytest.approx(-expected, rel=1e-12)


def test_the_offset_is_the_drop_without_charge():
    """0.4 V from upper to lower side cancels 0.4 V between the contacts."""
    layer_ = DoubleLayer(CAPACITANCE, offset=0.4)
    _, charges = at(0.4, model(EMPTY, (interface(double_layer=layer_),)))
    assert abs(charges["top"]) < 1e-15
    _, charges = at(0.0, model(EMPTY, (interface(double_layer=layer_),)))
    expected = -0.4 / (1.0 / IN_SERIES + 1.0 / CAPACITANCE)
    assert charges["top"] == pytest.approx(expected, rel=1e-12)


def test_a_double_layer_at_a_contact():
    top = ContactModel("top", 0.3, {}, DoubleLayer(CAPACITANCE, offset=0.1))
    _, charges = at(1.5, model(EMPTY, (interface(),), top))
    expected = (1.5 - 0.3 - 0.1) / (1.0 / IN_SERIES + 1.0 / CAPACITANCE)
    assert charges["top"] == pytest.approx(expected, rel=1e-12)
    assert charges["bottom"] == pytest.approx(-expected, rel=1e-12)


def test_a_sheet_charge_ends_field_lines():
    """The contacts share the image charge as the capacitances to them."""
    sheet = 2e16
    _, charges = at(0.0, model(EMPTY, (interface(sheet_charge=sheet),)))
    upper, lower = 5.0 / 2e-8, 20.0 / 3e-8
    total = -sheet * ELEMENTARY_CHARGE
    assert charges["top"] == pytest.approx(total * upper / (upper + lower), rel=1e-12)
    assert charges["bottom"] == pytest.approx(total * lower / (upper + lower), rel=1e-12)


# A symmetric electrolyte between blocking contacts, linear regime: 10 mV on 1 um, Debye
# length 2 nm. Without space charge, two diffuse layers become capacitors eps/length.
T = 300.0
KT = thermal_voltage(T)
DEBYE, LENGTH, SALT = 2e-9, 1e-6, 1e25
PERMITTIVITY = 2.0 * SALT * ELEMENTARY_CHARGE * DEBYE**2 / (VACUUM_PERMITTIVITY * KT)
DIFFUSIVITY = 1e-12
TAU = DEBYE * LENGTH / 2.0 / DIFFUSIVITY
RISE, AFTER = 0.1, np.array([0.5, 1.0, 2.0, 8.0])


def electrolyte(neutral):
    hop = bound("transport", "sedan", diffusivity=DIFFUSIVITY)
    ions = tuple(species(name, z, "boltzmann", SALT, hop) for name, z in (("K+", 1), ("Cl-", -1)))
    region = RegionModel("salt", PERMITTIVITY, 0.0, ions, neutral=neutral)
    layer_ = DoubleLayer(PERMITTIVITY * VACUUM_PERMITTIVITY / DEBYE, 0.0, {"salt": "K+"})
    contacts = [
        ContactModel(name, 0.0, {}, layer_ if neutral else None) for name in ("top", "bottom")
    ]
    first, growth = (2e-8, 1.0) if neutral else (1e-10, 1.1)
    device = Device(
        stack(layer("salt", LENGTH, first, growth)),
        model((region,), (), *contacts, temperature=T),
        {"salt": {"K+": 1.0, "Cl-": 1.0}},
    )
    device.settle()
    return device


def charging(device):
    """Charge of the top contact after a ramp to 10 mV, over its final value in theory."""
    top = device.volumes.contacts.index("top")
    ends = [0.0, 0.0]
    ends[top] = 0.01
    times = (0.0, RISE * TAU, *(TAU * t for t in AFTER))
    ramp = Ramp(times, ((0.0, 0.0), *[tuple(ends)] * (len(times) - 1)))
    final = 0.01 * PERMITTIVITY * VACUUM_PERMITTIVITY / (2.0 * DEBYE)
    found = [
        device.charges(tuple(state.voltages))["top"] / final
        for state in device.march(ramp, tolerance=1e-6)
        if state.at_breakpoint and state.time > times[1]
    ]
    return np.array(found)


def test_a_neutral_layer_charges_as_full_poisson():
    full, neutral = charging(electrolyte(False)), charging(electrolyte(True))
    exact = 1.0 - np.exp(-AFTER) * (np.exp(RISE) - 1.0) / RISE
    np.testing.assert_allclose(neutral, exact, rtol=2e-3)
    # Diffuse layers of finite thickness: corrections of Debye over half the length.
    np.testing.assert_allclose(full, neutral, rtol=1.2e-2)


def test_a_neutral_layer_stays_neutral_and_keeps_its_ions():
    device = electrolyte(True)
    states = device.drive(Ramp((0.0, TAU, 5 * TAU), ((0.0, 0.0), (0.3, 0.0), (0.3, 0.0))))
    fields = NodeFields(device.system).evaluate()
    np.testing.assert_allclose(fields["K+ [m^-3]"], fields["Cl- [m^-3]"], rtol=1e-12)
    for name in ("K+", "Cl-"):
        total = [s.amounts[device.system.members(name, ("salt",))].sum() for s in states]
        assert np.ptp(total) < 1e-13 * total[0]
    assert (
        np.abs([s.currents.sum() for s in states]).max()
        < 1e-9 * np.abs([s.currents for s in states]).max()
    )


def test_neutral_layers_meet_at_a_double_layer():
    """Two hosts in equilibrium for Li+ and electrons; the drop is that of the levels."""
    hop = bound("transport", "sedan", diffusivity=1e-14)
    regions = tuple(
        RegionModel(
            name,
            10.0,
            0.0,
            (
                species("Li+", 1, "lattice_gas", 1e28, hop, level=level),
                species("e-", -1, "lattice_gas", 1e28, hop),
            ),
            neutral=True,
        )
        for name, level in (("upper", 0.0), ("lower", 0.2))
    )
    exchange = bound("interface", "exchange", exchange_current_density=1.0)
    layer_ = DoubleLayer(0.1, 0.0, {"upper": "e-", "lower": "Li+"})
    joint = replace(interface(double_layer=layer_), laws={"Li+": exchange, "e-": exchange})
    contents = {name: {"Li+": 0.3, "e-": 0.3} for name in ("upper", "lower")}
    laws = model(
        regions,
        (joint,),
        ContactModel("top", 0.0, {}, DoubleLayer(0.1, 0.0, {"upper": "e-"})),
        ContactModel("bottom", 0.0, {}, DoubleLayer(0.1, 0.0, {"lower": "e-"})),
    )
    device = Device(FILMS, laws, contents)
    found = device.settle()
    fields = NodeFields(device.system).evaluate()
    np.testing.assert_allclose(fields["Li+ [m^-3]"], fields["e- [m^-3]"], rtol=1e-11)
    for name in ("Li+", "e-"):
        assert np.ptp(fields[f"electrochemical potential {name} [eV]"]) < 1e-11
    assert len(found.conserved) == 2
    upper, lower = (fields["x Li+ [1]"][device.inside(name)][0] for name in ("upper", "lower"))
    logit = [np.log(x / (1.0 - x)) for x in (upper, lower)]
    # Li+ and electrons together: 2 ln(x/(1-x)) + levels are equal on both sides.
    assert 2.0 * (logit[0] - logit[1]) == pytest.approx(0.2 / KT, rel=1e-9)
