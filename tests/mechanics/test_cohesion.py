"""The law of an interface that damages: its path, its work, its derivative, and contact."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.cohesion import (
    Cohesion,
    contact_stiffness,
    damage,
    dissipated,
    separate,
)

LAW = Cohesion(stiffness=5e16, strength=50e6, work=1.0)
APART = Cohesion(stiffness=5e16)


def traction(opening: list[float], reached: float = 0.0, law: Cohesion = LAW) -> np.ndarray:
    return separate(law, np.array(opening), np.array(reached)).traction


def test_the_path_of_loading_and_unloading() -> None:
    assert LAW.onset == pytest.approx(1e-9)
    assert LAW.final == pytest.approx(4e-8)
    assert traction([0.0, 0.5e-9])[-1] == pytest.approx(25e6)
    assert traction([0.0, 1e-9])[-1] == pytest.approx(50e6)
    middle = 0.5 * (LAW.onset + LAW.final)
    assert traction([0.0, middle])[-1] == pytest.approx(25e6)
    assert traction([0.0, 0.5 * middle], middle)[-1] == pytest.approx(12.5e6)
    assert traction([0.0, 5e-8])[-1] == 0.0
    assert not traction([3e-9, 5e-9], 1e-7).any()


def test_all_modes_count_alike() -> None:
    angle = np.linspace(0.0, 0.5 * np.pi, 7)
    opening = 1.5e-8 * np.stack([np.cos(angle), 0.0 * angle, np.sin(angle)], axis=-1)
    found = separate(LAW, opening, np.zeros(7))
    np.testing.assert_allclose(found.effective, 1.5e-8)
    size = np.linalg.norm(found.traction, axis=-1)
    np.testing.assert_allclose(size, size[-1], rtol=1e-12)
    np.testing.assert_allclose(np.cross(found.traction, opening), 0.0, atol=1e-12)


def test_the_work_is_that_of_separation() -> None:
    """Trapezoids are exact between the kinks; what unloads is given back."""
    opening = np.array([0.0, LAW.onset, 0.5 * LAW.final, LAW.final, 2.0 * LAW.final])
    force = separate(LAW, opening[:, None], np.zeros(5)).traction[:, 0]
    spent = np.concatenate([[0.0], np.cumsum(0.5 * (force[1:] + force[:-1]) * np.diff(opening))])
    assert spent[-1] == pytest.approx(LAW.work, rel=1e-12)
    np.testing.assert_allclose(dissipated(LAW, opening), spent - 0.5 * force * opening, atol=1e-12)
    assert not dissipated(APART, opening).any()


def test_compression_is_stiff_and_does_no_damage() -> None:
    for law, before in ((LAW, 0.0), (LAW, 1.0), (APART, 0.0)):
        found = separate(law, np.array([0.0, -1e-9]), np.array(before))
        np.testing.assert_allclose(found.traction, [0.0, -5e7])
        assert found.reached == before
    slid = separate(APART, np.array([1e-8, -1e-9]), np.array(0.0))
    np.testing.assert_allclose(slid.traction, [0.0, -5e7])
    assert damage(APART, np.zeros(1)) == 1.0
    assert damage(LAW, np.array([0.0, 1e-9, 4e-8, 1.0])).tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("law", [LAW, APART])
@pytest.mark.parametrize("reached", [0.0, 1.2e-8, 1e-7])
def test_the_tangent_is_the_derivative(law: Cohesion, reached: float) -> None:
    directions = np.random.default_rng(3).normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    sizes = np.array([0.5e-9, 0.8e-8, 2.1e-8, 6e-8])
    opening = (sizes[:, None, None] * directions).reshape(-1, 3)
    before = np.full(len(opening), reached)
    found = separate(law, opening, before)
    for axis in range(3):
        change = 1e-14 * np.eye(3)[axis]
        ends = [separate(law, opening + side * change, before).traction for side in (1.0, -1.0)]
        slope = (ends[0] - ends[1]) / 2e-14
        tangent = (found.secant + found.softening)[..., axis]
        np.testing.assert_allclose(tangent, slope, atol=1e-5 * law.stiffness)
    assert np.linalg.eigvalsh(found.secant).min() >= 0.0
    assert np.linalg.eigvalsh(found.softening).max() <= 1e-6 * law.stiffness


def test_contact_is_stiffer_than_both_neighbours() -> None:
    found = contact_stiffness([(100e9, 100e-9), (70e9, 500e-6)])
    assert found == pytest.approx(50.0 * 100e9 / 100e-9)
