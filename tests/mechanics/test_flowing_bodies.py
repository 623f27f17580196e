"""Bodies that yield and creep: closed forms, trials that are not accepted, memory."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions, Held
from ionstack.physics.plasticity import equivalent_stress
from ionstack.physics.solids import Creep, Solid
from support.bodies import (
    MODULUS,
    POISSON,
    block,
    disc,
    films,
    in_layer,
    none,
    shell,
    spherical,
    stress_points,
    swollen,
)

HOST = Solid(MODULUS, POISSON)
STRENGTH = 500e6
BIAXIAL = HOST.biaxial_modulus


def film(**changes: object) -> Body:
    """A film on a clamp between sides that roll, that flows by `changes`."""
    layers = [("host", 80e-9, 20e-9), ("glass", 100e-9, 50e-9)]
    mesh = films("axisymmetric", layers, disc(1e-6, 2), 0, 1)
    return Body(mesh, [replace(HOST, **changes), HOST], Conditions(sides="roller"))  # type: ignore[arg-type]


def swell(body: Body, strain: float, step: float = 1.0) -> Trial:
    return body.solve(swollen(body.mesh, host=strain), step)


def in_plane(body: Body, trial: Trial) -> float:
    """The stress in the plane of the film, which is uniform."""
    stress = trial.stress[in_layer(body.mesh, "host")][..., [0, 2]]
    assert np.ptp(stress) < 1e-6 * np.abs(stress).max()
    return float(stress.mean())


def test_a_clamped_film_yields_and_is_elastic_on_the_way_back() -> None:
    """First yield at Omega dc/3 = Y (1 - nu)/E; then |sigma| = Y; elastic again over 2 Y."""
    body = film(yield_strength=STRENGTH)
    first = 1050.0 * 1e-5
    below = swell(body, 0.999 * first)
    assert not below.plastic.any()
    assert in_plane(body, below) == pytest.approx(-0.999 * STRENGTH, rel=1e-9)
    beyond = swell(body, 2.0 * first)
    assert in_plane(body, beyond) == pytest.approx(-STRENGTH, rel=1e-9)
    body.accept(beyond)
    back = swell(body, 0.001 * first)
    assert in_plane(body, back) == pytest.approx((1.999 - 1.0) * STRENGTH, rel=1e-8)
    np.testing.assert_allclose(back.plastic, beyond.plastic, atol=1e-15)
    reverse = swell(body, -first)
    assert in_plane(body, reverse) == pytest.approx(STRENGTH, rel=1e-9)


def test_a_hardening_film_follows_its_closed_form() -> None:
    """0 = sigma/M + Omega c/3 - p/2 with |sigma| = Y + H p."""
    hardening = 20e9
    body = film(yield_strength=STRENGTH, hardening=hardening)
    for strain in (0.01, 0.02, 0.03):
        trial = swell(body, strain)
        body.accept(trial)
        excess = max(strain / 3.0 - STRENGTH / BIAXIAL, 0.0)
        flowed = excess / (hardening / BIAXIAL + 0.5)
        host = trial.plastic[in_layer(body.mesh, "host")]
        np.testing.assert_allclose(host, flowed, rtol=1e-8, atol=1e-15)
        expected = -min(STRENGTH + hardening * flowed, BIAXIAL * strain / 3.0)
        assert in_plane(body, trial) == pytest.approx(expected, rel=1e-9)
        assert not trial.plastic[in_layer(body.mesh, "glass")].any()


@pytest.mark.parametrize("kind", ["2d", "axisymmetric", "3d"])
def test_a_stretched_bar_hardens(kind) -> None:
    """Uniaxial: strain = sigma/E + (sigma - Y)/H; in plane strain the bar is wider than long."""
    metal = Solid(MODULUS, POISSON, yield_strength=STRENGTH, hardening=10e9)
    mesh = block(kind, 2, 0.2)
    along = 2 if kind == "3d" else 1
    held = (Held("top", along, -0.02), Held("bottom", along))
    conditions = Conditions("roller", held=held)
    body = Body(mesh, [metal], conditions)
    trial = body.solve(none(mesh), 1.0)
    assert trial.newton.converged
    stress = trial.stress[..., along]
    strength = STRENGTH + 10e9 * trial.plastic
    np.testing.assert_allclose(equivalent_stress(trial.stress), strength, rtol=1e-8)
    if kind == "2d":
        return
    expected = (0.02 + STRENGTH / 10e9) / (1.0 / MODULUS + 1.0 / 10e9)
    np.testing.assert_allclose(stress, expected, rtol=1e-8)


def test_plastic_front_around_a_cavity() -> None:
    """Hill's sphere from 1 to 4, perfectly plastic: the front at 2 for p = 1.969627694 Y."""
    mesh = shell(1.0, 4.0, 24, 16)
    metal = Solid(200.0, POISSON, yield_strength=1.0)
    body = Body(mesh, [metal], Conditions("roller"))
    for pressure in (0.64, 1.3, 1.7, 1.969627694):
        trial = body.solve(none(mesh), 1.0, pressure={"inner": pressure})
        assert trial.newton.converged
        body.accept(trial)
        if pressure < 0.65625:
            assert not trial.plastic.any()
    r = np.linalg.norm(stress_points(body), axis=-1)
    flowed = trial.plastic > 0.0
    assert np.all(flowed[r < 1.97])
    assert not np.any(flowed[r > 2.05])
    assert trial.plastic[flowed].min() > 0.0
    radial, hoop = spherical(body, trial)
    inside = -1.969627694 + 2.0 * np.log(r)
    outside = -2.0 / 3.0 * 8.0 * (1.0 / r**3 - 1.0 / 64.0)
    expected = np.where(r < 2.0, inside, outside)
    np.testing.assert_allclose(radial, expected, atol=3e-2)
    assert np.sqrt(np.mean((radial - expected) ** 2)) < 1e-2
    across = np.where(r < 2.0, inside + 1.0, 2.0 / 3.0 * 8.0 * (0.5 / r**3 + 1.0 / 64.0))
    assert np.sqrt(np.mean((hoop - across) ** 2)) < 2e-2


