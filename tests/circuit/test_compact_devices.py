"""Compact models of whole devices against their own equations, solved in another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ionstack.geometry.stack import Lateral
from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.protocols.protocol_steps import Hold, Sweep
from support.films import bound
from support.layers import Device, layer, model, stack
from support.wired import ELECTRON, KT, Wired, ohmic, resistor

# Published set for one pulse of 1 V: TongWang-USC/Memristor-Model.
ON, OFF, DECAY_LENGTH, GROWTH, SOFTENING = 1.7e4, 1e10, 0.1, 16.0, 0.1
DECAY, AGEING, RESIDUAL_DECAY, SERIES = 50.0, 0.35, 0.42, 50.0
PULSE, AFTER = 3.0, 2.0


def section() -> dict:
    numbers = {
        "on_resistance": f"{ON} ohm",
        "off_resistance": f"{OFF} ohm",
        "decay_share": DECAY_LENGTH,
        "growth": f"{GROWTH} 1/(V*s)",
        "softening": SOFTENING,
        "fastest_growth": "1 1/s",
        "decay": f"{DECAY} 1/s",
        "ageing": f"{AGEING} 1/s",
        "residual_decay": f"{RESIDUAL_DECAY} 1/s",
    }
    return {
        "devices": {"film": {"top": "in", "bottom": "ground"}},
        "sources": {"V1": {"node": "in"}},
        "elements": {
            "Rs": resistor("in", "p", SERIES),
            "M1": {"kind": "diffusive_memristor", "nodes": ["p", "ground"], **numbers},
            "Cp": {"kind": "capacitor", "nodes": ["p", "ground"], "capacitance": "1 uF"},
            "Rp": resistor("p", "ground", 1e7),
        },
    }


def rates(voltage: float, f: float, r: float) -> tuple[float, float]:
    """Rates as the published netlist writes them, growth capped at 1/s."""
    device = ON * (f + r) + OFF * np.expm1((1 - f - r) / DECAY_LENGTH) / np.expm1(1 / DECAY_LENGTH)
    across = abs(voltage) / (1.0 + SERIES * (1.0 / device + 1e-7))
    grows = across * GROWTH / (SOFTENING + 1.0 - f - r) - (DECAY + AGEING) * f
    return min(grows, 1.0), AGEING * f - RESIDUAL_DECAY * r


def published(times: np.ndarray) -> np.ndarray:
    """Live and residual part during the pulse, with what the netlist does at a full filament."""

    def free(t: float, y: np.ndarray) -> tuple[float, float]:
        return rates(1.0, *y)

    def full(t: float, y: np.ndarray) -> float:
        return y[0] + y[1] - 1.0

    full.terminal = True
    exact = {"rtol": 1e-10, "atol": 1e-12, "dense_output": True}
    first = solve_ivp(free, (0.0, PULSE), (0.0, 0.0), events=full, **exact)
    closed = first.t[-1]

    def sliding(t: float, y: np.ndarray) -> tuple[float, float]:
        _, residual = rates(1.0, *y)
        return -residual, residual

    rest = solve_ivp(sliding, (closed, PULSE), first.y[:, -1], **exact)
    return np.where(times < closed, first.sol(times), rest.sol(times))


def test_a_diffusive_memristor_follows_the_published_netlist():
    wired = Wired(ohmic(), section())
    states = wired.run(Hold("V1", 1.0, PULSE, 1e-3))[2:]
    times = np.array([state.time for state in states])
    live, residual = published(times)
    assert wired.column(states, "live(M1)") == pytest.approx(live, abs=2e-3)
    assert wired.column(states, "residual(M1)") == pytest.approx(residual, abs=2e-3)
    assert wired.column(states, "live(M1)").max() > 0.8


def test_after_the_pulse_the_live_part_is_gone_first():
    wired = Wired(ohmic(), section())
    states = wired.run(Hold("V1", 1.0, PULSE, 1e-3), Hold("V1", 0.0, AFTER, 1e-3))
    # Once the voltage has come down and the capacitor is empty.
    begin = next(k for k, state in enumerate(states) if state.time >= PULSE + 3e-3)
    after = states[begin:]
    times = np.array([state.time for state in after]) - after[0].time
    live, residual = (wired.column(after, f"{name}(M1)") for name in ("live", "residual"))
    total = DECAY + AGEING
    assert live == pytest.approx(live[0] * np.exp(-total * times), abs=2e-3)
    share = AGEING * live[0] / (total - RESIDUAL_DECAY)
    slow, fast = np.exp(-RESIDUAL_DECAY * times), np.exp(-total * times)
    assert residual == pytest.approx(residual[0] * slow + share * (slow - fast), abs=2e-3)


FILAMENT = {
    "length": 1e-8,
    "nucleus": 1e-9,
    "resistivity": 4e-6,
    "thermal_conductivity": 20.0,
    "contact_resistance": 1e4,
    "gap_decay": 1e-9,
    "velocity": 100.0,
    "barrier": 1.0,
    "lowering": 0.4,
    "dissolution": 0.0,
}
UNITS = {
    "length": "m",
    "nucleus": "m",
    "resistivity": "ohm*m",
    "thermal_conductivity": "W/(m*K)",
    "contact_resistance": "ohm",
    "gap_decay": "m",
    "velocity": "m/s",
    "barrier": "eV",
    "dissolution": "m^4/s",
}


def small() -> Device:
    """A film of a square micrometre that hardly conducts: 1e-16 F do not feed a filament."""
    region = RegionModel("film", 11.7, 1e15, (ELECTRON,))
    ohmic_ends = {"e-": bound("contact", "ohmic")}
    ends = [ContactModel(name, None, ohmic_ends) for name in ("top", "bottom")]
    square = Lateral("rectangle", None, 1e-6, 1e-6, 2, 1.0)
    device = Device(stack(layer("film", 1e-6, 1e-7), lateral=square), model((region,), (), *ends))
    device.settle()
    return device


def with_filament(compliance: float = 1.0, **changes: float) -> Wired:
    numbers = {name: f"{value} {UNITS.get(name, '')}" for name, value in FILAMENT.items()}
    numbers |= {name: f"{value} {UNITS.get(name, '')}" for name, value in changes.items()}
    section = {
        "devices": {"film": {"top": "in", "bottom": "ground"}},
        "sources": {"V1": {"node": "in", "compliance": {"positive": f"{compliance} A"}}},
        "elements": {"M1": {"kind": "filament", "nodes": ["in", "ground"], **numbers}},
    }
    return Wired(small(), section)


def growth(voltage: float, grown: float) -> float:
    """Growth rate of the filament as its description has it, in plain numbers."""
    p = FILAMENT
    diameter = p["nucleus"] + p["length"] * max(grown, 0.0)
    gap = p["length"] * max(-grown, 0.0)
    area = np.pi * diameter**2 / 4
    resistance = p["resistivity"] * p["length"] / area
    resistance += p["contact_resistance"] * (np.exp(gap / p["gap_decay"]) - 1)
    heating = voltage**2 / resistance * p["length"] / (8 * p["thermal_conductivity"] * area)
    volts = KT + BOLTZMANN_EV * heating
    drift = 2 * p["velocity"] * np.exp(-p["barrier"] / volts)
    return drift * np.sinh(p["lowering"] * voltage / volts) / p["length"]


def closing(voltage: float, until: float) -> Any:
    """Growth from no filament on, by an integrator of its own."""

    def grown(t: float, y: np.ndarray) -> float:
        return y[0] - until

    grown.terminal = True
    exact = {"rtol": 1e-10, "atol": 1e-12, "dense_output": True, "method": "LSODA"}
    return solve_ivp(lambda t, y: [growth(voltage, y[0])], (0, 1e9), [-1.0], events=grown, **exact)


def test_a_filament_grows_as_its_equation_says():
    """Until a fifth of the gap is left: its last part closes by itself within microseconds."""
    exact = closing(0.8, -0.2)
    wired = with_filament()
    states = wired.run(Hold("V1", 0.8, float(exact.t[-1]), 1e-9), tolerance=1e-6)
    times, grown = np.array([one.time for one in states]), wired.column(states, "grown(M1)")
    early = times < 0.9 * exact.t[-1]
    assert grown[early] == pytest.approx(exact.sol(times[early])[0], abs=2e-4)
    assert grown[-1] > -0.5


def test_filaments_behind_a_compliance():
    """Ielmini (2011): R I_C is one voltage, and the filament is reset at one voltage."""
    products, resets = [], []
    for compliance in (1e-4, 3e-4, 1e-3):
        wired = with_filament(compliance)
        states = wired.run(Sweep("V1", (1.5, 0.0, -1.0, 0.0), 1.0, 1), tolerance=5e-3)
        volts, amperes = wired.column(states, "V(in)"), wired.column(states, "I(V1)")
        grown = wired.column(states, "grown(M1)")
        times = np.array([one.time for one in states])
        low = next(k for k, one in enumerate(states) if one.time >= 3.05)
        products.append(volts[low] / amperes[low] * compliance)
        resets.append(volts[np.argmin(amperes)])
        # Abrupt one way, within a tenth of a millivolt; a gradual way back.
        rising = times[amperes > 0.9 * compliance][0] - times[amperes > 0.01 * compliance][0]
        peak = np.argmin(amperes)
        after = amperes[peak:] > 0.1 * amperes[peak]
        assert rising < 1e-4
        assert times[peak:][after][0] - times[peak] > 0.02
        assert grown.min() < -0.5 < 0.0 < grown[low]
    # Over a decade of compliance; voltages of reset are negative.
    assert max(products) < 1.1 * min(products)
    assert min(resets) > 1.15 * max(resets)


@pytest.mark.parametrize("grown", [0.1, 0.4])
def test_surface_diffusion_dissolves_a_filament_after_a_time_that_goes_with_its_diameter(grown):
    """d^3 dd/dt = -B: the time until only the nucleus is left."""
    dissolution = 1e-40
    wired = with_filament(dissolution=dissolution, grown=grown)
    start = FILAMENT["nucleus"] + grown * FILAMENT["length"]
    lifetime = (start**4 - FILAMENT["nucleus"] ** 4) / (4 * dissolution)
    states = wired.run(Hold("V1", 0.0, 0.99 * lifetime, 1e-9), tolerance=1e-6)
    times = np.array([one.time for one in states])
    found = FILAMENT["nucleus"] + FILAMENT["length"] * wired.column(states, "grown(M1)")
    left = (found / start) ** 4
    assert left == pytest.approx(1.0 - 4 * dissolution * times / start**4, abs=2e-3)
