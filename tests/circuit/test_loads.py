"""Devices behind resistors and transistors against operating points found without a circuit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from ionstack.protocols.protocol_steps import Hold, Sweep
from support.wired import CONDUCTANCE, KT, Wired, diode, line, ohmic, resistor

BETA, THRESHOLD, SLOPE = 1e-6, 0.5, 1.3


@cache
def bare() -> Callable[[float], float]:
    """Steady current [A] of the diode between 0 and 0.9 V, on a fine grid."""
    wired = Wired(diode())
    # So slow that no charge counts.
    states = wired.run(Sweep("top", (0.9,), 1e-6, 1), fixed=0.005 / 1e-6)
    volts, currents = (wired.column(states, name)[1:] for name in ("V(top)", "I(top)"))
    curve = CubicSpline(volts, np.log(currents))
    return lambda voltage: float(np.exp(curve(voltage)))


def behind(volts: float, resistance: float) -> float:
    """Voltage of the diode behind a resistor at a voltage."""
    return brentq(lambda own: (volts - own) / resistance - bare()(own), 0.01, volts)


def transistor(gate: str, drain: str) -> dict:
    nodes = {"drain": drain, "gate": gate, "source": "ground", "bulk": "ground"}
    numbers = {"transconductance": f"{BETA} A/V^2", "threshold": f"{THRESHOLD} V"}
    return {"kind": "mosfet", "channel": "n", "nodes": nodes, "slope_factor": SLOPE} | numbers


def drain_current(gate: float, drain: float) -> float:
    """EKV as its authors write it."""
    pinch = (gate - THRESHOLD) / SLOPE
    ends = [np.log1p(np.exp((pinch - v) / (2.0 * KT))) ** 2 for v in (0.0, drain)]
    return 2.0 * SLOPE * BETA * KT**2 * (ends[0] - ends[1])


@pytest.mark.parametrize("resistance", [1e3, 1e6])
def test_series_resistor_shifts_the_curve(resistance):
    wired = Wired(diode(), line("in", elements={"R1": resistor("in", "top", resistance)}))
    for state in wired.run(Sweep("V1", (0.9,), 1e-6, 1), fixed=0.1 / 1e-6)[2:]:
        found = wired.of(state)
        expected = behind(found["V(in)"], resistance)
        assert found["V(top)"] == pytest.approx(expected, abs=1e-5)
        assert found["I(V1)"] == pytest.approx(bare()(expected), rel=1e-3)


def test_a_film_divides_a_voltage():
    wired = Wired(ohmic(), line("in", elements={"R1": resistor("in", "top", 3.0 / CONDUCTANCE)}))
    found = wired.of(wired.run(Hold("V1", 2.0, 1.0, 1e-3))[-1])
    assert found["V(top)"] == pytest.approx(0.5, rel=1e-9)
    assert found["I(R1)"] == pytest.approx(0.5 * CONDUCTANCE, rel=1e-9)


@pytest.mark.parametrize("gate", [0.4, 1.0])
def test_one_transistor_and_one_device(gate):
    """The transistor lets no more than its saturation current through the diode."""
    section = {
        "devices": {"M1": {"top": "in", "bottom": "drain"}},
        "sources": {"V1": {"node": "in"}, "VG": {"node": "gate"}},
        "elements": {"T1": transistor("gate", "drain"), "RG": resistor("gate", "ground", 1e9)},
    }
    wired = Wired(diode(), section)
    held = Together({"VG": gate, "V1": 2.0})
    found = wired.of(wired.run(held)[-1])
    drop = brentq(lambda volts: bare()(volts) - drain_current(gate, 2.0 - volts), 0.02, 0.9)
    assert found["I(M1.top)"] == pytest.approx(drain_current(gate, 2.0 - drop), rel=1e-4)
    assert found["V(drain)"] == pytest.approx(2.0 - drop, abs=1e-4)
    # No farther than the digits of the diode's own current.
    assert found["I(M1.top)"] == pytest.approx(drain_current(gate, 1e3), rel=1e-3)


def test_two_devices_and_one_transistor():
    """Two diodes side by side on one drain, one of them behind a resistor."""
    section = {
        "devices": {
            "M1": {"top": "in", "bottom": "drain"},
            "M2": {"top": "far", "bottom": "drain"},
        },
        "sources": {"V1": {"node": "in"}, "VG": {"node": "gate"}},
        "elements": {
            "R1": resistor("in", "far", 2e5),
            "RG": resistor("gate", "ground", 1e9),
            "T1": transistor("gate", "drain"),
        },
    }
    wired = Wired(diode(), section)
    found = wired.of(wired.run(Together({"VG": 1.5, "V1": 1.2}))[-1])

    def over(across: float) -> float:
        total = bare()(across) + bare()(behind(across, 2e5))
        return total - drain_current(1.5, 1.2 - across)

    across = brentq(over, 0.1, 0.9)
    assert found["V(drain)"] == pytest.approx(1.2 - across, abs=1e-4)
    assert found["I(M2.top)"] == pytest.approx(bare()(behind(across, 2e5)), rel=1e-3)


class Together:
    """A step that holds several sources at once."""

    def __init__(self, volts: dict[str, float]) -> None:
        self.volts = volts

    def lay(self, laid) -> None:
        laid.instruments.cells["all"] = self.volts
        Hold("all", 1.0, 1e3, 1.0).lay(laid)
