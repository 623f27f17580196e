"""Insertion, coupled ion-electron transfer and plating, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfc

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.states import Edge
from support.law_checks import THERMAL, Subject, values

EDGE = Edge(np.array([0.0]), np.array(THERMAL), np.array(1.0))


def ends(kind, name, eta_k, eta_l, step=0.0):
    """Host and electrolyte (or metal) with the potential of the latter raised by `step` kT."""
    subject = Subject(laws(kind)[name], "lattice_gas")
    zero = np.zeros(1)
    K, L = (subject.carrier(np.array([eta]), zero, zero) for eta in (eta_k, eta_l))
    L = L._replace(psi=L.psi + step, drift=L.drift + step, bare=L.bare + step)
    flow = float(subject.law.function(K, L, EDGE, values(subject.law))[0])
    return flow * ELEMENTARY_CHARGE, K, L, values(subject.law)


@pytest.mark.parametrize("step", [-6.0, -0.01, 4.0])
def test_insertion_is_butler_volmer_with_its_exchange_current(step):
    found, K, L, given = ends("interface", "butler_volmer", 0.4, -0.7, step)
    a = given["transfer_coefficient"]
    x, y = float(K.x[0]), float(L.x[0])
    i0 = given["exchange_current_density"] * y ** (1 - a) * (1 - x) ** (1 - a) * x**a
    over = float((K.psi - L.psi)[0])
    expected = i0 * (np.exp(a * over) - np.exp(-(1 - a) * over))
    assert found == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("step", [-6.0, -0.01, 4.0])
def test_plating_is_butler_volmer_at_a_metal(step):
    found, K, L, given = ends("contact", "butler_volmer", -0.7, 0.0, step)
    a, x = given["transfer_coefficient"], float(K.x[0])
    over = float((K.psi - L.psi)[0])
    i0 = given["exchange_current_density"] * x ** (1 - a)
    assert found == pytest.approx(i0 * (np.exp(a * over) - np.exp(-(1 - a) * over)), rel=1e-11)


@pytest.mark.parametrize("step", [-15.0, -1.0, 0.5, 12.0])
def test_coupled_transfer_is_marcus_hush_chidsey(step):
    """Rates of both directions from the closed form of Zeng et al. (2014)."""
    found, K, L, given = ends("interface", "coupled_transfer", 0.4, -0.7, step)
    reduced = given["reorganisation_energy"] / THERMAL
    x, y = float(K.x[0]), float(L.x[0])
    formal = float((K.drift - L.drift)[0])

    def rate(eta):
        root = np.sqrt(1.0 + np.sqrt(reduced) + eta**2)
        return erfc((reduced - root) / (2.0 * np.sqrt(reduced))) / (1.0 + np.exp(-eta))

    # Out of the host at the oxidation rate, into it at the reduction rate; 2 rate(0) = 1.
    net = (x * rate(formal) - y * rate(-formal)) / rate(0.0)
    expected = given["exchange_current_density"] * (1.0 - x) * net
    assert found == pytest.approx(expected, rel=1e-11)
