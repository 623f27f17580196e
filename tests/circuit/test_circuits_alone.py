"""Circuits without field devices: closed forms, the ordinary stepper, limits, going on again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from ionstack.casefile.circuit_schema import CircuitModel
from ionstack.casefile.netlist import netlist, numbered
from ionstack.circuits.circuit import Circuit
from ionstack.output import checkpoint
from ionstack.output.checkpoint import Memory
from ionstack.protocols.drive import Limit
from ionstack.protocols.laid import Instruments
from ionstack.protocols.protocol import build_protocol
from ionstack.protocols.protocol_steps import Entry, Hold, Sweep
from ionstack.randomness.random_streams import Stream
from ionstack.runs.preparation import SourceDrive
from ionstack.solving.newton import NewtonControl
from ionstack.stepping.circuit_events import site_number
from ionstack.stepping.circuit_stepper import CircuitStepper
from ionstack.stepping.meter import of_source
from ionstack.stepping.states import State, StepControl
from support.wired import TEMPERATURE, Wired, ohmic, resistor

FILAMENT = {
    "kind": "filament",
    "length": "10 nm",
    "nucleus": "1 nm",
    "resistivity": "4e-6 ohm*m",
    "thermal_conductivity": "100 W/(m*K)",
    "contact_resistance": "10 kohm",
    "gap_decay": "1 nm",
    "velocity": "100 m/s",
    "barrier": "0.5 eV",
    "lowering": 0.4,
    "dissolution": "2.5e-32 m^4/s",
    "nucleation_rate": "5e7 1/s",
    "nucleation_voltage": "1.6 V",
}
LIMITED = {"V1": {"node": "in", "compliance": "10 uA"}}
SWITCHING = {"sources": LIMITED, "elements": {"F1": {**FILAMENT, "nodes": ["in", "ground"]}}}
RC = {
    "sources": {"V1": {"node": "in"}},
    "elements": {
        "R1": resistor("in", "p", 1e6),
        "C1": {"kind": "capacitor", "nodes": ["p", "ground"], "capacitance": "1 uF"},
        "R2": resistor("p", "ground", 1e12),
    },
}


def circuit(section: dict[str, Any]) -> Circuit:
    return numbered(netlist(CircuitModel.model_validate(section), ()), TEMPERATURE)


def stepper(given: Circuit, steps: Sequence[Any], seed: int = 0, **control: float):
    start = given.start
    limits = (
        dict(zip(given.sources, map(float, one), strict=True))
        for one in (start.positive, start.negative)
    )
    protocol = build_protocol(steps, Instruments(given.sources, *limits, {}, {}))
    drive, meter = SourceDrive(protocol.intervals(given.sources)), partial(of_source, given)
    return CircuitStepper(given, drive, StepControl(**control), NewtonControl(), meter, seed)


def column(given: Circuit, states: Sequence[State], name: str) -> np.ndarray:
    place = [one.split(" ")[0] for one in given.unknowns].index(name)
    return np.array([state.circuit[place] for state in states])


def test_a_capacitor_charges_with_third_order():
    """A ramp of 1 V/s into R C = 1 s: V = t - 1 + exp(-t)."""
    given, errors = circuit(RC), []
    for count in (4, 8, 16):
        states = list(stepper(given, [Sweep("V1", (1.0,), 1.0, 1)], fixed=1.0 / count).run())
        assert len(states) == count + 1
        errors.append(abs(column(given, states, "V(p)")[-1] - np.exp(-1.0)))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders == pytest.approx(3.0, abs=0.25)


def test_the_error_stays_within_the_tolerance():
    given = circuit(RC)
    states = list(stepper(given, [Sweep("V1", (1.0,), 1.0, 1)], tolerance=1e-5).run())
    times = np.array([state.time for state in states])
    exact = times + np.expm1(-times)
    assert np.abs(column(given, states, "V(p)") - exact).max() < 1e-4
    assert max(state.kirchhoff for state in states) < 1e-14


SWEEPS = [Sweep("V1", (0.8, 0.0), 1.0, 1)]
FINE = {"tolerance": 2e-3, "largest": 1e-2}


@pytest.fixture(scope="module")
def alone() -> tuple[Circuit, list[State]]:
    given = circuit(SWITCHING)
    return given, list(stepper(given, SWEEPS, **FINE).run())


def crossings(times: Sequence[float], values: np.ndarray) -> np.ndarray:
    """Instants at which values pass through 0, either way."""
    found = np.flatnonzero(np.diff(np.sign(values)))
    return np.array([np.interp(0.0, *_pair(times, values, k)) for k in found])


def _pair(times: Sequence[float], values: np.ndarray, k: int) -> tuple[np.ndarray, list[float]]:
    order = [k, k + 1] if values[k] < values[k + 1] else [k + 1, k]
    return values[order], [times[n] for n in order]


def test_sweeps_agree_with_the_ordinary_stepper(alone):
    """Beside a film that touches nothing: random event, jump at the compliance, dissolution."""
    given, states = alone
    elements = {**SWITCHING["elements"], "Rf": resistor("far", "ground", 1.0)}
    device = {"film": {"top": "far", "bottom": "ground"}}
    wired = Wired(ohmic(), {**SWITCHING, "devices": device, "elements": elements})
    ordinary = wired.run(*SWEEPS, **FINE)
    assert list(wired.stepper.events.entries().values()) == [1, 0]
    for name, level in (("I(V1)", 1e-7), ("grown(F1)", 0.01), ("nucleus(F1)", 0.6)):
        here = crossings([one.time for one in states], column(given, states, name) - level)
        there = crossings([one.time for one in ordinary], wired.column(ordinary, name) - level)
        assert len(here) == 2
        # Of 1.6 s; on the way back the ordinary stepper is 0.3 ms from where fine steps lead.
        assert here == pytest.approx(there, abs=6e-4)
    # In between at the compliance, where the voltage that is left settles.
    held = [one for one in states if abs(one.time - 0.8) < 1e-9]
    kept = [one for one in ordinary if abs(one.time - 0.8) < 1e-9]
    assert column(given, held, "V(in)") == pytest.approx(wired.column(kept, "V(in)"), abs=1e-3)
    assert column(given, held, "I(V1)") == pytest.approx([1e-5], rel=1e-4)


def test_a_limit_ends_a_step_where_it_is_reached(alone):
    given = circuit(SWITCHING)
    limit = Limit("current", 1e-8, True, "V1")
    steps = [Entry("sweep", SWEEPS[0], until=(limit,)), Hold("V1", 0.0, 0.01, 1e-3)]
    states = list(stepper(given, steps, **FINE).run())
    ended = [one for one in states if one.ended is not None]
    assert len(ended) == 1
    assert column(given, ended, "I(V1)") == pytest.approx([1e-8], rel=2e-5)


def test_no_step_goes_over_a_switching():
    """From there the voltage at the compliance would be half of what is right."""
    focused = {**FILAMENT, "nucleation_voltage": "0.8 V", "nucleation_rate": "5e3 1/s"}
    film = {"F1": {**focused, "nodes": ["in", "ground"]}}
    given = circuit({"sources": LIMITED, "elements": film})
    sweeps = [Sweep("V1", (0.8, 0.0), 1.0, 30)]
    states = list(stepper(given, sweeps, seed=7, tolerance=5e-3, largest=2e-2).run())
    assert np.abs(np.diff(column(given, states, "grown(F1)"))).max() <= 0.1 + 1e-12
    limited = column(given, states, "I(V1)") > 9.9e-6
    rising = np.array([one.time % 1.6 for one in states]) < 0.8
    assert column(given, states, "V(in)")[limited & rising].min() > 0.1


def test_what_is_left_of_a_nucleus_dissolves_and_grows_no_more():
    never = {"nucleation_voltage": "100 V", "nucleus_at_start": 0.4}
    film = {"F1": {**FILAMENT, **never, "nodes": ["in", "ground"]}}
    given = circuit({"sources": LIMITED, "elements": film})
    states = list(stepper(given, [Hold("V1", 0.4, 10.0, 1e-3)], tolerance=5e-3).run())
    time = np.array([one.time for one in states])
    left = column(given, states, "nucleus(F1)")
    # At B/d^4 from 0.4 on.
    assert np.interp(1e-4, time, left) == pytest.approx(0.4 * np.exp(-2.5), abs=3e-3)
    assert left[-1] < 1e-6
    assert column(given, states, "grown(F1)")[-1] < -0.95


def test_an_event_that_the_protocol_waits_for_ends_the_step():
    given = circuit(SWITCHING)
    entry = Entry(
        "sweep", SWEEPS[0], until=(Limit("event", 0.0, True, "V1", event="F1.nucleation"),)
    )
    states = list(stepper(given, [entry, Hold("V1", 0.0, 0.01, 1e-3)], **FINE).run())
    ended = [one for one in states if one.ended is not None]
    assert [event.name for one in ended for event in one.events] == ["F1.nucleation"]
    # From there back to 0 V: the sweep did not go on.
    later = [one.time for one in states if one.interval > ended[0].interval]
    assert max(later) == pytest.approx(ended[0].time + 0.01, abs=1e-9)


def test_random_losses_come_where_their_integrated_rate_reaches_the_drawn_numbers():
    """A filament dissolves: d' = -(1 - 1/n) B/d^3 in between, where r = pi L B/(2 O n^2 d^2).

    So the integral of the rate is pi L (d_1^2 - d_2^2)/(4 O n (n - 1)).
    """
    atoms, omega, length = 15.0, 1.7e-29, 1e-8
    noisy = {"nucleation_rate": "0 1/s", "atomic_volume": f"{omega} m^3", "atoms_lost": atoms}
    film = {**FILAMENT, **noisy, "grown": 0.5, "nodes": ["in", "ground"]}
    given = circuit({"sources": LIMITED, "elements": {"F1": film}})
    passed = []
    for largest in (1e-3, 4e-3):
        states = list(stepper(given, [Hold("V1", 0.0, 11e-3, 1e-9)], largest=largest).run())
        grown, came = column(given, states, "grown(F1)"), [bool(one.events) for one in states]
        before = 1e-9 + length * grown[came]
        lost = 2.0 * atoms * omega / (np.pi * before * length)
        start = np.concatenate([[6e-9], (before - lost)[:-1]])
        squares = np.pi * length * (start**2 - before**2)
        passed.append(squares / (4.0 * omega * atoms * (atoms - 1.0)))
    assert len(passed[0]) > 30
    sites = site_number("F1.loss")
    drawn = Stream(0, "events of circuit elements").exponential(sites, np.arange(len(passed[0])))
    # Of second order in the step, which the error of the diameter limits.
    assert passed[0] == pytest.approx(drawn, rel=3e-3)
    assert passed[1] == pytest.approx(drawn, rel=1e-2)


def test_a_run_goes_on_from_any_state_as_it_did_before(alone):
    """To the last bit, also from between an event and the end of its batch."""
    given, states = alone
    after = next(n for n, one in enumerate(states) if column(given, [one], "nucleus(F1)")[0] > 0.5)
    for stop in (1, after - 1, after, after + 9):
        first = stepper(given, SWEEPS, **FINE)
        run = first.run()
        for _ in range(stop + 1):
            next(run)
        kept = json.loads(checkpoint._text(first.memory().plain))
        second = stepper(given, SWEEPS, **FINE)
        second.recall(Memory(kept))
        rest = list(second.run())
        assert len(rest) == len(states) - stop - 1
        assert np.array_equal(rest[-1].circuit, states[-1].circuit)
        assert rest[-1].passed == pytest.approx(states[-1].passed, rel=1e-15)
        assert (second.accepted, second.newton_steps) == (len(states) - 1, counts(states))


def counts(states: Sequence[State]) -> int:
    return sum(one.newton for one in states)
