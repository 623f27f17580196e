"""Lithium bound at a contact: none is lost, none is bound in vacuum, its charge is a current."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.assembly.node_fields import NodeFields
from ionstack.geometry.stack import Lateral
from ionstack.models.products import unknown_of
from ionstack.output.names import areal_amount
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.physics.gases import AIR, VACUUM
from ionstack.protocols.protocol_steps import Hold
from ionstack.protocols.surrounding_steps import Ambient
from support.airs import LITHIUM, NUMBERS, PRODUCTS, VOLUMES, Pot
from support.problems import hold
from support.wired import Wired

DISC = Lateral("disc", 2e-5, None, None, 3, 4.0)
REACTS = {"hydration_rate": 1e3, "carbonation_rate": 1e4, "own": 1e11}
STAY = Hold("top", 0.0, 10.0, 0.0)


@pytest.fixture(scope="module", params=["1d", "axisymmetric"])
def pot(request) -> Pot:
    return Pot(dimension=request.param, lateral=DISC)


def test_nothing_is_there_at_the_start(pot):
    pot.fill()
    layout = pot.layout
    u = pot.system.local_unknowns()
    for name in PRODUCTS:
        held = layout.species[unknown_of(name)]
        assert np.all(u[held[held >= 0]] == 0.0)
        at_top = pot.volumes.face_node[pot.volumes.face_contact == 0]
        assert set(np.flatnonzero(held >= 0)) == set(at_top)


def test_vacuum_stops_the_reaction_and_no_lithium_is_lost(pot):
    """Lithium lost equals lithium bound to 1e-10 of what is bound, in all states."""
    pot.fill(VACUUM, **REACTS)
    wired = Wired(pot, update=1e-14)
    states = wired.run(STAY, Ambient(AIR, 1.0), STAY, Ambient(VACUUM, 1.0), STAY)
    bound = pot.column(states) @ LITHIUM
    lithium = np.array([pot.lithium(state) for state in states])
    assert np.abs(lithium[0] - lithium - bound).max() < 1e-10 * bound[-1]
    before, inside, after, end = (
        bound[[state.time for state in states].index(time)] for time in (10.0, 21.0, 22.0, 32.0)
    )
    assert before < 1e-7 * end
    assert inside > 0.5 * end
    assert end - after < 1e-6 * end
    currents = np.array([state.currents for state in states])
    # The film conducts a million times better than the reaction needs.
    assert np.abs(currents.sum(axis=1)).max() < 1e-7 * np.abs(currents).max()


def test_lithium_that_leaves_is_a_current(pot):
    """e times the rate, which is constant on an open metal under one bar of oxygen."""
    pot.fill(electrode_thickness=1e6)
    states = list(pot.march(hold((10.0,))))
    top = pot.volumes.contacts.index("top")
    area = float(pot.volumes.face_area[pot.volumes.face_contact == top].sum())
    share = (NUMBERS["porosity"] - NUMBERS["percolation_threshold"]) / 0.9
    rate = ELEMENTARY_CHARGE * NUMBERS["rate_constant"] * share**2 * area
    # Currents are counted into the device: what leaves it is negative.
    assert -states[-1].currents[top] == pytest.approx(rate, rel=1e-6)
    assert pot.products(states[-1])[0] == pytest.approx(5.0 * rate / ELEMENTARY_CHARGE, rel=1e-9)


def test_fields_have_products_at_the_contact_only(pot):
    pot.fill(**REACTS)
    last = list(pot.march(hold((10.0,))))[-1]
    fields = NodeFields(pot.system).evaluate()
    nodes, area = (
        one[pot.volumes.face_contact == 0] for one in (pot.volumes.face_node, pot.volumes.face_area)
    )
    for name, amount in zip(PRODUCTS, pot.products(last), strict=True):
        field = fields[areal_amount(name)]
        assert np.isfinite(field).sum() == len(nodes)
        assert area @ field[nodes] == pytest.approx(amount, rel=1e-12)


def test_pores_that_strain_opens_can_differ_from_place_to_place(pot):
    """Closed from the start, but for those nodes where strain has opened some."""
    pot.fill(porosity=0.05)
    closed = pot.system.opened
    pot.system.opened = tuple(np.where(np.arange(len(one)) == 0, 0.3, 0.0) for one in closed)
    try:
        last = list(pot.march(hold((1.0,))))[-1]
        rows = pot.layout.species[unknown_of("Li2O")][pot.volumes.face_node]
        amounts = last.unknowns[rows[pot.volumes.face_contact == 0]]
        assert amounts[0] > 0.0
        assert np.all(amounts[1:] == 0.0)
    finally:
        pot.system.opened = closed


def test_products_never_take_more_than_the_pores(pot):
    pot.fill(**REACTS | {"rate_constant": 1e22, "electrode_thickness": 1e-8, "own": 1e30})
    last = list(pot.march(hold((1e6,)), tolerance=1e-6))[-1]
    area = pot.volumes.face_area[pot.volumes.face_contact == 0].sum()
    filled = pot.products(last) @ VOLUMES / area / 1e-8
    room = NUMBERS["porosity"] - NUMBERS["percolation_threshold"]
    # A step may pass the threshold by its tolerance, 1e-14 m here.
    assert 0.99 * room < filled < room + 1e-5
