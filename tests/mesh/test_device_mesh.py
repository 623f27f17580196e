"""Distributed meshes, built or read from a file: the same on any number of ranks."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import dolfinx.mesh
import gmsh
import numpy as np
import pytest
from mpi4py import MPI

from ionstack.errors import InputError
from ionstack.geometry.gmsh_model import export_msh
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh, cell_points
from ionstack.geometry.stack import Electrode, Lateral, Layer
from support.stacks import gmsh_session

RECTANGLE = Lateral("rectangle", None, 80e-6, 30e-6, 4, 2.0)
SHAPES = [
    ("1d", None),
    ("axisymmetric", None),
    ("2d", None),
    ("2d", RECTANGLE),
    ("3d", None),
    ("3d", RECTANGLE),
    ("3d", Lateral("disc", 5e-6, None, None, 5, 30.0)),
]


def _stack(make_stack, dimension, lateral):
    return make_stack(dimension) if lateral is None else make_stack(dimension, lateral=lateral)


def _cell_points(device):
    mesh = device.mesh
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    return mesh.geometry.x[cell_points(mesh)[:owned]][:, :, : mesh.topology.dim]


def _layer_volumes(device):
    """Volume of each layer in the whole device, over all ranks [m^3]."""
    points = _cell_points(device)
    size = np.abs(np.linalg.det(points[:, 1:] - points[:, :1])) / math.factorial(points.shape[2])
    if device.axisymmetric:
        size = 2.0 * np.pi * size * points[:, :, 0].mean(axis=1)
    region = device.cell_region[: len(size)]
    local = np.bincount(region, size, len(device.regions)) * device.lateral_area
    return device.mesh.comm.allreduce(local)


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_layers_have_their_volume(make_stack, comm, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    device = build_mesh(stack, comm)
    assert device.regions == ("oxide", "electrolyte", "counter")
    assert device.mesh.geometry.dim == device.mesh.topology.dim == device.stack_axis + 1
    expected = [stack.area * layer.thickness for layer in stack.layers]
    np.testing.assert_allclose(_layer_volumes(device), expected, rtol=1e-12)


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_regions_are_known_for_all_cells_with_ghosts(make_stack, comm, dimension, lateral):
    device = build_mesh(_stack(make_stack, dimension, lateral), comm)
    mesh, axis = device.mesh, device.stack_axis
    cells = mesh.topology.index_map(mesh.topology.dim)
    assert len(device.cell_region) == cells.size_local + cells.num_ghosts
    assert device.cell_region.dtype == np.int32
    assert comm.size == 1 or comm.allreduce(cells.num_ghosts) > 0
    depth = mesh.geometry.x[cell_points(mesh)][:, :, axis].mean(axis=1)
    assert np.array_equal(device.cell_region, np.searchsorted([80e-9, 105.3e-9], depth))


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_contact_facets_are_owned_once_and_lie_on_the_faces(make_stack, comm, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    device = build_mesh(stack, comm)
    whole = build_mesh(stack, MPI.COMM_SELF)
    assert device.contacts == ("cathode", "anode")
    sizes = [comm.allreduce(len(facets)) for facets in device.contact_facets]
    assert sizes == [len(facets) for facets in whole.contact_facets]
    corners = _facet_points(device)
    for facets, depth in zip(device.contact_facets, (0.0, 80e-9 + 25.3e-9 + 50e-9), strict=True):
        assert np.all(facets < device.mesh.topology.index_map(device.stack_axis).size_local)
        np.testing.assert_allclose(corners[facets, :, device.stack_axis], depth, rtol=1e-15)


def _facet_points(device):
    """Corners of all local facets, shape (n_facets, dim, 3)."""
    mesh, facet = device.mesh, device.mesh.topology.dim - 1
    mesh.topology.create_connectivity(facet, facet + 1)
    entities = np.arange(mesh.topology.connectivity(facet, facet + 1).num_nodes, dtype=np.int32)
    return mesh.geometry.x[dolfinx.mesh.entities_to_geometry(mesh, facet, entities)]


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_layer_planes_are_identical_to_the_last_bit(make_stack, comm, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    device = build_mesh(stack, comm)
    parts = comm.allgather(np.unique(device.mesh.geometry.x[:, device.stack_axis]))
    planes = np.unique(np.concatenate(parts))
    serial = build_mesh(make_stack("1d"), MPI.COMM_SELF)
    assert np.array_equal(planes, np.sort(serial.mesh.geometry.x[:, 0]))
    assert {0.0, 80e-9} <= set(planes.tolist())


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_hash_depends_on_the_stack_only(make_stack, comm, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    found = build_mesh(stack, comm).content_hash
    assert comm.allgather(found) == [found] * comm.size
    assert found == build_mesh(stack, MPI.COMM_SELF).content_hash
    thicker = replace(stack.layers[0], thickness=81e-9)
    other = replace(stack, layers=(thicker, *stack.layers[1:]))
    assert found != build_mesh(other, comm).content_hash


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_extruded_meshes_have_no_negative_factor(make_stack, comm, dimension, lateral):
    volumes = build_control_volumes(build_mesh(_stack(make_stack, dimension, lateral), comm))
    assert comm.allreduce(len(volumes.negative_edges)) == 0
    assert np.all(volumes.edge_factor > 0.0)


def test_a_cross_section_stands_for_the_whole_area(make_stack, comm):
    assert build_mesh(make_stack("1d"), comm).lateral_area == pytest.approx(math.pi * 1e-8)
    disc = build_mesh(make_stack("2d"), comm)
    assert disc.lateral_area * 200e-6 == pytest.approx(math.pi * 1e-8)
    rectangle = build_mesh(make_stack("2d", lateral=RECTANGLE), comm)
    assert rectangle.lateral_area == pytest.approx(30e-6)
    assert build_mesh(make_stack("axisymmetric"), comm).lateral_area == 1.0


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_exported_mesh_gives_the_same_device(make_stack, comm, shared_path, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    path = shared_path / "sample.msh"
    if comm.rank == 0:
        export_msh(stack, path)
    comm.barrier()
    device = build_mesh(replace(stack, mesh_file=path), comm)
    np.testing.assert_allclose(_layer_volumes(device), _layer_volumes(build_mesh(stack, comm)))
    volumes = build_control_volumes(device)
    assert comm.allreduce(len(volumes.negative_edges)) == 0


# Meshes made by other means than ours, in metres, written by rank 0.


def _write_free_form(path: Path, names: tuple[str, ...] = ("film", "cathode", "anode")) -> None:
    """Write a film with a dimple in its lower face, meshed by Gmsh's Delaunay algorithm."""
    with gmsh_session() as model:
        gmsh.option.setNumber("Mesh.Algorithm", 5)
        corners = ((0, 0), (2e-7, 0), (2e-7, 8e-8), (1.3e-7, 8e-8), (1e-7, 1.1e-7), (7e-8, 8e-8))
        points = [model.geo.addPoint(x, y, 0, 8e-9) for x, y in (*corners, (0, 8e-8))]
        ends = [*points[1:], points[0]]
        lines = [model.geo.addLine(a, b) for a, b in zip(points, ends, strict=True)]
        face = model.geo.addPlaneSurface([model.geo.addCurveLoop(lines)])
        model.geo.synchronize()
        if names:
            model.addPhysicalGroup(2, [face], name=names[0])
            model.addPhysicalGroup(1, [lines[0]], name=names[1])
            model.addPhysicalGroup(1, lines[2:6], name=names[2])
        model.mesh.generate(2)
        gmsh.write(str(path))


