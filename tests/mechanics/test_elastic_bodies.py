"""Elastic bodies against closed forms: films, beams, tubes, spheres; orders in space."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem

from ionstack.errors import InputError
from ionstack.geometry.stack import Lateral
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions, Held
from ionstack.physics.solids import Solid
from support.bodies import (
    MODULUS,
    POISSON,
    SWELLING,
    ball,
    bilayer_curvature,
    block,
    corners,
    curvature,
    disc,
    films,
    in_layer,
    none,
    shell,
    spherical,
    stress_points,
    swollen,
)
from support.convergence import order

HOST = Solid(MODULUS, POISSON)
KINDS = ("2d", "axisymmetric", "3d")
WIDE = Lateral("rectangle", None, 2e-6, 1e-6, 3, 1.0)
STACK = [("metal", 20e-9, 10e-9), ("host", 80e-9, 10e-9), ("glass", 200e-9, 50e-9)]


def stack_of(kind: str, **options: object) -> Body:
    lateral = disc(1e-6, 4) if kind == "axisymmetric" else WIDE
    mesh = films(kind, STACK, lateral, above=1, below=1)
    return Body(mesh, [HOST] * 3, Conditions(**options))  # type: ignore[arg-type]


# ---------------------------------------------------------------- patch tests


@pytest.mark.parametrize("kind", KINDS)
def test_constant_stress_is_exact_on_a_distorted_mesh(kind) -> None:
    body = Body(block(kind, 3, 0.25), [HOST], Conditions("roller"))
    sides = ("sides",)
    trial = body.solve(none(body.mesh), 1.0, pressure={"top": 3e6} | dict.fromkeys(sides, 1e6))
    stress = trial.stress
    along = 1 if kind != "3d" else 2
    np.testing.assert_allclose(stress[..., along], -3e6, rtol=1e-9)
    np.testing.assert_allclose(stress[..., 0], -1e6, rtol=1e-9)
    np.testing.assert_allclose(stress[..., 3:], 0.0, atol=1e-3)
    if kind == "2d":
        np.testing.assert_allclose(stress[..., 2], POISSON * -4e6, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_nothing_holds_swells_without_stress(kind) -> None:
    mesh = block(kind, 3, 0.25)
    body = Body(mesh, [HOST], Conditions("free"))
    volume = swollen(mesh, film=SWELLING)
    trial = body.solve(volume, 1.0)
    plane = (1.0 + POISSON) if kind == "2d" else 1.0  # nothing moves out of the plane
    x, u = corners(mesh), trial.corner_displacement()
    origin = x.min(axis=(0, 1))  # least lateral coordinates, at the bottom
    origin[-1] = x[..., -1].max()
    if kind == "axisymmetric":
        origin[0] = 0.0
    np.testing.assert_allclose(u, plane * SWELLING / 3.0 * (x - origin), atol=1e-12)
    loose = trial.stress[..., [0, 1, *range(3, trial.stress.shape[-1])]]
    np.testing.assert_allclose(loose, 0.0, atol=1e-3)


# ---------------------------------------------------------------- films on a clamp


@pytest.mark.parametrize("kind", KINDS)
def test_swelling_film_on_a_rigid_clamp(kind) -> None:
    """Row V8: sigma = -M Omega c/3, eps_zz = (1 + nu)/(1 - nu) Omega c/3, and no metal strain."""
    body = stack_of(kind, sides="roller")
    trial = body.solve(swollen(body.mesh, host=SWELLING), 1.0)
    host, metal = in_layer(body.mesh, "host"), in_layer(body.mesh, "metal")
    first, second, along = (0, 1, 2) if kind == "3d" else (0, 2, 1)
    for component in (first, second):
        np.testing.assert_allclose(trial.stress[host][..., component], -952.3809523810e6, rtol=1e-8)
    np.testing.assert_allclose(trial.hydrostatic()[host], -634.9206349206e6, rtol=1e-8)
    np.testing.assert_allclose(trial.stress[metal], 0.0, atol=1.0)
    np.testing.assert_allclose(trial.stress[..., along], 0.0, atol=1.0)
    lift = -trial.corner_displacement()[metal][..., -1]
    np.testing.assert_allclose(lift, 0.01238095238095 * 80e-9, rtol=1e-8)


def test_anisotropic_swelling_heat_and_deposition_add_up() -> None:
    mesh = films("3d", STACK, WIDE, above=1, below=1)
    host = Solid(MODULUS, POISSON, thermal_expansion=1e-5, residual_stress=50e6)
    body = Body(mesh, [HOST, host, HOST], Conditions(sides="roller"))
    strains = np.zeros((mesh.n_owned, 4, 3))
    strains[in_layer(mesh, "host")] = (1e-3, 2e-3, 7e-3)
    trial = body.solve(strains, 1.0, temperature_change=30.0)
    plane = MODULUS / (1.0 - POISSON**2)
    hot = 30.0 * 1e-5
    expected = [
        50e6 - plane * ((1e-3 + hot) + POISSON * (2e-3 + hot)),
        50e6 - plane * ((2e-3 + hot) + POISSON * (1e-3 + hot)),
    ]
    stress = trial.stress[in_layer(mesh, "host")]
    np.testing.assert_allclose(stress[..., 0], expected[0], rtol=1e-9)
    np.testing.assert_allclose(stress[..., 1], expected[1], rtol=1e-9)
    np.testing.assert_allclose(stress[..., 2:], 0.0, atol=1.0)


def test_in_two_dimensions_the_second_strain_is_out_of_the_plane() -> None:
    body = stack_of("2d", sides="roller")
    strains = np.zeros((body.mesh.n_owned, 3, 3))
    strains[..., 1] = 1e-3
    trial = body.solve(strains, 1.0)
    plane = MODULUS / (1.0 - POISSON**2)
    np.testing.assert_allclose(trial.stress[..., 2], -plane * 1e-3, rtol=1e-9)
    np.testing.assert_allclose(trial.stress[..., 0], -plane * POISSON * 1e-3, rtol=1e-9)


def test_a_temperature_field_strains_like_a_swelling() -> None:
    mesh = films("2d", STACK, WIDE, above=1, below=1)
    body = Body(mesh, [Solid(MODULUS, POISSON, thermal_expansion=2e-5)] * 3, Conditions())
    heat = 100.0 * (1.0 + corners(mesh)[..., 0] / 2e-6)
    hot = body.solve(none(mesh), 1.0, temperature_change=heat)
    swelled = body.solve(3.0 * 2e-5 * heat, 1.0)
    np.testing.assert_allclose(hot.stress, swelled.stress, atol=1e-9 * abs(hot.stress).max())


# ---------------------------------------------------------------- bending


def test_curvature_of_a_film_on_a_substrate() -> None:
    """Stoney, with a film of 100 nm on 500 um: cells of aspect 2500."""
    mesh = films(
        "axisymmetric", [("film", 100e-9, 1e-7), ("plate", 500e-6, 1e-4)], disc(5e-3, 20), 0, 1
    )
    plate = Solid(130e9, 0.28)
    body = Body(mesh, [HOST, plate], Conditions("free"))
    trial = body.solve(swollen(mesh, film=SWELLING), 1.0)
    found = curvature(body, trial, 2.5e-3)
    film = trial.stress[in_layer(mesh, "film")][:, :, [0, 2]]
    near = stress_points(body)[in_layer(mesh, "film")][..., 0] < 2.5e-3
    np.testing.assert_allclose(film[near], -952.3809523810e6, rtol=1e-3)
    # Depth runs downwards: a film that wants to grow makes the middle its highest point.
    assert found == pytest.approx(0.01265934066, rel=2e-3)
    exact = bilayer_curvature(
        (HOST.biaxial_modulus, plate.biaxial_modulus), (100e-9, 500e-6), (SWELLING / 3, 0.0)
    )
    assert found == pytest.approx(-exact, rel=2e-4)


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.49])
def test_a_thin_bilayer_bends_without_locking(poisson) -> None:
    """Beam bending, with cells of up to 1 um by 0.1 nm in a plate of 20 um by 200 nm."""
    layers = [("film", 20e-9, 1e-10), ("plate", 180e-9, 1e-10)]
    mesh = films("2d", layers, Lateral("rectangle", None, 20e-6, 1.0, 20, 1.0), 0, 1)
    soft, stiff = Solid(50e9, poisson), Solid(200e9, poisson)
    body = Body(mesh, [soft, stiff], Conditions("free"))
    strains = np.zeros((mesh.n_owned, 3, 3))
    strains[in_layer(mesh, "film")] = (1e-3, 0.0, 0.0)
    trial = body.solve(strains, 1.0)
    moduli = (50e9 / (1 - poisson**2), 200e9 / (1 - poisson**2))
    exact = bilayer_curvature(moduli, (20e-9, 180e-9), (1e-3, 0.0))
    assert curvature(body, trial, 6e-6) == pytest.approx(-exact, rel=1e-5)


# ---------------------------------------------------------------- tubes and spheres


def lame_tube(r: Any, inside: float) -> tuple[Any, Any, Any]:
    """Radial displacement, radial and hoop stress of a tube from 1 to 2 with free ends."""
    a, b = inside / 3.0, 4.0 * inside / 3.0
    u = (1.0 - POISSON) / MODULUS * a * r + (1.0 + POISSON) / MODULUS * b / r
    return u, a - b / r**2, a + b / r**2


def test_pressurised_tube_and_orders_in_space() -> None:
    """Lamé: displacements are of order 3, stresses of order 2."""
    sizes, displaced, stressed = [], [], []
    for cells in (4, 8, 16):
        body = Body(block("axisymmetric", cells, 0.1), [HOST], Conditions("roller"))
        trial = body.solve(none(body.mesh), 1.0, pressure={"inner": 1e8})
        sizes.append(1.0 / cells)
        displaced.append(_distance(body, trial, 0, lambda x: lame_tube(x[0], 1e8)[0]))
        r = stress_points(body)[..., 0]
        _, radial, hoop = lame_tube(r, 1e8)
        wrong = np.stack([trial.stress[..., 0] - radial, trial.stress[..., 2] - hoop])
        stressed.append(float(np.sqrt(np.mean(wrong**2))))
    assert order(sizes, displaced) == pytest.approx(3.0, abs=0.25)
    assert order(sizes, stressed) == pytest.approx(2.0, abs=0.25)
    assert stressed[-1] < 1e-3 * 1e8


def _distance(body: Body, trial: Trial, axis: int, exact: Callable[[Any], Any]) -> float:
    """L2 norm of the error of one component of the displacement."""
    mesh = body.mesh.mesh
    wrong = trial.displacement[axis] - exact(ufl.SpatialCoordinate(mesh))
    volume = ufl.dx(metadata={"quadrature_degree": 6})
    return math.sqrt(fem.assemble_scalar(fem.form(wrong**2 * volume)))


def harmonic(kind: str, f: Any) -> tuple[Callable[[Any], Any], ...]:
    """Gradients of harmonic functions by component, with the functions of a module."""
    if kind == "2d":
        return (lambda x: f.exp(x[0]) * f.sin(x[1]), lambda x: f.exp(x[0]) * f.cos(x[1]))
    root = math.sqrt(2.0)
    return (
        lambda x: f.cos(x[0]) * f.sin(x[1]) * f.exp(root * x[2]),
        lambda x: f.sin(x[0]) * f.cos(x[1]) * f.exp(root * x[2]),
        lambda x: root * f.sin(x[0]) * f.sin(x[1]) * f.exp(root * x[2]),
    )


@pytest.mark.parametrize(("kind", "counts"), [("2d", (4, 8, 16)), ("3d", (2, 4, 6))])
def test_orders_for_the_gradient_of_a_harmonic_function(kind, counts) -> None:
    """Such a displacement is divergence-free and in equilibrium in any elastic solid."""
    fields = harmonic(kind, np)
    held = tuple(
        Held(face, axis, field)
        for face in ("top", "bottom", "sides")
        for axis, field in enumerate(fields)
    )
    displaced, stressed = [], []
    for cells in counts:
        body = Body(block(kind, cells, 0.1), [HOST], Conditions("none", held=held))
        trial = body.solve(none(body.mesh), 1.0)
        displaced.append(_distance(body, trial, 1, harmonic(kind, ufl)[1]))
        x = np.moveaxis(stress_points(body), -1, 0)
        # d u_x/dx: u_x is an exponential of x, or a cosine.
        slope = fields[0](x) if kind == "2d" else -fields[0](x) * np.tan(x[0])
        wrong = trial.stress[..., 0] - 2.0 * HOST.shear_modulus * slope
        stressed.append(float(np.sqrt(np.mean(wrong**2))))
    sizes = [1.0 / cells for cells in counts]
    assert order(sizes, displaced) == pytest.approx(3.0, abs=0.25)
    assert order(sizes, stressed) == pytest.approx(2.0, abs=0.25)


def test_pressurised_sphere() -> None:
    """Lamé's thick-walled sphere from 1 to 4; straight cells leave an error of order 2."""
    errors = []
    for cells in (8, 16):
        mesh = shell(1.0, 4.0, cells, cells)
        body = Body(mesh, [HOST], Conditions("roller"))
        trial = body.solve(none(mesh), 1.0, pressure={"inner": 1e8})
        radial, hoop = spherical(body, trial)
        r = np.linalg.norm(stress_points(body), axis=-1)
        unit = 1e8 / (4.0**3 - 1.0)
        wrong = np.stack([radial - unit * (1 - 64 / r**3), hoop - unit * (1 + 32 / r**3)])
        errors.append(float(np.sqrt(np.mean(wrong**2))) / 1e8)
    assert errors[-1] < 3e-3
    assert order([1 / 8, 1 / 16], errors) > 1.7


