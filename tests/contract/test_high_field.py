"""Hopping at high force, emission over barriers and tunnelling, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    PLANCK,
    REDUCED_PLANCK,
    VACUUM_PERMITTIVITY,
)
from ionstack.physics.states import Edge
from support.law_checks import LENGTH, SITES, THERMAL, Subject, random_states, values

FORCES = [0.0, 1e7, 1e9]


def driven(name, force):
    """A hopping law and plain site hopping at the same state, driven by a force [V/m]."""
    found, plain = (
        Subject(laws("transport")[one], "lattice_gas") for one in (name, "site_hopping")
    )
    K, L = plain.carriers(random_states("lattice_gas", count=1))
    L = L._replace(psi=K.psi - force * LENGTH / THERMAL)
    return found.flow(K, L), plain.flow(K, L), values(found.law)


@pytest.mark.parametrize("force", FORCES)
def test_field_hopping_is_sinh_over_xi(force):
    """xi = z e a F/2kT (V9)."""
    found, plain, given = driven("field_hopping", force)
    xi = 0.5 * given["jump_length"] * force / THERMAL
    np.testing.assert_allclose(found, plain * (np.sinh(xi) / xi if xi else 1.0), rtol=1e-12)


@pytest.mark.parametrize("force", [*FORCES, 1.1e9])
def test_lowered_barrier_follows_its_two_barriers(force):
    """exp(-(W_f - W)/kT) - exp(-(W_b - W)/kT) over 2 xi."""
    found, plain, given = driven("lowered_barrier", force)
    gamma = given["jump_length"] * force / (np.pi * given["barrier"])
    assert gamma < 1.0
    common = np.sqrt(1.0 - gamma**2) + gamma * np.arcsin(gamma) - 1.0
    barriers = [given["barrier"] * (common + sign * 0.5 * np.pi * gamma) for sign in (-1.0, 1.0)]
    xi = 0.5 * given["jump_length"] * force / THERMAL
    forward, backward = (np.exp(-one / THERMAL) for one in barriers)
    share = (forward - backward) / (2.0 * xi) if xi else 1.0
    np.testing.assert_allclose(found, plain * share, rtol=1e-10)


def emission(name, field, volts=0.2, barrier=0.7):
    """Flow from a layer into a metal at a field [V/m], for electrons on a barrier [eV]."""
    subject = Subject(laws("contact")[name], "boltzmann", None, -1)
    zero = np.zeros(1)
    K = subject.carrier(np.array([(volts - barrier) / THERMAL]), zero, zero)
    L = K._replace(psi=K.psi - volts / THERMAL)
    # Electrons leave a metal against the field.
    edge = Edge(np.array([0.0]), np.array(THERMAL), np.array(-1.0), np.array([-field]))
    return float(subject.law.function(K, L, edge, values(subject.law))[0])


def thermionic_flow(volts=0.2, barrier=0.7, velocity=1e-2):
    return velocity * SITES * np.exp(-barrier / THERMAL) * np.expm1(volts / THERMAL)


def test_finite_rate_contact():
    assert emission("finite_rate", 0.0) == pytest.approx(thermionic_flow(), rel=1e-12)


def test_image_force_lowers_the_barrier():
    """At 1e8 V/m and a relative permittivity of 9: 0.1264895493 eV; none at reverse field."""
    lowering = np.sqrt(ELEMENTARY_CHARGE * 1e8 / (4.0 * np.pi * 9.0 * VACUUM_PERMITTIVITY))
    assert lowering == pytest.approx(0.1264895493, rel=1e-9)
    expected = thermionic_flow() * np.exp(lowering / THERMAL)
    assert emission("schottky", 1e8) == pytest.approx(expected, rel=1e-6)
    assert emission("schottky", -1e8) == pytest.approx(thermionic_flow(), rel=1e-3)


@pytest.mark.parametrize("field", [1e8, 5e8])
def test_field_emission_through_a_triangle(field):
    """WKB integral over a triangular barrier of 0.7 eV less the image-force lowering."""
    given = values(laws("contact")["field_emission"])
    lowering = np.sqrt(ELEMENTARY_CHARGE * field / (4.0 * np.pi * 9.0 * VACUUM_PERMITTIVITY))
    mass = given["effective_mass"] * ELECTRON_MASS
    joule = THERMAL * ELEMENTARY_CHARGE
    slope = 4.0 * np.sqrt(2.0 * mass) * joule**1.5
    slope /= 3.0 * ELEMENTARY_CHARGE * REDUCED_PLANCK * field
    through, _ = quad(lambda u: np.exp(u - slope * u**1.5), 0.0, (0.7 - lowering) / THERMAL)
    expected = thermionic_flow() * np.exp(lowering / THERMAL) * (1.0 + through)
    assert emission("field_emission", field) == pytest.approx(expected, rel=1e-4)


def oxide(volts):
    """Current density [A/m^2] through a barrier of 1.1 eV and 2 nm."""
    law = laws("interface")["tunnelling"]
    subject = Subject(law, "boltzmann")
    zero = np.zeros(1)
    K = subject.carrier(zero, zero, zero)
    L = K._replace(psi=K.psi - volts / THERMAL)
    edge = Edge(np.array([0.0]), np.array(THERMAL), np.array(1.0))
    given = {"barrier_height": 1.1, "thickness": 2e-9, "effective_mass": 1.0}
    return float(law.function(K, L, edge, given)[0]) * ELEMENTARY_CHARGE


@pytest.mark.parametrize("volts", [0.1, 0.4, 0.8])
def test_tunnelling_below_the_barrier_is_that_of_simmons(volts):
    """Simmons, J. Appl. Phys. 34, 1793 (1963), intermediate voltages; the expansions differ."""
    wave = 4.0 * np.pi * 2e-9 * np.sqrt(2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE) / PLANCK
    means = [1.1 - 0.5 * volts, 1.1 + 0.5 * volts]
    low, high = (mean * np.exp(-wave * np.sqrt(mean)) for mean in means)
    expected = ELEMENTARY_CHARGE**2 / (2.0 * np.pi * PLANCK * (2e-9) ** 2) * (low - high)
    assert oxide(volts) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("volts", [3.0, 6.0])
def test_tunnelling_above_the_barrier_is_that_of_fowler_and_nordheim(volts):
    """e^3 F^2/(8 pi h phi) exp(-8 pi sqrt(2m) phi^1.5/(3 h e F))."""
    field, height = volts / 2e-9, 1.1 * ELEMENTARY_CHARGE
    exponent = 8.0 * np.pi * np.sqrt(2.0 * ELECTRON_MASS) * height**1.5
    exponent /= 3.0 * PLANCK * ELEMENTARY_CHARGE * field
    expected = ELEMENTARY_CHARGE**3 * field**2 / (8.0 * np.pi * PLANCK * height)
    assert oxide(volts) == pytest.approx(expected * np.exp(-exponent), rel=0.02)


@pytest.mark.parametrize("offset", [-0.3, 0.3])
def test_thermionic_emission_over_an_offset(offset):
    """v (c_upper - c_lower exp(-offset/kT)): the upper band's carriers pass."""
    law = laws("interface")["thermionic"]
    subject = Subject(law, "boltzmann")
    zero = np.zeros(1)
    K = subject.carrier(np.array([-5.0]), zero, zero)
    # The band of L lies `offset` above that of K.
    L = subject.carrier(np.array([-9.0]), zero, zero)
    rise = offset / THERMAL
    L = L._replace(psi=L.psi + rise, drift=L.drift + rise, bare=L.bare + rise)
    edge = Edge(np.array([0.0]), np.array(THERMAL), np.array(-1.0))
    found = float(law.function(K, L, edge, {"velocity": 2.0})[0])
    c_k, c_l = SITES * np.exp(-5.0), SITES * np.exp(-9.0)
    if offset > 0.0:
        expected = 2.0 * (c_k * np.exp(-rise) - c_l)
    else:
        expected = 2.0 * (c_k - c_l * np.exp(rise))
    assert found == pytest.approx(expected, rel=1e-12)
