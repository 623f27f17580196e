"""The mechanical mesh: films as transport has them, layers around them, slits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dolfinx.mesh import entities_to_geometry
from mpi4py import MPI

from ionstack.errors import InputError, NumericsError
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Layer
from ionstack.mechanics.areas import Debond, Zone
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions
from ionstack.mechanics.mesh import MechanicalMesh, build_mechanical_mesh
from ionstack.mechanics.transfer import Transfer
from ionstack.physics.solids import Solid
from support.bodies import corners, disc, films, in_layer, none
from support.stacks import SHAPES, film, stack

COMM = MPI.COMM_SELF
ABOVE = (Layer("cap", "Au", 30e-9, 10e-9, 2.0), Layer("metal", "Pt", 20e-9, 5e-9, 1.5))
BELOW = (Layer("ITO", "ITO", 100e-9, 20e-9, 2.0), Layer("glass", "glass", 1e-6, 1e-7, 2.0))
MESHED = [name for name in SHAPES if name != "1d"]
HOST = Solid(100e9, 0.3)


def build(shape: str, debonded: tuple[Debond, ...] = ()) -> MechanicalMesh:
    return build_mechanical_mesh(stack(shape, 10e-9), ABOVE, BELOW, COMM, debonded)


def extent(mesh: MechanicalMesh, name: str) -> tuple[float, float]:
    along = corners(mesh)[in_layer(mesh, name)][..., -1]
    return float(along.min()), float(along.max())


@pytest.mark.parametrize("shape", MESHED)
def test_films_have_the_points_of_transport(shape) -> None:
    mesh = build(shape)
    volumes = build_control_volumes(build_mesh(stack(shape, 10e-9), COMM))
    assert mesh.regions == ("cap", "metal", *volumes.regions, "ITO", "glass")
    assert mesh.films == volumes.regions
    for number, name in enumerate(volumes.regions):
        theirs = volumes.coordinates[volumes.node_vertex[volumes.node_region == number]]
        ours = corners(mesh)[in_layer(mesh, name)].reshape(-1, mesh.dimension)
        assert set(ours[:, -1]) == set(theirs[:, mesh.dimension - 1])
        assert len(np.unique(ours.round(14), axis=0)) == len(theirs)


@pytest.mark.parametrize("shape", MESHED)
def test_layers_lie_where_the_stack_has_them(shape) -> None:
    mesh = build(shape)
    assert extent(mesh, "cap") == pytest.approx((-50e-9, -20e-9))
    assert extent(mesh, "metal")[1] == 0.0
    assert extent(mesh, "glass")[1] == pytest.approx(155.3e-9 + 1.1e-6)
    area = {"2d-disc": 200e-6, "2d-rectangle": 80e-6, "3d-rectangle": 80e-6 * 30e-6}
    area |= {"axisymmetric": 0.5 * 100e-6**2, "3d-disc": np.pi * 100e-6**2}
    volume = mesh.owned_volumes()[in_layer(mesh, "ITO")].sum()
    assert volume == pytest.approx(100e-9 * area[shape], rel=1e-9)


@pytest.mark.parametrize("shape", MESHED)
def test_every_outer_facet_has_one_name(shape) -> None:
    mesh = build(shape)
    names = ["top", "bottom", "sides"] + (["axis"] if mesh.axisymmetric else [])
    facets = np.concatenate([mesh.faces[name] for name in names])
    assert len(facets) == len(np.unique(facets))
    links = mesh.mesh.topology.connectivity(mesh.dimension - 1, mesh.dimension)
    assert len(facets) == np.sum(np.diff(links.offsets) == 1)
    if shape == "3d-rectangle":
        flat = np.concatenate([mesh.faces["sides_x"], mesh.faces["sides_y"]])
        np.testing.assert_array_equal(np.sort(flat), mesh.faces["sides"])


# ---------------------------------------------------------------- slits


def debonded_area(shape: str, area: Debond) -> tuple[float, int]:
    """Area of a slit, and how many points it has doubled."""
    mesh, whole = build(shape, (area,)), build(shape)
    assert not len(whole.faces["slit"])
    slit = mesh.faces["slit"]
    points = mesh.coordinates()[entities_to_geometry(mesh.mesh, mesh.dimension - 1, slit)]
    assert np.all(points[..., -1] == 0.0)
    edges = points[:, 1:, :-1] - points[:, :1, :-1]
    size = np.abs(np.linalg.det(edges)) / (2.0 if mesh.dimension == 3 else 1.0)
    if mesh.axisymmetric:
        size = size * 2.0 * np.pi * points[..., 0].mean(axis=1)
    return float(size.sum() / 2.0), len(mesh.coordinates()) - len(whole.coordinates())


def test_a_slit_on_the_axis_opens_up_to_its_rim() -> None:
    """Four cells along the radius, shrinking by 3 in all: rings at known places."""
    whole = build("axisymmetric")
    rings = np.unique(whole.coordinates()[:, 0])
    size, doubled = debonded_area("axisymmetric", Debond("metal", "oxide", radius=rings[2] * 1.01))
    assert size == pytest.approx(np.pi * rings[2] ** 2)
    assert doubled == 2  # on the axis and on the first ring, not at the rim


def test_a_slit_may_reach_the_outer_edge() -> None:
    x = np.unique(build("2d-rectangle").coordinates()[:, 0])
    size, doubled = debonded_area("2d-rectangle", Debond("metal", "oxide", between=(x[3], 1.0)))
    assert size == pytest.approx(x[-1] - x[3])
    assert doubled == len(x) - 4


def test_a_slit_within_a_disc_in_space() -> None:
    size, doubled = debonded_area("3d-disc", Debond("metal", "oxide", radius=90e-6))
    rings = np.unique(build("axisymmetric").coordinates()[:, 0])
    inner = rings[rings < 90e-6].max()
    assert size == pytest.approx(np.pi * inner**2, rel=1e-6)
    assert doubled == 1 + 2 * 18  # the middle, and two rings of the polygon


def test_a_lifted_metal_over_a_slit_bends_like_a_plate_held_at_its_rim() -> None:
    """p a^4/(64 D) in the middle, and a little more, since the metal is held by what is elastic."""
    layers = [("metal", 1e-6, 0.3e-6), ("oxide", 1e-6, 0.5e-6)]
    slit = Debond("metal", "oxide", radius=40e-6)
    mesh = films("axisymmetric", layers, disc(50e-6, 40), 1, 0, joints=(slit,))
    body = Body(mesh, [HOST] * 2, Conditions())
    trial = body.solve(none(mesh), 1.0, pressure={"top": -1e5})
    stiffness = 100e9 * 1e-18 / (12.0 * (1.0 - 0.3**2))
    expected = 1e5 * 40e-6**4 / (64.0 * stiffness)
    found = -deflection(mesh, trial)
    assert found == pytest.approx(1.02 * expected, rel=0.03)
    bonded = Body(films("axisymmetric", layers, disc(50e-6, 40), 1, 0), [HOST] * 2, Conditions())
    pressed = bonded.solve(none(bonded.mesh), 1.0, pressure={"top": 1e5})
    assert deflection(bonded.mesh, pressed) < 1e-4 * expected
    blown = body.solve(none(mesh), 1.0, pressure={"slit": 1e5})
    assert -deflection(mesh, blown) == pytest.approx(found, rel=1e-3)
    onto = body.solve(none(mesh), 1.0, pressure={"top": 1e5})
    assert deflection(mesh, onto) < 1e-4 * expected


def deflection(mesh: MechanicalMesh, trial: Trial) -> float:
    """Displacement of the top face on the axis, into the stack."""
    x, u = corners(mesh), trial.corner_displacement()
    at = (x[..., 0] == 0.0) & (x[..., -1] == x[..., -1].min())
    return float(u[at][0, -1])


def test_a_zone_is_a_part_of_its_layer() -> None:
    rings = np.unique(build("axisymmetric").coordinates()[:, 0])
    zones = (Zone("soft", "metal", radius=rings[2]), Zone("hard", "oxide", between=(rings[1], 1.0)))
    films = stack("axisymmetric", 10e-9)
    mesh = build_mechanical_mesh(films, ABOVE, BELOW, COMM, zones=zones)
    assert mesh.regions[-2:] == ("soft", "hard")
    assert mesh.layers[-2:] == ("metal", "oxide")
    size = mesh.owned_volumes()[in_layer(mesh, "soft")].sum()
    assert size == pytest.approx(0.5 * rings[2] ** 2 * 20e-9)
    assert corners(mesh)[in_layer(mesh, "hard")][..., 0].min() == pytest.approx(rings[1])
    # Nodes of a film do not know its zones.
    found = Transfer(build_control_volumes(build_mesh(films, COMM)), mesh)
    sent = np.arange(float(len(found.to_nodes(none(mesh)))))
    np.testing.assert_allclose(found.to_nodes(found.to_cells(sent)), sent, atol=1e-9)


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        (Zone("soft", "metall", radius=1.0), "did you mean 'metal'"),
        (Zone("oxide", "metal", radius=1.0), "of that name"),
        (Zone("soft", "metal", radius=1e-9), "holds no cell"),
    ],
)
def test_zones_that_cannot_be_are_named(zone, message) -> None:
    with pytest.raises(InputError, match=message):
        build_mechanical_mesh(stack("axisymmetric"), ABOVE, BELOW, COMM, zones=(zone,))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (Debond("metal", "oxid", radius=1.0), "did you mean 'oxide'"),
        (Debond("metal", "counter", radius=1.0), "directly above"),
        (Debond("metal", "oxide", radius=1e-9), "some but not all"),
        (Debond("metal", "oxide", radius=1.0), "some but not all"),
    ],
)
def test_areas_that_cannot_debond_are_named(area, message) -> None:
    with pytest.raises(InputError, match=message):
        build("axisymmetric", (area,))


def test_stacks_without_lateral_extent_and_mesh_files_are_refused() -> None:
    with pytest.raises(InputError, match="1-D"):
        build_mechanical_mesh(stack("1d"), ABOVE, BELOW, COMM)
    with pytest.raises(InputError, match="mesh_file"):
        build_mechanical_mesh(film(Path("film.msh")), ABOVE, BELOW, COMM)


# ---------------------------------------------------------------- transfer


def transfer(shape: str, debonded: tuple[Debond, ...] = ()):
    volumes = build_control_volumes(build_mesh(stack(shape, 10e-9), COMM))
    mesh = build(shape, debonded)
    return volumes, mesh, Transfer(volumes, mesh)


@pytest.mark.parametrize("shape", MESHED)
def test_node_values_arrive_at_their_places(shape) -> None:
    volumes, mesh, found = transfer(shape, (Debond("metal", "oxide", between=(0.0, 50e-6)),))
    x = volumes.coordinates[volumes.node_vertex][:, : mesh.dimension]
    sent = np.column_stack([x, volumes.node_region])
    arrived = found.to_cells(sent)
    for number, name in enumerate(volumes.regions):
        cells = in_layer(mesh, name)
        np.testing.assert_allclose(arrived[cells][..., :-1], corners(mesh)[cells], atol=1e-15)
        assert np.all(arrived[cells][..., -1] == number)
    outside = np.isin(mesh.cell_region, [0, 1, 5, 6])
    assert not arrived[outside].any()
    np.testing.assert_allclose(found.to_nodes(arrived), sent, rtol=1e-12, atol=1e-15)


def test_means_at_a_node_are_weighed_by_volume_within_its_film() -> None:
    volumes, mesh, found = transfer("axisymmetric")
    value = np.arange(mesh.n_owned, dtype=float)
    mean = found.to_nodes(np.repeat(value[:, None], 3, axis=1))
    x, size = corners(mesh), mesh.owned_volumes()
    for node in (0, 7, len(mean) - 1):
        place = volumes.coordinates[volumes.node_vertex[node]][:2]
        name = volumes.regions[volumes.node_region[node]]
        around = np.all(np.isclose(x, place, rtol=1e-9, atol=0.0), axis=-1).any(axis=1)
        around &= in_layer(mesh, name)
        assert mean[node] == pytest.approx(np.average(value[around], weights=size[around]))


def test_shapes_follow_those_of_the_values() -> None:
    volumes, mesh, found = transfer("2d-disc")
    n = len(volumes.node_vertex)
    assert found.to_cells(np.zeros(n)).shape == (mesh.n_owned, 3)
    assert found.to_cells(np.zeros((n, 3))).shape == (mesh.n_owned, 3, 3)
    assert found.to_nodes(np.zeros((mesh.n_owned, 3))).shape == (n,)
    assert found.to_nodes(np.zeros((mesh.n_owned, 3, 2))).shape == (n, 2)


def test_films_of_another_mesh_are_refused() -> None:
    volumes = build_control_volumes(build_mesh(stack("axisymmetric", 10e-9), COMM))
    finer = stack("axisymmetric", 5e-9)
    other = build_mechanical_mesh(replace(finer), ABOVE, BELOW, COMM)
    with pytest.raises(NumericsError, match="do not fit"):
        Transfer(volumes, other)


def test_nothing_swells_where_nothing_is_sent() -> None:
    _, mesh, found = transfer("2d-disc")
    assert not found.to_cells(np.zeros(found.to_nodes(none(mesh)).shape)).any()
