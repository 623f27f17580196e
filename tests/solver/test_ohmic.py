"""Ohmic contacts: flat bands, carriers held by the metal, currents from their balance."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

KT = thermal_voltage(300.0)
DOPING, DIFFUSIVITY = 3e23, 1e-4


def resistor():
    """An n-doped film; contacts have no work function, so its bands stay flat."""
    metal = {"e-": bound("contact", "ohmic")}
    electron = species(
        "e-", -1, "boltzmann", 1e25, bound("transport", "sedan", diffusivity=DIFFUSIVITY), -4.0
    )
    region = RegionModel("film", 11.7, DOPING, (electron,))
    contacts = [ContactModel(name, None, metal) for name in ("top", "bottom")]
    device = Device(stack(layer("film", 1e-6, 2e-8)), model((region,), (), *contacts))
    device.settle()
    return device


def test_bands_are_flat_in_equilibrium():
    fields = NodeFields(resistor().system).evaluate()
    np.testing.assert_allclose(fields["e- [m^-3]"], DOPING, rtol=1e-12)
    assert np.ptp(fields["potential [V]"]) < 1e-12


@pytest.mark.parametrize("volts", [1e-6, 1.0])
def test_ohms_law(volts):
    device = resistor()
    ramp = Ramp((0.0, 1.0, 2.0), ((0.0, 0.0), (volts, 0.0), (volts, 0.0)))
    states = device.drive(ramp)
    expected = ELEMENTARY_CHARGE * DOPING * DIFFUSIVITY / KT * volts / 1e-6
    np.testing.assert_allclose(np.abs(states[-1].currents), expected, rtol=1e-9)
    sums = np.abs([state.currents.sum() for state in states])
    assert sums.max() < 1e-9 * expected


def test_the_charging_current_has_its_displacement_part():
    """A fast ramp: current = conductance V + capacitance dV/dt."""
    device = resistor()
    rate = 1e12
    ramp = Ramp((0.0, 1e-12), ((0.0, 0.0), (1e-12 * rate, 0.0)))
    last = device.drive(ramp, fixed=1e-14)[-1]
    conductance = ELEMENTARY_CHARGE * DOPING * DIFFUSIVITY / KT / 1e-6
    capacitance = 11.7 * 8.8541878128e-12 / 1e-6
    expected = conductance * 1.0 + capacitance * rate
    np.testing.assert_allclose(np.abs(last.currents), expected, rtol=1e-6)
