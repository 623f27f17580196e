"""Stack to Gmsh model: grids, names, geometry. Serial; under MPI every rank repeats them."""

from __future__ import annotations

import math
from dataclasses import replace

import gmsh
import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.geometry.gmsh_model import (
    export_msh,
    gmsh_model,
    lateral_grid,
    layer_grid,
    polygon_scale,
    prisms_to_tetrahedra,
    sector_cells,
)
from ionstack.geometry.stack import Lateral

RECTANGLE = Lateral("rectangle", None, 80e-6, 30e-6, 4, 2.0)
SHAPES = [
    ("1d", None),
    ("axisymmetric", None),
    ("2d", None),
    ("2d", RECTANGLE),
    ("3d", None),
    ("3d", RECTANGLE),
]


def _stack(make_stack, dimension, lateral):
    return make_stack(dimension) if lateral is None else make_stack(dimension, lateral=lateral)


@pytest.mark.parametrize("thickness", [1e-10, 1.7e-10, 3e-10, 25.3e-9, 80e-9, 1e-6])
@pytest.mark.parametrize("growth", [1.0, 1.05, 1.35, 3.0])
def test_layer_grid_is_exact_symmetric_and_graded(thickness, growth):
    first = 1e-10
    grid = layer_grid(thickness, first, growth)
    sizes = np.diff(grid)
    assert grid[0] == 0.0
    assert grid[-1] == thickness
    assert np.all(sizes > 0.0)
    np.testing.assert_allclose(sizes, sizes[::-1], rtol=1e-9)
    ratios = sizes[1:] / sizes[:-1]
    assert ratios.max(initial=1.0) <= growth * (1.0 + 1e-6)
    if thickness > 4.0 * first:
        assert 0.5 * first <= sizes[0] <= first * (1.0 + 1e-6)


def test_layer_grid_keeps_the_first_cell_where_growth_can_give_way():
    sizes = np.diff(layer_grid(80e-9, 1e-10, 1.35))
    assert sizes[0] == pytest.approx(1e-10, rel=1e-9, abs=0.0)
    assert sizes[-1] == pytest.approx(1e-10, rel=1e-6, abs=0.0)


@pytest.mark.parametrize(
    ("thickness", "first", "growth"),
    [(-1e-9, 1e-10, 1.2), (0.0, 1e-10, 1.2), (1e-9, 0.0, 1.2), (1e-9, 1e-10, 0.9)],
)
def test_layer_grid_rejects_impossible_sizes(thickness, first, growth):
    with pytest.raises(InputError, match="layer grid"):
        layer_grid(thickness, first, growth)


def test_lateral_grid_shrinks_towards_the_rims():
    sizes = np.diff(lateral_grid(1e-4, 8, 5.0, both_ends=False))
    assert sizes[0] / sizes[-1] == pytest.approx(5.0)
    both = np.diff(lateral_grid(1e-4, 8, 5.0, both_ends=True))
    np.testing.assert_allclose(both, both[::-1], rtol=1e-12)
    assert both.max() / both.min() <= 5.0
    assert both.argmax() in (3, 4)


def test_lateral_grid_grows_from_the_axis():
    sizes = np.diff(lateral_grid(1e-8, 8, 0.2, both_ends=False))
    assert sizes[-1] / sizes[0] == pytest.approx(5.0)
    both = np.diff(lateral_grid(1e-8, 8, 0.2, both_ends=True))
    assert both.argmin() in (3, 4)


def test_polygon_has_the_area_of_the_disc():
    for corners in (6, 18, 120):
        circumradius = polygon_scale(corners)
        area = 0.5 * corners * circumradius**2 * math.sin(2.0 * math.pi / corners)
        assert area == pytest.approx(math.pi, rel=1e-14)


def test_fine_rim_cells_get_more_sectors():
    coarse = sector_cells(lateral_grid(1.0, 6, 1.0, both_ends=False))
    fine = sector_cells(lateral_grid(1.0, 6, 100.0, both_ends=False))
    assert coarse % 6 == 0
    assert fine > coarse


