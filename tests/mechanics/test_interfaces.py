"""Bodies whose layers may part: a column that is pulled, bonds, faces in contact, the state."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.geometry.stack import Lateral
from ionstack.mechanics.areas import Cohesive, Debond
from ionstack.mechanics.body import Body
from ionstack.mechanics.conditions import Conditions
from ionstack.output.checkpoint import Memory
from ionstack.physics.cohesion import Cohesion, contact_stiffness, separate
from ionstack.physics.solids import Solid
from support.bodies import MODULUS, POISSON, disc, films, none, swollen
from support.joints import CONFINED, HOST, LATERAL, LAW, LAYERS, THICK, column, pull

Floats = NDArray[np.float64]

# ---------------------------------------------------------------- a column that is pulled


@pytest.mark.parametrize("kind", LATERAL)
def test_a_column_follows_the_law(kind) -> None:
    """Loading, softening, unloading, contact, loading again, and apart: every state in one step."""
    body, reached = column(kind), 0.0
    for opening in (1e-10, 2e-10, 8e-10, 3e-10, -1e-10, 8e-10, 1.5e-9, 2.5e-9, 0.0):
        exact = separate(LAW, np.array([opening]), np.array(reached))
        reached = float(exact.reached)
        trial = pull(body, opening, exact.traction[0])
        assert trial.newton.converged
        assert trial.separation is not None
        along = trial.stress[..., body.materials.axes[2]]
        np.testing.assert_allclose(along, exact.traction[0], atol=1e-8 * LAW.strength)
        np.testing.assert_allclose(trial.separation.traction[..., -1], exact.traction[0], atol=10.0)
        np.testing.assert_allclose(trial.separation.reached, reached, rtol=1e-8)
        body.accept(trial)
    assert reached > LAW.final


def test_a_column_breaks_at_once_where_it_stores_more_than_separation_costs() -> None:
    """A law that falls more steeply than the column unloads leaves no equilibrium between."""
    body = column("2d", Cohesion(stiffness=2e19, strength=1e9, work=0.1))
    held = pull(body, 0.9 * body.laws[0].onset, 0.9e9)
    assert held.newton.converged
    assert held.separation is not None
    assert held.separation.traction[..., -1].min() == pytest.approx(0.9e9, rel=1e-8)
    broken = pull(body, 1.1 * body.laws[0].onset, 1.1e9)
    assert broken.newton.converged
    assert np.abs(broken.stress).max() < 1e-6 * 1e9


# ---------------------------------------------------------------- one that does not


@pytest.mark.parametrize("kind", ["2d", "3d"])
def test_a_stiff_interface_is_a_bond(kind) -> None:
    layers = [("film", THICK, 0.5 * THICK), ("base", THICK, 0.5 * THICK)]
    free, solids = {"film": 0.01}, [HOST, Solid(0.5 * MODULUS, 0.2)]
    lateral = Lateral("rectangle", None, 4e-7, 4e-7, 4, 1.0)
    bond = films(kind, layers, lateral)
    exact = moved(Body(bond, solids, Conditions()), free)
    errors = []
    for stiffness in (1e20, 1e22):
        joint = Cohesive("film", "base", law=Cohesion(stiffness, 1e12, 1e6))
        mesh = films(kind, layers, lateral, joints=(joint,))
        found = moved(Body(mesh, solids, Conditions()), free)
        errors.append(np.abs(found - exact).max() / np.abs(exact).max())
    assert errors[0] < 0.05
    assert errors[1] == pytest.approx(0.01 * errors[0], rel=0.1)


def moved(body: Body, free: dict[str, float]) -> Floats:
    """Displacement of the corners, cells in the order in which they were made."""
    trial = body.solve(swollen(body.mesh, **free), 1.0)
    assert trial.newton.converged
    return trial.corner_displacement()[np.argsort(body.keys())]


# ---------------------------------------------------------------- contact


@pytest.mark.parametrize("kind", ["axisymmetric", "3d"])
def test_a_slit_under_pressure_bears_it(kind) -> None:
    """As if it were not there, but for the penetration p/K; rollers keep the stress uniform."""
    solid = Lateral("rectangle", None, 100e-9, 100e-9, 2, 1.0)
    lateral = disc(200e-9, 4) if kind == "axisymmetric" else solid
    slit = Debond("upper", "lower", between=(0.0, 50e-9))
    mesh = films(kind, LAYERS, lateral, joints=(slit,))
    body = Body(mesh, [HOST] * 2, Conditions(sides="roller"))
    trial = body.solve(none(mesh), 1.0, pressure={"top": 1e9})
    assert trial.newton.converged
    assert trial.separation is not None
    stiffness = contact_stiffness([(MODULUS, THICK)])
    depth = -trial.separation.traction[..., -1] / stiffness
    assert depth.max() < 1.5 * 1e9 / stiffness  # at the rim, where the bond gives way less
    along = trial.stress[..., body.materials.axes[2]]
    np.testing.assert_allclose(along, -1e9, rtol=0.1)
    pulled = body.solve(none(mesh), 1.0, pressure={"top": -1e9})
    assert pulled.newton.converged
    assert pulled.separation is not None
    assert not pulled.separation.traction.any()


def test_contact_transmits_pressure_over_the_whole_interface() -> None:
    """Faces lie p/K in each other; cohesion that bears next to nothing makes no difference."""
    law = Cohesion(stiffness=1e20, strength=1e3, work=1e-9)
    joint = Cohesive("upper", "lower", law=law)
    mesh = films("3d", LAYERS, LATERAL["3d"], joints=(joint,))
    body = Body(mesh, [HOST] * 2, Conditions(sides="roller"))
    trial = body.solve(none(mesh), 1.0, pressure={"top": 1e9})
    assert trial.newton.converged
    assert trial.separation is not None
    np.testing.assert_allclose(trial.separation.traction[..., -1], -1e9, rtol=1e-8)
    np.testing.assert_allclose(trial.stress[..., 2], -1e9, rtol=1e-8)
    deepest = 2.0 * THICK * 1e9 / CONFINED + 1e9 / law.stiffness
    assert trial.corner_displacement()[..., -1].max() == pytest.approx(deepest, rel=1e-8)


def test_pressed_faces_slide_without_friction() -> None:
    """An upper layer that has failed grows as one that nothing holds, whatever presses it."""
    law = Cohesion(stiffness=1e20, strength=1e3, work=1e-9)
    mesh = films(
        "axisymmetric", LAYERS, disc(200e-9, 4), joints=(Cohesive("upper", "lower", law=law),)
    )
    body = Body(mesh, [HOST] * 2, Conditions())
    trial = body.solve(swollen(mesh, upper=0.03), 1.0, pressure={"top": 1e8})
    assert trial.newton.converged
    assert trial.separation is not None
    traction = trial.separation.traction
    assert not traction[..., 0].any()
    assert traction[..., 1].max() < 0.0
    # Poisson's ratio adds what the pressure makes it grow.
    rim = trial.corner_displacement()[..., 0].max()
    assert rim == pytest.approx(200e-9 * (0.01 + POISSON * 1e8 / MODULUS), rel=0.01)


# ---------------------------------------------------------------- state


def test_a_restored_body_goes_on_as_the_first() -> None:
    body = column("2d")
    middle = 0.5 * LAW.final
    softened = float(separate(LAW, np.array([middle]), np.array(0.0)).traction[0])
    body.accept(pull(body, middle, softened))
    other = column("2d")
    other.recall(Memory({}, body.memory().owned))
    trials = [pull(one, 0.4 * LAW.final, 0.5 * softened) for one in (body, other)]
    np.testing.assert_allclose(trials[0].stress, trials[1].stress, atol=1e-14 * LAW.strength)
    assert trials[0].separation is not None
    np.testing.assert_allclose(trials[0].separation.reached, middle, rtol=1e-8)


def test_areas_that_join_nothing_are_refused() -> None:
    area = Cohesive("upper", "lower", radius=1e-9, law=LAW)
    with pytest.raises(InputError, match="holds no facet of the interface"):
        films("2d", LAYERS, LATERAL["2d"], joints=(area,))
