"""Nuclei in the field of a phase: they get their atoms from the layer, then grow or dissolve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ionstack.assembly.entities import Entities
from ionstack.models.model import NucleusModel, ReactionModel, RegionModel
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.planting import Planting
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.phase_fields import KT, SITES, WIDTH, Shape, T, begin, contents
from support.solutions import HOP, SOLUTION

# Critical radius of 0.3 J/m^2 at a driving force of 1 kT: 2 gamma/(N kT) = 2.5 nm.
FILM = Shape(6e-9, 5e-10, 6e-9, 12)


def planted(device: Device, radius: float, bias: float) -> Planting:
    """A nucleus on the axis at the top."""
    entities = Entities(device.model, device.volumes, device.layout)
    found = Planting(device.system, entities.faces[0], NucleusModel("Ag", radius, bias), True)
    found.plant((3e-9, 0.0)[-device.volumes.coordinates.shape[1] :])
    return found


def march(device: Device, planting: Planting, *times: float) -> Iterator[State]:
    system = device.system
    newton = Newton(system, LinearSolver(system, "auto"), NewtonControl())
    ramp = Ramp((0.0, *times), ((0.0, 0.0),) * (1 + len(times)))
    control = StepControl(tolerance=5e-3)
    return Stepper(system, newton, ramp, control, companions=(planting,)).run()


def metal(device: Device) -> float:
    """Volume of the control volumes that are more than half metal [m^3]."""
    return float(device.volumes.node_volume[contents(device) > 0.5].sum())


@pytest.mark.parametrize(("radius", "grows"), [(1.6e-9, False), (3.6e-9, True)])
def test_a_nucleus_grows_above_the_critical_size(radius: float, grows: bool) -> None:
    device = FILM.device(1.0, level=-KT)
    begin(device, lambda r, z: -7.0 * WIDTH + 0.0 * r)
    planting = planted(device, radius, 0.2)
    assert planting.busy
    complete = None
    for _ in march(device, planting, 4.0):
        if complete is None and not planting.busy:
            complete = metal(device)
    assert complete is not None
    # Half a ball, but for what cells of half a nanometre make of it.
    assert complete == pytest.approx(2.0 / 3.0 * np.pi * radius**3, rel=0.5, abs=0.0)
    assert (metal(device) > 1.2 * complete) == grows
    assert (metal(device) < 0.5 * complete) != grows


def test_matter_and_charge_are_conserved() -> None:
    """A nucleus of a closed film consists of its ions and electrons."""
    silver = replace(species("Ag", 0, "lattice_gas", SITES, HOP), excess=SOLUTION)
    ions = species("Ag+", 1, "lattice_gas", 1e29, bound("transport", "site_hopping",
                   diffusivity=1e-12))  # fmt: skip
    electrons = species("e-", -1, "boltzmann", 1e29, bound("transport", "sedan", diffusivity=1e-10))
    law = bound("reaction", "surface_butler_volmer", rate=1e30, transfer_coefficient=0.5)
    plating = ReactionModel("plating", (("Ag+", 1), ("e-", 1)), (("Ag", 1),), law)
    region = RegionModel("film", 10.0, 0.0, (silver, ions, electrons), (plating,))
    device = Device(stack(layer("film", 8e-9, 2e-10)), model((region,), temperature=T))
    begin(device, lambda r, z: -7.0 * WIDTH + 0.0 * z)
    u, layout = device.system.unknowns.getArray().copy(), device.layout
    for name in ("Ag+", "e-"):
        u[layout.species[name]] = KT * np.log(0.1)
    device.system.unknowns.setArray(u)
    device.system.refresh_ghosts()
    planting = planted(device, 6e-10, 0.6)
    whole = np.array([
        [state.amounts[layout.species[name]].sum() for name in ("Ag", "Ag+", "e-")]
        for state in march(device, planting, 10.0)
    ])  # fmt: skip
    silver_there, ions_there, electrons_there = whole.T
    # It forms, and dissolves again in this film, which is not supersaturated.
    assert silver_there.max() > 0.3 * ions_there[0]
    assert not planting.busy
    assert silver_there[-1] < 0.1 * silver_there.max()
    matter, charge = silver_there + ions_there, ions_there - electrons_there
    assert np.ptp(matter) < 1e-12 * matter[0]
    assert np.ptp(charge) < 1e-12 * ions_there[0]
