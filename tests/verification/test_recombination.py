"""Devices with recombination and barriers: pin diode, Schottky diode, dissociation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.interpolate import CubicSpline

from ionstack.models.model import ContactModel, ReactionModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, thermal_voltage
from support.films import bound, species
from support.layers import Device, layer, model, stack
from support.problems import steady

T = 300.0
KT = thermal_voltage(T)

# ChargeTransport.jl, Ex102_PIN_nodal_doping: GaAs-like, 0.3 um on 25 nodes, SRH of 1 ps.
LENGTH = 0.3e-6
BANDS = {"Nc": 4.35195989587969e23, "Nv": 9.139615903601645e24, "Ec": 1.424, "Ev": 0.0}
TRAPS = {"n": 4.760185435081902e11, "p": 9.996936448738406e12}


def doping(points):
    """Net fixed charge [1/m^3]; p side at the top."""
    x = points[:, -1] * 1e6
    step = 1.0 + np.tanh((0.1 - x) * 500.0) - (1.0 + np.tanh((x - 0.2) * 500.0))
    return -1e23 / 2.0 * step


def pin():
    carriers = (
        species("e-", -1, "boltzmann", BANDS["Nc"], _mobile(8500e-4), level=BANDS["Ec"]),
        species("h+", 1, "boltzmann", BANDS["Nv"], _mobile(400e-4), level=-BANDS["Ev"]),
    )
    srh = bound("reaction", "srh", first_lifetime=1e-12, second_lifetime=1e-12,
                first_density=TRAPS["n"], second_density=TRAPS["p"])  # fmt: skip
    recombination = ReactionModel("srh", (("e-", 1), ("h+", 1)), (), srh)
    region = RegionModel("film", 12.9, doping, carriers, (recombination,))
    metal = {name: bound("contact", "ohmic") for name in ("e-", "h+")}
    contacts = [ContactModel(name, None, metal) for name in ("top", "bottom")]
    device = Device(
        stack(layer("film", LENGTH, LENGTH / 24)), model((region,), (), *contacts, temperature=T)
    )
    device.settle()
    return device


def _mobile(mobility):
    return bound("transport", "sedan", diffusivity=mobility * KT)


def test_pin_diode_of_another_code(verify):
    """Potential at the fifth node from the p side, and the current, at 1.4 V."""
    device = pin()
    top = device.volumes.contacts.index("top")
    current = 0.0
    for volts in np.linspace(0.0, 1.4, 29)[1:]:
        ends = [0.0, 0.0]
        ends[top] = float(volts)
        current = steady(device, tuple(ends), most=60)[top]
    found = device.potential()[device.inside("film")[4]]
    verify("pin.potential", found, 1.4676876548796856, rel=1e-9, unit="V",
           title="potential at node 5 at 1.4 V, 25 nodes",
           source="ChargeTransport.jl, Ex102, published scalar")  # fmt: skip
    verify("pin.current", abs(current), 3.517085025e9, rel=1e-6, unit="A/m^2",
           title="current density at 1.4 V", source="the same problem, recomputed")  # fmt: skip


def schottky(barrier, law):
    """n-type film, 1e22 1/m^3, on a metal with a barrier; ohmic contact below."""
    doped, sites = 1e22, 2.8e25
    electron = species("e-", -1, "boltzmann", sites, _mobile(0.1), level=-4.0)
    region = RegionModel("film", 11.7, doped, (electron,))
    top = ContactModel("top", 4.0 + barrier, {"e-": law})
    bottom = ContactModel("bottom", None, {"e-": bound("contact", "ohmic")})
    device = Device(
        stack(layer("film", 1.5e-6, 1e-9, 1.05)), model((region,), (), top, bottom, temperature=T)
    )
    device.settle()
    return device


@pytest.mark.parametrize("volts", [0.1, 0.2])
def test_schottky_diode(volts, verify):
    """Thermionic emission with diffusion (Crowell and Sze): J0 = e Nc v_R/(1 + v_R/v_D)."""
    velocity, barrier, sites = 2e3, 0.7, 2.8e25
    device = schottky(barrier, bound("contact", "finite_rate", velocity=velocity))
    top = device.volumes.contacts.index("top")
    ends = [0.0, 0.0]
    for step in np.linspace(0.0, volts, 5)[1:]:
        ends[top] = float(step)
        found = steady(device, tuple(ends), most=60)[top]
    # Diffusion velocity from the potential found: 1/v_D = int exp(psi_top - psi)/D dx.
    nodes = device.inside("film")
    z, phi = device.depth[nodes], device.potential()[nodes]
    fine = np.linspace(z[0], z[-1], 400_001)
    rise = CubicSpline(z, (phi[0] - phi) / KT)(fine)
    diffusion = 0.1 * KT / simpson(np.exp(rise), x=fine)
    emitted = ELEMENTARY_CHARGE * sites * np.exp(-barrier / KT) * velocity
    expected = emitted / (1.0 + velocity / diffusion) * np.expm1(volts / KT)
    verify(f"schottky.current({volts:g})", abs(found), expected, rel=2e-3, unit="A/m^2",
           title=f"Schottky diode at {volts:g} V, barrier 0.7 eV",
           source="Crowell and Sze, Solid-State Electron. 9, 1035 (1966)")  # fmt: skip


def test_dissociation_in_lipon(verify):
    """Steady contents of Danilov's reaction: k_d c(Li0) = k_r c(Li+) c(n-)."""
    total, share = 6.01e28, 0.18
    hop = bound("transport", "sedan", diffusivity=9e-16)
    free = share * total
    # Boltzmann species: level difference sets k_d/k_r = free^2/(total - free).
    level = KT * np.log(free**2 / ((total - free) * total))
    held = (
        species("Li0", 0, "boltzmann", total, bound("transport", "immobile"), level=level),
        species("Li+", 1, "boltzmann", total, hop),
        species("n-", -1, "boltzmann", total, hop),
    )
    rate = 0.9e-8 / 6.02214076e23 * total**2  # k_r c^2 at x = 1, from 0.9e-8 m^3/(mol s)
    reaction = ReactionModel(
        "dissociation",
        (("Li+", 1), ("n-", 1)),
        (("Li0", 1),),
        bound("reaction", "mass_action", rate=rate),
    )
    region = RegionModel("LiPON", 16.6, 0.0, held, (reaction,))
    contents = {"LiPON": {"Li0": 0.5, "Li+": 0.5, "n-": 0.5}}
    device = Device(stack(layer("LiPON", 1e-7, 1e-8)), model((region,), temperature=T), contents)
    device.settle("as_given")
    last = device.rest(1e6)[-1]
    found = last.amounts[device.system.members("Li+", ("LiPON",))].sum() / (total * 1e-7)
    verify("danilov.mobile_share", found, share, rel=1e-8, unit="1",
           title="mobile share of lithium in LiPON after recombination from 1/2",
           source="Danilov et al. (2011): fraction 0.18")  # fmt: skip
