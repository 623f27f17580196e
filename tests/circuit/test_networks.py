"""Circuits against networks that are solved by hand or in another way."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ionstack.casefile.circuit_schema import CircuitModel
from ionstack.casefile.netlist import netlist, numbered
from ionstack.circuits.circuit import Circuit, Element, plain_circuit, source
from ionstack.circuits.crossbar import cell_factors
from ionstack.physics.constants import thermal_voltage
from support.circuits import (
    TEMPERATURE,
    Floats,
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
    """A generated array with resistors as devices, against conductances in a dense matrix.

    Unselected cells see half the voltage at most, and the wires (2 ohm) take a part.
    """
    rows, columns, wire = 3, 4, 2.0
    cells = 10.0 ** np.random.default_rng(7).uniform(2.0, 5.0, (rows, columns))
    factors = cell_factors(rows, columns, (2, 3), "half")
    expected = nodal_currents(cells, wire, list(factors.values()))
    section = CircuitModel.model_validate(
        {"crossbar": {"rows": rows, "columns": columns, "wire_resistance": f"{wire} ohm"}}
    )
    bare = numbered(netlist(section, ["Pt", "ITO"]), TEMPERATURE)
    ends = np.reshape(bare.contact_node, (rows * columns, 2))
    devices = tuple(
        resistor(name, int(a), int(b), float(value))
        for name, (a, b), value in zip(bare.copies, ends, cells.ravel(), strict=True)
    )
    of = replace(bare, elements=(*bare.elements, *devices))
    given = settings(of, **factors)
    u = array(of, solved(of, given))
    found = u[list(of.source_current)]
    assert np.allclose(found, expected, rtol=1e-9, atol=0.0)
    # Kirchhoff's law at every node, over the largest current.
    nodes = of.evaluate(u, given).residual[: len(of.nodes)]
    assert np.abs(nodes).max() <= 1e-12 * np.abs(found).max()


def nodal_currents(cells: Floats, wire: float, driven: Sequence[float]) -> Floats:
    """Currents out of the sources of rows and columns, by conductances between nodes."""
    rows, columns = cells.shape
    lines = rows + columns
    above = lines + np.arange(cells.size).reshape(rows, columns)
    below = above + cells.size
    pairs = [(above[i, j], below[i, j], cells[i, j]) for i, j in np.ndindex(rows, columns)]
    for i in range(rows):
        line = [i, *above[i]]
        pairs += [(a, b, wire) for a, b in pairwise(line)]
    for j in range(columns):
        line = [*below[:, j], rows + j]
        pairs += [(a, b, wire) for a, b in pairwise(line)]
    matrix = np.zeros((lines + 2 * cells.size,) * 2)
    for a, b, resistance in pairs:
        matrix[[a, b, a, b], [a, b, b, a]] += np.array([1.0, 1.0, -1.0, -1.0]) / resistance
    inner = np.linalg.solve(matrix[lines:, lines:], -matrix[lines:, :lines] @ np.array(driven))
    return matrix[:lines] @ np.concatenate([driven, inner])


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
