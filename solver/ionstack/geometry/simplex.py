"""Voronoi (circumcentric) geometry of single simplices, vectorised over cells.

Each function returns, per cell and per local edge, the area of the part of the
Voronoi face inside the cell divided by the edge length (the *factor*), and the two
volumes that the edge's face spans with its end vertices. Cylinder symmetry about
the second coordinate is integrated exactly. Factors are signed: a circumcentre
outside its cell gives negative parts, which the neighbours make up for in a
Delaunay mesh.

Thin films give cells of aspect ratio 1e5 and more, so circumcentres are never
obtained from a linear system; only differences along edges that are small by
themselves are squared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOCAL_EDGES = {
    1: np.array([[0, 1]]),
    2: np.array([[0, 1], [0, 2], [1, 2]]),
    3: np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]),
}


def edge_parts(points: Array, axisymmetric: bool = False) -> tuple[Array, Array]:
    """Voronoi parts of simplices.

    Args:
        points: vertex coordinates [m], shape (n_cells, d+1, d), d = 1, 2 or 3.
        axisymmetric: for d = 2, coordinates are (r, z) and the result is of the
            full body of revolution.

    Returns:
        factors (n_cells, n_edges) [m^(d-2), m for bodies of revolution], and volumes
        (n_cells, n_edges, 2) that go to the two ends of each edge [m^d or m^3].
    """
    dimension = points.shape[2]
    if dimension == 1:
        return _interval(points)
    if dimension == 2:
        return _triangle_of_revolution(points) if axisymmetric else _triangle(points)
    return _tetrahedron(points)


def facet_shares(points: Array, axisymmetric: bool = False) -> Array:
    """Voronoi share of each vertex in facets, shape (n_facets, d) for d vertices each.

    Args:
        points: (n_facets, n_vertices, d) coordinates [m].
        axisymmetric: areas of surfaces of revolution about the second coordinate.
    """
    vertices = points.shape[1]
    if vertices == 1:
        return np.ones(points.shape[:2])
    if vertices == 2:
        half = 0.5 * np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
        shares = np.stack([half, half], axis=1)
        return shares * _ring(points) if axisymmetric else shares
    return _triangle_shares(points)


def _ring(segments: Array) -> Array:
    """Circumference at the centroid of each half of segments given as (n, 2, 2)."""
    r0, r1 = segments[:, 0, 0], segments[:, 1, 0]
    return 2.0 * np.pi * np.stack([0.75 * r0 + 0.25 * r1, 0.25 * r0 + 0.75 * r1], axis=1)


def _interval(points: Array) -> tuple[Array, Array]:
    length = np.abs(points[:, 1] - points[:, 0])
    return 1.0 / length, np.repeat(0.5 * length[:, :, None], 2, axis=2)


def _cross2(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _opposite_cotangents(points: Array) -> Array:
    """Cotangent of the angle opposite to each local edge of triangles in 2-D or 3-D."""
    cotangents = np.empty((len(points), 3))
    for edge, opposite in enumerate((2, 1, 0)):
        i, j = LOCAL_EDGES[2][edge]
        a, b = points[:, i] - points[:, opposite], points[:, j] - points[:, opposite]
        cotangents[:, edge] = np.einsum("nd,nd->n", a, b) / _twice_area(a, b)
    return cotangents


def _twice_area(a: Array, b: Array) -> Array:
    if a.shape[1] == 2:
        return np.abs(_cross2(a, b))
    return np.asarray(np.linalg.norm(np.cross(a, b), axis=1))


def _triangle(points: Array) -> tuple[Array, Array]:
    factors = 0.5 * _opposite_cotangents(points)
    i, j = LOCAL_EDGES[2].T
    square = np.sum((points[:, j] - points[:, i]) ** 2, axis=2)
    return factors, np.repeat((0.25 * factors * square)[:, :, None], 2, axis=2)


def _triangle_shares(points: Array) -> Array:
    _, volumes = _triangle(points)
    shares = np.zeros((len(points), 3))
    for edge, (i, j) in enumerate(LOCAL_EDGES[2]):
        shares[:, i] += volumes[:, edge, 0]
        shares[:, j] += volumes[:, edge, 1]
    return shares


def _circumcentre(points: Array) -> tuple[Array, Array]:
    """Circumcentre of triangles and its barycentric weights (also triangles in 3-D)."""
    cotangents = _opposite_cotangents(points)
    i, j = LOCAL_EDGES[2].T
    square = np.sum((points[:, j] - points[:, i]) ** 2, axis=2)
    # Weight of a vertex ~ (opposite edge)^2 * cot of the angle at the vertex.
    weights = (square * cotangents)[:, ::-1]
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.einsum("nv,nvd->nd", weights, points), weights


def _triangle_of_revolution(points: Array) -> tuple[Array, Array]:
    """Pappus: areas and volumes are plane ones times the path of their centroids."""
    factors, volumes = _triangle(points)
    radius = points[:, :, 0]
    centre = np.einsum("nv,nv->n", _circumcentre(points)[1], radius)
    i, j = LOCAL_EDGES[2].T
    middle = 0.5 * (radius[:, i] + radius[:, j])
    factors = factors * np.pi * (middle + centre[:, None])
    ends = np.stack([radius[:, i], radius[:, j]], axis=2)
    centroid = (ends + middle[:, :, None] + centre[:, None, None]) / 3.0
    return factors, volumes * 2.0 * np.pi * centroid


# Faces of a tetrahedron as (three vertices, opposite vertex).
_FACES = ((0, 1, 2, 3), (0, 1, 3, 2), (0, 2, 3, 1), (1, 2, 3, 0))


def _tetrahedron(points: Array) -> tuple[Array, Array]:
    factors = np.zeros((len(points), 6))
    lookup = {tuple(edge): position for position, edge in enumerate(LOCAL_EDGES[3].tolist())}
    for *face, apex in _FACES:
        triangle = points[:, face]
        height = _circumcentre_height(triangle, points[:, apex])
        cotangents = _opposite_cotangents(triangle)
        for local, (i, j) in enumerate(LOCAL_EDGES[2]):
            # area = 1/2 (l/2 cot) h; the factor divides it by l.
            factors[:, lookup[face[i], face[j]]] += 0.25 * cotangents[:, local] * height
    i, j = LOCAL_EDGES[3].T
    square = np.sum((points[:, j] - points[:, i]) ** 2, axis=2)
    return factors, np.repeat((factors * square / 6.0)[:, :, None], 2, axis=2)


def _circumcentre_height(triangle: Array, apex: Array) -> Array:
    """Signed distance of the tetrahedron's circumcentre from a face, positive to the apex.

    (power of the apex with respect to the face's circumsphere) / (2 height), with
    the power expanded about the face vertex nearest to the apex.
    """
    to_apex = apex[:, None, :] - triangle
    nearest = np.argmin(np.sum(to_apex**2, axis=2), axis=1)
    rows = np.arange(len(apex))
    step = to_apex[rows, nearest]
    weights = _circumcentre(triangle)[1]
    origin = triangle[rows, nearest]
    centre = np.einsum("nv,nvd->nd", weights, triangle - origin[:, None, :])
    power = np.einsum("nd,nd->n", step, step - 2.0 * centre)
    normal = np.cross(triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0])
    height = np.abs(np.einsum("nd,nd->n", step, normal)) / np.linalg.norm(normal, axis=1)
    return np.asarray(power / (2.0 * height))
