"""Voronoi parts of single simplices against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ionstack.geometry.gmsh_model import prisms_to_tetrahedra
from ionstack.geometry.simplex import LOCAL_EDGES, edge_parts, facet_shares

DRAW = np.random.default_rng(7)


def one(points, axisymmetric=False):
    factors, volumes = edge_parts(np.array([points], dtype=float), axisymmetric)
    return factors[0], volumes[0]


def size(points):
    points = np.asarray(points, dtype=float)
    edges = points[1:] - points[0]
    return abs(np.linalg.det(edges)) / math.factorial(len(edges))


def test_interval():
    factors, volumes = one([[0.25], [0.75]])
    assert factors.tolist() == [2.0]
    assert volumes.tolist() == [[0.25, 0.25]]


def test_right_triangle_has_its_centre_on_the_hypotenuse():
    """Legs 3 and 4: half the other leg over the leg; nothing across the hypotenuse."""
    factors, volumes = one([[0, 0], [3, 0], [0, 4]])
    np.testing.assert_allclose(factors, [2 / 3, 1.5 / 4, 0.0], rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(volumes.sum(), 6.0, rtol=1e-15)


def test_equilateral_triangle():
    factors, volumes = one([[0, 0], [1, 0], [0.5, math.sqrt(0.75)]])
    np.testing.assert_allclose(factors, 0.5 / math.sqrt(3.0), rtol=1e-14)
    np.testing.assert_allclose(volumes, math.sqrt(3.0) / 24.0, rtol=1e-14)


def test_obtuse_triangle_has_a_negative_part():
    """Angle of 120 degrees opposite the long edge: cot = -1/sqrt(3)."""
    factors, volumes = one([[-math.sqrt(3.0), 0], [math.sqrt(3.0), 0], [0, 1]])
    assert factors[0] == pytest.approx(-0.5 / math.sqrt(3.0), rel=1e-14)
    assert volumes.sum() == pytest.approx(math.sqrt(3.0), rel=1e-14)


def test_regular_tetrahedron():
    """Factor 1/(12 sqrt 2) per edge of length 1: kite of two face and one body centre."""
    points = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / math.sqrt(8.0)
    factors, volumes = one(points)
    np.testing.assert_allclose(factors, 1.0 / (12.0 * math.sqrt(2.0)), rtol=1e-14)
    assert volumes.sum() == pytest.approx(1.0 / (6.0 * math.sqrt(2.0)), rel=1e-14)


def test_corner_tetrahedron():
    """Corner of a cube: circumcentre in the cube's middle, no flow across diagonals."""
    factors, volumes = one([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    edges = LOCAL_EDGES[3].tolist()
    legs = [factors[edges.index([0, k])] for k in (1, 2, 3)]
    np.testing.assert_allclose(legs, 0.25, rtol=1e-14)
    np.testing.assert_allclose(volumes.sum(), 1.0 / 6.0, rtol=1e-14)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_volumes_sum_to_the_simplex(dimension):
    points = DRAW.normal(size=(500, dimension + 1, dimension))
    _, volumes = edge_parts(points)
    exact = np.array([size(p) for p in points])
    scale = np.abs(volumes).sum(axis=(1, 2))
    assert np.max(np.abs(volumes.sum(axis=(1, 2)) - exact) / scale) < 1e-12


@pytest.mark.parametrize("dimension", [2, 3])
def test_closed_surface_identity(dimension):
    """Parts of one simplex give the stiffness of linear functions: sum f dx dx^T = V I in 2-D.

    In 3-D the trace holds: sum of factor * length^2 = 3 V.
    """
    points = DRAW.normal(size=(500, dimension + 1, dimension))
    factors, _ = edge_parts(points)
    i, j = LOCAL_EDGES[dimension].T
    edges = points[:, j] - points[:, i]
    exact = np.array([size(p) for p in points])
    tensor = np.einsum("ne,nea,neb->nab", factors, edges, edges)
    scale = np.einsum("ne,nea,nea->n", np.abs(factors), edges, edges)
    trace = np.einsum("naa->n", tensor)
    assert np.max(np.abs(trace - dimension * exact) / scale) < 1e-12
    if dimension == 2:
        rest = tensor - exact[:, None, None] * np.eye(2)
        assert np.max(np.abs(rest) / scale[:, None, None]) < 1e-12


def test_body_of_revolution_has_its_volume():
    points = DRAW.uniform(size=(500, 3, 2))
    _, volumes = edge_parts(points, axisymmetric=True)
    exact = [2.0 * math.pi * size(p) * p[:, 0].mean() for p in points]
    scale = np.abs(volumes).sum(axis=(1, 2))
    assert np.max(np.abs(volumes.sum(axis=(1, 2)) - exact) / scale) < 1e-12


def test_ring_of_revolution():
    """Rectangle r in [1, 2], z in [0, 3] cut in two: boxes end at r = 1.5 and z = 1.5."""
    points = np.array([[[1, 0], [2, 0], [2, 3]], [[1, 0], [2, 3], [1, 3]]], dtype=float)
    factors, volumes = edge_parts(points, axisymmetric=True)
    horizontal = factors[0][0]
    assert horizontal == pytest.approx(2.0 * math.pi * 1.5 * 1.5, rel=1e-14)
    diagonal = factors[0][1] + factors[1][0]
    assert diagonal == pytest.approx(0.0, abs=1e-14)
    # Volume next to r = 2: first triangle's vertices 1 and 2, second's vertex 1.
    ends = LOCAL_EDGES[2]
    outer = sum(
        volumes[cell, edge, side]
        for cell in (0, 1)
        for edge in range(3)
        for side in (0, 1)
        if points[cell, ends[edge, side], 0] == 2.0
    )
    assert outer == pytest.approx(math.pi * (4.0 - 2.25) * 3.0, rel=1e-14)


def test_facet_shares():
    assert facet_shares(np.zeros((2, 1, 1))).tolist() == [[1.0], [1.0]]
    segment = np.array([[[1.0, 0.0], [3.0, 0.0]]])
    np.testing.assert_allclose(facet_shares(segment), [[1.0, 1.0]])
    ring = facet_shares(segment, axisymmetric=True)
    np.testing.assert_allclose(ring, [[math.pi * 3.0, math.pi * 5.0]], rtol=1e-15)
    triangle = np.array([[[0, 0, 1], [3, 0, 1], [0, 4, 1]]], dtype=float)
    np.testing.assert_allclose(facet_shares(triangle), [[3.0, 1.5, 1.5]], rtol=1e-14)


def prism(aspect: float) -> np.ndarray:
    """Prism over an acute triangle of size 1, `aspect` times thinner: base, then top."""
    base = np.array([[0.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.4, 0.9, 0.0]])
    return np.concatenate([base, base + np.array([0.0, 0.0, 1.0 / aspect])])


def prism_sums(points: np.ndarray, order: np.ndarray) -> tuple[dict, dict]:
    """Summed factors and moduli of a split prism, by vertex pairs."""
    cells = prisms_to_tetrahedra(order[None, :])
    factors, _ = edge_parts(points[cells])
    total: dict[tuple[int, int], float] = {}
    modulus: dict[tuple[int, int], float] = {}
    for cell, parts in zip(cells, factors, strict=True):
        for (i, j), part in zip(LOCAL_EDGES[3], parts, strict=True):
            key = tuple(sorted((int(cell[i]), int(cell[j]))))
            total[key] = total.get(key, 0.0) + part
            modulus[key] = modulus.get(key, 0.0) + abs(part)
    return total, modulus


@pytest.mark.parametrize("aspect", [1.0, 1e2, 1e5, 1e7])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_split_prism_is_the_prism(aspect, turn):
    """Diagonals vanish, the others are those of the prism, at any aspect ratio."""
    points = prism(aspect)
    corners = np.roll(np.arange(3), turn)
    total, modulus = prism_sums(points, np.concatenate([corners, corners + 3]))
    height = 1.0 / aspect
    lateral, _ = one(points[:3, :2])
    areas = facet_shares(points[None, :3])[0]
    for (i, j), value in total.items():
        if j == i + 3:
            expected = areas[i] / height
        elif (i < 3) == (j < 3):
            edge = LOCAL_EDGES[2].tolist().index([i % 3, j % 3])
            expected = lateral[edge] * height / 2.0
        else:
            expected = 0.0
        assert value - expected == pytest.approx(0.0, abs=1e-11 * modulus[i, j])
        assert value >= -1e-11 * modulus[i, j]
