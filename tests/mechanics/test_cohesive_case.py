"""The dome with an interface that holds around it: from the case to the table of mechanics."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.runs.check import describe
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.stress_field import Stressed

CASE = Path(__file__).parents[2] / "cases/stress/dome.yaml"
ENTRY = (
    "{interface: LiPON/MoO3, strength: {value: 300 MPa, source: x}, work: {value: 5 J/m^2, "
    "source: y}}"
)
OVERRIDES = [
    f"mechanics.cohesive=[{ENTRY}]",
    "stack.lateral.cells=40",
    "stack.lateral.diameter=40 um",
    "stack.grading.first_cell=50 nm",
]
STRAIN = 0.02  # volume strain of WO3


@pytest.fixture(scope="module")
def case():
    return load_case(CASE, OVERRIDES)


def test_check_names_what_is_bonded_apart_or_cohesive(case) -> None:
    text = describe(case)
    assert "LiPON/MoO3: debonded within 6e-06 m: traction-free, frictionless contact" in text
    held = "LiPON/MoO3: cohesive everywhere, parts at 3e+08 Pa and 5 J/m^2 in all modes alike"
    assert held in text
    assert "bonded: WO3/LiPON" in text
    used = {row.path: row.value for row in values_used(case) if row.path.startswith("cohesive")}
    assert used == {"cohesive.strength": 300e6, "cohesive.work": 5.0}


def test_the_interface_gives_way_around_the_dome_and_keeps_what_it_lost(case) -> None:
    volumes = build_control_volumes(build_mesh(case.stack, MPI.COMM_SELF))
    found = BodyMechanics(case, volumes)
    swells = np.where(volumes.node_region == 0, STRAIN, 0.0)
    assert isinstance(found.solve(swells, 1.0, 0.0), Stressed)
    found.accept()
    loaded = dict(found.entries())
    assert list(loaded) == found.names
    assert loaded["deflection.most [m]"] > 1e-7
    law = found.body.laws[1]
    assert law.stiffness == pytest.approx(50.0 * 77e9 / 100e-9, rel=1.0)
    assert law.onset < loaded["opening.LiPON/MoO3 [m]"] < law.final
    assert loaded["failed_area.LiPON/MoO3 [m^2]"] == 0.0
    spent = loaded["separation_work.LiPON/MoO3 [J]"]
    assert 0.0 < spent < law.work * case.stack.area
    other = BodyMechanics(case, volumes)
    other.recall(json.loads(json.dumps(found.memory(), default=np.ndarray.tolist)))
    for one in (found, other):
        assert isinstance(one.solve(0.5 * swells, 1.0, 0.0), Stressed)
    for name, value in found.entries().items():
        assert other.entries()[name] == pytest.approx(value, rel=1e-6, abs=1e-20)
    assert other.entries()["opening.LiPON/MoO3 [m]"] < loaded["opening.LiPON/MoO3 [m]"]
    unloaded = other.entries()["separation_work.LiPON/MoO3 [J]"]
    assert unloaded == pytest.approx(spent, rel=1e-9)
