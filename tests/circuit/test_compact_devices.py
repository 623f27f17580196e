"""Compact models of whole devices against their own equations, solved in another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ionstack.protocol_steps import Hold
from support.wired import Wired, ohmic, resistor

# Published set for one pulse of 1 V: TongWang-USC/Memristor-Model.
ON, OFF, DECAY_LENGTH, GROWTH, SOFTENING = 1.7e4, 1e10, 0.1, 16.0, 0.1
DECAY, AGEING, RESIDUAL_DECAY, SERIES = 50.0, 0.35, 0.42, 50.0
PULSE, AFTER = 3.0, 2.0


def section() -> dict:
    numbers = {
        "on_resistance": f"{ON} ohm",
        "off_resistance": f"{OFF} ohm",
        "gap_decay": DECAY_LENGTH,
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
