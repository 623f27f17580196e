"""Pores, roughness and field factors by place: a flat bonded body is what films in 1-D are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.casefile.case import Case, load_case
from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.mechanics.body import Trial
from ionstack.models.carriers import FOCUS
from ionstack.runs.preparation import prepare
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.film_mechanics import FilmMechanics
from ionstack.stress.stress_field import Stressed

Floats = NDArray[np.float64]
CASE = Path(__file__).parents[2] / "cases/stress/conversion.yaml"
COARSE = (
    "stack.grading.first_cell=50 nm",
    "stack.lateral.diameter=40 um",
    "stack.lateral.cells=16",
    "stack.lateral.edge_grading=1",
)
# Volume strains of WO3: up, until the metal flows and pores open, and back.
STRAINS = (0.004, 0.02, 0.03, 0.01)


def case_of(dimension: str) -> tuple[Case, ControlVolumes]:
    case = load_case(CASE, [f"stack.dimension={dimension}", *COARSE])
    return case, build_control_volumes(build_mesh(case.stack, MPI.COMM_SELF))


def radius(volumes: ControlVolumes, dimension: str = "axisymmetric") -> Floats:
    """Distance of the nodes from the middle along the first coordinate, over the largest."""
    x = volumes.coordinates[volumes.node_vertex][:, 0]
    distance = np.abs(x - (0.0 if dimension == "axisymmetric" else 0.5 * x.max()))
    return np.asarray(distance / distance.max())


def pressed(solver: FilmMechanics | BodyMechanics, swells: Floats, level: float) -> None:
    assert isinstance(solver.solve(level * swells, 1.0, 0.0), Stressed)
    solver.accept()


def face(volumes: ControlVolumes) -> NDArray[np.int64]:
    """Nodes below the upper metal."""
    return np.flatnonzero(volumes.depth == 0.0)


@pytest.fixture(scope="module")
def films() -> tuple[list[float], list[float]]:
    """Opened porosity and field factor of films after every strain."""
    case, volumes = case_of("1d")
    solver = FilmMechanics(case, volumes)
    opened, factors = [], []
    for level in STRAINS:
        pressed(solver, (volumes.node_region == 0).astype(float), level)
        opened.append(float(solver.opened("Pt", face(volumes))[0]))
        factors.append(solver.entries()["field_factor.Pt [1]"])
        np.testing.assert_array_equal(solver.crests("Pt", face(volumes)), factors[-1])
    assert opened[2] > 0.05
    assert factors[2] > 1.05
    return opened, factors


@pytest.mark.parametrize("dimension", ["axisymmetric", "2d"])
def test_a_flat_body_is_films_away_from_its_edge(
    dimension: str, films: tuple[list[float], list[float]]
) -> None:
    case, volumes = case_of(dimension)
    body = BodyMechanics(case, volumes)
    nodes = face(volumes)
    inside = radius(volumes, dimension)[nodes] < 0.45
    for level, opened, factor in zip(STRAINS, *films, strict=True):
        pressed(body, (volumes.node_region == 0).astype(float), level)
        found = body.opened("Pt", nodes)[inside]
        np.testing.assert_allclose(found, opened, rtol=1e-6)
        assert isinstance(body.trial, Trial)
        rough = body.closures.field_factors(body.trial)[0]
        assert np.sum(np.abs(rough - factor) < 1e-8) >= inside.sum()
        assert body.entries()["field_factor.Pt.least [1]"] == rough.min()
        np.testing.assert_allclose(body.crests("Pt", nodes)[inside], factor, rtol=1e-8)


def swollen(volumes: ControlVolumes) -> Floats:
    """WO3 that swells in the middle more than at the rim."""
    return np.where(volumes.node_region == 0, 1.0 - 0.5 * radius(volumes) ** 2, 0.0)


def test_pores_open_where_the_film_swells_and_go_on_after_a_restart() -> None:
    case, volumes = case_of("axisymmetric")
    one, other = (BodyMechanics(case, volumes) for _ in range(2))
    swells, nodes = swollen(volumes), face(volumes)
    for level in STRAINS[:2]:
        pressed(one, swells, level)
    other.recall(one.memory())
    np.testing.assert_array_equal(other.opened("Pt", nodes), one.opened("Pt", nodes))
    np.testing.assert_array_equal(other.crests("Pt", nodes), one.crests("Pt", nodes))
    assert one.crests("Pt", nodes).max() > 1.01
    for solver in (one, other):
        pressed(solver, swells, STRAINS[2])
    found = one.opened("Pt", nodes)[np.argsort(radius(volumes)[nodes])]
    assert found[0] > 0.02
    assert np.all(np.diff(found[:-1]) < 0.0)
    # Only factors that are kept from step to step tell them apart.
    np.testing.assert_allclose(other.opened("Pt", nodes), one.opened("Pt", nodes), rtol=1e-8)
    assert other.entries() == pytest.approx(one.entries(), rel=1e-8)


NUCLEI = (
    "nucleation={Pt: {law: {kind: field_power, prefactor: {value: 1e19 1/(m^2*s), source: test}, "
    "nucleation_field: {value: 160 MV/m, source: test}}}}"
)


def test_nuclei_see_the_field_at_the_crests_of_a_face() -> None:
    rough = "mechanics.roughness.0.amplitude.value=5 nm"
    case = load_case(CASE, ["stack.dimension=1d", rough, NUCLEI, *COARSE])
    prepared = prepare(case, MPI.COMM_SELF, search=False)
    stress = prepared.companions[0]
    stress.accept()
    (found,) = (one for one in prepared.system.crests.values() if len(one))
    assert found[0] > 1.05
    assert found[0] == stress.entries()["field_factor.Pt [1]"]


# Bonds of WO3 that break in the field, what is broken stays.
BONDS = (
    "species.broken={valence: 0}",
    "content.WO3.broken=1e-6",
    "contacts.Pt.broken={kind: blocking}",
    "materials.WO3.species.broken={statistics: {kind: lattice_gas, "
    "site_density: {value: 1e27 1/m^3, source: test}}, level: {value: 0 eV, source: test}, "
    "transport: {kind: immobile}}",
    "materials.WO3.reactions={breaking: {equation: <=> broken, kind: bond_breaking, "
    "attempt_frequency: {value: 1e13 1/s, source: test}, "
    "bond_density: {value: 1e27 1/m^3, source: test}, barrier: {value: 1.2 eV, source: test}, "
    "dipole_length: {value: 0.5 nm, source: test}, "
    "relative_permittivity: {value: 20, source: test}}}",
)


def test_bonds_below_a_rough_face_see_the_field_over_its_crests() -> None:
    """At the face the field factor, at the other electrode of the film 1/cosh of what it adds."""
    rough = "mechanics.roughness.0.amplitude.value=5 nm"
    case = load_case(CASE, ["stack.dimension=1d", rough, *BONDS, *COARSE])
    prepared = prepare(case, MPI.COMM_SELF, search=False)
    stress, volumes = prepared.companions[0], prepared.system.equations.volumes
    stress.accept()
    found = np.asarray(prepared.system.outer[0][FOCUS])
    depth = volumes.depth[volumes.node_region == 0]
    assert FOCUS not in prepared.system.outer[1]
    assert case.mechanics is not None
    wave = np.pi * depth.max() / case.mechanics.roughness[0].grain.value
    at_face = stress.entries()["field_factor.Pt [1]"]
    assert at_face > 1.05
    assert found[depth.argmin()] == pytest.approx(at_face, rel=1e-12)
    left = 1.0 + (at_face - 1.0) / np.cosh(wave)
    assert found[depth.argmax()] == pytest.approx(left, rel=1e-12)
