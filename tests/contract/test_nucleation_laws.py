"""What every law of nucleation on the face of a metal must obey."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import BOLTZMANN
from ionstack.physics.states import MetalFace

NUMBERS = {
    "field_power": {"prefactor": 1e24, "nucleation_field": 2e8, "field_exponent": 2.0},
    "field_needle": {
        "prefactor": 1e24,
        "tension": 0.1,
        "narrowest": 5e-10,
        "relative_permittivity": 17.0,
        "phase_cost": 0.0,
    },
    "cap": {
        "face_sites": 1e19,
        "attempt_frequency": 1e10,
        "tension": 0.3,
        "atomic_volume": 1.7e-29,
        "contact_angle": 1.5,
        "chemical_potential": 0.0,
    },
}
FIELDS = (0.0, 1e-3, -1e-3, 1e8, -1e8, 1e12, -1e12)
AFFINITIES = (0.0, 1e-9, -1e-9, 0.5, -0.5, 50.0, -50.0)
EXTREME = [
    (field, affinity, kelvin)
    for field in FIELDS
    for affinity in AFFINITIES
    for kelvin in (1.0, 300.0, 3000.0)
]


def success(name: str, face: MetalFace) -> np.ndarray:
    """Nuclei per area and time, as the solver takes them."""
    found = laws("nucleation")[name].function(face, NUMBERS[name])
    return np.asarray(found.rate * np.exp(-found.barrier / (BOLTZMANN * face.temperature)))


def faces(rows) -> MetalFace:
    return MetalFace(*np.array(rows).T)


def test_every_law_is_here():
    assert set(NUMBERS) == set(laws("nucleation"))


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "field_power"])
def test_a_nucleus_has_a_size_where_it_has_a_barrier(name):
    found = laws("nucleation")[name].function(faces(EXTREME), NUMBERS[name])
    exists = np.isfinite(found.barrier)
    assert exists.any()
    assert (np.asarray(found.size)[exists] > 0.0).all()


@pytest.mark.parametrize("name", NUMBERS)
def test_rates_are_numbers_from_zero_on_at_extremes(name):
    rates = success(name, faces(EXTREME))
    assert np.isfinite(rates).all()
    assert (rates >= 0.0).all()


@pytest.mark.parametrize("name", NUMBERS)
def test_nothing_nucleates_without_what_drives_it(name):
    """At rest, and for caps where the affinity dissolves."""
    at_rest = [(0.0, affinity, 300.0) for affinity in (0.0, -0.5)]
    assert not success(name, faces(at_rest)).any()


@pytest.mark.parametrize("name", NUMBERS)
def test_more_drive_nucleates_no_less(name):
    drive = np.linspace(0.05, 1.0, 20)
    rows = [(1e9 * one, one, 300.0) for one in drive]
    barrier = np.asarray(laws("nucleation")[name].function(faces(rows), NUMBERS[name]).barrier)
    assert (np.diff(barrier) < 0.0).all()
