"""Circuits against networks that are solved by hand or in another way."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ionstack.circuit import Circuit, Element, plain_circuit, source
from ionstack.physics.constants import thermal_voltage
from support.circuits import (
    TEMPERATURE,
    array,
    by_current,
    capacitor,
    circuit,
    resistor,
    settings,
    solved,
)


def test_voltage_divider() -> None:
    divider = circuit(
        ["in", "mid"], source("V1", 0), resistor("R1", 0, 1, 1e3), resistor("R2", 1, -1, 3e3)
    )
    assert divider.unknowns == (
        *("V(in) [V]", "V(mid) [V]"),
        *("I(V1) [A]", "lowered(V1) [V]", "raised(V1) [V]", "I(R1) [A]", "I(R2) [A]"),
    )
    found = solved(divider, settings(divider, V1=2.0))
    assert found["V(mid)"] == pytest.approx(1.5, rel=1e-14)
    for name in ("I(V1)", "I(R1)", "I(R2)"):
        assert found[name] == pytest.approx(0.5e-3, rel=1e-14)


def test_balanced_bridge_carries_no_current_across() -> None:
    """Arms 1:2 and 2:4 kohm; out of balance the current is Thevenin's."""
    parts = (source("V1", 0), resistor("a", 0, 1, 1e3), resistor("b", 1, -1, 2e3))
    for last, voltage in ((4e3, 0.0), (2e3, 2.0 / 3.0 - 0.5)):
        bridge = circuit(
            ["in", "left", "right"],
            *parts,
            resistor("c", 0, 2, 2e3),
            resistor("d", 2, -1, last),
            resistor("across", 1, 2, 500.0),
        )
        inner = 2e3 / 3.0 + 2e3 * last / (2e3 + last)
        found = solved(bridge, settings(bridge, V1=1.0))
        expected = voltage / (inner + 500.0)
        assert found["I(across)"] == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_a_wire_and_a_small_resistance_keep_all_digits() -> None:
    """The voltage over 1 nohm is below the last bit of 1 V; its current is exact."""
    for small in (0.0, 1e-9):
        chain = circuit(
            ["in", "far"], source("V1", 0), resistor("W", 0, 1, small), resistor("R", 1, -1, 7.0)
        )
        found = solved(chain, settings(chain, V1=1.0))
        assert found["I(W)"] == found["I(R)"] == found["I(V1)"] == pytest.approx(1.0 / 7.0)


def test_current_source_and_a_source_between_nodes() -> None:
    """1 mA into a, and 0.5 V between a and b: the resistors share the current."""
    both = circuit(
        ["a", "b"],
        *(source("I1", 0), source("V1", 0, 1)),
        *(resistor("R1", 0, -1, 1e3), resistor("R2", 1, -1, 1e3)),
    )
    found = solved(both, by_current(settings(both, I1=1e-3, V1=0.5), 0))
    assert found["V(a)"] == pytest.approx(0.75, rel=1e-13)
    assert found["V(b)"] == pytest.approx(0.25, rel=1e-13)
    assert found["I(V1)"] == pytest.approx(-0.25e-3, rel=1e-12)


def test_capacitor_charges_as_implicit_euler_says() -> None:
    """V_n = V (1 - (1 + dt/RC)^-n), the exact solution of the recursion."""
    charging = circuit(
        ["in", "out"], source("V1", 0), resistor("R", 0, 1, 1e3), capacitor("C", 1, -1, 1e-9)
    )
    given, step = settings(charging, V1=1.0), 2e-7
    u = np.zeros(charging.size)
    for number in range(1, 11):
        found = solved(charging, given, u, step)
        u = array(charging, found)
        expected = 1.0 - (1.0 + step / 1e-6) ** -number
        assert found["V(out)"] == pytest.approx(expected, rel=1e-12)


def test_common_source_stage() -> None:
    """Drain voltage where the saturated transistor's current meets the load's."""
    ut = thermal_voltage(TEMPERATURE)
    numbers = {"channel": 1.0, "transconductance": 1e-3, "threshold": 0.5, "slope_factor": 1.3}
    stage = circuit(
        ["supply", "gate", "drain"],
        *(source("VDD", 0), source("VG", 1), resistor("RL", 0, 2, 1e4)),
        Element("T1", "mosfet", (2, 1, -1, -1), numbers),
    )
    for gate in (0.2, 0.6, 0.8, 3.0):
        found = solved(stage, settings(stage, VDD=3.0, VG=gate), limit=0.2)
        pinch = (gate - 0.5) / 1.3
        ends = [np.log1p(np.exp((pinch - v) / (2.0 * ut))) ** 2 for v in (0.0, found["V(drain)"])]
        expected = 2.0 * 1.3 * 1e-3 * ut**2 * (ends[0] - ends[1])
        assert (3.0 - found["V(drain)"]) / 1e4 == pytest.approx(expected, rel=1e-9)
        assert found["I(VG)"] == 0.0


