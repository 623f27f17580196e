"""Random losses of a lumped filament: mean and variance are those of single atoms."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from ionstack.physics.catalogue import elements
from ionstack.physics.constants import thermal_voltage

LAW = elements()["filament"]
LOSS = next(one for one in LAW.events if one.name == "loss")
NUMBERS = {
    **{one.name: one.default for one in LAW.parameters},
    "length": 1e-8,
    "nucleus": 1e-9,
    "resistivity": 4e-6,
    "thermal_conductivity": 100.0,
    "contact_resistance": 1e4,
    "gap_decay": 1e-9,
    "velocity": 100.0,
    "barrier": 0.5,
    "lowering": 0.4,
    "dissolution": 2.5e-32,
    "atomic_volume": 1.7e-29,
}
GROWN = np.array([-0.5, 0.02, 0.1, 0.4])
DIAMETER = 1e-9 + 1e-8 * np.maximum(GROWN, 0.0)
COMPLETE = GROWN > 0.0


def steady(atoms: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deterministic fall of the diameter [m/s] without voltage, rate of losses, size of one [m]."""
    p = {name: jnp.asarray(n) for name, n in {**NUMBERS, "atoms_lost": atoms}.items()}
    own = {"grown": jnp.asarray(GROWN), "nucleus": jnp.ones(4), "held": jnp.zeros(4)}
    v, warmth = {"a": jnp.zeros(4), "b": jnp.zeros(4)}, jnp.asarray(thermal_voltage(300.0))
    fall = np.asarray(LAW.function(v, own, p, warmth).balances["grown"]) * 1e-8
    rate = np.asarray(LOSS.rate(v, own, p, warmth))
    return fall, rate, (GROWN - np.asarray(LOSS.after(own, p)["grown"])) * 1e-8


@pytest.mark.parametrize("atoms", [1.0, 10.0, 185.0])
def test_mean_and_variance_do_not_depend_on_how_many_go_at_once(atoms):
    fall, rate, lost = steady(atoms)
    dissolution = 2.5e-32 / DIAMETER**3
    single = 2.0 * 1.7e-29 / (np.pi * DIAMETER * 1e-8)
    assert fall + rate * lost * COMPLETE == pytest.approx(dissolution, rel=1e-9)
    assert rate * lost**2 == pytest.approx(dissolution * single * COMPLETE, rel=1e-9)
    assert rate[0] == 0.0


def test_a_loss_takes_the_volume_of_its_atoms():
    _, _, lost = steady(20.0)
    before = 0.25 * np.pi * DIAMETER**2 * 1e-8
    after = 0.25 * np.pi * (DIAMETER - lost) ** 2 * 1e-8
    gone = (before - after)[COMPLETE] / (20.0 * 1.7e-29)
    assert gone == pytest.approx(1.0, abs=0.02)
