"""Bodies that rotate far: rigid turns, a strip that curls, the elastica, buckled films."""

from __future__ import annotations

import math
from dataclasses import replace

import dolfinx.mesh
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ellipe, ellipk

from ionstack.errors import InputError
from ionstack.geometry.stack import Lateral
from ionstack.mechanics.areas import Debond
from ionstack.mechanics.balance import Control
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions, Held
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.physics.solids import Solid
from support.bodies import (
    MODULUS,
    POISSON,
    block,
    corners,
    disc,
    films,
    in_layer,
    none,
    stress_points,
    swollen,
)

Floats = NDArray[np.float64]

HOST = Solid(MODULUS, POISSON)
LENGTH, THICK = 40e-6, 1e-6
FILM, RADIUS = 0.2e-6, 10e-6


def turn(body: Body, angle: float) -> None:
    """Turn a body about an axis across its last two coordinates, and shift it."""
    c, s = math.cos(angle), math.sin(angle)
    matrix = np.eye(3)
    matrix[:2, :2] = matrix[:2, :2] @ np.array([[c, -s], [s, c]])
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    whole = (tilt @ matrix if body.mesh.dimension == 3 else matrix)[: body.mesh.dimension]

    def field(x: Floats) -> Floats:
        return (whole @ x - x[: body.mesh.dimension]) + 0.3

    body.forces.displacement.interpolate(field)


# ---------------------------------------------------------------- strain


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_a_rigid_turn_gives_no_stress(kind) -> None:
    held = (Held("bottom", 0),)
    body = Body(block(kind, 2, 0.25), [HOST], Conditions("none", held=held), rotations="large")
    turn(body, 2.0)
    assert np.abs(body.forces.forms.strain()).max() < 1e-13
    flat = Body(block(kind, 2, 0.25), [HOST], Conditions("none", held=held))
    turn(flat, 2.0)
    assert np.abs(flat.forces.forms.strain()).max() > 1.0


def test_strain_of_a_stretch_around_an_axis() -> None:
    """Stretches 1.2 and 0.9, and a shear of the radius along the axis: (F^T F - 1)/2 by hand."""
    body = Body(block("axisymmetric", 2, 0.25), [HOST], Conditions(), rotations="large")
    body.forces.displacement.interpolate(lambda x: np.stack([0.2 * x[0], 0.5 * x[0] - 0.1 * x[1]]))
    expected = [0.5 * (1.44 + 0.25 - 1.0), 0.5 * (0.81 - 1.0), 0.22, 0.45 / math.sqrt(2.0)]
    found = body.forces.forms.strain()
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-12)


def test_small_loads_bend_as_at_small_rotations() -> None:
    layers = [("film", 20e-9, 10e-9), ("host", 80e-9, 20e-9)]
    mesh = films("axisymmetric", layers, disc(1e-6, 4), 1, 0)
    free = swollen(mesh, film=1e-8)
    one, other = (
        Body(mesh, [HOST] * 2, Conditions("free"), rotations=kind).solve(free, 1.0)  # type: ignore[arg-type]
        for kind in ("small", "large")
    )
    np.testing.assert_allclose(other.stress, one.stress, atol=1e-6 * np.abs(one.stress).max())


# ---------------------------------------------------------------- strips


def strip(kind: str, cells: int) -> MechanicalMesh:
    """A strip with faces ``root`` and ``end`` across its length."""
    lateral = Lateral("rectangle", None, LENGTH, THICK, cells, 1.0)
    mesh = films(kind, [("film", THICK, 0.5 * THICK)], lateral)
    faces = dict(mesh.faces)
    for name, place in (("root", 0.0), ("end", LENGTH)):
        facets = dolfinx.mesh.locate_entities_boundary(
            mesh.mesh,
            mesh.dimension - 1,
            lambda x, place=place: np.abs(x[0] - place) < 1e-9 * LENGTH,
        )
        faces[name] = np.sort(facets)
    return replace(mesh, faces=faces)


def cantilever(cells: int, kind: str = "2d") -> Body:
    """A strip held at its root, in space also out of the plane in which it bends."""
    mesh = strip(kind, cells)
    held = [Held("root", axis) for axis in range(mesh.dimension)]
    if kind == "3d":
        held.append(Held("sides_y", 1))
    return Body(mesh, [HOST], Conditions("none", held=tuple(held)), rotations="large")