def test_prism_split_keeps_volume_orientation_and_shared_sides():
    x = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=float)
    points = np.concatenate([x, x + np.array([0.0, 0.0, 1.0])])
    names = np.array([5, 2, 7, 3])  # base order differs from position
    order = np.argsort(np.concatenate([names, names + 10]))
    prisms = np.array([[0, 1, 2, 4, 5, 6], [1, 3, 2, 5, 7, 6]])
    renamed = np.argsort(order)[prisms]
    cells = prisms_to_tetrahedra(renamed)
    corners = points[order][cells]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    np.testing.assert_allclose(volumes, 1.0 / 6.0)
    facets = np.sort(cells[:, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]].reshape(-1, 3), axis=1)
    _, counts = np.unique(facets, axis=0, return_counts=True)
    # 2 inside each prism and 2 on the shared side are met twice; 12 form the cube's surface.
    assert (counts == 2).sum() == 6
    assert (counts == 1).sum() == 12


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_parts_carry_the_names_of_the_stack(make_stack, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    with gmsh_model(stack) as built:
        model, tdim = built.model, built.tdim
        names = {
            dim: [model.getPhysicalName(dim, tag) for _, tag in model.getPhysicalGroups(dim)]
            for dim in (tdim, tdim - 1)
        }
    assert names[tdim] == ["oxide", "electrolyte", "counter"]
    assert names[tdim - 1] == ["cathode", "anode", "oxide/electrolyte", "electrolyte/counter"]


@pytest.mark.parametrize(("dimension", "lateral"), SHAPES)
def test_nodes_lie_on_planes_and_columns(make_stack, dimension, lateral):
    stack = _stack(make_stack, dimension, lateral)
    with gmsh_model(stack) as built:
        points = built.model.mesh.getNodes()[1].reshape(-1, 3)
        axis, planes = built.tdim - 1, built.planes
    assert len(np.unique(points[:, axis])) == len(planes)
    columns = np.unique(np.delete(points, axis, axis=1), axis=0)
    assert len(columns) * len(planes) == len(points)


def test_planes_closer_than_a_twentieth_of_a_nanometre_are_kept_on_a_centimetre(make_stack):
    stack = make_stack(
        "3d", lateral=Lateral("disc", 1e-2, None, None, 2, 1.0), first_cell=3e-11, growth=4.0
    )
    with gmsh_model(stack) as built:
        depth = built.model.mesh.getNodes()[1][2::3]
        assert len(np.unique(depth)) == len(built.planes)


def test_gmsh_is_closed_after_use_and_after_failure(make_stack):
    with gmsh_model(make_stack("1d")):
        assert gmsh.isInitialized()
    assert not gmsh.isInitialized()
    with pytest.raises(InputError, match="disc"):
        gmsh_model(make_stack("axisymmetric", lateral=RECTANGLE)).__enter__()
    assert not gmsh.isInitialized()


def test_gmsh_is_silent(make_stack, capfd):
    with gmsh_model(make_stack("3d")):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dimension", ["1d", "axisymmetric", "3d"])
def test_exported_file_is_read_back_with_names_and_size(make_stack, own_path, dimension):
    stack = make_stack(dimension)
    path = own_path / "sample.msh"
    export_msh(stack, path)
    assert path.read_text().startswith("$MeshFormat\n4.1 0 8")
    with gmsh_model(stack) as built:
        reference = built.model.mesh.getNodes()[1] / built.units_per_metre
    with gmsh_model(replace(stack, mesh_file=path)) as read:
        points = read.model.mesh.getNodes()[1] / read.units_per_metre
        assert read.regions == ("oxide", "electrolyte", "counter")
        assert read.contacts == ("cathode", "anode")
    assert len(points) == len(reference)
    assert np.ptp(points) == pytest.approx(np.ptp(reference), rel=1e-15)


def test_export_names_a_wrong_path(make_stack, own_path):
    with pytest.raises(InputError, match=r"must end in \.msh"):
        export_msh(make_stack("1d"), own_path / "sample.vtk")
    with pytest.raises(InputError, match="no folder"):
        export_msh(make_stack("1d"), own_path / "absent" / "sample.msh")
