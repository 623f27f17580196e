"""What stays the same in circuits: particles, charges, Kirchhoff's law; and another temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ionstack.geometry.stack import Lateral
from ionstack.models.model import Arrhenius, ContactModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from ionstack.protocols.protocol_steps import Hold, Pulses, Sweep, Switch
from ionstack.protocols.surrounding_steps import Warm
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.wired import (
    CONDUCTANCE,
    DOPING,
    ELECTRON,
    SIDE,
    THICK,
    Wired,
    capacitor,
    diode,
    line,
    ohmic,
    resistor,
    switch,
)


def test_kirchhoff_at_every_node():
    """A bridge with films in two arms, switched and pulsed: sums over the largest current."""
    section = {
        "devices": {
            "A": {"top": "in", "bottom": "left"},
            "B": {"top": "right", "bottom": "ground"},
        },
        "sources": {"V1": {"node": "in", "compliance": {"positive": "10 mA", "negative": "4 mA"}}},
        "elements": {
            "R1": resistor("left", "ground", 2.0 / CONDUCTANCE),
            "R2": resistor("in", "right", 0.5 / CONDUCTANCE),
            "C1": capacitor("left", "right", 1e-10),
            "S1": switch("left", "right", 1.0, 1e9),
        },
    }
    wired = Wired(ohmic(), section)
    pulses = Pulses("V1", -2.0, 1e-6, (1e-5,) * 2, 1e-8, 1e-8)
    states = wired.run(Hold("V1", 1.0, 1.0, 1e-3), pulses, Switch((("S1", True),)), pulses)
    largest = max(np.abs(state.currents).max() for state in states)
    assert max(state.kirchhoff for state in states) < 1e-12 * largest
    # Independently: what the source gives comes back through R1 and the lower film.
    found = wired.of(states[-1])
    back = found["I(R1)"] - found["I(B.bottom)"]
    assert found["I(V1)"] == pytest.approx(back, rel=1e-12, abs=1e-12 * largest)


def test_what_limits_kirchhoff_in_a_diode():
    """Its highly doped ends: their conductance times the last digit of a voltage."""
    wired = Wired(diode(), line("in", elements={"R1": resistor("in", "top", 1e6)}))
    states = wired.run(Sweep("V1", (1.0,), 1.0, 1))
    mobility, first_cell = 1e-4 / thermal_voltage(300.0), 1e-8
    ends = ELEMENTARY_CHARGE * 1e23 * mobility * SIDE**2 / first_cell
    digit = np.finfo(float).eps * 5.0  # V, of potentials against vacuum
    assert max(state.kirchhoff for state in states) < 10.0 * ends * digit
    assert max(abs(state.currents.sum()) for state in states) < 10.0 * ends * digit


def warm_film(activation: float) -> Device:
    """Electrons with an activated diffusivity beside ions that no contact passes."""
    hop = bound("transport", "sedan", diffusivity=1e-4)
    activated = replace(hop, numbers={"diffusivity": Arrhenius(1e-4, activation, 300.0)})
    electron = replace(ELECTRON, transport=activated)
    ion = species("ion", 1, "boltzmann", 1e25, hop)
    metal = {"e-": bound("contact", "ohmic")}
    ends = [ContactModel(name, None, metal) for name in ("top", "bottom")]
    lateral = Lateral("rectangle", None, SIDE, SIDE, 2, 1.0)
    region = RegionModel("film", 11.7, 0.0, (electron, ion))
    films = stack(layer("film", THICK, 5e-8), lateral=lateral)
    device = Device(films, model((region,), (), *ends), {"film": {"ion": DOPING / 1e25}})
    device.settle()
    return device


def test_a_step_of_the_temperature():
    """The current follows the mobility of the carriers, and comes back with it."""
    activation, hot = 0.2, 350.0
    wired = Wired(
        warm_film(activation),
        {
            "devices": {
                "A": {"top": "in", "bottom": "ground"},
                "B": {"top": "in", "bottom": "ground"},
            }
        }
        | line("in"),
    )
    volts = 1e-4  # ions hardly move
    hold = Hold("V1", volts, 1.0, 1e-3)
    states = wired.run(hold, Warm(hot, 1.0), hold, Warm(300.0, 1.0), hold)
    ends = [wired.of(state)["I(V1)"] for state in states[1:] if state.at_breakpoint]
    cold, warm, again = ends[1], ends[3], ends[-1]
    kT = thermal_voltage(hot)
    factor = np.exp(-activation * (1.0 / kT - 1.0 / thermal_voltage(300.0)))
    expected = factor * thermal_voltage(300.0) / kT
    assert warm / cold == pytest.approx(expected, rel=1e-4)
    assert again == pytest.approx(cold, rel=1e-6)
    ions = np.array([wired.particles(state, "ion") for state in states])
    assert np.abs(ions / ions[0] - 1.0).max() < 1e-12
    assert wired.system.equations.model.temperature == 300.0