def test_a_creeping_film_relaxes_as_implicit_euler_does() -> None:
    """Linear creep: d sigma/dt = -M/2 rate sigma/stress at a fixed swelling."""
    body = film(creep=Creep(1e-4, 50e6, 1.0))
    strain, step = 0.005, 2.0
    stress = -BIAXIAL * strain / 3.0
    for _ in range(4):
        body.accept(swell(body, strain, step))
        stress /= 1.0 + 0.5 * BIAXIAL * step * 1e-4 / 50e6
    assert in_plane(body, swell(body, strain, 0.0)) == pytest.approx(stress, rel=1e-9)


def test_power_law_creep_of_a_film_approaches_the_exact_stress() -> None:
    body = film(creep=Creep(1e-4, 50e6, 3.0))
    start, end = BIAXIAL * 0.002 / 3.0 / 50e6, 1.0
    pace = 0.5 * BIAXIAL * 1e-4 / 50e6
    exact = (start**-2 + 2.0 * pace * end) ** -0.5
    errors = []
    for count in (20, 40):
        body = film(creep=Creep(1e-4, 50e6, 3.0))
        for _ in range(count):
            trial = swell(body, 0.002, end / count)
            body.accept(trial)
        errors.append(-in_plane(body, trial) / 50e6 - exact)
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)
    assert abs(errors[1]) < 0.01 * exact


def test_a_trial_changes_nothing() -> None:
    body = film(yield_strength=STRENGTH, hardening=1e9)
    before = swell(body, 0.02)
    swell(body, 0.2)
    swell(body, -0.1)
    again = swell(body, 0.02)
    np.testing.assert_allclose(again.stress, before.stress, rtol=1e-9, atol=1.0)
    np.testing.assert_allclose(again.plastic, before.plastic, rtol=1e-9)
    np.testing.assert_allclose(again.displacement.x.array, before.displacement.x.array, atol=1e-18)


def test_a_trial_near_the_last_one_starts_there() -> None:
    body = film(yield_strength=STRENGTH, hardening=1e9)
    cold = swell(body, 0.02).newton.iterations
    warm = swell(body, 0.02 * (1.0 + 1e-6)).newton.iterations
    assert warm < cold
    assert swell(body, 0.02 * (1.0 + 1e-6)).newton.iterations == 0


def test_memory_brings_the_state_back() -> None:
    body, other = (film(yield_strength=STRENGTH, hardening=1e9) for _ in range(2))
    body.accept(swell(body, 0.03))
    other.recall(body.memory())
    for one in (body, other):
        one.accept(swell(one, 0.01))
    first, second = body.memory(), other.memory()
    assert first.owned.keys() == second.owned.keys()
    for name, array in first.owned.items():
        assert array.shape[-1] == len(body.keys())
        np.testing.assert_allclose(
            second.owned[name], array, rtol=0.0, atol=1e-9 * abs(array).max()
        )


def test_elastic_factors_serve_every_load_that_yields_nothing() -> None:
    body = film(yield_strength=STRENGTH)
    for strain in (0.001, 0.002, -0.001):
        assert swell(body, strain).newton.iterations <= 2
    assert body.balance.elastic.count == 1
    assert body.balance.flowing is None


def test_more_load_than_a_body_can_bear_is_told() -> None:
    mesh = shell(1.0, 2.0, 4, 4)
    body = Body(mesh, [Solid(200.0, POISSON, yield_strength=1.0)], Conditions("roller"))
    trial = body.solve(none(mesh), 1.0, pressure={"inner": 3.0 * math.log(2.0)})
    assert not trial.newton.converged
