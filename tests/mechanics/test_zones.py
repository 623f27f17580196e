"""A zone that a case names: a clamped film bears the stress of the solid that it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.casefile.case import load_case
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.stress_field import Stressed

CASE = Path(__file__).parents[2] / "cases/stress/dome.yaml"
SOFT = (
    "{name: soft, layer: WO3, %s, mechanics: {young_modulus: {value: 11 GPa, source: test}, "
    "poisson_ratio: {value: 0.26, source: test}}}"
)
SETTINGS = (
    "stack.lateral.diameter=40 um",
    "stack.lateral.cells=20",
    "stack.grading.first_cell=50 nm",
    "mechanics.debonds=[]",
    "mechanics.rotations=small",
    "mechanics.metals={}",
)


@pytest.mark.parametrize(
    ("area", "low", "high"), [("radius: 8 um", 0.0, 8e-6), ("between: [4 um, 12 um]", 4e-6, 12e-6)]
)
def test_a_soft_zone_of_a_clamped_film_bears_less(area: str, low: float, high: float) -> None:
    case = load_case(CASE, [*SETTINGS, f"mechanics.zones=[{SOFT % area}]"])
    volumes = build_control_volumes(build_mesh(case.stack, MPI.COMM_SELF))
    body = BodyMechanics(case, volumes)
    found = body.solve(0.003 * (volumes.node_region == 0), 1.0, 0.0)
    assert isinstance(found, Stressed)
    # Two thirds of -E/(1 - nu) times a third of the swelling, in the middle of each part.
    hard, soft = (-2.0 / 3.0 * E / (1.0 - 0.26) * 0.001 for E in (110e9, 11e9))
    x = volumes.coordinates[volumes.node_vertex][:, 0]
    upper = (volumes.node_region == 0) & (volumes.depth == 0.0)
    inside = upper & np.isclose(x, 0.5 * (low + high))
    outside = upper & np.isclose(x, 16e-6)
    np.testing.assert_allclose(found.stress[inside], soft, rtol=1e-3)
    np.testing.assert_allclose(found.stress[outside], hard, rtol=1e-3)
    entries = body.entries()
    assert entries["stress.soft.least [Pa]"] > 0.5 * entries["stress.WO3.least [Pa]"]
