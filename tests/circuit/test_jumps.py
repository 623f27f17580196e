"""Switches, limits of the current and of steps: what happens at once is met and survived."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ionstack.protocols.drive import Limit
from ionstack.protocols.protocol_steps import (
    ChargeDischarge,
    Current,
    Entry,
    Hold,
    Pulses,
    Read,
    Repeat,
    Sweep,
    Switch,
)
from ionstack.protocols.surrounding_steps import Warm
from support.wired import (
    CAPACITANCE,
    CONDUCTANCE,
    Wired,
    capacitor,
    dielectric,
    diode,
    insertion,
    line,
    ohmic,
    resistor,
    switch,
)

AMP = 1e-12  # A; 1 V of the dielectric film takes about a second


def until(step, *limits: Limit, **more) -> Entry:
    return Entry("step", step, "", limits, **more)


def close(name: str) -> Switch:
    return Switch(((name, True),))


def ends(states) -> list:
    return [state for state in states[1:] if state.at_breakpoint]


@pytest.mark.parametrize("volts", [1.0, 30.0])
def test_a_switch_moves_nodes_at_once(volts):
    """However far: nothing but a limit per Newton update stands against it."""
    elements = {"S1": switch("in", "a", 1.0, 1e9), "R1": resistor("a", "top", 1e6)}
    wired = Wired(ohmic(), line("in", elements=elements))
    states = wired.run(Hold("V1", volts, 1.0, 1e-3), close("S1"), Hold("V1", volts, 1.0, 1e-3))
    expected = volts / (1e6 + 1.0 + 1.0 / CONDUCTANCE)
    assert wired.of(states[-1])["I(V1)"] == pytest.approx(expected, rel=1e-8)
    assert max(state.kirchhoff for state in states) < 1e-12 * expected
    # One jump costs as many Newton updates as it has steps of 0.2 V, and no more.
    assert wired.stepper.newton_steps < 120 + volts / 0.2


def test_compliance_as_a_property_of_a_step():
    """A diode's current passes four decades; the limits differ, and hold for this step alone."""
    wired = Wired(diode(), line("top"))
    sweep = Sweep("V1", (0.9, -0.9, 0.0), 1.0, 1)
    limited = Entry("sweep", sweep, "", (), (1e-6, np.inf))
    states = wired.run(limited, Sweep("V1", (0.7,), 1.0, 1))
    currents = wired.column(states, "I(V1)")
    first = np.array([state.interval <= 3 for state in states])
    assert currents[first].max() == pytest.approx(1e-6, rel=1e-4)
    assert currents[~first].max() > 2e-6
    assert currents[currents > 0.0].min() < 1e-11


def test_overshoot_is_the_discharge_of_a_capacitor():
    """Above the compliance flows what a parasitic capacitor held, through the closed switch."""
    volts, on, limit = 2.0, 1e3, 1e-5
    section = {
        "sources": {"V1": {"node": "in", "compliance": "10 uA"}},
        "elements": {
            "S1": switch("in", "top", on, 1e12),
            "C1": capacitor("in", "ground", 1e-9),
        },
    }
    wired = Wired(ohmic(), section)
    states = wired.run(Hold("V1", volts, 1.0, 1e-2), close("S1"), Hold("V1", volts, 1.0, 1e-3))
    # At first all of the voltage is at the switch; the film's own capacitance is small.
    assert wired.column(states, "I(top)").max() == pytest.approx(volts / on, rel=0.01)
    assert wired.column(states, "I(V1)").max() <= limit
    # Nothing is lost on the way: what the film passed came from the source or the capacitor.
    last = wired.of(states[-1])
    assert last["I(top)"] == pytest.approx(limit, rel=1e-4)
    assert last["V(in)"] == pytest.approx(limit * (on + 1.0 / CONDUCTANCE), rel=1e-4)