@pytest.mark.parametrize("poisson", [0.3, 0.49, 0.4999])
def test_a_sphere_that_keeps_its_volume_does_not_lock(poisson) -> None:
    mesh = shell(1.0, 4.0, 16, 16)
    body = Body(mesh, [Solid(MODULUS, poisson)], Conditions("roller"))
    trial = body.solve(none(mesh), 1.0, pressure={"inner": 1e8})
    x, u = corners(mesh), trial.corner_displacement()
    grown = u[np.abs(np.linalg.norm(x, axis=-1) - 1.0) < 1e-9]
    shear = MODULUS / (2.0 * (1.0 + poisson))
    exact = 1e8 / 63.0 * ((1.0 - 2.0 * poisson) / MODULUS + 64.0 / (4.0 * shear))
    np.testing.assert_allclose(np.linalg.norm(grown, axis=-1), exact, rtol=5e-3)


def test_free_sphere_with_more_swelling_outside() -> None:
    """c = dc r^2/R^2: tension in the middle, compression at the surface."""
    mesh = ball(1e-6, 16)
    body = Body(mesh, [HOST], Conditions("roller"))
    part = np.sum(corners(mesh) ** 2, axis=-1) / 1e-12
    trial = body.solve(SWELLING * part, 1.0)
    radial, hoop = spherical(body, trial)
    r = np.linalg.norm(stress_points(body), axis=-1) / 1e-6
    # sigma_r = (2 E Omega dc/(3 (1 - nu))) (1 - r^2)/5, hoop by equilibrium.
    unit = 2.0 * MODULUS * SWELLING / (3.0 * (1.0 - POISSON)) / 5.0
    assert unit == pytest.approx(380.952381e6)
    np.testing.assert_allclose(radial, unit * (1 - r**2), atol=1.5e-2 * unit)
    np.testing.assert_allclose(hoop, unit * (1 - 2 * r**2), atol=3e-2 * unit)
    pressure = trial.hydrostatic()
    expected = unit * (3 - 5 * part) / 3
    np.testing.assert_allclose(pressure, expected, atol=3e-2 * unit)


# ---------------------------------------------------------------- what is refused


def test_round_sides_have_no_rollers_in_space() -> None:
    mesh = films("3d", STACK, Lateral("disc", 2e-6, None, None, 1, 1.0), 1, 1)
    with pytest.raises(InputError, match="round sides"):
        Body(mesh, [HOST] * 3, Conditions(sides="roller"))
