"""Double layers: Gouy and Chapman, lattice gases, one mobile ion, Donnan potential."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from support.films import bound, film, model, slab, species
from support.problems import AVOGADRO

TEMPERATURE = 298.15
THERMAL = thermal_voltage(TEMPERATURE)
PERMITTIVITY = 78.49
BULK = 100.0 * AVOGADRO
DEBYE = 9.619217283656691e-10  # m
SITES = 1.0 / 0.5e-9**3
EXCHANGE = bound("contact", "exchange", exchange_current_density=1e6)


def half_space(volts, statistics="boltzmann", sites=BULK, level=0.0, sublattice=None):
    """Cathode at `volts` against an electrolyte whose ions the anode holds at bulk content."""
    hop = bound("transport", "sedan", diffusivity=1e-9)
    ions = tuple(
        replace(species(name, z, statistics, sites, hop, level), sublattice=sublattice)
        for name, z in (("K", 1), ("Cl", -1))
    )
    water = model(
        ions,
        PERMITTIVITY,
        TEMPERATURE,
        work_functions=(-volts, 0.0),
        contacts={"anode": {"K": EXCHANGE, "Cl": EXCHANGE}},
    )
    found = film(slab(3e-8, 3e-13, 1.01), water)
    found.settle({})
    return found


def charge(found) -> float:
    """Charge of the cathode [C/m^2]."""
    return float(found.metal_charge()[0]) * ELEMENTARY_CHARGE


def capacity(volts, *electrolyte) -> float:
    """Differential capacity by central difference [F/m^2]."""
    step = 1e-4
    high, low = (charge(half_space(volts + side, *electrolyte)) for side in (step, -step))
    return (high - low) / (2.0 * step)


GOUY_CHAPMAN = {
    0.025: (0.0187829289, 0.8096820999, 0.009043033624, 4.64434101675e-8),
    0.05: (0.04210023543, 1.092353325, 0.0172276409, 1.96985521455e-7),
    0.1: (0.1273076, 2.580709498, 0.02911119123, 9.89638827431e-7),
    0.2: (0.9094945952, 17.71429731, 0.03792842935, 9.04932818593e-6),
}


@pytest.mark.parametrize("volts", GOUY_CHAPMAN)
def test_gouy_chapman(volts, verify):
    sigma, differential, decayed, salt = GOUY_CHAPMAN[volts]
    found = half_space(volts)
    depth, phi = found.volumes.depth, found.potential()
    order = np.argsort(depth)
    inside = CubicSpline(depth[order], phi[order])
    source = {"source": "Gouy (1910), Chapman (1913)"}
    name = f"{volts:g} V"
    verify(
        f"gouy_chapman.charge({volts:g})",
        charge(found),
        sigma,
        rel=5e-5,
        unit="C/m^2",
        title=f"charge at {name}",
        **source,
    )
    verify(
        f"gouy_chapman.capacity({volts:g})",
        capacity(volts),
        differential,
        rel=1e-4,
        unit="F/m^2",
        title=f"differential capacity at {name}",
        **source,
    )
    verify(
        f"gouy_chapman.potential({volts:g})",
        float(inside(DEBYE)),
        decayed,
        rel=1e-4,
        unit="V",
        title=f"potential one Debye length deep, {name}",
        **source,
    )
    total = (
        sum(found.system.evaluate(np.zeros(found.layout.n_owned), 1.0, 0.0, np.zeros(2)).amounts)
        / AVOGADRO
    )
    verify(
        f"gouy_chapman.salt({volts:g})",
        total - 2.0 * BULK / AVOGADRO * 3e-8,
        salt,
        rel=1e-4,
        unit="mol/m^2",
        title=f"excess salt at {name}",
        **source,
    )
    if volts == 0.2:
        deep = np.linspace(0.0, 4.0 * DEBYE, 200)
        exact = 4 * THERMAL * np.arctanh(np.tanh(0.25 * volts / THERMAL) * np.exp(-deep / DEBYE))
        axes = {
            "xlabel": "depth (nm)",
            "ylabel": "potential (V)",
            "title": "Double layer at 0.2 V",
        }
        near = order[depth[order] < deep[-1]][::12]
        verify.curve("gouy_chapman", deep * 1e9, exact, label="Gouy and Chapman", **axes)
        verify.curve(
            "gouy_chapman", depth[near] * 1e9, phi[near], label="ionstack", points=True, **axes
        )


def independent(volts: float) -> float:
    """Charge [C/m^2] of two lattice gases with own sites.

    With the content x0 of the bulk, the pressure of each gas is -kT N ln(1 - x), so
    sigma^2 = 2 eps kT N ln[(1 + x0 (e^u - 1))(1 + x0 (e^-u - 1))].
    """
    bulk, u = BULK / SITES, volts / THERMAL
    pressure = np.log1p(bulk * np.expm1(u)) + np.log1p(bulk * np.expm1(-u))
    energy = PERMITTIVITY * VACUUM_PERMITTIVITY * ELEMENTARY_CHARGE * THERMAL * SITES
    return float(np.sqrt(2.0 * energy * pressure))


@pytest.mark.parametrize("volts", [0.1, 0.2, 0.5, 1.0])
def test_lattice_gas(volts, verify):
    """Ions of each sign on their own sites of (0.5 nm)^3."""
    level = -THERMAL * np.log(BULK / (SITES - BULK))
    found = half_space(volts, "lattice_gas", SITES, level)
    verify(
        f"lattice_gas.charge({volts:g})",
        charge(found),
        independent(volts),
        rel=2e-5,
        unit="C/m^2",
        title=f"charge at {volts:g} V, own sites for each sign",
        source="first integral of Poisson's equation, two independent lattice gases",
    )


BIKERMAN = {
    0.1: (0.1177910043, 2.059849074, 3619.961573),
    0.2: (0.3673495104, 2.299614755, 12598.25144),
    0.5: (0.816687176, 1.090705499, 13284.30639),
    1.0: (1.248095961, 0.7136996141, 13284.31254),
}


@pytest.mark.parametrize("volts", BIKERMAN)
def test_bikerman(volts, verify):
    """Ions of both signs share sites of (0.5 nm)^3."""
    sigma, differential, counter = BIKERMAN[volts]
    level = -THERMAL * np.log(BULK / (SITES - 2.0 * BULK))
    electrolyte = ("lattice_gas", SITES, level, "ions")
    found = half_space(volts, *electrolyte)
    source = {"source": "Bikerman (1942); Kilic, Bazant, Ajdari (2007)"}
    verify(
        f"bikerman.charge({volts:g})",
        charge(found),
        sigma,
        rel=2e-5,
        unit="C/m^2",
        title=f"charge at {volts:g} V, shared sites",
        **source,
    )
    verify(
        f"bikerman.capacity({volts:g})",
        capacity(volts, *electrolyte),
        differential,
        rel=5e-5,
        unit="F/m^2",
        title=f"differential capacity at {volts:g} V, shared sites",
        **source,
    )
    verify(
        f"bikerman.counter_ions({volts:g})",
        _counter_ions(found, level),
        counter,
        rel=1e-8,
        unit="mol/m^3",
        title=f"counter-ions at the wall at {volts:g} V",
        **source,
    )


def test_bikerman_capacity_curve(verify):
    """The camel's hump that point ions do not have."""
    volts = np.linspace(0.02, 0.4, 9)
    level = -THERMAL * np.log(BULK / (SITES - 2.0 * BULK))
    values = [capacity(one, "lattice_gas", SITES, level, "ions") for one in volts]
    fine = np.linspace(0.01, 0.4, 100)
    axes = {"xlabel": "voltage (V)", "ylabel": "capacity (F/m²)"}
    axes["title"] = "Ions of (0.5 nm)³ that share sites"
    verify.curve("bikerman", fine, [_bikerman(one) for one in fine], label="Bikerman", **axes)
    verify.curve("bikerman", volts, values, label="ionstack", points=True, **axes)
    verify(
        "bikerman.curve",
        values,
        [_bikerman(one) for one in volts],
        rel=5e-5,
        unit="F/m^2",
        title="differential capacity from 0.02 to 0.4 V, shared sites",
        source="Bikerman (1942); Kilic, Bazant, Ajdari (2007)",
    )