def test_a_jump_ends_at_a_limit_without_searching_for_it():
    elements = {"S1": switch("in", "top", 1.0, 1e9)}
    wired = Wired(ohmic(), line("in", elements=elements))
    limit = Limit("current", 1e-3, True, "V1")
    hold = Hold("V1", 1.0, 1.0, 1e-3)
    states = wired.run(hold, close("S1"), until(hold, limit), Hold("V1", 0.0, 1.0, 1e-3))
    ended = [state for state in states if state.ended is not None]
    assert len(ended) == 1
    assert ended[0].time - 1.0 < 1e-3
    assert wired.stepper.accepted < 80


@pytest.mark.parametrize(("volts", "duration"), [(0.5, 1e7), (-0.4, 20.0), (5e-3, 1e7)])
def test_currents_end_at_a_voltage(volts, duration):
    """However long the step may last: its first step does not go past the limit."""
    wired = Wired(dielectric(), line("top"))
    sign = np.sign(volts)
    states = wired.run(
        Current("V1", sign * AMP, duration, volts),
        Current("V1", 0.0, 100.0),
        Current("V1", -sign * AMP, duration, 0.0),
    )
    reached, rested, back = ends(states)
    assert wired.of(reached)["V(top)"] == pytest.approx(volts, rel=1e-4)
    expected = CAPACITANCE * abs(volts) / AMP
    assert reached.time == pytest.approx(expected, rel=1e-4)
    assert rested.time - reached.time == pytest.approx(100.0, rel=1e-12)
    assert wired.of(rested)["V(top)"] == pytest.approx(wired.of(reached)["V(top)"], rel=1e-12)
    assert abs(wired.of(back)["V(top)"]) < 1e-4
    assert back.time == pytest.approx(100.0 + 2.0 * expected, rel=1e-4)
    given = {1: sign * AMP, 2: 0.0, 3: -sign * AMP}
    for state in states[1:]:
        assert wired.of(state)["I(V1)"] == pytest.approx(given[state.interval], abs=1e-12 * AMP)


def test_charge_and_discharge_through_a_resistor():
    """The ohmic drop changes sign with the current; both cut-offs are met."""
    drop = 0.05
    elements = {"R1": resistor("in", "top", drop / AMP)}
    wired = Wired(dielectric(), line("in", elements=elements))
    states = wired.run(ChargeDischarge("V1", AMP, 0.2, 1.0, 2, 0.1, 1e7))
    met = [wired.of(state)["V(in)"] for state in ends(states) if state.ended]
    assert met == pytest.approx([1.0, 0.2, 1.0, 0.2], rel=1e-4)
    times = np.array([state.time for state in ends(states)])
    # From 0 V up to 0.95 V of the film; after each half 0.1 s of rest; down to 0.25 V, and so on.
    halves = CAPACITANCE / AMP * np.array([0.95, 0.7, 0.7, 0.7])
    assert np.diff([0.0, *times])[::2] == pytest.approx(halves, rel=2e-4)
    assert np.diff([0.0, *times])[1::2] == pytest.approx([0.1] * 4, rel=1e-9)


RAMP = 1e3  # V/s


@pytest.mark.parametrize(
    ("limit", "name", "scale"),
    [
        (Limit("voltage", 0.3, True, "V1"), "V(in)", 1.0),
        (Limit("current", 0.3 * CONDUCTANCE / 2.0, True, "V1"), "I(V1)", 1.0),
        (Limit("charge", 1e-6, True, "V1"), "", 1.0),
    ],
)
def test_limits_above(limit, name, scale):
    elements = {"R1": resistor("in", "top", 1.0 / CONDUCTANCE)}
    wired = Wired(ohmic(), line("in", elements=elements))
    states = wired.run(until(Sweep("V1", (1.0,), RAMP, 1), limit), Hold("V1", 0.1, 1.0, 1e-3))
    end = ends(states)[0]
    found = wired.of(end)[name] if name else end.passed[0]
    assert end.ended is not None
    assert found == pytest.approx(limit.value, rel=1e-4)
    following = states[states.index(end) + 1]
    # What follows begins there: 1 ms down to 0.1 V.
    begin = wired.of(end)["V(in)"]
    expected = begin + (0.1 - begin) * (following.time - end.time) / 1e-3
    assert wired.of(following)["V(in)"] == pytest.approx(expected, rel=1e-6)


