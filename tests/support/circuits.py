"""Small circuits for tests, solved by a Newton method of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit import Circuit, Element, Settings

Floats = NDArray[np.float64]

TEMPERATURE = 300.0


def circuit(nodes: Sequence[str], *parts: Element) -> Circuit:
    """A circuit without devices."""
    return Circuit(tuple(nodes), (), (), tuple(parts), TEMPERATURE)


def resistor(name: str, a: int, b: int, resistance: float) -> Element:
    return Element(name, "resistor", (a, b), {"resistance": resistance})


def capacitor(name: str, a: int, b: int, capacitance: float) -> Element:
    return Element(name, "capacitor", (a, b), {"capacitance": capacitance})


def settings(of: Circuit, **values: float) -> Settings:
    """The settings at the start with the sources' values by name."""
    value = np.array([values.get(name, 0.0) for name in of.sources])
    return replace(of.start, value=value)


def by_current(given: Settings, number: int) -> Settings:
    """The same with one source in current mode."""
    current = given.current.copy()
    current[number] = True
    return replace(given, current=current)


def solved(
    of: Circuit,
    given: Settings,
    start: Floats | None = None,
    step: float | None = None,
    limit: float = np.inf,
) -> dict[str, float]:
    """Unknowns by label: at rest, or after an implicit Euler step [s] from `start`.

    No change of a Newton step exceeds `limit`.
    """
    u = np.zeros(of.size) if start is None else start.copy()
    rate = 0.0 if step is None else 1.0 / step
    before = of.evaluate(u, given).charge
    for _ in range(200):
        now = of.evaluate(u, given)
        rows = now.residual + rate * (now.charge - before)
        change = np.linalg.solve(now.residual_slopes + rate * now.charge_slopes, -rows)
        u += change * min(1.0, limit / max(np.abs(change).max(), 1e-300))
        if np.abs(change).max() <= 1e-13 * max(1.0, np.abs(u).max()):
            return labelled(of, u)
    raise AssertionError(f"Newton's method ended at {labelled(of, u)}")


def labelled(of: Circuit, u: Floats) -> dict[str, float]:
    return {name.split(" ")[0]: float(value) for name, value in zip(of.unknowns, u, strict=True)}


def array(of: Circuit, found: Mapping[str, float]) -> Floats:
    """The unknowns in their order."""
    return np.array([found[name.split(" ")[0]] for name in of.unknowns])
