"""Waveforms: exact corners, cycles, returns to zero."""

from __future__ import annotations

import pytest

from ionstack.protocol import Hold, Sweep, build_protocol

_CONTACTS = ("Pt", "ITO")


def test_triangles_have_exact_corners() -> None:
    protocol = build_protocol([Sweep("Pt", -1.0, 2.0, 3)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    assert [protocol.voltages(time)["Pt"] for time in protocol.breakpoints] == [
        0.0, -1.0, 0.0, -1.0, 0.0, -1.0, 0.0,
    ]  # fmt: skip
    assert protocol.voltages(0.125) == {"Pt": -0.25, "ITO": 0.0}
    assert protocol.duration == 3.0


def test_many_cycles_do_not_drift() -> None:
    protocol = build_protocol([Sweep("Pt", 0.1, 0.3, 1000)], _CONTACTS)
    assert protocol.duration == pytest.approx(2000 * 0.1 / 0.3, rel=1e-15)
    assert all(a < b for a, b in zip(protocol.breakpoints, protocol.breakpoints[1:], strict=False))


def test_cycles_are_numbered_through_all_sweeps() -> None:
    protocol = build_protocol([Sweep("Pt", -1.0, 1.0, 2), Sweep("Pt", 1.0, 1.0, 1)], _CONTACTS)
    assert [cycle.index for cycle in protocol.cycles] == [1, 2, 3]
    last = protocol.cycles[-1]
    assert (last.start, last.turn, last.end, last.amplitude) == (4.0, 5.0, 6.0, 1.0)


def test_a_hold_rises_and_then_stays() -> None:
    protocol = build_protocol([Hold("Pt", 0.5, 2.0, 0.1)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.1, 2.0)
    assert protocol.voltages(0.05)["Pt"] == pytest.approx(0.25)
    assert protocol.voltages(1.0)["Pt"] == 0.5


def test_a_hold_at_the_present_voltage_needs_no_rise() -> None:
    protocol = build_protocol([Hold("Pt", 0.0, 2.0, 0.1)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 2.0)


def test_a_sweep_first_returns_to_zero_at_its_own_rate() -> None:
    steps = [Hold("Pt", 0.5, 1.0, 0.1), Sweep("ITO", 1.0, 1.0, 1)]
    protocol = build_protocol(steps, _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.1, 1.0, 1.5, 2.5, 3.5)
    assert protocol.voltages(1.5) == {"Pt": 0.0, "ITO": 0.0}
    assert protocol.cycles[0].start == 1.5


def test_outside_its_time_the_ends_hold() -> None:
    protocol = build_protocol([Hold("Pt", 0.5, 1.0, 0.1)], _CONTACTS)
    assert protocol.voltages(-1.0)["Pt"] == 0.0
    assert protocol.voltages(1.0 + 1e-12)["Pt"] == 0.5
