"""Critical nuclei and rates against closed forms, and their behaviour at the ends."""

from __future__ import annotations

from math import inf, pi

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.constants import BOLTZMANN, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.nucleation import (
    Cluster,
    cap_factor,
    cluster_energy,
    critical_cluster,
    field_drive,
    incubation_time,
    nucleation_rate,
    overpotential_drive,
    small_cluster_barrier,
    sphere_area_of_one,
    spherical_nucleus,
    stationary_prefactor,
    supersaturation_drive,
    zeldovich_factor,
)

SILVER, COPPER = 1.71e-29, 1.18e-29  # m^3 per atom
THERMAL = BOLTZMANN * 300.0
# eta [V]: r* [nm], atoms, W/kT, Zeldovich, time at 1e13/s [s]; 1 J/m^2, 300 K, copper
TABLE = {
    0.5: (0.2945992, 9.076145, 87.77023915, 0.3362302, 3.904e25),
    0.8: (0.1841245, 2.215856, 34.28524967, 0.8607492, 90.16087463),
    1.0: (0.1472996, 1.134518, 21.94255979, 1.344921, 2.516726274e-4),
}


@pytest.mark.parametrize("eta", TABLE)
def test_table_of_nuclei(eta: float) -> None:
    """The rows of a table of nuclei that was worked out by hand."""
    radius, atoms, barrier, zeldovich, time = TABLE[eta]
    nucleus = spherical_nucleus(1.0, overpotential_drive(eta, 1.0, COPPER))
    cluster = critical_cluster(1.0, eta, 1.0, sphere_area_of_one(COPPER))
    assert nucleus.size == pytest.approx(radius * 1e-9, rel=1e-6, abs=0.0)
    assert nucleus.barrier / THERMAL == pytest.approx(barrier, rel=1e-8, abs=0.0)
    assert cluster.barrier == pytest.approx(nucleus.barrier, rel=1e-13, abs=0.0)
    assert cluster.atoms == pytest.approx(atoms, rel=1e-6, abs=0.0)
    factor = zeldovich_factor(cluster, 300.0)
    assert factor == pytest.approx(zeldovich, rel=1e-6, abs=0.0)
    shortest = 1.0 / stationary_prefactor(1.0, 1e13, factor)
    assert incubation_time(shortest, nucleus.barrier, 300.0) == pytest.approx(
        time, rel=2e-4, abs=0.0
    )


def test_silver_at_an_overpotential() -> None:
    nucleus = spherical_nucleus(0.5, overpotential_drive(0.3, 1.0, SILVER))
    exact = 16.0 * pi * 0.5**3 * SILVER**2 / (3.0 * (0.3 * ELEMENTARY_CHARGE) ** 2)
    assert nucleus.barrier == pytest.approx(exact, rel=1e-14, abs=0.0)
    assert nucleus.barrier / ELEMENTARY_CHARGE == pytest.approx(1.65, abs=0.01)


def test_driving_forces() -> None:
    supersaturated = supersaturation_drive(300.0, np.exp(2.0), SILVER)
    assert supersaturated == pytest.approx(2.0 * THERMAL / SILVER, rel=1e-14, abs=0.0)
    # kT ln S is z e eta by Nernst's law.
    nernst = overpotential_drive(2.0 * THERMAL / ELEMENTARY_CHARGE, 1.0, SILVER)
    assert supersaturated == pytest.approx(nernst, rel=1e-14, abs=0.0)
    # Energy of a conducting sphere by its dipole: 2 pi eps r^3 E^2.
    by_dipole = 2.0 * pi * 20.0 * VACUUM_PERMITTIVITY * (3.0 * 5e8) ** 2 / (4.0 / 3.0 * pi)
    assert field_drive(5e8, 20.0, focus=3.0) == pytest.approx(by_dipole, rel=1e-14, abs=0.0)


def test_caps() -> None:
    assert cap_factor(np.array([0.0, pi / 2.0, pi])) == pytest.approx([0.0, 0.5, 1.0], abs=1e-15)
    # Volume of a cap over that of its sphere, by integration of discs.
    angle = 1.1
    z = np.cos(angle) + (1.0 - np.cos(angle)) * (np.arange(100_000) + 0.5) / 100_000
    volume = np.mean(pi * (1.0 - z**2)) * (1.0 - np.cos(angle))
    assert cap_factor(angle) == pytest.approx(volume / (4.0 / 3.0 * pi), rel=1e-9, abs=0.0)
    cap, sphere = spherical_nucleus(0.5, 1e9, angle), spherical_nucleus(0.5, 1e9)
    assert cap.size == sphere.size
    assert cap.barrier == pytest.approx(cap_factor(angle) * sphere.barrier, rel=1e-14, abs=0.0)


