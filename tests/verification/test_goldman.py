"""Goldman's constant field: three ions across a membrane."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from ionstack.physics.constants import thermal_voltage
from support.films import bound, film, model, slab, species
from support.problems import AVOGADRO, FARADAY, contents, fill, reservoir, steady

LENGTH = 1e-6
SOURCE = "Goldman (1943); exact for equal total concentrations"
# Valence, diffusivity [m^2/s], concentration on the left and on the right [mol/m^3].
IONS = {
    "K": (1, 1.957e-9, 100.0, 0.0),
    "Na": (1, 1.334e-9, 0.0, 100.0),
    "Cl": (-1, 2.032e-9, 100.0, 100.0),
}
SITES = 100.0 * AVOGADRO
TRACE = 1e-9  # stands for 0, of which there is no logarithm
# So fast that the contents at the contacts miss the reservoirs by 1e-7.
VELOCITY = 2e4


def membrane():
    held = tuple(
        species(name, z, "boltzmann", SITES, bound("transport", "sedan", diffusivity=D))
        for name, (z, D, *_) in IONS.items()
    )
    contacts = {
        contact: {
            name: reservoir(max(ion[side] * AVOGADRO, TRACE * SITES), VELOCITY)
            for name, ion in IONS.items()
        }
        for contact, side in (("cathode", 2), ("anode", 3))
    }
    found = film(slab(LENGTH, 2e-8), model(held, 78.49, 298.15, contacts=contacts))
    share = found.volumes.depth / LENGTH
    rising, falling = share + TRACE * (1 - share), 1 - share + TRACE * share
    fill(found, {"K": falling, "Na": rising, "Cl": 1.0})
    return found


def current(found, volts: float) -> float:
    """Current density from left to right at `volts` = V_left - V_right."""
    steady(found, (0.5 * volts, 0.0))  # contents that are traces at one side move by decades
    return float(steady(found, (volts, 0.0))[0])


@pytest.mark.parametrize(
    ("volts", "expected"), [(-0.05, -61253.73833), (0.05, 76850.26719), (0.1, 150289.2468)]
)
def test_current(volts, expected, verify):
    verify(
        f"goldman.current({volts:g})",
        current(membrane(), volts),
        expected,
        rel=1e-6,
        unit="A/m^2",
        title=f"current density at {volts:g} V",
        source=SOURCE,
    )


def goldman(volts: float) -> float:
    """Current density in closed form."""
    w = volts / thermal_voltage(298.15)
    parts = [
        z * D * (left * z * w / -np.expm1(-z * w) - right * z * w / np.expm1(z * w))
        for z, D, left, right in IONS.values()
    ]
    return float(FARADAY / LENGTH * sum(parts))


def branch(volts) -> list[float]:
    """Currents at voltages of growing size."""
    found = membrane()
    return [current(found, float(one)) for one in volts]


def test_curve(verify):
    """Rectification between the conductivities of the two solutions."""
    steps = np.linspace(0.025, 0.15, 6)
    volts = np.concatenate([-steps[::-1], steps])
    values = np.array([*branch(-steps)[::-1], *branch(steps)])
    verify(
        "goldman.curve",
        values,
        [goldman(one) for one in volts],
        rel=1e-6,
        unit="A/m^2",
        title="current density from -0.15 to 0.15 V",
        source=SOURCE,
    )
    axes = {"xlabel": "voltage (V)", "ylabel": "current density (kA/m²)"}
    axes["title"] = "Three ions across a membrane"
    fine = np.linspace(-0.15, 0.15, 100)
    verify.curve("goldman", fine, [goldman(v) / 1e3 for v in fine], label="Goldman", **axes)
    verify.curve("goldman", volts, values / 1e3, label="ionstack", points=True, **axes)


def test_fluxes(verify):
    found = membrane()
    current(found, 0.05)
    left = int(np.argmin(found.volumes.depth))
    wanted = {"K": 0.4443110366, "Na": -0.04325906835, "Cl": -0.3954449241}
    for name, expected in wanted.items():
        outside = max(IONS[name][2] * AVOGADRO, TRACE * SITES) / SITES
        inward = VELOCITY * (outside - contents(found, name)[left]) * SITES / AVOGADRO
        verify(
            f"goldman.flux({name})",
            inward,
            expected,
            rel=1e-6,
            unit="mol/(m^2 s)",
            title=f"flux of {name} at 0.05 V",
            source=SOURCE,
        )


def test_reversal_potential(verify):
    found = membrane()
    zero = brentq(lambda volts: current(found, volts), -0.01, 0.0, xtol=1e-12)
    verify(
        "goldman.reversal",
        zero,
        -0.004362997583,
        abs=1e-8,
        unit="V",
        title="voltage without current",
        source=SOURCE,
    )
