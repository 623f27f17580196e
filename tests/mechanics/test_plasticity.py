"""J2 flow and creep as laws of stress, alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ionstack.physics.plasticity import (
    deviator,
    elastic_stiffness,
    equivalent_stress,
    flow,
    hydrostatic,
)
from ionstack.physics.solids import Creep, Solid
from support.convergence import order

ELASTIC = Solid(100e9, 0.3)
YIELDING = replace(ELASTIC, yield_strength=200e6, hardening=5e9)
CREEPING = replace(ELASTIC, creep=Creep(1e-3, 50e6, 3.0))
BOTH = replace(YIELDING, creep=Creep(1e-3, 50e6, 3.0))
PERZYNA = replace(ELASTIC, creep=Creep(1e-2, 80e6, 2.0, threshold=150e6))
STEEP = replace(ELASTIC, creep=Creep(1e-6, 20e6, 12.0))
FLOWING = {"yield": YIELDING, "creep": CREEPING, "both": BOTH, "perzyna": PERZYNA, "steep": STEEP}


def stresses(size: int, count: int = 50, scale: float = 300e6) -> np.ndarray:
    return np.random.default_rng(3).normal(0.0, scale, (count, size))


def uniaxial(q: float, size: int = 6) -> np.ndarray:
    stress = np.zeros((1, size))
    stress[0, 0] = q
    return stress


def test_moduli_are_those_of_an_isotropic_solid() -> None:
    stiffness = elastic_stiffness(ELASTIC, 6)
    strain = np.array([1.0, -0.3, -0.3, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(stiffness @ strain, [100e9, 0, 0, 0, 0, 0], atol=1e-3)
    plane = np.array([1.0, 1.0, -2 * 0.3 / 0.7, 0, 0, 0])
    assert (stiffness @ plane)[0] == pytest.approx(ELASTIC.biaxial_modulus, rel=1e-14)
    # Mandel's shear component is sqrt(2) e_12 and its stress sqrt(2) s_12.
    assert stiffness[3, 3] == pytest.approx(2.0 * ELASTIC.shear_modulus)
    assert ELASTIC.lame_modulus == pytest.approx(0.3 * 100e9 / (1.3 * 0.4))


@pytest.mark.parametrize("solid", [ELASTIC, YIELDING, PERZYNA])
def test_inside_the_yield_surface_nothing_flows(solid) -> None:
    trial = stresses(6, scale=10e6)
    found = flow(solid, trial, np.zeros(len(trial)), 1.0)
    np.testing.assert_array_equal(found.stress, trial)
    assert not found.strain.any()
    assert not found.equivalent.any()
    expected = np.broadcast_to(elastic_stiffness(solid, 6), found.tangent.shape)
    np.testing.assert_allclose(found.tangent, expected, rtol=1e-14, atol=1e-3)


@pytest.mark.parametrize("size", [4, 6])
def test_after_the_return_the_stress_lies_on_the_yield_surface(size) -> None:
    trial, before = stresses(size, scale=150e6), np.full(50, 0.01)
    found = flow(YIELDING, trial, before, 1.0)
    strength = YIELDING.yield_strength + YIELDING.hardening * (before + found.equivalent)
    flowed = found.equivalent > 0.0
    assert flowed.any()
    assert not flowed.all()
    np.testing.assert_allclose(
        equivalent_stress(found.stress)[flowed], strength[flowed], rtol=1e-13
    )
    assert np.all(equivalent_stress(found.stress) <= strength * (1 + 1e-13))


@pytest.mark.parametrize("name", FLOWING)
def test_flow_keeps_volume_and_follows_the_deviator(name) -> None:
    trial = stresses(6)
    found = flow(FLOWING[name], trial, np.zeros(50), 2.0)
    np.testing.assert_allclose(hydrostatic(found.stress), hydrostatic(trial), rtol=1e-12)
    np.testing.assert_allclose(found.strain[:, :3].sum(axis=1), 0.0, atol=1e-16)
    size = np.sqrt(2.0 / 3.0) * np.linalg.norm(found.strain, axis=1)
    np.testing.assert_allclose(size, found.equivalent, rtol=1e-12, atol=1e-18)
    elastic = trial - found.strain @ elastic_stiffness(FLOWING[name], 6)
    np.testing.assert_allclose(found.stress, elastic, rtol=1e-10, atol=1.0)
    dissipated = np.einsum("ni,ni->n", found.stress, found.strain)
    assert np.all(dissipated >= 0.0)


@pytest.mark.parametrize("name", FLOWING)
@pytest.mark.parametrize("size", [4, 6])
def test_tangent_is_the_derivative_by_strain(name, size) -> None:
    solid, trial, before = FLOWING[name], stresses(size, 20), np.full(20, 0.002)
    stiffness = elastic_stiffness(solid, size)
    found = flow(solid, trial, before, 1.5)
    delta = 1e-8
    for k in range(size):
        ends = [
            flow(solid, trial + sign * delta * stiffness[k], before, 1.5).stress
            for sign in (1.0, -1.0)
        ]
        slope = (ends[0] - ends[1]) / (2.0 * delta)
        np.testing.assert_allclose(found.tangent[:, :, k], slope, atol=1e-6 * stiffness.max())
    np.testing.assert_allclose(
        found.tangent, np.swapaxes(found.tangent, 1, 2), rtol=1e-12, atol=1e-3
    )


@pytest.mark.parametrize("exponent", [1.0, 3.0, 25.0])
@pytest.mark.parametrize("step", [1e-12, 1.0, 1e6])
def test_creep_satisfies_its_law_at_the_end_of_any_step(exponent, step) -> None:
    solid = replace(ELASTIC, creep=Creep(1e-4, 30e6, exponent))
    trial = stresses(6)
    found = flow(solid, trial, np.zeros(50), step)
    rate = 1e-4 * (equivalent_stress(found.stress) / 30e6) ** exponent
    left = equivalent_stress(trial) - 3.0 * solid.shear_modulus * found.equivalent
    np.testing.assert_allclose(left, equivalent_stress(found.stress), rtol=1e-6)
    np.testing.assert_allclose(found.equivalent, step * rate, rtol=1e-7)
    assert np.isfinite(found.tangent).all()


def test_linear_creep_relaxes_as_implicit_euler_does() -> None:
    solid = replace(ELASTIC, creep=Creep(1e-3, 50e6, 1.0))
    step, count = 0.3, 5
    stress = uniaxial(80e6)
    for _ in range(count):
        stress = flow(solid, stress, np.zeros(1), step).stress
    factor = 1.0 + 3.0 * solid.shear_modulus * step * 1e-3 / 50e6
    assert equivalent_stress(stress)[0] == pytest.approx(80e6 / factor**count, rel=1e-12)


@pytest.mark.parametrize("exponent", [1.0, 4.0])
def test_creep_relaxes_to_the_exact_stress_with_the_step(exponent) -> None:
    """dq/dt = -3 G rate (q/stress)^m at a fixed strain."""
    solid = replace(ELASTIC, creep=Creep(1e-3, 50e6, exponent))
    pace = 3.0 * solid.shear_modulus * 1e-3 / 50e6
    start, end = 80.0 / 50.0, 0.4
    if exponent == 1.0:
        exact = start * math.exp(-pace * end)
    else:
        power = 1.0 - exponent
        exact = (start**power - power * pace * end) ** (1.0 / power)
    errors = []
    for count in (20, 40, 80):
        stress = uniaxial(80e6)
        for _ in range(count):
            stress = flow(solid, stress, np.zeros(1), end / count).stress
        errors.append(equivalent_stress(stress)[0] / 50e6 - exact)
    assert order([1 / 20, 1 / 40, 1 / 80], errors) == pytest.approx(1.0, abs=0.1)
    assert abs(errors[-1]) < 0.02 * exact


def test_a_solid_that_creeps_and_yields_does_what_is_faster() -> None:
    slow = flow(BOTH, uniaxial(400e6), np.zeros(1), 1e-9)
    alone = flow(YIELDING, uniaxial(400e6), np.zeros(1), 1e-9)
    np.testing.assert_allclose(slow.stress, alone.stress, rtol=1e-12)
    long = flow(BOTH, uniaxial(400e6), np.zeros(1), 1e4)
    creep = flow(CREEPING, uniaxial(400e6), np.zeros(1), 1e4)
    np.testing.assert_allclose(long.stress, creep.stress, rtol=1e-12)
    assert equivalent_stress(long.stress)[0] < 50e6


def test_nothing_creeps_in_no_time_or_without_stress() -> None:
    assert not flow(CREEPING, stresses(6), np.zeros(50), 0.0).equivalent.any()
    pressed = np.tile([-1e8, -1e8, -1e8, 0.0, 0.0, 0.0], (2, 1))
    found = flow(CREEPING, pressed, np.zeros(2), 1.0)
    np.testing.assert_allclose(deviator(found.stress), 0.0, atol=1e-6)
    assert np.isfinite(found.tangent).all()
