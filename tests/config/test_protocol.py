"""Waveforms: exact corners, cycles, returns to zero."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ionstack.protocols.protocol import build_protocol
from ionstack.protocols.protocol_steps import Hold, Pulses, Read, Repeat, Sweep

_CONTACTS = ("Pt", "ITO")


def test_triangles_have_exact_corners() -> None:
    protocol = build_protocol([Sweep("Pt", (-1.0, 0.0), 2.0, 3)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    assert [protocol.voltages(time)["Pt"] for time in protocol.breakpoints] == [
        0.0, -1.0, 0.0, -1.0, 0.0, -1.0, 0.0,
    ]  # fmt: skip
    assert protocol.voltages(0.125) == {"Pt": -0.25, "ITO": 0.0}
    assert protocol.duration == 3.0


def test_many_cycles_do_not_drift() -> None:
    protocol = build_protocol([Sweep("Pt", (0.1, 0.0), 0.3, 1000)], _CONTACTS)
    assert protocol.duration == pytest.approx(2000 * 0.1 / 0.3, rel=1e-15)
    assert all(a < b for a, b in zip(protocol.breakpoints, protocol.breakpoints[1:], strict=False))


def test_cycles_are_numbered_through_all_sweeps() -> None:
    protocol = build_protocol(
        [Sweep("Pt", (-1.0, 0.0), 1.0, 2), Sweep("Pt", (1.0, 0.0), 1.0, 1)], _CONTACTS
    )
    assert [cycle.index for cycle in protocol.cycles] == [1, 2, 3]
    last = protocol.cycles[-1]
    times = [protocol.breakpoints[one] for one in (last.first, last.turn, last.last)]
    assert (times, last.amplitude) == ([4.0, 5.0, 6.0], 1.0)


def test_a_hold_rises_and_then_stays() -> None:
    protocol = build_protocol([Hold("Pt", 0.5, 2.0, 0.1)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.1, 2.0)
    assert protocol.voltages(0.05)["Pt"] == pytest.approx(0.25)
    assert protocol.voltages(1.0)["Pt"] == 0.5


def test_a_hold_at_the_present_voltage_needs_no_rise() -> None:
    protocol = build_protocol([Hold("Pt", 0.0, 2.0, 0.1)], _CONTACTS)
    assert protocol.breakpoints == (0.0, 2.0)


def test_a_sweep_first_returns_to_zero_at_its_own_rate() -> None:
    steps = [Hold("Pt", 0.5, 1.0, 0.1), Sweep("ITO", (1.0, 0.0), 1.0, 1)]
    protocol = build_protocol(steps, _CONTACTS)
    assert protocol.breakpoints == (0.0, 0.1, 1.0, 1.5, 2.5, 3.5)
    assert protocol.voltages(1.5) == {"Pt": 0.0, "ITO": 0.0}
    assert protocol.breakpoints[protocol.cycles[0].first] == 1.5


def test_outside_its_time_the_ends_hold() -> None:
    protocol = build_protocol([Hold("Pt", 0.5, 1.0, 0.1)], _CONTACTS)
    assert protocol.voltages(-1.0)["Pt"] == 0.0
    assert protocol.voltages(1.0 + 1e-12)["Pt"] == 0.5


def test_a_sweep_visits_its_points_and_counts_a_cycle() -> None:
    protocol = build_protocol([Sweep("Pt", (1.0, -2.0, 0.5), 1.0, 2, start=0.5)], _CONTACTS)
    levels = [protocol.voltages(time)["Pt"] for time in protocol.breakpoints]
    assert levels == [0.0, 0.5, 1.0, -2.0, 0.5, 1.0, -2.0, 0.5]
    assert protocol.breakpoints == (0.0, 0.5, 1.0, 4.0, 6.5, 7.0, 10.0, 12.5)
    assert [(one.first, one.turn, one.last, one.amplitude) for one in protocol.cycles] == [
        (1, 3, 4, -2.0), (4, 6, 7, -2.0),
    ]  # fmt: skip


def test_stairs_keep_the_mean_rate_and_end_on_the_turn() -> None:
    protocol = build_protocol([Sweep("Pt", (0.25, 0.0), 0.5, 1, stair=0.1)], _CONTACTS)
    assert protocol.duration == pytest.approx(1.0)
    tops = [one.end[0] for one in protocol.laid[1::2]]
    assert tops == pytest.approx([0.25 / 3, 0.5 / 3, 0.25, 0.5 / 3, 0.25 / 3, 0.0])
    assert tops[2] == 0.25
    # Pictures at the turns only.
    assert protocol.shown == {0, 6, 12}


_PULSES = Pulses("Pt", 2.0, width=1e-3, gaps=(1e-2,) * 3, rise=1e-5, fall=2e-5)


def test_pulses_have_exact_edges_and_are_listed() -> None:
    protocol = build_protocol([replace(_PULSES, increment=0.1)], _CONTACTS)
    assert protocol.durations == (1e-5, 1e-3, 2e-5, 1e-2) * 3
    assert [one.voltage for one in protocol.pulses] == [2.0, 2.1, 2.2]
    for one in protocol.pulses:
        start, end = protocol.breakpoints[one.interval : one.interval + 2]
        assert protocol.voltages(start)["Pt"] == protocol.voltages(end)["Pt"] == one.voltage
        assert protocol.durations[one.interval] == 1e-3
    assert protocol.duration == pytest.approx(3 * (1e-3 + 3e-5 + 1e-2), rel=1e-15)


def test_reads_lie_in_the_gaps_and_keep_the_period() -> None:
    read = Read(voltage=0.1, width=2e-3, delay=4e-3, every=2)
    protocol = build_protocol([replace(_PULSES, gaps=(1e-2,) * 4, read=read)], _CONTACTS)
    assert [(one.kind, one.number) for one in protocol.pulses] == [
        ("pulse", 1), ("pulse", 2), ("read", 2), ("pulse", 3), ("pulse", 4), ("read", 4),
    ]  # fmt: skip
    starts = [protocol.breakpoints[one.interval] for one in protocol.pulses]
    assert starts[2] - starts[1] == pytest.approx(1e-3 + 2e-5 + 4e-3 + 1e-5)
    period = 1e-3 + 3e-5 + 1e-2
    assert starts[3] - starts[1] == pytest.approx(period)
    assert protocol.duration == pytest.approx(4 * period)


def test_repeated_steps_follow_each_other() -> None:
    once = [Hold("Pt", 0.5, 1.0, 0.1), Sweep("Pt", (1.0, 0.0), 1.0, 1)]
    protocol = build_protocol([Repeat(3, tuple(once))], _CONTACTS)
    assert [cycle.index for cycle in protocol.cycles] == [1, 2, 3]
    assert protocol.duration == pytest.approx(3 * 3.5)
    assert protocol.durations == build_protocol(once * 3, _CONTACTS).durations


def test_nanoseconds_after_days_keep_their_digits() -> None:
    steps = [Hold("Pt", 0.0, 1e6, 1.0), replace(_PULSES, width=1e-9, rise=1e-10, fall=1e-10)]
    intervals = build_protocol(steps, _CONTACTS).intervals(("ITO", "Pt"))
    assert intervals[1].duration == 1e-10
    assert intervals[1].levels(5e-11).tolist() == [0.0, 1.0]
    assert intervals[2].duration == 1e-9