def test_open_and_closed_switch() -> None:
    numbers = {"on": 10.0, "off": 1e9, "closed": 0.0}
    chain = circuit(
        ["in", "out"],
        *(source("V1", 0), Element("S1", "switch", (0, 1), numbers), resistor("R", 1, -1, 990.0)),
    )
    given = settings(chain, V1=1.0)
    assert given.closed.tolist() == [False]
    assert solved(chain, given)["I(R)"] == pytest.approx(1.0 / (1e9 + 990.0), rel=1e-12)
    given.closed[0] = True
    assert solved(chain, given)["I(R)"] == pytest.approx(1e-3, rel=1e-13)


def test_crossbar_of_resistors_against_nodal_analysis() -> None:
    """3 x 3 cells with wires, against conductances and voltages of a dense matrix."""
    rows, columns, wire = 3, 3, 2.0
    draw = np.random.default_rng(7)
    cells = 10.0 ** draw.uniform(2.0, 5.0, (rows, columns))
    number = {}
    for name in ("row", "column"):
        number |= {(name, k): len(number) + k for k in range(3)}
    for name in ("top", "bottom"):
        number |= {(name, i, j): len(number) + 3 * i + j for i in range(3) for j in range(3)}
    pairs = []
    for i in range(rows):
        for j in range(columns):
            before = ("row", i) if j == 0 else ("top", i, j - 1)
            after = ("column", j) if i == rows - 1 else ("bottom", i + 1, j)
            pairs.append((number[before], number["top", i, j], wire))
            pairs.append((number["bottom", i, j], number[after], wire))
            pairs.append((number["top", i, j], number["bottom", i, j], cells[i, j]))
    driven = {f"V{n}": float(v) for n, v in enumerate((0.5, 1.0, 0.5, 0.5, 0.0, 0.5))}
    array_ = circuit(
        [str(n) for n in range(len(number))],
        *(source(name, n) for n, name in enumerate(driven)),
        *(resistor(f"R{n}", a, b, r) for n, (a, b, r) in enumerate(pairs)),
    )
    found = solved(array_, settings(array_, **driven))
    matrix = np.zeros((len(number), len(number)))
    for a, b, r in pairs:
        matrix[[a, b, a, b], [a, b, b, a]] += np.array([1.0, 1.0, -1.0, -1.0]) / r
    known = np.array(list(driven.values()))
    inner = np.linalg.solve(matrix[6:, 6:], -matrix[6:, :6] @ known)
    voltages = np.concatenate([known, inner])
    assert np.allclose([found[f"V({n})"] for n in range(len(number))], voltages, rtol=1e-11)
    currents = matrix[:6] @ voltages
    assert np.allclose([found[f"I({name})"] for name in driven], currents, rtol=1e-8, atol=1e-12)
    # Kirchhoff's law at every node, over the largest current.
    rows_ = array_.evaluate(array(array_, found), settings(array_, **driven)).residual[:24]
    assert np.abs(rows_).max() <= 1e-12 * np.abs(currents).max()


def test_plain_circuit_has_nothing_to_solve() -> None:
    plain = plain_circuit(["Pt", "ITO"], [], TEMPERATURE)
    assert (plain.nodes, plain.contacts, plain.sources) == (("Pt", "ITO"),) * 3
    given = settings(plain, Pt=-1.5)
    known, values = plain.held(given)
    assert known.all()
    assert values[:2].tolist() == [-1.5, 0.0]
    assert plain.plain
    found = plain.evaluate(values, given)
    assert not found.residual.any()


def test_a_floating_contact_is_a_node_without_source() -> None:
    plain = plain_circuit(["gate", "ITO"], ["gate"], TEMPERATURE)
    assert plain.sources == ("ITO",)
    assert plain.held(plain.start)[0].tolist() == [False, True, True, True, True]
    assert plain.plain


def test_compliance_and_current_mode_are_not_held() -> None:
    one = circuit(["a"], source("V1", 0, -1, 1e-3))
    assert not one.held(one.start)[0].any()
    assert not one.plain
    free = circuit(["a"], source("V1", 0))
    assert not free.held(by_current(free.start, 0))[0].any()
    between = circuit(["a", "b"], source("V1", 0, 1))
    assert not between.held(between.start)[0].any()


def test_places_of_sources() -> None:
    parts = (resistor("R1", 0, -1, 1.0), source("V1", 1, 0), source("V2", 0))
    of = circuit(["a", "b"], *parts)
    assert of.source_node == (1, 0)
    assert of.return_node == (0, -1)
    assert [of.unknowns[n] for n in of.source_current] == ["I(V1) [A]", "I(V2) [A]"]
    given = np.arange(float(of.size))
    assert of.source_voltages(given).tolist() == [given[1] - given[0], given[0]]


def test_a_used_circuit_can_be_pickled_and_says_the_same() -> None:
    of = circuit(["a"], source("V1", 0, -1, 1e-3, 2e-3), resistor("R1", 0, -1, 1e3))
    first = of.evaluate(np.full(of.size, 0.1), of.start)
    copy: Circuit = pickle.loads(pickle.dumps(of))
    again = copy.evaluate(np.full(of.size, 0.1), of.start)
    assert np.array_equal(first.residual, again.residual)
    assert np.array_equal(first.residual_slopes, again.residual_slopes)
