"""Delay and decay of the lumped filament that nucleates at random."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.casefile.case import load_case
from ionstack.runs.circuit_simulation import circuit_stepper
from support.launch import ROOT

CASE = ROOT / "cases" / "filament" / "delay.yaml"
COUNT = 30


@pytest.fixture(scope="module", params=[0.4, 0.7])
def lasted(request) -> tuple[float, np.ndarray, np.ndarray]:
    """Voltage, delays and decays [s]."""
    settings = [
        f"protocol.0.repeat.times={COUNT}",
        f"protocol.0.repeat.steps.0.hold.voltage={request.param} V",
    ]
    states = list(circuit_stepper(load_case(CASE, settings)).run())
    ends = [one for one in states if one.at_breakpoint]
    begun = {one.interval: one.time for one in ends}
    # Every hold is a rise and what follows; its time counts from the begin of the rise.
    found = [
        (one.ended.quantity, one.time - begun.get(one.interval - 2, 0.0))
        for one in ends
        if one.ended is not None
    ]
    delays, decays = (
        np.array([time for name, time in found if name == what])
        for what in ("current", "conductance")
    )
    return request.param, delays, decays


def test_delays_are_waits_for_a_nucleus(lasted):
    volts, delays, _ = lasted
    wait = np.exp((1.6 / volts) ** 2) / 5e7
    assert len(delays) == COUNT
    assert delays.mean() == pytest.approx(wait, rel=4.0 / COUNT**0.5)
    assert 0.5 < delays.std() / delays.mean() < 1.6


def test_without_voltage_it_decays_by_itself(lasted):
    _, _, decays = lasted
    assert len(decays) == COUNT
    assert ((decays > 2e-4) & (decays < 3.5e-4)).all()
