"""Compliance as an instrument keeps it: below, above, and across jumps of the load."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ionstack.circuits.circuit import Circuit, Element, Settings, source
from support.circuits import array, capacitor, circuit, resistor, settings, solved

POSITIVE, NEGATIVE = 1e-3, 4e-3


@cache
def loaded(resistance: float, positive: float = POSITIVE, negative: float = NEGATIVE) -> Circuit:
    return circuit(["a"], source("V1", 0, -1, positive, negative), resistor("R", 0, -1, resistance))


@pytest.mark.parametrize("voltage", [1e-3, 0.25, 0.5, -0.5, -2.0])
def test_below_half_of_the_compliance_the_voltage_is_as_set(voltage: float) -> None:
    of = loaded(1e3)
    found = solved(of, settings(of, V1=voltage))
    assert abs(found["V(a)"] - voltage) < 5e-6
    assert found["I(V1)"] == pytest.approx(voltage / 1e3, rel=1e-5)


@pytest.mark.parametrize(
    ("voltage", "limit"),
    [(1.1, POSITIVE), (100.0, POSITIVE), (-4.4, -NEGATIVE), (-80.0, -NEGATIVE)],
)
def test_above_it_the_current_is_held(voltage: float, limit: float) -> None:
    of = loaded(1e3)
    found = solved(of, settings(of, V1=voltage))
    assert found["I(V1)"] == pytest.approx(limit, rel=1e-4)
    assert abs(found["I(V1)"]) < abs(limit)
    assert found["V(a)"] == pytest.approx(limit * 1e3, rel=1e-4)


def test_at_rest_nothing_flows_whichever_polarity_is_limited() -> None:
    for limits in ((POSITIVE, NEGATIVE), (POSITIVE, np.inf), (np.inf, NEGATIVE)):
        of = loaded(1e-2, *limits)
        found = solved(of, of.start)
        assert not array(of, found).any()


def test_one_polarity_without_compliance() -> None:
    of = loaded(1e3, POSITIVE, np.inf)
    found = solved(of, settings(of, V1=-50.0))
    assert found["I(V1)"] == pytest.approx(-50e-3, rel=1e-7)
    assert found["raised(V1)"] == 0.0


def test_the_limits_are_settings_of_the_instant() -> None:
    of = loaded(1e3)
    given = replace(settings(of, V1=2.0), positive=np.array([1e-5]))
    assert solved(of, given)["I(V1)"] == pytest.approx(1e-5, rel=1e-4)
    free = replace(given, positive=np.array([np.inf]), negative=np.array([np.inf]))
    assert solved(of, free)["I(V1)"] == pytest.approx(2e-3, rel=1e-14)


@pytest.mark.parametrize("first", ["low", "high"])
def test_held_across_a_jump_of_four_decades(first: str) -> None:
    """A load of 1 Mohm becomes 100 ohm and back, each solved from the state before."""
    loads = {"low": loaded(1e6), "high": loaded(1e2)}
    u = np.zeros(loads["low"].size)
    order = ("low", "high", "low") if first == "low" else ("high", "low", "high")
    for name in order:
        found = solved(loads[name], settings(loads[name], V1=1.0), u)
        u = array(loads[name], found)
        expected = 1e-6 if name == "low" else POSITIVE
        assert found["I(V1)"] == pytest.approx(expected, rel=1e-4)


def test_overshoot_comes_only_from_a_capacitor() -> None:
    """The jump discharges a parasitic capacitor through the load, not the instrument."""
    parts = (source("V1", 0, -1, POSITIVE, NEGATIVE), capacitor("C", 0, -1, 1e-9))

    def of(closed: float) -> tuple[Circuit, Settings]:
        numbers = {"on": 100.0, "off": 1e6, "closed": closed}
        built = circuit(["a"], *parts, Element("S", "switch", (0, -1), numbers))
        return built, settings(built, V1=1.0)

    before, given = of(0.0)
    u = array(before, solved(before, given))
    after, given = of(1.0)
    peak = 0.0
    for _ in range(200):
        found = solved(after, given, u, 5e-9)
        assert found["I(V1)"] <= POSITIVE
        peak = max(peak, found["I(S)"])
        u = array(after, found)
    assert peak == pytest.approx(1.0 / 100.0 / 1.05, rel=0.02)
    assert found["I(S)"] == pytest.approx(POSITIVE, rel=1e-3)


def test_a_transistor_in_compliance() -> None:
    """The instrument lowers the drain until the triode region carries the limit."""
    numbers = {"channel": 1.0, "transconductance": 1e-2, "threshold": 0.5, "slope_factor": 1.0}
    of = circuit(
        ["d", "g"],
        *(source("VD", 0, -1, POSITIVE, NEGATIVE), source("VG", 1)),
        Element("T", "mosfet", (0, 1, -1, -1), numbers),
    )
    found = solved(of, settings(of, VD=3.0, VG=2.5), limit=0.2)
    assert found["I(VD)"] == pytest.approx(POSITIVE, rel=1e-4)
    # beta (2 - V/2) V = 1 mA
    assert found["V(d)"] == pytest.approx(2.0 - np.sqrt(4.0 - 0.2), rel=1e-3)
