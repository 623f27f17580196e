"""Generation of defects at contacts and in the bulk against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.states import Edge
from support.law_checks import THERMAL, Subject

GIVEN = {
    "attempt_frequency": 1e13,
    "bond_density": 1e19,
    "barrier": 1.66,
    "dipole_length": 1e-10,
    "relative_permittivity": 22.0,
    "chemical_potential": 0.0,
}


def flow(field, step):
    """Flow into the metal whose potential for the defect lies `step` kT above the layer's."""
    subject = Subject(laws("contact")["bond_breaking"], "lattice_gas")
    zero = np.zeros(1)
    K = subject.carrier(np.array([-3.0]), zero, zero)
    L = K._replace(psi=K.psi + step)
    edge = Edge(np.array([0.0]), np.array(THERMAL), np.array(2.0), np.array([field]))
    return float(subject.law.function(K, L, edge, GIVEN)[0]), float(K.vacancy[0])


@pytest.mark.parametrize("field", [0.0, 3e8, -3e8])
def test_generation_has_the_barrier_that_the_local_field_leaves(field):
    """Far from equilibrium only generation is left: p (2+eps)/3 = 0.8 eV per V/nm."""
    found, free = flow(field, 30.0)
    barrier = 1.66 - 0.8e-9 * abs(field)
    exact = -1e13 * 1e19 * free * np.exp(-barrier / THERMAL)
    assert found == pytest.approx(exact, rel=1e-3)


def test_forward_over_backward_is_the_exponential_of_the_affinity():
    made, unmade = flow(2e8, 1.5)[0], flow(2e8, -1.5)[0]
    assert unmade / -made == pytest.approx(np.exp(1.5), rel=1e-12)
    assert flow(2e8, 0.0)[0] == 0.0


def test_beyond_the_field_of_breakdown_the_barrier_is_gone():
    found, free = flow(1e10, 30.0)
    assert found == pytest.approx(-1e32 * free, rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("field", [0.0, 4e8])
def test_bonds_feel_the_field_in_full_where_they_break_and_by_a_share_where_they_heal(share, field):
    """Far from equilibrium; nu N exp[-(E - s p (2+eps)/3 |F|)/kT] of free sites or e^-A of it."""
    law = laws("reaction")["bond_breaking"]
    numbers = {**GIVEN, "healing_share": share}
    zero = np.zeros(1)
    for affinity, felt, direction in ((25.0, 1.0, 1.0), (-25.0, share, -np.exp(25.0))):
        broken = Subject(law, "lattice_gas").carrier(np.array([-3.0]), zero, zero)
        broken = broken._replace(psi=np.array([-affinity]))
        found = law.function([], [(broken, 1)], np.array(THERMAL), np.array([field]), numbers)
        barrier = GIVEN["barrier"] - felt * 0.8e-9 * field
        exact = direction * 1e13 * 1e19 * broken.vacancy * np.exp(-barrier / THERMAL)
        np.testing.assert_allclose(found, exact, rtol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("field", [0.0, 4e8, 2e9])
def test_the_rate_of_bonds_grows_with_their_affinity_whatever_the_field(share, field):
    """Else two contents belong to one rate, and a time step finds neither."""
    law = laws("reaction")["bond_breaking"]
    numbers = {**GIVEN, "healing_share": share}
    affinities = np.linspace(-4.0, 4.0, 801)
    zero = np.zeros(len(affinities))
    broken = Subject(law, "lattice_gas").carrier(zero - 30.0, zero, zero)._replace(psi=-affinities)
    found = law.function([], [(broken, 1)], np.array(THERMAL), zero + field, numbers)
    assert np.all(np.diff(found) > 0.0)
    assert found[400] == pytest.approx(0.0, abs=1e-9 * np.abs(found).max())
