"""The assembled Jacobian against differences of the residual, column by column."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.assemble import System
from ionstack.casefile.case import load_case
from ionstack.physics.constants import thermal_voltage
from support.devices import ORGANIC, analog, ready
from support.everything import CONTENTS, every_law, every_layer
from support.jacobians import LEAD, STEP, VOLTAGES, disturb, residual
from support.layers import Device

# Few nodes, so that every column can be tried.
TINY = ("stack.grading.first_cell=12 nm", "stack.grading.growth=1.5")
CASES = {
    "1d": lambda: ready(analog(*TINY)).system,
    "axisymmetric": lambda: (
        ready(analog(*TINY, "stack.dimension=axisymmetric", "stack.lateral.cells=2")).system
    ),
    "2d": lambda: ready(analog(*TINY, "stack.dimension=2d", "stack.lateral.cells=1")).system,
    "3d": lambda: (
        ready(
            analog("stack.grading.first_cell=40 nm", "stack.dimension=3d", "stack.lateral.cells=1")
        ).system
    ),
    "organic": lambda: ready(load_case(ORGANIC, ["stack.grading.first_cell=5 nm"])).system,
    "every term": lambda: everything("1d"),
    "every term in 2-D": lambda: everything("2d"),
}


def everything(dimension):
    """The start as given of a stack with every kind of term."""
    device = Device(every_layer(dimension), every_law(), CONTENTS)
    device.settle("as_given")
    return device.system


@pytest.fixture(scope="module", params=CASES)
def system(request) -> System:
    """A system far from equilibrium: unknowns shifted by up to 3 kT."""
    found = CASES[request.param]()
    disturb(found, 3.0 * thermal_voltage(298.15))
    return found


def exact(system: System) -> np.ndarray:
    system.linearise(np.zeros(system.layout.n_owned), LEAD, STEP, VOLTAGES)
    return system.matrix.convert("dense").getDenseArray().copy()


def differences(system: System) -> np.ndarray:
    """Central differences with steps of 1e-5 kT, one column after the other."""
    step = 1e-5 * system.thermal_voltage
    base = system.unknowns.getArray().copy()
    columns = []
    for index in range(len(base)):
        sides = []
        for sign in (1.0, -1.0):
            moved = base.copy()
            moved[index] += sign * step
            system.unknowns.setArray(moved)
            sides.append(residual(system))
        columns.append((sides[0] - sides[1]) / (2.0 * step))
    system.unknowns.setArray(base)
    return np.array(columns).T


def test_every_column_agrees_with_differences(system):
    jacobian = exact(system)
    found = differences(system)
    scale = np.abs(jacobian).max(axis=1, keepdims=True)
    assert np.all(scale > 0.0)
    assert np.max(np.abs(found - jacobian) / scale) < 1e-6


def test_every_unknown_matters(system):
    """No empty column: each unknown enters at least one equation noticeably."""
    jacobian = exact(system)
    scaled = np.abs(jacobian) / np.abs(jacobian).max(axis=1, keepdims=True)
    assert scaled.max(axis=0).min() > 1e-8


def test_the_state_is_far_from_equilibrium(system):
    """At equilibrium a wrong derivative of a driving force could hide behind zeros."""
    jacobian = exact(system)
    in_kt = np.abs(residual(system)) / np.abs(jacobian).max(axis=1) / system.thermal_voltage
    assert np.median(in_kt) > 0.1
