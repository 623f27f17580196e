"""Electrode kinetics: Butler and Volmer, voltammetry, conductivity of a film."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.physics.constants import thermal_voltage
from support.devices import Ramp
from support.films import bound, film, model, slab, species
from support.problems import AVOGADRO, FARADAY, contents, fill, nernst, steady

TEMPERATURE = 298.15
THERMAL = thermal_voltage(TEMPERATURE)


def contact_limited():
    """A film of vanishing resistance; one contact takes all of the voltage."""
    held = species("ion", 1, "lattice_gas", 1e27, bound("transport", "ohmic", conductivity=1e6))
    contacts = {
        "cathode": {"ion": bound("contact", "exchange", exchange_current_density=1.0)},
        "anode": {"ion": bound("contact", "exchange", exchange_current_density=1e12)},
    }
    chosen = model((held,), 10.0, TEMPERATURE, fixed_charge=-5e26, contacts=contacts)
    found = film(slab(1e-9, 1e-10), chosen)
    found.settle({})
    return found


def test_butler_volmer(verify):
    found = contact_limited()
    source = "2 sinh(η/2VT)"
    wanted = {0.001: 0.03892420132, 0.01: 0.3916788779, 0.1: 6.858407791, 0.2: 48.99695556}
    for volts, expected in wanted.items():
        verify(
            f"butler_volmer.current({volts:g})",
            steady(found, (volts, 0.0))[0],
            expected,
            rel=1e-6,
            title=f"current over exchange current at {volts:g} V",
            source=source,
        )
    small = steady(found, (1e-5, 0.0))[0]
    verify(
        "butler_volmer.resistance",
        1e-5 / small,
        THERMAL,
        rel=1e-6,
        unit="Ω m^2",
        title="charge transfer resistance times exchange current density of 1 A/m²",
        source="VT/j0",
    )
    low, high = (steady(found, (volts, 0.0))[0] for volts in (0.4, 0.5))
    verify(
        "butler_volmer.tafel",
        0.1 / np.log10(high / low),
        2.0 * THERMAL * np.log(10.0),
        rel=1e-5,
        unit="V",
        title="Tafel slope per decade",
        source="2 VT ln 10",
    )


def voltammogram(mesh, density, velocity, start, end):
    """Voltages and current densities of a sweep of -0.1 V/s at a reversible electrode.

    Both contacts follow the sweep, and the permittivity is so high that the ions' charge
    makes no field: what supporting electrolyte does in an experiment.
    """
    sites, step = density * AVOGADRO, 5e-4
    held = species("ion", 1, "boltzmann", sites, bound("transport", "sedan", diffusivity=1e-9))
    contacts = {"cathode": {"ion": nernst(sites, velocity)}}
    found = film(mesh, model((held,), 1e15, TEMPERATURE, 0.0, (0, 0), contacts))
    fill(found, {"ion": 1.0 / (1.0 + np.exp(-start / THERMAL))}, start)
    ramp = Ramp((0.0, (start - end) / 0.1), ((start, start), (end, end)))
    wall = int(np.argmin(found.volumes.depth))
    rows = []
    for state in found.drive(ramp, fixed=step / 0.1):
        volts = state.voltages[0]
        drop = contents(found, "ion")[wall] - 1.0 / (1.0 + np.exp(-volts / THERMAL))
        rows.append((volts, FARADAY * velocity * density * drop))
    return np.array(rows).T


def peak(volts, currents) -> tuple[float, float]:
    """Voltage and current of the maximum, from the parabola through three points."""
    k = int(np.argmax(currents))
    bend, slope, top = np.polyfit(volts[k - 1 : k + 2] - volts[k], currents[k - 1 : k + 2], 2)
    return float(volts[k] - slope / (2 * bend)), float(top - slope**2 / (4 * bend))


def test_reversible_voltammogram(verify):
    """Semi-infinite diffusion of a species of 1 mol/m^3."""
    volts, currents = voltammogram(slab(5e-4, 5e-8, 1.02), 1.0, 2.0, 0.35, -0.15)
    place, height = peak(volts, currents)
    before = volts > place
    half = np.interp(0.5 * height, currents[before], volts[before])
    source = "Randles (1948), Ševčík (1948); Nicholson and Shain (1964)"
    verify(
        "voltammogram.peak",
        height,
        2.686454356,
        rel=2e-4,
        unit="A/m^2",
        title="peak current density at 0.1 V/s",
        source=source,
    )
    verify(
        "voltammogram.place",
        place,
        -0.028493,
        abs=2e-5,
        unit="V",
        title="peak potential against the standard potential",
        source=source,
    )
    verify(
        "voltammogram.half",
        half - place,
        0.05658346581,
        abs=2e-5,
        unit="V",
        title="half-peak potential less peak potential",
        source=source,
    )
    axes = {"xlabel": "voltage (V)", "ylabel": "current density (A/m²)"}
    axes["title"] = "Reversible electrode at 0.1 V/s"
    verify.curve("voltammogram", volts[::4], currents[::4], label="ionstack", **axes)
    exact = [-0.028493, -0.028493 + 0.056583], [2.686454356, 0.5 * 2.686454356]
    verify.curve("voltammogram", *exact, label="exact peak and half peak", points=True, **axes)


def test_thin_layer(verify):
    """A film so thin that it follows the electrode: 1e-5 mol/m^2."""
    volts, currents = voltammogram(slab(1e-8, 1e-9), 1000.0, 1e-2, 0.2, -0.2)
    place, height = peak(volts, currents)
    inside = np.flatnonzero(currents > 0.5 * height)
    ends = [
        np.interp(0.5 * height, currents[pair], volts[pair])
        for pair in ([inside[0] - 1, inside[0]], [inside[-1] + 1, inside[-1]])
    ]
    source = "Laviron (1979)"
    verify(
        "thin_layer.peak",
        height,
        0.9388443611,
        rel=1e-4,
        unit="A/m^2",
        title="peak current density at 0.1 V/s",
        source=source,
    )
    verify(
        "thin_layer.place",
        place,
        0.0,
        abs=2e-5,
        unit="V",
        title="peak potential against the standard potential",
        source=source,
    )
    verify(
        "thin_layer.width",
        (ends[0] - ends[1]) / THERMAL,
        2.0 * np.log(3.0 + np.sqrt(8.0)),
        rel=2e-4,
        title="full width at half maximum over VT",
        source="2 ln(3 + √8) = 3.53",
    )


def test_conductivity_of_lipon(verify):
    """Two mobile charges between reservoirs: the film's conductivity after Nernst and Einstein."""
    density = 0.18 * 6.0e4 * AVOGADRO
    held = tuple(
        species(name, z, "boltzmann", density, bound("transport", "sedan", diffusivity=D))
        for name, z, D in (("Li", 1, 0.9e-15), ("n", -1, 5.1e-15))
    )
    fast = bound("contact", "exchange", exchange_current_density=1e9)
    contacts = {side: {"Li": fast, "n": fast} for side in ("cathode", "anode")}
    found = film(slab(1e-6, 1e-8), model(held, 16.6, TEMPERATURE, contacts=contacts))
    found.settle({})
    current = steady(found, (1e-3, 0.0))[0]
    expected = FARADAY**2 / (8.31446261815324 * TEMPERATURE) * 0.18 * 6.0e4 * 6.0e-15
    assert expected == pytest.approx(2.43e-4, rel=5e-3)
    verify(
        "lipon.conductivity",
        current * 1e-6 / 1e-3,
        expected,
        rel=1e-6,
        unit="S/m",
        title="conductivity of LiPON at 25 °C",
        source="Danilov et al., J. Electrochem. Soc. 158, A215 (2011), Nernst and Einstein",
    )


def test_poole_frenkel(verify):
    """Lowering of the barrier in a uniform field of 1e8 V/m."""
    numbers = {"conductivity": 1e-6, "optical_permittivity": 9.0}
    held = species("e", -1, "lattice_gas", 1e27, bound("transport", "poole_frenkel", **numbers))
    fast = bound("contact", "exchange", exchange_current_density=1e12)
    contacts = {side: {"e": fast} for side in ("cathode", "anode")}
    found = film(slab(1e-9, 1e-11), model((held,), 1e9, 300.0, contacts=contacts))
    found.settle({})
    current = steady(found, (0.1, 0.0))[0]
    verify(
        "poole_frenkel.lowering",
        thermal_voltage(300.0) * np.log(current / (1e-6 * 1e8)),
        0.2529790986,
        rel=1e-6,
        unit="V",
        title="lowering at 1e8 V/m, permittivity 9",
        source="Frenkel (1938)",
    )