def _bikerman(volts: float) -> float:
    """Differential capacity [F/m^2]."""
    share, u = 2.0 * BULK / SITES, volts / THERMAL
    crowd = 2.0 * share * np.sinh(0.5 * u) ** 2
    root = np.sqrt(2.0 / share * np.log1p(crowd))
    capacity = PERMITTIVITY * VACUUM_PERMITTIVITY / DEBYE
    return float(capacity * np.sinh(u) / ((1.0 + crowd) * root))


def _counter_ions(found, level: float) -> float:
    """Density of the anions at the wall on shared sites [mol/m^3]."""
    wall = np.argmin(found.volumes.depth)
    u, phi = found.system.local_unknowns(), found.potential()[wall]
    weights = [
        np.exp((u[found.layout.species[name][wall]] - level - z * phi) / THERMAL)
        for name, z in (("K", 1), ("Cl", -1))
    ]
    return float(SITES * weights[1] / (1.0 + sum(weights)) / AVOGADRO)


# Charge [C/m^2], plateau [V], largest and smallest content (`casec` of the references).
ONE_ION = {
    0.1: (0.005377172125, 0.03551806684405717, 3.950729193, 0.08255648614338504),
    0.5: (0.01679270467, 0.07657931451111473, 19.34086361, 7.706293643e-8),
    1.0: (0.02497867403, 0.0944985551719126, 38.68172707, 6.141086837832202e-16),
}


