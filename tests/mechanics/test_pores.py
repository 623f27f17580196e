"""Roughness and pores against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.porosity import Nucleation, grown_porosity, open_share
from ionstack.physics.roughness import crest_decay, field_factor, roughness_strain


def test_a_face_as_rough_as_a_twentieth_of_its_grains_strains_by_two_and_a_half_percent():
    assert roughness_strain(5e-9, 100e-9) == pytest.approx(0.0247, abs=1e-4)


def test_nucleation_opens_half_of_the_pores_at_its_mean_strain():
    law = Nucleation(fraction=0.04, strain=0.03, deviation=0.005)
    nothing = np.zeros(1)
    half = grown_porosity(nothing, nothing, np.array([0.03]), nothing, law)
    whole = grown_porosity(half, np.array([0.03]), np.array([0.1]), nothing, law)
    assert half[0] == pytest.approx(0.02, rel=1e-8)
    assert whole[0] == pytest.approx(0.04, rel=1e-8)


def test_growth_solves_its_differential_equation():
    """d(phi)/d(eps) = (1 - phi) phi rate, in one step or in many."""
    none = Nucleation(0.0, 1.0, 1.0)
    ratio = np.array([2.0 / 3.0])
    one = grown_porosity(np.array([0.05]), np.zeros(1), np.array([0.4]), ratio, none)
    many = np.array([0.05])
    for k in range(100):
        many = grown_porosity(many, np.array([0.004 * k]), np.array([0.004 * (k + 1)]), ratio, none)
    rate = 2.25 * np.sinh(1.0)
    odds = 0.05 / 0.95 * np.exp(rate * 0.4)
    assert one[0] == pytest.approx(odds / (1.0 + odds), rel=1e-12)
    assert many[0] == pytest.approx(one[0], rel=1e-10)
    assert grown_porosity(one, np.zeros(1), np.array([0.4]), -ratio, none)[0] == pytest.approx(0.05)


def test_where_stress_is_singular_the_metal_may_be_gone_but_not_more():
    law = Nucleation(fraction=0.5, strain=0.01, deviation=0.003)
    ratio = np.array([-1e3, -50.0, 50.0, 1e3])
    found = np.full(4, 0.01)
    for before, after in ((0.0, 0.05), (0.05, 0.2)):
        found = grown_porosity(found, np.full(4, before), np.full(4, after), ratio, law)
    # All that nucleates in a step that ends in compression stays until the next one.
    assert found == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=1e-3)


def test_pores_connect_above_their_threshold():
    assert open_share(np.array([0.0, 0.1, 0.55, 1.0]), 0.1) == pytest.approx([0.0, 0.0, 0.25, 1.0])


def test_the_field_at_a_rough_face_is_that_of_laplaces_equation():
    """To first order; a face of long waves is that of a narrower gap."""
    A, grain, gap = 1e-12, 50e-9, 80e-9
    k = np.pi / grain
    # phi = z + A sinh(k (gap - z))/sinh(k gap) cos(kx) is 0 on the face, and its slope there:
    slope = 1.0 + A * k * np.cosh(k * gap) / np.sinh(k * gap)
    assert field_factor(A, grain, gap) == pytest.approx(slope, rel=1e-12)
    assert field_factor(A, 1.0, gap) - 1.0 == pytest.approx(A / gap, rel=1e-6)
    z = np.linspace(0.0, gap, 5)
    slopes = A * k * np.cosh(k * (gap - z)) / np.sinh(k * gap)
    added = (field_factor(A, grain, gap) - 1.0) * crest_decay(z, grain, gap)
    np.testing.assert_allclose(added, slopes, rtol=1e-9)
    assert crest_decay(gap, 1e-12, gap) == 0.0