def curling(mesh: MechanicalMesh, bend: float, up_to: float) -> Floats:
    """Free strain of a strip that wants a curvature up to a length: Green's of 1 + bend z."""
    x = corners(mesh)
    arm = bend * (x[..., -1] - 0.5 * THICK)
    strains = np.zeros((*x.shape[:2], 3))
    inside = x[..., 0].max(axis=1) <= up_to * (1.0 + 1e-9)
    strains[inside, :, 0] = (arm + 0.5 * arm**2)[inside]
    return strains


def curled(x: Floats, bend: float, up_to: float) -> Floats:
    """Where the points of such a strip go: an arc, then a straight line."""
    along, arm = x[..., 0], x[..., -1] - 0.5 * THICK
    angle = bend * np.minimum(along, up_to)
    rest = np.maximum(along - up_to, 0.0)
    s, c = np.sin(angle), np.cos(angle)
    place = [s * (1.0 / bend + arm) + c * rest, c * (1.0 / bend + arm) - 1.0 / bend - s * rest]
    return np.stack([place[0], place[1] + 0.5 * THICK], axis=-1)


@pytest.mark.parametrize(
    ("kind", "turns", "part"), [("2d", 0.5, 0.5), ("2d", 1.0, 1.0), ("3d", 0.5, 0.5)]
)
def test_a_strip_curls_into_an_arc_without_stress(kind, turns, part) -> None:
    """By half a turn with a straight end that has turned about, or into a full circle."""
    body = cantilever(40, kind)
    bend, up_to = 2.0 * math.pi * turns / (part * LENGTH), part * LENGTH
    trial = body.solve(curling(body.mesh, bend, up_to), 1.0)
    assert trial.newton.converged
    x = corners(body.mesh)
    found = (x + trial.corner_displacement())[..., [0, -1]]
    np.testing.assert_allclose(found, curled(x, bend, up_to), atol=3e-3 * LENGTH)
    assert np.abs(trial.stress).max() < 0.02 * MODULUS * bend * THICK


def test_the_elastica() -> None:
    """A column that a load bends until its end stands across: elliptic integrals of 45 degrees.

    Timoshenko and Gere, Theory of Elastic Stability (1961), 2.7.
    """
    body = cantilever(20)
    whole, second = ellipk(0.5), ellipe(0.5)
    stiffness = MODULUS / (1.0 - POISSON**2) * THICK**3 / 12.0
    load = stiffness * (whole / LENGTH) ** 2
    lean = curling(body.mesh, 1e-3 / LENGTH, LENGTH)
    trial = body.solve(lean, 1.0, pressure={"end": load / THICK})
    assert trial.newton.converged
    x, u = corners(body.mesh), trial.corner_displacement()
    end = (x[..., 0] == LENGTH) & (np.abs(x[..., 1] - 0.5 * THICK) < 1e-3 * THICK)
    along, across = (x + u)[end].mean(axis=0) - [0.0, 0.5 * THICK]
    assert along / LENGTH == pytest.approx(2.0 * second / whole - 1.0, rel=0.01)
    assert -across / LENGTH == pytest.approx(math.sqrt(2.0) / whole, rel=0.01)


# ---------------------------------------------------------------- films that buckle


def plate(control: Control | None = None) -> Body:
    """A film over a round slit on a base that hardly gives."""
    layers = [("film", FILM, 0.5 * FILM), ("base", 2e-6, 0.5e-6)]
    slit = Debond("film", "base", radius=RADIUS)
    mesh = films("axisymmetric", layers, disc(15e-6, 60), 1, 0, joints=(slit,))
    solids = [HOST, replace(HOST, young_modulus=100.0 * MODULUS)]
    return Body(mesh, solids, Conditions(sides="roller"), control, rotations="large")


def press(body: Body, level: float, lift: float) -> Trial:
    """Press the film by so many times the critical stress 14.68 D/(a^2 h)."""
    stiffness = MODULUS * FILM**3 / (12.0 * (1.0 - POISSON**2))
    critical = 14.68 * stiffness / (RADIUS**2 * FILM)
    strain = 3.0 * level * critical / HOST.biaxial_modulus
    return body.solve(swollen(body.mesh, film=strain), 1.0, pressure={"slit": lift})


def height(trial: Trial) -> float:
    return -float(trial.corner_displacement()[..., -1].min())


