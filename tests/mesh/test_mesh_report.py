"""Mesh report: what it counts, what it shows, the same on any number of ranks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.runs.mesh_report import (
    NEGATIVE_SHOWN,
    estimate_run,
    layer_cells,
    mesh_report,
    negative_edges,
)


def _without_rank_count(report: str) -> str:
    return report.split("\n", 1)[1]


@pytest.mark.parametrize("dimension", ["1d", "axisymmetric", "2d", "3d"])
def test_report_is_the_same_on_all_ranks_and_partitions(make_stack, comm, dimension):
    stack = make_stack(dimension)
    report = mesh_report(build_mesh(stack, comm))
    assert comm.allgather(report) == [report] * comm.size
    serial = mesh_report(build_mesh(stack, MPI.COMM_SELF))
    assert _without_rank_count(report) == _without_rank_count(serial)


def test_counts_of_a_structured_mesh(make_stack, comm):
    device = build_mesh(make_stack("axisymmetric"), comm)
    planes = build_mesh(make_stack("1d"), MPI.COMM_SELF).mesh.geometry.x.shape[0]
    report = mesh_report(device)
    columns = 5
    edges = planes * (columns - 1) + (planes - 1) * columns + 2 * (columns - 1)
    assert f"points          {planes * columns}\n" in report
    assert f"nodes           {(planes + 2) * columns} " in report
    assert f"edges           {edges} " in report
    assert f"cells           {2 * (planes - 1) * (columns - 1)}\n" in report
    assert "contact         cathode: 5 nodes, 31415.9 um^2" in report
    assert "negative Voronoi factors: none" in report


def test_layers_are_measured(make_stack, comm):
    stack = make_stack("3d")
    layers = layer_cells(build_mesh(stack, comm))
    assert [layer.name for layer in layers] == ["oxide", "electrolyte", "counter"]
    oxide, electrolyte, _ = layers
    assert oxide.depth == (0.0, 80e-9)
    assert electrolyte.depth == pytest.approx((80e-9, 105.3e-9))
    assert oxide.height[0] == pytest.approx(2e-9)
    assert oxide.aspect_ratio > 1e4
    assert oxide.volume[0] < oxide.volume[1]


def test_negative_edges_are_listed_with_layer_and_place(make_stack, comm):
    device = build_mesh(make_stack("axisymmetric"), comm)
    volumes = build_control_volumes(device)
    chosen = volumes.vertex_id[volumes.node_vertex[volumes.edge_nodes]].sum(axis=1) % 5 == 0
    spoilt = replace(volumes, edge_factor=np.where(chosen, -1.0, volumes.edge_factor))
    found = negative_edges(spoilt)
    assert len(found.region) > NEGATIVE_SHOWN
    assert len(np.unique(found.place, axis=0)) >= len(found.region) - 8
    inside = np.searchsorted([80e-9, 105.3e-9], found.place[:, 1])
    at_interface = np.isclose(found.place[:, 1, None], [80e-9, 105.3e-9], rtol=1e-12).any(axis=1)
    assert np.array_equal(found.region[~at_interface], inside[~at_interface])
    report = mesh_report(device, spoilt)
    assert f"negative Voronoi factors: {len(found.region)}" in report
    assert "  in oxide at (" in report
    assert f"and {len(found.region) - NEGATIVE_SHOWN} more" in report


@pytest.mark.parametrize(
    ("nodes", "dimension", "solver", "seconds", "gigabytes"),
    [
        (400, 1, "LU", 5.4e-4, 0.4),
        (200_000, 2, "iterative", 2.1, 1.4),
        (30_000, 2, "MUMPS", 0.26, 0.7),
        (50_000, 3, "iterative", 2.03, 0.9),
    ],
)
def test_estimate_follows_the_measured_solvers(nodes, dimension, solver, seconds, gigabytes):
    cost = estimate_run(nodes, dimension)
    assert cost.solver == solver
    assert cost.newton_step == pytest.approx(seconds, rel=0.5)
    assert cost.memory == pytest.approx(gigabytes * 1e9, rel=0.15)


def test_estimate_grows_with_the_mesh():
    for dimension in (1, 2, 3):
        costs = [estimate_run(n, dimension) for n in (100, 1000, 10_000)]
        assert all(a.newton_step < b.newton_step for a, b in pairwise(costs))
        assert all(a.memory < b.memory for a, b in pairwise(costs))