def test_limits_below():
    """The charging current of a film falls; so does the mean content of a host."""
    resistance = 1e6
    tau = resistance * CAPACITANCE
    wired = Wired(dielectric(), line("in", elements={"R1": resistor("in", "top", resistance)}))
    limit = Limit("current", 1e-8, False, "V1")
    hold = until(Hold("V1", 1.0, 100 * tau, 1e-6 * tau), limit)
    end = ends(wired.run(hold, tolerance=1e-5, smallest=1e-18))[-1]
    assert wired.of(end)["I(V1)"] == pytest.approx(1e-8, rel=1e-4)
    assert end.time == pytest.approx(tau * np.log(1e-6 / 1e-8), rel=1e-3)
    host = Wired(insertion(), line("top"))
    limit = Limit("content", 0.48, False, layer="host", species="ion")
    last = ends(host.run(until(Current("V1", -2e-9, 1e7), limit)))[-1]
    assert last.ended is not None
    assert host.particles(last, "ion") == pytest.approx(0.48 * 1e27 * 1e-15, rel=1e-4)


def test_conductance_of_reads_ends_pulses_inside_a_repeat():
    """Write and verify: each pulse brings ions, until a read finds the conductance."""
    wired = Wired(ohmic(), line("top"))
    limit = Limit("conductance", 0.5 * CONDUCTANCE, True, "V1")
    read = Read(0.1, 1e-3, 1e-3, 1)
    pulses = Pulses("V1", 1.0, 1e-3, (1e-2,) * 3, 1e-5, 1e-5, 0.0, 0.0, read)
    states = wired.run(Repeat(2, (until(pulses, limit),)), Hold("V1", 0.2, 1.0, 1e-3))
    ended = [state for state in states if state.ended]
    # Both times in the first read.
    assert len(ended) == 2
    for state in ended:
        assert wired.of(state)["V(top)"] == pytest.approx(0.1, rel=1e-9)
    assert len({state.interval for state in states}) < 20


def test_nanoseconds_after_hours():
    rise = 1e-9
    wired = Wired(dielectric(), line("in", elements={"R1": resistor("in", "top", 1e3)}))
    rest = 5.0 * 3600.0
    pulses = Pulses("V1", 1.0, 1e-7, (1e-6,) * 2, rise, rise)
    states = wired.run(Current("V1", 0.0, rest), pulses, smallest=1e-15)
    marks = [state.time for state in ends(states)]
    # The source first comes back from open circuit within a rise.
    lengths = [rest, rise, *[rise, 1e-7, rise, 1e-6] * 2]
    expected = np.cumsum(lengths, dtype=np.longdouble)
    assert marks == pytest.approx([float(one) for one in expected], abs=4e-12)
    flat = [state for state in ends(states) if state.interval in (4, 8)]
    tau = 1e3 * CAPACITANCE
    for state in flat:
        assert wired.of(state)["V(top)"] == pytest.approx(1.0, abs=2e-3 + np.exp(-1e-7 / tau))
    # No sliver before a corner: the last step of an interval is not small beside the one before.
    for before, after in pairwise(states):
        if after.at_breakpoint and not before.at_breakpoint:
            assert after.step > 0.3 * before.step


def test_open_circuit_begins_at_the_present_current_after_a_change_of_temperature():
    """What a step leaves as it is, stays: a current is no voltage."""
    wired = Wired(dielectric(), line("top"))
    states = wired.run(Current("V1", AMP, 0.1), Warm(310.0, 0.1))
    currents = wired.column(states[1:], "I(V1)")
    assert currents == pytest.approx(np.full(len(currents), AMP), rel=1e-12)


def test_capacitors_alone_share_a_voltage():
    elements = {
        "C1": capacitor("in", "top", CAPACITANCE),
        "R1": resistor("top", "ground", 1e18),
    }
    wired = Wired(dielectric(), line("in", elements=elements))
    states = wired.run(Hold("V1", 1.0, 1.0, 1e-3))
    assert wired.of(states[-1])["V(top)"] == pytest.approx(0.5, rel=1e-5)
    assert wired.stepper.rejected == 0