def test_critical_stress_and_deflection_of_a_clamped_film() -> None:
    """Hutchinson and Suo, Adv. Appl. Mech. 29, 63 (1992), eqs. 5.13 to 5.15."""
    body = plate()
    lift = body.lifting_pressure(1e-3 * FILM)
    low, near = (height(press(body, level, lift)) for level in (0.5, 0.8))
    # Southwell: deflections grow as 1/(1 - level/critical).
    slope = (1.0 / near - 1.0 / low) / 0.3
    assert 0.8 - 1.0 / (near * slope) == pytest.approx(1.0, abs=0.02)
    slack = 0.2473 * (1.0 + POISSON) + 0.2231 * (1.0 - POISSON**2)
    for level in (1.5, 2.0, 3.0):
        trial = press(body, level, lift)
        assert trial.newton.converged
        assert height(trial) == pytest.approx(FILM * math.sqrt((level - 1.0) / slack), rel=0.02)
        body.accept(trial)
    assert height(press(body, 0.5, lift)) == pytest.approx(low, rel=1e-6)


def test_a_film_buckles_at_once_the_way_it_is_lifted() -> None:
    body = plate()
    lift = body.lifting_pressure(1e-3 * FILM)
    jump = height(press(body, 5.0, lift))
    steps = plate()
    for level in (1.0, 2.0, 5.0):
        trial = press(steps, level, lift)
        steps.accept(trial)
    assert jump == pytest.approx(height(trial), rel=1e-6)
    assert height(press(plate(), 5.0, 1e-6 * lift)) == pytest.approx(jump, rel=0.01)


def test_a_film_does_not_buckle_into_what_lies_below() -> None:
    body = plate()
    pushed = press(body, 5.0, -body.lifting_pressure(1e-3 * FILM))
    assert pushed.newton.converged
    assert pushed.corner_displacement()[..., -1].max() < 1e-6 * FILM


def test_the_lifting_pressure_is_that_of_a_clamped_plate() -> None:
    stiffness = MODULUS * FILM**3 / (12.0 * (1.0 - POISSON**2))
    exact = 64.0 * stiffness * 1e-9 / RADIUS**4
    assert plate().lifting_pressure(1e-9) == pytest.approx(exact, rel=0.03)


def test_ductile_metal_on_a_buckled_film_flows_most_in_the_middle() -> None:
    layers = [("metal", 50e-9, 25e-9), ("host", 100e-9, 50e-9), ("base", 300e-9, 100e-9)]
    slit = Debond("host", "base", radius=3e-6)
    mesh = films("axisymmetric", layers, disc(6e-6, 40), 1, 1, joints=(slit,))
    metal = Solid(140e9, 0.38, yield_strength=100e6, hardening=1e9)
    body = Body(mesh, [metal, HOST, HOST], Conditions(sides="roller"), rotations="large")
    lift = body.lifting_pressure(1e-9)
    most = []
    for level in (0.7, 1.0):
        trial = body.solve(swollen(mesh, host=0.02 * level), 1.0, pressure={"slit": lift})
        assert trial.newton.converged
        body.accept(trial)
        flowed = trial.plastic[in_layer(mesh, "metal")]
        most.append(flowed.max())
        radius, depth = stress_points(body)[in_layer(mesh, "metal")][flowed == most[-1]][0]
        assert radius < 0.25 * 3e-6
        assert depth < -25e-9  # its upper half
    assert most[1] > most[0] > 1e-3
    assert 50e-9 < height(trial) < 500e-9


# ---------------------------------------------------------------- what fails, what is refused


def test_a_search_that_does_not_end_is_told_and_changes_nothing() -> None:
    body = plate(Control(most=1))
    trial = press(body, 3.0, 1e3)
    assert not trial.newton.converged
    assert np.isfinite(trial.newton.imbalance)
    assert not body.memory().owned["displacement"].any()


def test_what_large_rotations_cannot_do_is_refused() -> None:
    with pytest.raises(InputError, match="come apart"):
        cantilever(4).lifting_pressure(1e-9)
    held = (Held("bottom", 0, 1e-9),)
    with pytest.raises(InputError, match="supports cannot move"):
        Body(block("2d", 2), [HOST], Conditions("rigid", held=held), rotations="large")


def test_nothing_happens_to_a_body_without_loads() -> None:
    body = plate()
    trial = body.solve(none(body.mesh), 1.0)
    assert trial.newton.converged
    assert not trial.stress.any()