@pytest.mark.parametrize("volts", ONE_ION)
def test_one_mobile_ion(volts, verify):
    """Closed film, cations on a fixed background: enrichment at one wall, depletion opposite."""
    hop = bound("transport", "sedan", diffusivity=1e-16)
    ion = species("ion", 1, "boltzmann", 1e25, hop)
    film_model = model((ion,), 25.0, 300.0, fixed_charge=-1e25, work_functions=(-volts, 0.0))
    found = film(slab(1e-7, 1e-11, 1.015), film_model)
    found.settle({"ion": 1.0})
    u, phi = found.system.local_unknowns()[found.layout.species["ion"]], found.potential()
    filling = np.exp((u - phi) / thermal_voltage(300.0))
    middle = np.argmin(np.abs(found.volumes.depth - 5e-8))
    values = (charge(found), phi[middle], filling.max(), filling.min())
    titles = ("charge", "potential of the plateau", "largest content", "smallest content")
    names = ("charge", "plateau", "largest", "smallest")
    for name, title, unit, value, expected in zip(
        names, titles, ("C/m^2", "V", "1", "1"), values, ONE_ION[volts], strict=True
    ):
        verify(
            f"one_ion.{name}({volts:g})",
            value,
            expected,
            rel=5e-4,
            unit=unit,
            title=f"{title} at {volts:g} V",
            source="a + exp(-a) = exp(b) - b, a + b = V/VT",
        )


def test_donnan_potential(verify):
    """Fixed charge ten times the salt outside, between reservoirs of the salt."""
    hop = bound("transport", "sedan", diffusivity=1e-9)
    ions = tuple(species(name, z, "boltzmann", BULK, hop) for name, z in (("K", 1), ("Cl", -1)))
    contacts = {side: {"K": EXCHANGE, "Cl": EXCHANGE} for side in ("cathode", "anode")}
    gel = model(ions, PERMITTIVITY, TEMPERATURE, fixed_charge=10.0 * BULK, contacts=contacts)
    found = film(slab(3e-8, 1e-10, 1.1), gel)
    found.settle({})
    middle = np.argmin(np.abs(found.volumes.depth - 1.5e-8))
    verify(
        "donnan.potential",
        found.potential()[middle] / THERMAL,
        2.312438341,
        rel=1e-9,
        title="potential over VT for X/2c0 = 5",
        source="Donnan: asinh(X/2c0)",
    )


@pytest.mark.parametrize(
    ("celsius", "slope"), [(300.0, 0.05686), (400.0, 0.06678), (500.0, 0.0767)]
)
def test_nernst_slope(celsius, slope, verify):
    """Rise of a divalent ion's equilibrium potential per decade of its density."""
    kelvin = celsius + 273.15
    exact = thermal_voltage(kelvin) * np.log(10.0) / 2.0
    assert exact == pytest.approx(slope, abs=6e-6)
    potentials = [_bulk_potential(kelvin, density) for density in (1e24, 1e25)]
    verify(
        f"nernst.slope({celsius:g})",
        potentials[0] - potentials[1],
        exact,
        rel=1e-6,
        unit="V",
        title=f"potential per decade at {celsius:g} °C, z = 2",
        source="Nernst: kT/2e ln 10",
    )


def _bulk_potential(kelvin: float, density: float) -> float:
    """Potential inside a film in which a fixed charge holds the ion's density."""
    hop = bound("transport", "sedan", diffusivity=1e-12)
    ion = species("ion", 2, "boltzmann", 1e27, hop)
    contacts = {side: {"ion": EXCHANGE} for side in ("cathode", "anode")}
    found = film(
        slab(2e-7, 1e-10, 1.2),
        model((ion,), 10.0, kelvin, fixed_charge=-2.0 * density, contacts=contacts),
    )
    found.settle({})
    return float(found.potential()[np.argmin(np.abs(found.volumes.depth - 1e-7))])


def test_potential_where_the_charge_vanishes(verify):
    """The bulk of a closed lattice gas: brentq on neutrality against the film's middle."""
    background, sites = 0.3, 1e27
    level = brentq(lambda eta: 1.0 / (1.0 + np.exp(-eta)) - background, -5.0, 5.0, xtol=1e-14)
    hop = bound("transport", "site_hopping", diffusivity=1e-12)
    ion = species("ion", 1, "lattice_gas", sites, hop)
    contacts = {side: {"ion": EXCHANGE} for side in ("cathode", "anode")}
    charged = model((ion,), 10.0, 300.0, fixed_charge=-background * sites, contacts=contacts)
    found = film(slab(2e-8, 1e-11, 1.2), charged)
    found.settle({})
    middle = np.argmin(np.abs(found.volumes.depth - 1e-8))
    verify(
        "lattice_gas.bulk",
        found.potential()[middle],
        -level * thermal_voltage(300.0),
        rel=1e-9,
        unit="V",
        title="bulk potential of a lattice gas filled to 0.3",
        source="neutrality: x = 0.3",
    )
