"""Retention of the lumped filament against the compliance it was formed at."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.casefile.case import load_case
from ionstack.runs.circuit_simulation import circuit_stepper
from support.launch import ROOT

CASE = ROOT / "cases" / "filament" / "volatility.yaml"
COEFFICIENT, NUCLEUS, LENGTH = 2.5e-32, 1e-9, 1e-8
CURRENTS = (1e-5, 1e-4, 1e-3)


@pytest.fixture(scope="module")
def found() -> np.ndarray:
    """Compliance [A], diameter after the pulse [m] and retention [s], one row per current."""
    rows = []
    for current in CURRENTS:
        case = load_case(CASE, [f"circuit.sources.V1.compliance={current} A"])
        states = list(circuit_stepper(case).run())
        grown = [name.split("(")[0] for name in case.circuit.unknowns].index("grown")
        formed = next(one for one in states if one.at_breakpoint and one.interval == 2)
        diameter = NUCLEUS + LENGTH * formed.circuit[grown]
        assert states[-1].ended is not None
        rows.append((current, diameter, states[-1].time - formed.time))
    return np.array(rows)


def test_it_lasts_as_long_as_diffusion_along_its_surface_takes(found):
    """(d^4 - d_n^4)/(4 B), and then the gap opens within 0.2 ms."""
    _, diameter, retention = found.T
    thinned = (diameter**4 - NUCLEUS**4) / (4.0 * COEFFICIENT)
    gap = LENGTH / (COEFFICIENT / NUCLEUS**3)
    assert (retention > thinned).all()
    assert (retention < 1.02 * thinned + gap).all()


def test_the_radius_goes_with_the_root_of_the_compliance(found):
    """At constant voltage exponents are 1/2, and 2 for retention."""
    current, diameter, retention = np.log(found.T)
    assert np.diff(diameter) / np.diff(current) == pytest.approx(0.5, abs=0.06)
    assert np.diff(retention)[-1] / np.diff(current)[-1] == pytest.approx(2.0, abs=0.25)