def test_the_critical_cluster_is_the_top() -> None:
    area = sphere_area_of_one(SILVER)
    cluster = critical_cluster(0.5, 0.2, 1.0, area)
    atoms = cluster.atoms * np.array([0.9, 1.0, 1.1])
    below, top, beyond = cluster_energy(atoms, 0.5, 0.2, 1.0, area)
    assert top == pytest.approx(cluster.barrier, rel=1e-13, abs=0.0)
    assert max(below, beyond) < top
    sphere = (3.0 * cluster.atoms * SILVER / (4.0 * pi)) ** (1.0 / 3.0)
    assert sphere == pytest.approx(
        spherical_nucleus(0.5, 0.2 * ELEMENTARY_CHARGE / SILVER).size, rel=1e-9, abs=0.0
    )


def test_nucleation_theorem() -> None:
    """The slope of the barrier by the gain per atom is minus the number of atoms."""
    area = sphere_area_of_one(SILVER)

    def barrier(eta: jax.Array) -> jax.Array:
        return critical_cluster(0.5, eta, 1.0, area).barrier

    slope = jax.grad(barrier)(jnp.asarray(0.25))
    atoms = critical_cluster(0.5, 0.25, 1.0, area).atoms
    assert float(slope) == pytest.approx(-ELEMENTARY_CHARGE * float(atoms), rel=1e-12, abs=0.0)


def test_small_clusters_give_straight_lines() -> None:
    """ln I rises by (N + alpha) z e/kT per volt, until no barrier is left."""
    eta = np.array([0.1, 0.2, 5.0])
    barrier = small_cluster_barrier(2e-19, 3, eta, 1.0)
    logs = np.log(nucleation_rate(1e20, barrier, 300.0))
    slope = (logs[1] - logs[0]) / 0.1
    assert slope == pytest.approx(3.5 * ELEMENTARY_CHARGE / THERMAL, rel=1e-12, abs=0.0)
    assert barrier[2] == 0.0


def test_rate_and_waiting_time() -> None:
    barrier = 10.0 * THERMAL
    rate = nucleation_rate(1e12, barrier, 300.0)
    assert rate == pytest.approx(1e12 * np.exp(-10.0), rel=1e-13, abs=0.0)
    assert rate * incubation_time(1e-12, barrier, 300.0) == pytest.approx(1.0, rel=1e-13, abs=0.0)


EXTREMES = [-inf, -1e300, -1e9, -1e-300, 0.0, 5e-324, 1e-200, 1e-3, 1.0, 1e3, 1e9, 1e200, inf]


def _rate(drive, temperature):
    nucleus = spherical_nucleus(0.5, drive)
    return nucleation_rate(1e30, nucleus.barrier, temperature)


@pytest.mark.parametrize("drive", EXTREMES)
def test_no_drive_no_rate(drive: float) -> None:
    """Finite rate and derivatives whatever the drive, zero where nothing drives."""
    rate, slopes = jax.value_and_grad(_rate, argnums=(0, 1))(jnp.asarray(drive), jnp.asarray(300.0))
    assert np.isfinite([float(rate), *(float(one) for one in slopes)]).all()
    assert float(rate) == pytest.approx(float(_rate(np.float64(drive), 300.0)), rel=1e-12, abs=0.0)
    if drive < 1e6:
        assert float(rate) == 0.0
        assert float(slopes[0]) == 0.0
    if drive <= 0.0:
        assert spherical_nucleus(0.5, drive).barrier == inf
        assert incubation_time(1e-13, spherical_nucleus(0.5, drive).barrier, 300.0) == inf


@pytest.mark.parametrize("eta", [-1e300, -1.0, 0.0, 5e-324, 1e-100, 1e-6, 1.0, 1e3])
def test_clusters_without_overpotential(eta: float) -> None:
    def rate(value: jax.Array) -> jax.Array:
        cluster = critical_cluster(0.5, value, 1.0, sphere_area_of_one(SILVER))
        return nucleation_rate(zeldovich_factor(cluster, 300.0), cluster.barrier, 300.0)

    found, slope = jax.value_and_grad(rate)(jnp.asarray(eta))
    assert np.isfinite([float(found), float(slope)]).all()
    if eta <= 1e-6:
        assert float(found) == float(slope) == 0.0


def test_zeldovich_of_nothing() -> None:
    assert zeldovich_factor(Cluster(inf, inf), 300.0) == 0.0


def test_arrays_of_both_kinds_agree() -> None:
    drives = np.geomspace(1e8, 1e10, 7)
    plain = spherical_nucleus(0.3, drives, 1.2)
    traced = jax.jit(lambda d: spherical_nucleus(0.3, d, 1.2))(jnp.asarray(drives))
    assert isinstance(plain.barrier, np.ndarray)
    for one, other in zip(plain, traced, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=1e-14)