def _write_cells(
    path: Path, points: list[tuple[float, float]], kind: int, cells: list[int]
) -> None:
    """Write given triangles (2) or quadrilaterals (3); nodes 1, 2 and 3, 4 are the contacts."""
    with gmsh_session() as model:
        surface = model.addDiscreteEntity(2)
        top, bottom = model.addDiscreteEntity(1), model.addDiscreteEntity(1)
        flat = np.column_stack([points, np.zeros(len(points))]).ravel()
        model.mesh.addNodes(2, surface, list(range(1, len(points) + 1)), flat)
        model.mesh.addElementsByType(surface, kind, [], cells)
        model.mesh.addElementsByType(top, 1, [], [1, 2])
        model.mesh.addElementsByType(bottom, 1, [], [3, 4])
        model.addPhysicalGroup(2, [surface], name="film")
        model.addPhysicalGroup(1, [top], name="cathode")
        model.addPhysicalGroup(1, [bottom], name="anode")
        gmsh.write(str(path))


# A flat quadrilateral whose long diagonal is the common edge: obtuse on both sides.
FLAT = [(0.0, 0.0), (1e-7, 3e-8), (2e-7, 0.0), (1e-7, -3e-8)]
WRONG_SPLIT = [1, 3, 2, 1, 4, 3]
RIGHT_SPLIT = [1, 4, 2, 2, 4, 3]


@pytest.fixture
def film(make_stack, shared_path):
    """Give a stack of one film whose mesh is the file ``film.msh``."""
    return make_stack(
        "2d",
        layers=(Layer("film", "oxide", 0.0, 1e-10, 1.35),),
        lateral=Lateral("rectangle", None, 2e-7, 1e-7, 4, 1.0),
        top=Electrode("cathode", "Pt"),
        bottom=Electrode("anode", "ITO"),
        mesh_file=shared_path / "film.msh",
    )


def _on_root(comm, write, *arguments):
    if comm.rank == 0:
        write(*arguments)
    comm.barrier()


def _message(comm, stack):
    """Return the message of the `InputError` that every rank must see."""
    with pytest.raises(InputError) as caught:
        build_mesh(stack, comm)
    messages = comm.allgather(str(caught.value))
    assert messages == [messages[0]] * comm.size
    return messages[0]


