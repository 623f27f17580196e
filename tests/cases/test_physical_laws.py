"""Physical laws that hold for every case of the repository; a new case is covered by itself.

Each device runs in 1-D on a mesh of about half the cells. What its own run keeps is in its
summary, see test_shipped_cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.casefile.case import load_case
from ionstack.models.products import product_names
from ionstack.observing.observers import Balance
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.runs.preparation import Prepared, prepare
from ionstack.runs.simulation import equilibrium_current
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import Ramp, owned
from support.equilibria import CASES, refined
from support.free_energy import FreeEnergy, unsupported

LARGEST = 0.6  # V, so that diodes carry current


@dataclass(frozen=True)
class Device:
    """A case at its start."""

    prepared: Prepared
    start: np.ndarray

    @cached_property
    def drive(self) -> tuple[float, float, int]:
        """First voltage [V] that the protocol goes to, at most 0.6 V, its time, its contact.

        Where the protocol keeps to 0 V, 0.6 V at 1 V/s.
        """
        contacts = self.prepared.system.equations.volumes.contacts
        moving = (one for one in self.prepared.case.protocol.intervals(contacts) if one.swing)
        first = next(moving, None)
        if first is None:
            return LARGEST, LARGEST, 0
        contact = int(np.argmax(np.abs(first.end - first.begin)))
        volts = float(np.clip(first.end[contact], -LARGEST, LARGEST))
        return volts, first.duration * abs(volts / first.end[contact]), contact

    def rest(self) -> None:
        """Put the device into its state at the start."""
        self.prepared.system.unknowns.setArray(self.start)
        self.prepared.system.refresh_ghosts()

    def run(self, times: list[float], shares: list[float], **control: float) -> list[State]:
        """Accepted states from the start along shares of the voltage."""
        volts, _, contact = self.drive
        system = self.prepared.system
        self.rest()
        levels = np.zeros((len(shares), len(system.equations.volumes.contacts)))
        levels[:, contact] = volts * np.array(shares)
        ramp = Ramp(tuple(times), tuple(map(tuple, levels.tolist())))
        settings = StepControl(tolerance=1e-2, **control)
        return list(Stepper(system, self.prepared.newton, ramp, settings).run())

    @cached_property
    def sweep(self) -> list[State]:
        """Up, back and a little beyond."""
        seconds = self.drive[1]
        return self.run([k * seconds for k in (0.0, 1.0, 2.0, 2.5)], [0.0, 1.0, 0.0, -0.5])

    @cached_property
    def balance(self) -> dict[str, float]:
        """What is kept along the sweep, as a run's summary says it."""
        prepared = self.prepared
        self.rest()
        current = equilibrium_current(prepared)
        observer = Balance(prepared.system, prepared.equilibrium.conserved, current)
        for state in self.sweep:
            observer.see(state)
        return dict(observer.found())


# In 1-D these are films of other cases, with another reaction or none.
ALIKE = (
    "filament/competition",
    "filament/focus",
    "stress/conversion",
    "stress/converted_dome",
    "stress/dome",
)


@pytest.fixture(scope="module", params=[name for name in CASES if name not in ALIKE])
def device(request: pytest.FixtureRequest) -> Device:
    case = refined(load_case(CASES[request.param], ["output.figures=false"]), 0.5)
    prepared = prepare(case, MPI.COMM_SELF)
    return Device(prepared, prepared.system.unknowns.getArray().copy())


def test_every_species_that_nothing_supplies_or_makes_is_counted(device: Device) -> None:
    model = device.prepared.system.equations.model
    supplied = {
        name for contact in model.contacts for name, law in contact.laws.items() if law.law.passes
    }
    made = {name for one in model.regions for r in one.reactions for name in r.changes}
    counted = {
        group.species for one in device.prepared.equilibrium.conserved for group, _ in one.parts
    }
    assert set(model.valences) - supplied - made <= counted


def test_species_are_conserved(device: Device) -> None:
    """Amounts are differenced, so what is left is the round-off of sums over the nodes."""
    drift = {k: v for k, v in device.balance.items() if k.startswith("conservation")}
    assert len(drift) == len({one.species for one in device.prepared.equilibrium.conserved})
    assert all(value < 1e-12 for value in drift.values())


def test_something_happens(device: Device) -> None:
    """What a device at rest keeps proves nothing."""
    first, amounts = device.sweep[0].amounts, [state.amounts for state in device.sweep]
    system = device.prepared.system
    for name in system.equations.model.valences:
        mask = owned(system, name)
        assert max(np.abs(one - first)[mask].max() for one in amounts) > 0.0, name


def round_off(device: Device) -> float:
    """Currents [A] that the last bit of the unknowns makes in the best conducting cell."""
    system, last = device.prepared.system, device.sweep[-1]
    zero = np.zeros(system.layout.n_owned)
    system.linearise(zero, 1.0, last.step, last.voltages)
    steepest = np.abs(system.matrix.getValuesCSR()[2]).max() * ELEMENTARY_CHARGE / last.step
    return float(np.finfo(float).eps * np.abs(last.unknowns).max() * steepest)


def test_currents_of_all_contacts_sum_to_zero(device: Device) -> None:
    """To the last bits: 1e-9 of the largest, and the round-off of good conductors.

    A cell of 1 nm of doped silicon, 1 mm^2, conducts 1e6 A/V: 1e-15 V are 1 nA. In any case
    1e-6 of the largest, which is far below what a wrong sign would leave.
    """
    allowed = round_off(device) / device.balance["current_max [A]"]
    assert device.balance["current_sum"] < 1e-9 + min(allowed, 1e-6)


def test_no_current_in_equilibrium(device: Device) -> None:
    if device.prepared.case.start != "equilibrium":
        pytest.skip("the case starts from contents as given")
    if product_names(device.prepared.system.equations.model):
        pytest.skip("a reaction that only goes forth has no equilibrium")
    assert device.balance["equilibrium.current"] < 1e-12


def test_free_energy_never_rises_at_fixed_voltages(device: Device) -> None:
    """After a voltage step: less what the wires supply it falls in every implicit Euler step.

    Euler's steps keep this law exactly where the free energy is convex.
    """
    lacking = unsupported(device.prepared.system.equations.model)
    if lacking is not None:
        pytest.skip(f"{lacking} is not in the free energy of this test")
    # One step to the voltage, then one step per interval.
    times = device.drive[1] * np.concatenate([[0.0], 4.0 ** np.arange(-15, 1)])
    shares = [0.0] + [0.5] * (len(times) - 1)
    states = device.run(times.tolist(), shares, fixed=2.0 * times[-1])
    assert len(states) == len(times)
    energy = FreeEnergy(device.prepared.system)
    changes = np.array([energy.change(*pair) for pair in pairwise(states[1:])])
    assert changes.sum() < 0.0
    assert changes.max() < 1e-9 * np.abs(changes).sum()
