"""Random events of circuit elements come when their integrated rates reach the thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from ionstack.protocols.protocol_steps import Hold, Sweep
from ionstack.randomness.random_events import RandomEvents
from ionstack.randomness.random_streams import Stream
from ionstack.stepping.circuit_events import CircuitEvents, site_number
from ionstack.stepping.states import State
from support.wired import Wired, ohmic

COUNT = 5
RATE, VOLTAGE = 1e4, 2.4


def wired() -> Wired:
    """Filaments side by side that nucleate but hardly grow."""
    numbers = {
        "length": "10 nm",
        "nucleus": "1 nm",
        "resistivity": "4e-6 ohm*m",
        "thermal_conductivity": "20 W/(m*K)",
        "contact_resistance": "10 kohm",
        "gap_decay": "1 nm",
        "velocity": "100 m/s",
        "barrier": "3 eV",
        "lowering": 0.4,
        "nucleation_rate": f"{RATE} 1/s",
        "nucleation_voltage": f"{VOLTAGE} V",
    }
    one = {"kind": "filament", "nodes": ["in", "ground"], **numbers}
    section = {
        "devices": {"film": {"top": "in", "bottom": "ground"}},
        "sources": {"V1": {"node": "in"}},
        "elements": {f"M{k}": one for k in range(COUNT)},
    }
    return Wired(ohmic(), section)


def instants(device: Wired, states: list[State]) -> np.ndarray:
    """Times at which the nuclei came."""
    times = np.array([state.time for state in states])
    found = []
    for k in range(COUNT):
        there = np.flatnonzero(device.column(states, f"nucleus(M{k})") > 0.5)
        # The state that an event ends is still without what it changes.
        found.append(times[there[0] - 1] if len(there) else np.inf)
    return np.array(found)


def expected(volts: float) -> float:
    """Nucleation rate as its formula has it."""
    return RATE * np.exp(-((VOLTAGE / volts) ** 2)) if volts > 0.0 else 0.0


SITES = [site_number(f"M{k}.nucleation") for k in range(COUNT)]
THRESHOLDS = Stream(0, "events of circuit elements").exponential(SITES, 0)


@pytest.mark.parametrize("largest", [np.inf, 0.05])
def test_under_constant_voltage_the_rate_times_the_time_is_the_threshold(largest):
    """Whatever the steps: the integral of a constant rate is exact."""
    device, until = wired(), 1.05 * THRESHOLDS.max() / expected(1.0)
    states = device.run(Hold("V1", 1.0, until, 1e-9), largest=largest * until)
    passed = expected(1.0) * instants(device, states)
    assert passed == pytest.approx(THRESHOLDS, rel=2e-5, abs=0.0)


def test_under_a_ramp_the_integrated_rate_is_the_threshold():
    device = wired()
    states = device.run(Sweep("V1", (2.0,), 1.0, 1), largest=5e-3)
    found = instants(device, states)
    passed = np.array([quad(expected, 0.0, time, epsabs=1e-10)[0] for time in found])
    assert passed == pytest.approx(THRESHOLDS, rel=1e-3, abs=0.0)


def test_another_seed_gives_other_events_and_the_same_seed_the_same():
    circuit = wired().circuit
    firsts = []
    for seed in (1, 2, 1):
        events = RandomEvents((CircuitEvents(circuit),), seed)
        unknowns = circuit.rest.copy()
        unknowns[0] = 1.0
        events.begin(unknowns)
        found = events.next(1e6, unknowns, 0)
        firsts.append((found.row, found.share))
    assert firsts[0] == firsts[2] != firsts[1]


def test_memory_is_all_that_counts():
    circuit = wired().circuit
    unknowns = circuit.rest.copy()
    unknowns[0] = 1.0
    one, other = (RandomEvents((CircuitEvents(circuit),), 3) for _ in range(2))
    one.begin(unknowns)
    for _ in range(5):
        step = 1.0
        while (found := one.next(step, unknowns, 0)) is not None and found.share < 1.0:
            step *= found.share
        unknowns, _ = one.accept(step, unknowns, found)
    other.recall(one.memory())
    assert sum(other.entries().values()) == 5
    assert other.next(1e6, unknowns, 0) == one.next(1e6, unknowns, 0)
