"""Devices in circuits: networks with exact solutions"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.protocols.protocol_steps import Current, Hold, Sweep, Switch
from support.wired import (
    CAPACITANCE,
    CONDUCTANCE,
    Wired,
    analog_stack,
    capacitor,
    dielectric,
    diode,
    insertion,
    line,
    ohmic,
    pair,
    resistor,
    switch,
)


@pytest.mark.parametrize("beside", [0.0, 3.0])
def test_resistor_and_film(beside, verify):
    """A film that is a pure capacitor behind a resistor, alone and beside a capacitor."""
    total, resistance = CAPACITANCE * (1.0 + beside), 1e6
    elements = {"R1": resistor("in", "top", resistance)}
    if beside:
        elements["C1"] = capacitor("top", "ground", CAPACITANCE * beside)
    wired = Wired(dielectric(), line("in", elements=elements))
    tau = resistance * total
    rise = 1e-3 * tau
    states = wired.run(Hold("V1", 1.0, 8.0 * tau, rise), tolerance=1e-6, smallest=1e-15)
    times = np.array([state.time for state in states[1:]]) / tau
    found = wired.column(states[1:], "V(top)")
    share = rise / tau
    exact = np.where(
        times < share,
        (times - 1.0 + np.exp(-times)) / share,
        1.0 - np.expm1(share) / share * np.exp(-times),
    )
    name = "alone" if not beside else "beside a capacitor"
    verify(
        f"circuits.rc({beside:g})",
        found,
        exact,
        abs=5e-5,
        unit="V",
        title=f"voltage of a dielectric film {name} behind a resistor, steps within 1 µV",
        source="exponential",
    )
    axes = {"xlabel": "t/RC", "ylabel": "voltage (V)", "title": "Film behind a resistor"}
    verify.curve("circuits_rc", times, found, label=f"ionstack, {name}", **axes)
    if not beside:
        some = np.linspace(0.0, 8.0, 17)
        verify.curve("circuits_rc", some, 1.0 - np.exp(-some), label="exact", points=True, **axes)


@pytest.mark.parametrize(("kind", "top", "step"), [("diode", 0.8, 0.05), ("analog", 0.5, 0.1)])
def test_two_devices(kind, top, step, verify):
    """In series they carry the current of one at twice its voltage, in parallel twice that."""
    device = diode() if kind == "diode" else analog_stack()
    start = device.system.unknowns.getArray().copy()
    # Steps of given size: the two then differ by nothing but their solution.
    one = Wired(device)
    source = one.circuit.sources[0]
    alone = one.run(Sweep(source, (top, -0.5 * top, 0.0), 1.0, 1), fixed=step)
    for how, volts, amps in (("series", 2.0, 1.0), ("parallel", 1.0, 2.0)):
        device.system.unknowns.setArray(start)
        two = Wired(device, pair(device, how))
        way = (top * volts, -0.5 * top * volts, 0.0)
        states = two.run(Sweep("V1", way, volts, 1), fixed=step)
        verify(
            f"circuits.two({kind},{how})",
            two.column(states, "I(V1)"),
            amps * one.column(alone, f"I({source})"),
            rel=1e-9,
            unit="A",
            title=f"current of two devices ({kind}) in {how} along a sweep",
            source="current of one device",
        )
        verify(
            f"circuits.charge({kind},{how})",
            [state.passed[0] for state in states],
            [amps * state.passed[0] for state in alone],
            rel=1e-9,
            unit="C",
            title=f"charge that passed two devices ({kind}) in {how}",
            source="charge of one device",
        )


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_compliance(sign, verify):
    """A switch closes in front of a film: the current would rise by more than six decades."""
    limits = {1.0: 1e-4, -1.0: 3e-4}
    section = {
        "sources": {
            "V1": {"node": "in", "compliance": {"positive": "0.1 mA", "negative": "0.3 mA"}}
        },
        "elements": {"S1": switch("in", "top", 1.0, 1e9)},
    }
    wired = Wired(ohmic(), section)
    states = wired.run(
        Hold("V1", sign, 1.0, 1e-3), Switch((("S1", True),)), Hold("V1", sign, 1.0, 1e-3)
    )
    currents = sign * wired.column(states, "I(V1)")
    times = np.array([state.time for state in states])
    before, after = currents[times <= 1.0], currents[times > 1.0]
    assert before.max() < 1.1e-9
    verify(
        f"circuits.compliance({sign:g})",
        after,
        np.full(len(after), limits[sign]),
        rel=1e-4,
        unit="A",
        title="current in compliance after a switch closed at 1 V",
        source="compliance",
    )
    assert after.max() <= limits[sign]


@pytest.mark.parametrize("wire", [0.0, 40.0])
def test_crossbar(wire, verify):
    """Ohmic films at all crossings against conductances in a dense matrix."""
    rows, columns = 2, 3
    section = {"crossbar": {"rows": rows, "columns": columns, "wire_resistance": f"{wire} ohm"}}
    wired = Wired(ohmic(), section)
    last = wired.run(Hold("M2_3/third", 0.6, 1.0, 1e-3))[-1]
    found = wired.of(last)
    driven = [0.2, 0.6, 0.4, 0.4, 0.0]
    lines = (*(f"row{i + 1}" for i in range(rows)), *(f"column{j + 1}" for j in range(columns)))
    drops = np.subtract.outer(driven[:rows], driven[rows:])
    expected = np.concatenate([drops.sum(axis=1), -drops.sum(axis=0)]) * CONDUCTANCE
    verify(
        f"circuits.crossbar({wire:g})",
        [found[f"I({name})"] for name in lines],
        nodal_currents(rows, columns, wire, driven) if wire else expected,
        rel=1e-8,
        unit="A",
        title=f"currents of the lines of 2 × 3 ohmic films, {wire:g} Ω per piece of wire",
        source="nodal analysis",
    )
    if not wire:
        across = dict(zip(wired.system.equations.volumes.contacts, last.voltages, strict=True))
        found = [across[f"{one}.top"] - across[f"{one}.bottom"] for one in wired.circuit.copies]
        assert found == pytest.approx([-0.2, -0.2, 0.2, 0.2, 0.2, 0.6], abs=1e-15)


def nodal_currents(rows: int, columns: int, wire: float, driven: list[float]) -> list[float]:
    """Currents out of the sources at the lines; every crossing is `CONDUCTANCE`."""
    lines, cells = rows + columns, np.arange(rows * columns).reshape(rows, columns)
    above, below = lines + cells, lines + cells.size + cells
    pairs = [(a, b, CONDUCTANCE) for a, b in zip(above.flat, below.flat, strict=True)]
    for i in range(rows):
        pairs += [(a, b, 1.0 / wire) for a, b in pairwise([i, *above[i]])]
    for j in range(columns):
        pairs += [(a, b, 1.0 / wire) for a, b in pairwise([*below[:, j], rows + j])]
    matrix = np.zeros((lines + 2 * cells.size,) * 2)
    for a, b, conductance in pairs:
        matrix[[a, b, a, b], [a, b, b, a]] += np.array([1.0, 1.0, -1.0, -1.0]) * conductance
    inner = np.linalg.solve(matrix[lines:, lines:], -matrix[lines:, :lines] @ np.array(driven))
    return list(matrix[:lines] @ np.concatenate([driven, inner]))


def test_coulombs_are_counted(verify):
    """A given current moves as many ions as it has charges."""
    wired = Wired(insertion(), line("top"))
    current, duration = 2e-9, 3.0
    states = wired.run(Current("V1", current, duration), Current("V1", 0.0, 100.0))
    ions = [wired.particles(state, "ion") for state in states]
    end = next(n for n, state in enumerate(states[1:], 1) if state.at_breakpoint)
    top = wired.system.equations.volumes.contacts.index("top")
    metal = [state.charges[top] for state in states]
    verify(
        "circuits.coulombs",
        (ions[end] - ions[0]) * ELEMENTARY_CHARGE + metal[end] - metal[0],
        current * duration,
        rel=1e-10,
        unit="C",
        title="charge of the ions that 2 nA brought into a host in 3 s, and of the metal",
        source="current × time",
    )
    # At open circuit nothing flows, and what is on the metal and in the film stays together.
    rest = [abs(wired.of(state)["I(V1)"]) for state in states[end + 1 :]]
    assert max(rest) < 1e-12 * current
    kept = (ions[-1] - ions[end]) * ELEMENTARY_CHARGE + metal[-1] - metal[end]
    assert abs(kept) < 1e-10 * current * duration
