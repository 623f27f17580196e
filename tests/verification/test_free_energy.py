"""Second law: the free energy never increases at fixed bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ContactModel, ReactionModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

T = 300.0
KT = thermal_voltage(T)
SITES = 1e27


def free_energy(device, voltages=(0.0, 0.0)) -> float:
    """Chemical and field energy, less that of the charge which the wires supply [eV].

    Lattice gases with regular solution and gradient energy:
    F = sum V N [kT (x ln x + (1-x) ln(1-x)) + level x + Omega x (1-x)]
      + sum A/h [N kappa/2 (dx)^2 + eps/2 (dphi)^2] - sum phi Q.
    """
    volumes = device.volumes
    fields = NodeFields(device.system).evaluate()
    K, L = volumes.edge_nodes.T
    region = device.model.regions[0]
    total = 0.0
    for one in region.species:
        x = fields[f"x {one.name} [1]"]
        mixing = KT * (x * np.log(x) + (1.0 - x) * np.log1p(-x)) + one.level * x
        if one.excess is not None:
            mixing = mixing + one.excess.numbers["interaction"].value * x * (1.0 - x)
        bending = 0.5 * one.gradient_energy * volumes.edge_factor @ (x[K] - x[L]) ** 2
        total += one.site_density * (volumes.node_volume @ mixing + bending)
    phi = device.potential()
    permittivity = region.permittivity * VACUUM_PERMITTIVITY / ELEMENTARY_CHARGE
    total += 0.5 * permittivity * (volumes.edge_factor @ (phi[K] - phi[L]) ** 2)
    works = {one.name: one.work_function for one in device.model.contacts}
    for (name, charge), volts in zip(device.charges(voltages).items(), voltages, strict=True):
        total -= (volts - works[name]) * charge / ELEMENTARY_CHARGE
    return float(total)


def descent(device, ramp, after=0.0, **control):
    """Energies after a time, and the largest rise of a step over the whole fall."""
    found = [
        (state.time, free_energy(device, tuple(state.voltages)))
        for state in device.march(ramp, **control)
        if state.time >= after
    ]
    times, energies = np.array(found).T
    fall = energies[0] - energies[-1]
    assert fall > 0.0
    return times, energies, float(np.diff(energies).max() / fall)


def check(verify, name, title, rise):
    # A second-order scheme oversteps equilibrium by its error; the rise falls with its square.
    verify(f"free_energy.{name}", max(rise, 0.0), 0.0, abs=1e-6, unit="1",
           title=title, source="second law")  # fmt: skip


def test_ions_charge_a_double_layer(verify):
    hop = bound("transport", "site_hopping", diffusivity=1e-16)
    ions = tuple(species(name, z, "lattice_gas", SITES, hop) for name, z in (("A", 1), ("B", -1)))
    region = RegionModel("film", 20.0, 0.0, ions)
    metals = (ContactModel("top", 0.4, {}), ContactModel("bottom", 0.1, {}))
    device = Device(
        stack(layer("film", 2e-8, 1e-10, 1.2)),
        model((region,), (), *metals, temperature=T),
        {"film": {"A": 0.01, "B": 0.01}},
    )
    device.settle()
    ramp = Ramp((0.0, 1e-9, 1.0), ((0.0, 0.0), (0.5, 0.0), (0.5, 0.0)))
    times, energies, rise = descent(device, ramp, after=1e-9)
    check(verify, "double_layer", "largest rise in a step, charging at 0.5 V", rise)
    axes = {"xlabel": "time [s]", "ylabel": "free energy over its fall", "xscale": "log",
            "title": "Free energy at fixed bias"}  # fmt: skip
    share = (energies - energies[-1]) / (energies[0] - energies[-1])
    verify.curve("free_energy", times, share, label="double layer at 0.5 V", **axes)


def test_a_reaction_runs(verify):
    hop = bound("transport", "site_hopping", diffusivity=1e-15)
    stay = bound("transport", "immobile")
    held = (
        species("AB", 0, "lattice_gas", SITES, stay, level=-0.05),
        species("A", 1, "lattice_gas", SITES, hop),
        species("B", -1, "lattice_gas", SITES, hop),
    )
    law = bound("reaction", "mass_action", rate=1e30)
    reaction = ReactionModel("dissociation", (("AB", 1),), (("A", 1), ("B", 1)), law)
    region = RegionModel("film", 16.6, 0.0, held, (reaction,))
    metals = (ContactModel("top", 0.0, {}), ContactModel("bottom", 0.0, {}))
    contents = {"film": {"AB": 0.2, "A": 0.1, "B": 0.1}}
    device = Device(
        stack(layer("film", 2e-8, 1e-9)), model((region,), (), *metals, temperature=T), contents
    )
    device.settle("as_given")
    _, _, rise = descent(device, Ramp((0.0, 0.05), ((0.0, 0.0),) * 2), tolerance=1e-5)
    check(verify, "reaction", "largest rise in a step, dissociation", rise)


def test_a_mixture_separates(verify):
    """From a noisy mixture inside the spinodal to phases that coarsen."""
    hop = bound("transport", "site_hopping", diffusivity=1e-15)
    kappa = 2.0 * KT * (2e-9) ** 2
    phases = bound("excess", "regular_solution", interaction=3.0 * KT, gradient_energy=kappa)
    lithium = replace(species("Li", 0, "lattice_gas", SITES, hop), excess=phases)
    device = Device(
        stack(layer("film", 8e-8, 4e-10)),
        model((RegionModel("film", 10.0, 0.0, (lithium,)),), temperature=T),
        {"film": {"Li": 0.5}},
    )
    depth = device.depth / 8e-8
    x = 0.5 + 0.01 * sum(np.cos(np.pi * k * depth + k * k) for k in range(1, 12))
    u = np.zeros(device.layout.n_owned)
    u[device.layout.species["Li"]] = KT * np.log(x / (1.0 - x))
    device.system.unknowns.setArray(u)
    device.system.refresh_ghosts()
    # The gradient term takes its value in the first step.
    times, energies, rise = descent(device, Ramp((0.0, 2.0), ((0.0, 0.0),) * 2), after=1e-6)
    check(verify, "separation", "largest rise in a step, spinodal decomposition", rise)
    share = (energies - energies[-1]) / (energies[0] - energies[-1])
    verify.curve("free_energy", times, share, label="spinodal decomposition")