def test_free_form_mesh_is_accepted(film, comm):
    _on_root(comm, _write_free_form, film.mesh_file)
    device = build_mesh(film, comm)
    assert device.regions == ("film",)
    expected = 1e-7 * (2e-7 * 8e-8 + 0.5 * 6e-8 * 3e-8)
    np.testing.assert_allclose(_layer_volumes(device), [expected], rtol=1e-12)
    volumes = build_control_volumes(device)
    owned = volumes.node_vertex[volumes.face_node] < volumes.n_owned_vertices
    top = owned & (volumes.face_contact == 0)
    assert comm.allreduce(volumes.face_area[top].sum()) == pytest.approx(2e-7 * 1e-7)


def test_wrong_diagonal_is_reported_as_not_delaunay(film, comm):
    _on_root(comm, _write_cells, film.mesh_file, FLAT, 2, WRONG_SPLIT)
    device = build_mesh(film, comm)
    with pytest.raises(InputError, match="not Delaunay"):
        build_control_volumes(device)


def test_mesh_without_physical_names(film, comm):
    _on_root(comm, _write_free_form, film.mesh_file, ())
    message = _message(comm, film)
    assert "film.msh" in message
    assert "found among its surfaces: none" in message
    assert "needed: film" in message


def test_misspelt_physical_name_gets_a_suggestion(film, comm):
    _on_root(comm, _write_free_form, film.mesh_file, ("film", "cathod", "anode"))
    message = _message(comm, film)
    assert "no physical name 'cathode'" in message
    assert "did you mean 'cathod'?" in message
    assert "cathod, anode" in message
    assert "needed: cathode, anode" in message


def test_missing_mesh_file(film, comm):
    assert "mesh file not found" in _message(comm, film)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "points: 3\n",
        "$MeshFormat\nnonsense\n",
        "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n",
        "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 4 1 4\n",
    ],
)
def test_unreadable_mesh_file(film, comm, content):
    _on_root(comm, film.mesh_file.write_text, content)
    assert "film.msh" in _message(comm, film)


def test_a_mesh_file_cannot_run_commands(film, comm):
    mark = film.mesh_file.with_name("mark")
    script = f'SystemCall "touch {mark}";\n'
    _on_root(comm, film.mesh_file.write_text, script)
    assert "not a Gmsh mesh" in _message(comm, film)
    _on_root(comm, _write_free_form, film.mesh_file)
    _on_root(comm, film.mesh_file.with_name("film.msh.opt").write_text, script)
    build_mesh(film, comm)
    assert not mark.exists()


def test_quadrilaterals_are_refused(film, comm):
    square = [(0.0, 0.0), (1e-7, 0.0), (1e-7, 1e-7), (0.0, 1e-7)]
    _on_root(comm, _write_cells, film.mesh_file, square, 3, [1, 2, 3, 4])
    message = _message(comm, film)
    assert "Quadrilateral" in message
    assert "only straight triangles" in message


def test_repeated_nodes_are_refused(film, comm):
    points = [*FLAT, FLAT[1], FLAT[3]]
    _on_root(comm, _write_cells, film.mesh_file, points, 2, [1, 4, 2, 5, 6, 3])
    assert "2 nodes repeat others" in _message(comm, film)


def test_contact_that_is_no_face_of_a_cell(film, comm):
    _on_root(comm, _write_cells, film.mesh_file, [*FLAT, (0.0, -1e-7)], 2, [1, 4, 5, 1, 2, 4])
    message = _message(comm, film)
    assert "1 of the 1 facets of contact 'anode' are not faces of cells" in message


def test_mesh_of_another_dimension(film, comm):
    _on_root(comm, _write_free_form, film.mesh_file)
    message = _message(comm, replace(film, dimension="3d"))
    assert "dimension 2, the stack file asks for 3" in message


def test_negative_radius(film, comm):
    points = [(x - 1e-7, y) for x, y in FLAT]
    _on_root(comm, _write_cells, film.mesh_file, points, 2, RIGHT_SPLIT)
    assert "radius" in _message(comm, replace(film, dimension="axisymmetric"))


def test_cells_outside_the_named_layers(make_stack, comm, shared_path):
    stack = make_stack("2d")
    path = shared_path / "sample.msh"
    _on_root(comm, export_msh, stack, path)
    part = replace(stack, mesh_file=path, layers=stack.layers[:2])
    assert "belong to none of the layers oxide, electrolyte" in _message(comm, part)


def test_nodes_of_no_cell_do_no_harm(film, comm):
    points = [FLAT[0], FLAT[1], FLAT[2], FLAT[3], (5e-8, 5e-7)]
    _on_root(comm, _write_cells, film.mesh_file, points, 2, RIGHT_SPLIT)
    assert comm.allreduce(len(_cell_points(build_mesh(film, comm)))) == 2
