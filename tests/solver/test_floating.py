"""A floating metal takes the voltage at which no current flows."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.geometry.stack import Lateral
from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

KT = thermal_voltage(300.0)
HOP = bound("transport", "sedan", diffusivity=1e-4)
ELECTRON = species("e-", -1, "boltzmann", 1e25, HOP, -4.0)
WIRE = {"e-": bound("contact", "ohmic")}


def device(region, floating, laws, dimension="1d"):
    top, bottom = (
        ContactModel("top", None, laws),
        ContactModel("bottom", None, laws, None, floating),
    )
    lateral = Lateral("rectangle", None, 1e-6, 1e-6, 2, 1.0)
    layers = stack(layer("film", 1e-6, 5e-8), dimension=dimension, lateral=lateral)
    found = Device(layers, model((region,), (), top, bottom))
    found.settle()
    return found


def ramp(found, volts, *times):
    """Only the top is driven; what the ramp says about the bottom does not matter."""
    top = found.volumes.contacts.index("top")
    ends = [0.0, 0.0]
    ends[top] = volts
    return Ramp((0.0, *times), ((0.0, 0.0), *[tuple(ends)] * len(times))), top


@pytest.mark.parametrize("dimension", ["1d", "2d"])
def test_a_floating_end_of_a_resistor_follows_the_other(dimension):
    found = device(RegionModel("film", 11.7, 1e22, (ELECTRON,)), True, WIRE, dimension)
    drive, top = ramp(found, 0.7, 1.0, 2.0)
    states = found.drive(drive)
    assert states[-1].voltages[1 - top] == pytest.approx(0.7, abs=1e-8)
    for state in states:
        scale = ELEMENTARY_CHARGE * 1e22 * 1e-4 / KT * 1e-6
        assert abs(state.currents[1 - top]) < 1e-9 * scale
        assert abs(state.currents.sum()) < 1e-9 * scale


def test_a_floating_plate_keeps_its_charge():
    """Without carriers: no field enters the film, whatever the voltage of the other plate."""
    found = device(RegionModel("film", 5.0, 0.0, ()), True, {})
    drive, top = ramp(found, 2.0, 1e-3)
    last = found.drive(drive)[-1]
    assert last.voltages[1 - top] == pytest.approx(2.0, abs=1e-12)
    capacitance = 5.0 * VACUUM_PERMITTIVITY / 1e-6 * 1e-12
    assert np.abs(last.charges).max() < 1e-12 * 2.0 * capacitance


def test_both_ends_driven_is_the_usual_resistor():
    found = device(RegionModel("film", 11.7, 1e22, (ELECTRON,)), False, WIRE)
    drive, top = ramp(found, 0.7, 1.0)
    last = found.drive(drive)[-1]
    expected = ELEMENTARY_CHARGE * 1e22 * 1e-4 / KT * 0.7
    assert last.currents[top] == pytest.approx(expected * 1e-6, rel=1e-6)
