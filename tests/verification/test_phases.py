"""Two phases and insertion: regular solution, Cahn-Hilliard, open-circuit curves."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from ionstack.assembly.node_fields import NodeFields
from ionstack.models.model import ContactModel, RegionModel
from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from support.devices import Ramp
from support.films import bound, species
from support.layers import Device, layer, model, stack

T = 298.15
KT = thermal_voltage(T)
SITES = 2e28
DIFFUSIVITY = 1e-15
# Li4Ti5O12: interaction of 1.43e-20 J, that is 3.474 kT (V5).
OMEGA = 1.43e-20 / (KT * ELEMENTARY_CHARGE)


def host(length, cell, kappa, omega=OMEGA, wetting=0.0):
    """A neutral species with regular-solution potential in a film that blocks it."""
    hop = bound("transport", "site_hopping", diffusivity=DIFFUSIVITY)
    phases = bound(
        "excess", "regular_solution", interaction=omega * KT, gradient_energy=kappa, wetting=wetting
    )
    lithium = replace(species("Li", 0, "lattice_gas", SITES, hop), excess=phases)
    region = RegionModel("film", 10.0, 0.0, (lithium,))
    device = Device(
        stack(layer("film", length, cell)),
        model((region,), temperature=T),
        {"film": {"Li": 0.5}},
    )
    return device


def content(device):
    """Content and position from the top."""
    nodes = device.inside("film")
    x = NodeFields(device.system).evaluate()["x Li [1]"][nodes]
    return device.depth[nodes], x


def start(device, profile):
    """Write a content as a function of the coordinate, and the gradient term that goes with it."""
    layout, depth = device.layout, device.depth
    x = profile(depth)
    u = np.zeros(layout.n_owned)
    u[layout.species["Li"]] = KT * np.log(x / (1.0 - x))
    device.system.unknowns.setArray(u)
    device.system.refresh_ghosts()


def chemical(x):
    """Homogeneous chemical potential over kT."""
    return np.log(x / (1.0 - x)) + OMEGA * (1.0 - 2.0 * x)


def binodal():
    return brentq(lambda x: np.log(x / (1.0 - x)) + OMEGA * (1.0 - 2.0 * x), 1e-6, 0.2)


def spinodal():
    return 0.5 * (1.0 - np.sqrt(1.0 - 2.0 / OMEGA))


def test_binodal_spinodal_and_the_voltage_between(verify):
    """The law itself; V5: 0.0391/0.9609, 0.1743/0.8257, 18.17 mV."""
    entry = laws("excess")["regular_solution"]
    lattice = laws("statistics")["lattice_gas"]
    values = {"interaction": OMEGA * KT, "gradient_energy": 0.0}

    def potential(eta):
        occupation = lattice.function(np.asarray(eta), {}, KT)
        return float(eta + entry.function(occupation.x, values, KT)), float(occupation.x)

    low = brentq(lambda eta: potential(eta)[0], -8.0, np.log(0.1 / 0.9))
    verify("phases.binodal", potential(low)[1], binodal(), rel=1e-6, unit="1",
           title="content of the poor phase, Omega = 3.474 kT",
           source="equal chemical potentials; V5: 0.0391")  # fmt: skip
    verify("phases.binodal_published", potential(low)[1], 0.0391, abs=5e-5, unit="1",
           title="the same against the published value", source="V5")  # fmt: skip
    peak = spinodal()
    verify("phases.spinodal", peak, 0.1743, abs=5e-5, unit="1", title="spinodal", source="V5")
    verify("phases.spinodal_voltage", 1e3 * KT * potential(np.log(peak / (1 - peak)))[0], 18.17,
           abs=1e-2, unit="mV", title="potential at the spinodal", source="V5")  # fmt: skip


def test_phases_in_contact_take_the_binodal_contents(verify):
    """Two phases side by side relax to the binodal; the interface has the width of theory."""
    kappa = 2.0 * KT * (2e-9) ** 2
    device = host(4e-8, 2e-10, kappa)
    start(device, lambda z: np.where(z < 2e-8, 0.1, 0.9))
    unit = (4e-8) ** 2 / DIFFUSIVITY
    device.drive(Ramp((0.0, 1e-3 * unit, unit), ((0.0, 0.0),) * 3), tolerance=1e-4)
    _, x = content(device)
    verify("phases.contact_low", float(x.min()), binodal(), rel=5e-3, unit="1",
           title="content of the poor phase next to the rich one", source="binodal")  # fmt: skip
    z, x = content(device)
    order = np.argsort(z)
    slope = np.abs(np.gradient(x[order], z[order])).max()
    # First integral of the profile: kappa/2 x'^2 = f(x) - f(binodal), at x = 1/2.
    low = binodal()

    def energy(y):
        return KT * (y * np.log(y) + (1 - y) * np.log(1 - y) + OMEGA * y * (1 - y))

    exact = np.sqrt(2.0 * (energy(0.5) - energy(low)) / kappa)
    verify("phases.interface_slope", slope * 1e-9, exact * 1e-9, rel=5e-3, unit="1/nm",
           title="steepest slope of the content through the interface",
           source="first integral of Cahn and Hilliard (1958)")  # fmt: skip
    axes = {
        "xlabel": "depth [nm]",
        "ylabel": "content",
        "title": "Two phases in contact (Cahn–Hilliard)",
    }
    verify.curve("phases", z[order] * 1e9, x[order], label="ionstack", **axes)
    ends = [0.0, 40.0]
    for label, value in (("binodal, poor", low), ("binodal, rich", 1.0 - low)):
        verify.curve("phases", ends, [value, value], label=label, **axes)


@pytest.mark.parametrize("wetting", [-1e-11, 5e-12])
def test_faces_wet(wetting, verify):
    """kappa x'^2/2 = f(x) - f(bulk) - mu (x - bulk) at a face, where kappa x' = wetting."""
    kappa = 2.0 * KT * (2e-9) ** 2
    omega = 1.5  # one phase
    device = host(6e-8, 1e-10, kappa, omega, wetting)
    start(device, lambda z: 0.3 + 0.0 * z)
    unit = (6e-8) ** 2 / DIFFUSIVITY
    device.drive(Ramp((0.0, 1e-3 * unit, 5 * unit), ((0.0, 0.0),) * 3), tolerance=1e-4)
    _, x = content(device)
    bulk = float(x[len(x) // 2])

    def energy(y):
        return KT * (y * np.log(y) + (1 - y) * np.log(1 - y) + omega * y * (1 - y))

    slope = KT * (np.log(bulk / (1 - bulk)) + omega * (1 - 2 * bulk))

    def excess(y):
        return energy(y) - energy(bulk) - slope * (y - bulk) - wetting**2 / (2.0 * kappa)

    far = (bulk, 0.999) if wetting < 0.0 else (1e-3, bulk)
    verify(
        f"phases.wetting({wetting:g})",
        float(x[0]),
        brentq(excess, *far),
        rel=2e-3,
        unit="1",
        title="content at a face",
        source="first integral of Cahn and Hilliard with a surface energy (Cahn, 1977)",
    )


@pytest.mark.parametrize("waves", [2, 4, 6])
def test_growth_of_a_small_wave(waves, verify):
    """s = -M k^2 (mu' + kappa k^2), M = D x(1-x)/kT for hopping to free sites."""
    length, kappa = 6e-8, 2.0 * KT * (2e-9) ** 2
    device = host(length, 2.5e-10, kappa)
    k = np.pi * waves / length
    curvature = KT * (4.0 - 2.0 * OMEGA)
    rate = -DIFFUSIVITY * 0.25 / KT * k**2 * (curvature + kappa * k**2)
    start(device, lambda z: 0.5 + 1e-4 * np.cos(k * z))
    z, before = content(device)
    duration = 1.0 / abs(rate)
    device.drive(Ramp((0.0, duration), ((0.0, 0.0),) * 2), fixed=duration / 400.0)
    z, after = content(device)
    wave = np.cos(k * z)
    growth = np.log((after - 0.5) @ wave / ((before - 0.5) @ wave)) / duration
    verify(f"phases.growth({waves})", growth, rate, rel=1e-2, unit="1/s",
           title=f"early growth rate of {waves / 2:g} waves in the film",
           source="linear theory of Cahn (1961)")  # fmt: skip


def open_circuit(x, temperature):
    """A potential against lithium [V]."""
    return 3.0 - 0.8 * x + 0.05 * jnp.sin(6.0 * x) + 0.0 * temperature


def test_open_circuit_curve_sets_the_potential_of_the_ion(verify):
    """Inside its range the whole potential is level - e U(x); the ideal part is taken off."""
    law = laws("excess")["open_circuit"]
    given = {"potential": open_circuit, "lower_content": 1e-3, "upper_content": 0.999}
    lattice = laws("statistics")["lattice_gas"]
    worst = 0.0
    for x in np.linspace(0.01, 0.99, 50):
        eta = np.log(x / (1.0 - x))
        found = eta + float(law.function(lattice.function(eta, {}, KT).x, given, KT))
        worst = max(worst, abs(found * KT + float(open_circuit(x, T))))
    verify("insertion.open_circuit", worst, 0.0, abs=1e-14, unit="V",
           title="largest difference of the ion's potential from -U(x)",
           source="definition, theory of open-circuit curves")  # fmt: skip


def test_a_film_charged_through_its_surface_follows_the_open_circuit_curve(verify):
    """Coulomb counting (V1): slow insertion from an electrolyte at a given potential."""
    hop = bound("transport", "site_hopping", diffusivity=1e-12)
    inside = bound("excess", "open_circuit", lower_content=1e-3, upper_content=0.999)
    curve = replace(inside, curves={"potential": open_circuit})
    lithium = replace(species("Li", 1, "lattice_gas", SITES, hop), excess=curve)
    counter = species("e-", -1, "lattice_gas", SITES, hop)
    region = RegionModel("film", 10.0, 0.0, (lithium, counter), neutral=True)
    metal = {"e-": bound("contact", "exchange", exchange_current_density=1e5)}
    rest = cell_voltage(0.5)
    lithium_metal = {
        "Li": bound(
            "contact",
            "butler_volmer",
            exchange_current_density=1e3,
            # Voltages count from that of the cell at x = 1/2, where it rests at 0 V.
            chemical_potential=-rest,
            transfer_coefficient=0.5,
        )
    }
    top = ContactModel("top", 0.0, metal)
    bottom = ContactModel("bottom", 0.0, lithium_metal)
    device = Device(stack(layer("film", 5e-8, 5e-9)), model((region,), (), top, bottom, T))
    device.settle()
    position = device.volumes.contacts.index("top")
    wanted = (0.3, 0.6, 0.8)
    ends = [(0.0, 0.0)]
    for x in wanted:
        row = [0.0, 0.0]
        row[position] = cell_voltage(x) - rest
        ends += [tuple(row)] * 2
    times = (0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 30.0)
    found = [
        state.amounts[device.system.members("Li", ("film",))].sum() / (SITES * 5e-8)
        for state in device.march(Ramp(times, tuple(ends)), tolerance=1e-3)
        if state.time in (10.0, 20.0, 30.0)
    ]
    verify(
        "insertion.titration",
        found,
        wanted,
        rel=1e-6,
        unit="1",
        title="content at three voltages against lithium, from the amounts",
        source="V = U(x) - V_T ln(x/(1-x)), the curve given",
    )


def cell_voltage(x):
    """Voltage of the host against lithium; electrons add their own ideal part."""
    return float(open_circuit(x, T)) - KT * np.log(x / (1.0 - x))
