"""Control volumes are exact: sizes, linear solutions, stencils; bad meshes are refused."""

from __future__ import annotations

import math

import dolfinx.mesh
import jax.numpy as jnp
import numpy as np
import pytest
from mpi4py import MPI
from scipy.spatial import Delaunay

from ionstack.assembly.field_stencil import field_stencil
from ionstack.assembly.reaction_terms import field_modulus
from ionstack.errors import InputError
from ionstack.geometry.gmsh_model import lateral_grid, sector_cells
from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import DeviceMesh, build_mesh, cell_points
from support.stacks import DISC, FILMS, SHAPES, film, grid, stack, write_free_form, write_triangles
from support.volumes import contact_areas, interface_areas, laplace_defect, region_volumes

SELF = MPI.COMM_SELF


@pytest.fixture(scope="module", params=SHAPES)
def shape(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def device(shape) -> DeviceMesh:
    return build_mesh(stack(shape), SELF)


@pytest.fixture(scope="module")
def volumes(device) -> ControlVolumes:
    return build_control_volumes(device)


def test_volumes_sum_to_the_films(shape, volumes):
    area = stack(shape).area
    expected = [area * thickness for _, thickness in FILMS]
    np.testing.assert_allclose(region_volumes(volumes), expected, rtol=1e-12)


def test_areas_sum_to_the_device(shape, volumes):
    area = stack(shape).area
    np.testing.assert_allclose(contact_areas(volumes), [area, area], rtol=1e-12)
    np.testing.assert_allclose(interface_areas(volumes), [area, area], rtol=1e-12)
    assert volumes.interfaces == ((0, 1), (1, 2))


def test_every_size_is_positive(volumes):
    assert np.all(volumes.node_volume > 0.0)
    assert np.all(volumes.edge_factor > 0.0)
    assert np.all(volumes.edge_length > 0.0)
    assert np.all(volumes.pair_area > 0.0)
    assert np.all(volumes.face_area > 0.0)


def test_interfaces_and_contacts_lie_where_they_should(volumes):
    first, second = FILMS[0][1], FILMS[0][1] + FILMS[1][1]
    depth = volumes.depth
    for side in (0, 1):
        at = depth[volumes.pair_nodes[:, side]]
        np.testing.assert_allclose(at, np.array([first, second])[volumes.pair_interface])
    regions = volumes.node_region[volumes.pair_nodes]
    np.testing.assert_array_equal(regions, np.array(volumes.interfaces)[volumes.pair_interface])
    end = sum(size for _, size in FILMS)
    np.testing.assert_allclose(
        depth[volumes.face_node], np.array([0.0, end])[volumes.face_contact], atol=1e-22
    )


def test_the_field_of_a_straight_potential_is_exact_at_every_node(volumes):
    """Also at interfaces, contacts and side faces."""
    straight_field(volumes)


def straight_field(volumes):
    slope = np.array([3e8, -2e8, 1e8])[: volumes.dimension]
    phi = volumes.coordinates[volumes.node_vertex][:, : volumes.dimension] @ slope
    stencil = field_stencil(volumes, np.arange(volumes.n_owned_nodes))
    nodes = {"neighbours": stencil.neighbours, "field_weights": stencil.weights}
    field, _ = field_modulus(nodes, jnp.asarray(phi))
    np.testing.assert_allclose(field, np.linalg.norm(slope), rtol=1e-9)


def interior(device: DeviceMesh, volumes: ControlVolumes) -> np.ndarray:
    """Vertices that are not on the outer boundary of the mesh."""
    mesh = device.mesh
    tdim = mesh.topology.dim
    mesh.topology.create_connectivity(tdim - 1, tdim)
    facets = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    mesh.topology.create_connectivity(tdim - 1, 0)
    corners = mesh.topology.connectivity(tdim - 1, 0)
    outer = np.unique(np.concatenate([corners.links(facet) for facet in facets]))
    point = np.empty(mesh.topology.index_map(0).size_local, dtype=np.int64)
    mesh.topology.create_connectivity(tdim, 0)
    point[mesh.topology.connectivity(tdim, 0).array] = cell_points(mesh).ravel()
    ids = mesh.geometry.input_global_indices[point[outer]]
    return ~np.isin(volumes.vertex_id, ids)


def linear_functions(volumes: ControlVolumes, axes: range | list[int]) -> list[np.ndarray]:
    """Linear functions along axes, of size 1 on the device."""
    return [
        volumes.coordinates[:, axis] / np.abs(volumes.coordinates[:, axis]).max() for axis in axes
    ]


def test_laplace_is_exact_for_linear_solutions(device, volumes):
    """In every direction; with cylinder symmetry along the axis only."""
    axes = [1] if device.axisymmetric else range(volumes.coordinates.shape[1])
    inside = interior(device, volumes)
    assert inside.any()
    for phi in linear_functions(volumes, axes):
        assert laplace_defect(volumes, phi)[inside].max() < 1e-12


def test_flow_along_the_stack_is_exact_up_to_the_side_walls(volumes):
    """No flow leaves through the sides: the defect vanishes off the contacts."""
    (phi,) = linear_functions(volumes, [volumes.stack_axis])
    free = np.ones(len(volumes.vertex_id), dtype=bool)
    free[volumes.node_vertex[volumes.face_node]] = False
    assert laplace_defect(volumes, phi)[free].max() < 1e-12


def test_capacitance_of_the_stack(shape, volumes):
    """Three films in series: flow from unit drop per length times area, at each contact."""
    phi = volumes.coordinates[:, volumes.stack_axis]
    ends = volumes.node_vertex[volumes.edge_nodes]
    flow = volumes.edge_factor * (phi[ends[:, 1]] - phi[ends[:, 0]])
    count = len(volumes.vertex_id)
    net = np.bincount(ends[:, 0], flow, count) - np.bincount(ends[:, 1], flow, count)
    at = [volumes.node_vertex[volumes.face_node[volumes.face_contact == k]] for k in (0, 1)]
    area = stack(shape).area
    np.testing.assert_allclose([net[k].sum() for k in at], [area, -area], rtol=1e-12)


def planes(volumes: ControlVolumes, region: int) -> int:
    return len(np.unique(volumes.depth[volumes.node_region == region]))


def lateral_graph(shape: str) -> tuple[int, int]:
    """Nodes and edges of one lateral plane."""
    _, lateral = SHAPES[shape]
    if shape == "1d":
        return 1, 0
    if shape == "3d-rectangle":
        width, depth = lateral.cells + 1, round(lateral.cells * lateral.depth / lateral.width) + 1
        return width * depth, width * (depth - 1) + depth * (width - 1)
    if shape == "3d-disc":
        radii = lateral_grid(
            0.5 * lateral.diameter, lateral.cells, lateral.edge_grading, both_ends=False
        )
        ring = sector_cells(radii)
        return 1 + ring * lateral.cells, 2 * ring * lateral.cells
    cells = 2 * lateral.cells if shape == "2d-disc" else lateral.cells
    return cells + 1, cells


def test_stencil_has_three_five_or_seven_points(shape, volumes):
    """No diagonal of a split box survives."""
    nodes, edges = lateral_graph(shape)
    for region in range(len(volumes.regions)):
        count = planes(volumes, region)
        inside = volumes.node_region[volumes.edge_nodes[:, 0]] == region
        assert np.sum(volumes.node_region == region) == nodes * count
        assert inside.sum() == nodes * (count - 1) + edges * count
    ends = volumes.coordinates[volumes.node_vertex[volumes.edge_nodes]]
    along = ends[:, 0, volumes.stack_axis] != ends[:, 1, volumes.stack_axis]
    across = np.any(np.delete(ends[:, 0] != ends[:, 1], volumes.stack_axis, axis=1), axis=1)
    assert not np.any(along & across)


def test_rings_of_revolution_are_exact():
    """Boxes reach from mid radius to mid radius and from mid plane to mid plane."""
    volumes = build_control_volumes(build_mesh(stack("axisymmetric"), SELF))
    radii = lateral_grid(0.5 * DISC.diameter, DISC.cells, DISC.edge_grading, both_ends=False)
    walls = np.concatenate([[0.0], 0.5 * (radii[1:] + radii[:-1]), [radii[-1]]])
    rings = math.pi * np.diff(walls**2)
    r = volumes.coordinates[volumes.node_vertex, 0]
    for region in range(3):
        inside = volumes.node_region == region
        levels = np.unique(volumes.depth[inside])
        ends = np.concatenate([levels[:1], 0.5 * (levels[1:] + levels[:-1]), levels[-1:]])
        ring = rings[np.argmin(np.abs(r[inside, None] - radii), axis=1)]
        height = np.diff(ends)[np.searchsorted(levels, volumes.depth[inside])]
        # Heights are differences of coordinates that are 100 times larger.
        np.testing.assert_allclose(volumes.node_volume[inside], ring * height, rtol=1e-11)


# Meshes from files.


def test_free_form_mesh_is_exact_for_linear_solutions(tmp_path):
    path = tmp_path / "film.msh"
    write_free_form(path)
    device = build_mesh(film(path), SELF)
    volumes = build_control_volumes(device)
    inside = interior(device, volumes)
    assert inside.sum() > 100
    for phi in linear_functions(volumes, range(2)):
        assert laplace_defect(volumes, phi)[inside].max() < 1e-12
    straight_field(volumes)
    expected = device.lateral_area * (2e-7 * 8e-8 + 0.5 * 6e-8 * 3e-8)
    np.testing.assert_allclose(region_volumes(volumes), [expected], rtol=1e-12)
    top, bottom = 2e-7, 2 * 7e-8 + 2 * math.hypot(3e-8, 3e-8)
    np.testing.assert_allclose(
        contact_areas(volumes), device.lateral_area * np.array([top, bottom])
    )


SIZE = 1e-7


def scattered(seed: int = 3, cells: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Delaunay triangles of a shifted grid; the frame stays regular, without slivers."""
    ticks = np.linspace(0.0, SIZE, cells + 1)
    points, _ = grid(ticks, ticks)
    inner = np.all((points > 1.5 * ticks[1]) & (points < SIZE - 1.5 * ticks[1]), axis=1)
    shift = np.random.default_rng(seed).uniform(-0.25, 0.25, points.shape) * ticks[1]
    points = points + shift * inner[:, None]
    triangles = Delaunay(points).simplices.astype(np.int64)
    return points, triangles


def frame(points: np.ndarray) -> dict[str, np.ndarray]:
    """Contacts at y = 0 and y = SIZE as lists of segments."""
    found = {}
    for name, height in (("cathode", 0.0), ("anode", SIZE)):
        line = np.flatnonzero(np.abs(points[:, 1] - height) < 1e-12 * SIZE)
        line = line[np.argsort(points[line, 0])]
        found[name] = np.column_stack([line[:-1], line[1:]])
    return found


def flip(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn the diagonal of one pair of triangles; return triangles and the new edge's middle.

    The pair lies inside and is convex, so the mesh stays valid but is not Delaunay.
    """
    shared: dict[tuple[int, int], list[int]] = {}
    for cell, corners in enumerate(triangles):
        for k in range(3):
            a, b = sorted((int(corners[k]), int(corners[(k + 1) % 3])))
            shared.setdefault((a, b), []).append(cell)
    for (a, b), cells in shared.items():
        if len(cells) < 2:
            continue
        c, d = (int(next(v for v in triangles[cell] if v not in (a, b))) for cell in cells)
        middle = 0.5 * (points[c] + points[d])
        if _crosses(points, a, b, c, d) and np.all(np.abs(middle - 0.5 * SIZE) < 0.2 * SIZE):
            changed = triangles.copy()
            changed[cells[0]], changed[cells[1]] = (c, d, a), (d, c, b)
            return changed, middle
    raise AssertionError("no pair to flip")


def _crosses(points: np.ndarray, a: int, b: int, c: int, d: int) -> bool:
    """Whether the four points are convex with diagonals ab and cd, clearly."""

    def side(p: int, q: int, r: int) -> float:
        u, v = points[q] - points[p], points[r] - points[p]
        return float(u[0] * v[1] - u[1] * v[0]) / SIZE**2

    least = 1e-3
    return (
        side(a, b, c) * side(a, b, d) < 0.0
        and side(c, d, a) * side(c, d, b) < 0.0
        and min(abs(side(c, d, a)), abs(side(c, d, b))) > least
    )


def test_negative_factor_is_reported_with_its_place(tmp_path):
    points, triangles = scattered()
    path = tmp_path / "film.msh"
    write_triangles(path, points, triangles, frame(points))
    good = build_control_volumes(build_mesh(film(path), SELF))
    assert len(good.negative_edges) == 0
    changed, middle = flip(points, triangles)
    write_triangles(path, points, changed, frame(points))
    device = build_mesh(film(path), SELF)
    spoilt = build_control_volumes(device)
    assert np.sum(spoilt.edge_factor < 0.0) == len(spoilt.negative_edges) == 1
    np.testing.assert_allclose(spoilt.negative_edges[0], middle, rtol=1e-9)
    # Sums stay exact: the neighbours make up for the negative part.
    np.testing.assert_allclose(region_volumes(spoilt), region_volumes(good), rtol=1e-12)
    inside = interior(device, spoilt)
    for phi in linear_functions(spoilt, range(2)):
        assert laplace_defect(spoilt, phi)[inside].max() < 1e-12


def test_mesh_that_is_not_delaunay_is_refused(tmp_path):
    """A sheared grid cut along its long diagonals: a third of its edges are negative."""
    ticks = np.linspace(0.0, SIZE, 9)
    points, triangles = grid(ticks, ticks)
    sheared = points + np.column_stack([0.7 * points[:, 1], np.zeros(len(points))])
    path = tmp_path / "film.msh"
    write_triangles(path, sheared, triangles, frame(points))
    device = build_mesh(film(path), SELF)
    with pytest.raises(InputError) as caught:
        build_control_volumes(device)
    message = str(caught.value)
    assert "not Delaunay" in message
    assert "edges have negative Voronoi factors" in message
    assert " m, " in message
    assert "refine or re-mesh" in message
