"""Films in closed form against exact numbers: clamp, substrate, yield, creep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.mechanics.film import FilmStack, Sheets, Substrate
from ionstack.physics.solids import Creep, Solid

HOST = Solid(100e9, 0.3)
# Volume strain of 2000 mol/m^3 of 1e-5 m^3/mol (references: chemo-mechanics).
STRAIN = 1e-5 * 2000.0


def film(solid: Solid, substrate: Substrate | None = None, points: int = 20) -> FilmStack:
    """A film of 100 nm in equal sheets."""
    size = 100e-9 / points
    depth = size * (np.arange(points) + 0.5)
    return FilmStack([Sheets(solid, depth, np.full(points, size))], substrate, MPI.COMM_SELF)


def loaded(stack: FilmStack, strains: list[float], step: float = 0.0) -> list[float]:
    """Stress in the first sheet after each of some strains in the plane, accepted one by one."""
    found = []
    for strain in strains:
        trial = stack.solve(np.full(len(stack.depth), strain), step)
        stack.accept(trial)
        found.append(float(trial.stress[0]))
    return found


def test_a_clamped_film_has_the_biaxial_stress_and_the_growth_of_the_closed_form():
    trial = film(HOST).solve(np.full(20, STRAIN / 3.0), 0.0)
    assert trial.stress[0] == pytest.approx(-952.3809524e6, rel=1e-9)
    assert 2.0 / 3.0 * trial.stress[0] == pytest.approx(-634.9206349e6, rel=1e-9)
    assert STRAIN / 3.0 + trial.across[0] == pytest.approx(0.01238095238, rel=1e-9)


def test_residual_stress_adds_and_heating_is_a_strain_like_swelling():
    solid = Solid(100e9, 0.3, thermal_expansion=1e-5, residual_stress=80e6)
    trial = film(solid).solve(np.full(20, 1e-3), 0.0, heating=50.0)
    assert trial.stress[0] == pytest.approx(80e6 - HOST.biaxial_modulus * 1.5e-3, rel=1e-12)


def test_a_thin_film_bends_a_thick_substrate_as_stoney_says():
    solid = Solid(130e9, 0.28)
    thick = Substrate(solid, 100e-9, 500e-6)
    stress = -952.3809524e6
    trial = film(HOST, thick).solve(np.full(20, -stress / HOST.biaxial_modulus), 0.0)
    stoney = 6.0 * stress * 100e-9 * (1.0 - 0.28) / (130e9 * 500e-6**2)
    assert stoney == pytest.approx(-0.01265934066, rel=1e-9)
    # Depth runs down: the upper side of what swells on top is the longer one.
    assert trial.bend == pytest.approx(stoney, rel=3e-3)


def test_a_bilayer_bends_as_timoshenko_says():
    """Layers of like thickness: Timoshenko, J. Opt. Soc. Am. 11, 233 (1925), biaxial."""
    upper, lower, mismatch = Solid(100e9, 0.3), Solid(60e9, 0.2), 1e-3
    height = 100e-9
    points = 2000
    trial = film(upper, Substrate(lower, height, 2.0 * height), points).solve(
        np.full(points, mismatch), 0.0
    )
    m, n = 0.5, upper.biaxial_modulus / lower.biaxial_modulus
    total = 3.0 * height
    curvature = 6.0 * mismatch * (1.0 + m) ** 2
    curvature /= total * (3.0 * (1.0 + m) ** 2 + (1.0 + m * n) * (m**2 + 1.0 / (m * n)))
    assert abs(trial.bend) == pytest.approx(curvature, rel=1e-5)
    # What wants to grow lies outside of the bend: strain falls with the depth.
    assert trial.bend < 0.0


def test_force_and_moment_vanish_on_a_substrate():
    substrate = Substrate(Solid(70e9, 0.2), 100e-9, 300e-9)
    stack = film(Solid(100e9, 0.3, yield_strength=100e6, hardening=5e9), substrate)
    trial = stack.solve(np.linspace(0.0, 1e-2, 20), 0.0)
    middle = 250e-9
    own = 70e9 / 0.8
    force = trial.stress @ stack.thickness + own * 300e-9 * trial.stretch
    moment = (trial.stress * (stack.depth - middle)) @ stack.thickness
    moment += own * 300e-9**3 / 12.0 * trial.bend
    assert abs(force) < 1e-12 * np.abs(trial.stress @ stack.thickness)
    assert abs(moment) < 1e-12 * np.abs((trial.stress * stack.depth) @ stack.thickness)
    assert trial.strains.equivalent.max() > 0.0


def test_a_film_yields_where_it_should_and_is_elastic_again_over_twice_the_strength():
    strength = 500e6
    solid = Solid(100e9, 0.3, yield_strength=strength)
    first = strength * 0.7 * 3.0 / (100e9 * 1e-5)
    assert first == pytest.approx(1050.0)
    modulus = solid.biaxial_modulus
    edge = strength / modulus
    found = loaded(film(solid), [0.999 * edge, 2.0 * edge, 0.01 * edge, -0.5 * edge])
    assert found == pytest.approx(
        [-0.999 * strength, -strength, -strength + 1.99 * strength, strength]
    )


def test_hardening_follows_the_closed_form():
    """|sigma| = Y + H eps, and the strain in the plane is sigma/M + eps/2."""
    hardening, strain = 20e9, 8e-3
    solid = Solid(100e9, 0.3, yield_strength=500e6, hardening=hardening)
    modulus = solid.biaxial_modulus
    equivalent = (modulus * strain - 500e6) / (0.5 * modulus + hardening)
    stack = film(solid)
    assert loaded(stack, [strain])[0] == pytest.approx(-500e6 - hardening * equivalent, rel=1e-12)
    assert stack.strains.equivalent[0] == pytest.approx(equivalent, rel=1e-12)


def test_slopes_are_those_of_the_stress():
    solid = Solid(100e9, 0.3, yield_strength=500e6, hardening=20e9, creep=Creep(1e-3, 1e8, 3.0))
    stack = film(solid)
    for strain in (1e-3, 8e-3):
        values = [
            stack.solve(np.full(20, strain + shift), 2.0).stress[0] for shift in (-1e-7, 1e-7)
        ]
        slope = stack.solve(np.full(20, strain), 2.0).slope[0]
        assert (values[0] - values[1]) / 2e-7 == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("exponent", [1.0, 4.0])
def test_creep_relaxes_the_stress_as_exact_with_order_one(exponent: float):
    """d(sigma)/dt = -M/2 rate (sigma/s)^m at a strain that is held."""
    creep = Creep(rate=1e-3, stress=100e6, exponent=exponent)
    solid = Solid(77e9, 0.25, creep=creep)
    start, time = 3e-3 * solid.biaxial_modulus, 2.0
    rate = 0.5 * solid.biaxial_modulus * creep.rate * creep.stress**-exponent
    if exponent == 1.0:
        exact = start * math.exp(-rate * time)
    else:
        power = 1.0 - exponent
        exact = (start**power - power * rate * time) ** (1.0 / power)
    errors = []
    for count in (100, 200, 400):
        stress = loaded(film(solid, points=1), [-3e-3] * count, time / count)[-1]
        errors.append(abs(stress - exact) / exact)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-2
    assert orders == pytest.approx(1.0, abs=0.1)
