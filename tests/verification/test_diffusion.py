"""Diffusion: film uptake, Cottrell, Sand, impedance, limiting currents."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import splu
from scipy.special import erf

from ionstack.physics.constants import thermal_voltage
from support.films import bound, film, model, slab, species
from support.problems import (
    AVOGADRO,
    FARADAY,
    contents,
    fill,
    hold,
    injection,
    reservoir,
    steady,
)

DIFFUSIVITY = 1e-9
BULK = AVOGADRO  # 1 mol/m^3


def tracer(length, first_cell, growth, contact, start):
    """A neutral species in a film that one contact supplies, and the other blocks."""
    diffuse = bound("transport", "sedan", diffusivity=DIFFUSIVITY)
    held = species("tracer", 0, "boltzmann", BULK, diffuse)
    chosen = model((held,), 10.0, 298.15, contacts={"cathode": {"tracer": contact}})
    found = film(slab(length, first_cell, growth), chosen)
    fill(found, {"tracer": start})
    return found


def wall(found) -> int:
    return int(np.argmin(found.volumes.depth))


UPTAKE = {
    0.001: 0.03568248232,
    0.01: 0.1128379167,
    0.1: 0.3568234005,
    0.5: 0.7639503307,
    1.0: 0.9312596785,
}


def test_uptake_of_a_film(verify):
    """Series solution for a film open on one side: M/M_inf at D t/L^2."""
    length, trace = 1e-7, 1e-6
    unit = length**2 / DIFFUSIVITY
    open_side = reservoir(BULK, 1e7 * DIFFUSIVITY / length)
    found = tracer(length, 5e-11, 1.02, open_side, trace)
    ramp = hold(tuple(share * unit for share in UPTAKE))
    control = {"tolerance": 1e-6, "initial": 1e-10 * unit, "smallest": 1e-16 * unit}
    rows = [(s.time / unit, s.amounts.sum()) for s in found.drive(ramp, **control)]
    times, amounts = np.array(rows).T
    taken = (amounts / (BULK * length) - trace) / (1.0 - trace)
    for time, expected in UPTAKE.items():
        verify(
            f"film.uptake({time:g})",
            np.interp(time, times, taken),
            expected,
            rel=2e-4,
            title=f"uptake over saturation at D t/L² = {time:g}",
            source="Crank, The Mathematics of Diffusion",
        )
    axes = {"xlabel": "$D t/L^2$", "ylabel": "$M/M_∞$", "xscale": "log", "yscale": "log"}
    axes["title"] = "Uptake of a film"
    late = times > 1e-4
    verify.curve("film_uptake", times[late], taken[late], label="ionstack", **axes)
    verify.curve(
        "film_uptake", list(UPTAKE), list(UPTAKE.values()), label="exact", points=True, **axes
    )


def test_cottrell(verify):
    """The content at one face of a half-space drops to 0 at t = 0.

    The start is the exact profile after 1 ms: a jump in time has no logarithm to follow.
    """
    trace, velocity, begin, length = 1e-4, 1e3, 1e-3, 4e-4
    found = tracer(length, 2e-8, 1.01, reservoir(trace * BULK, velocity), 1.0)
    exact = erf(found.volumes.depth / np.sqrt(4.0 * DIFFUSIVITY * begin))
    fill(found, {"tracer": trace + (1.0 - trace) * exact})
    rows = []
    control = {"tolerance": 2e-8, "initial": 1e-8}
    for state in found.drive(hold((1.0 - begin,)), **control):
        flux = velocity * (contents(found, "tracer")[wall(found)] - trace)
        passed = length - state.amounts.sum() / AVOGADRO
        rows.append((state.time + begin, FARADAY * flux, FARADAY * passed))
    times, currents, charges = np.array(rows[1:]).T
    currents, charges = currents / (1.0 - trace), charges / (1.0 - trace)
    source = "Cottrell (1903)"
    verify(
        "cottrell.current",
        currents[-1],
        1.721418079,
        rel=1e-4,
        unit="A/m^2",
        title="current density after 1 s",
        source=source,
    )
    verify(
        "cottrell.charge",
        charges[-1],
        3.442836158,
        rel=1e-4,
        unit="C/m^2",
        title="charge passed in 1 s",
        source=source,
    )
    late = (times > 0.2) & (times < 1.0)
    verify(
        "cottrell.exponent",
        np.polyfit(np.log(times[late]), np.log(currents[late]), 1)[0],
        -0.5,
        abs=1e-4,
        title="power of time in the current",
        source=source,
    )


def test_sand(verify):
    """A constant current empties the face at the transition time."""
    density = 0.5  # A/m^2
    expected = 29.24640333
    found = tracer(1.2e-3, 1e-7, 1.01, injection(-density / FARADAY * AVOGADRO), 1.0)
    end = 0.9999 * expected
    control = {"tolerance": 1e-6, "initial": 1e-6}
    rows = [
        (state.time, contents(found, "tracer")[wall(found)])
        for state in found.drive(hold((end,)), **control)
    ]
    times, filling = np.array(rows).T
    # The content at the face is 1 - sqrt(t/tau): the last two tenths give tau.
    late = filling < 0.2
    slope, start = np.polyfit(np.sqrt(times[late]), filling[late], 1)
    verify(
        "sand.transition",
        (start / slope) ** 2,
        expected,
        rel=1e-4,
        unit="s",
        title="transition time at 0.5 A/m²",
        source="Sand (1901)",
    )
    axes = {"xlabel": "time (s)", "ylabel": "content at the face", "title": "Constant current"}
    verify.curve("sand", times[::3], filling[::3], label="ionstack", **axes)
    exact = np.linspace(0.0, expected, 13)
    verify.curve("sand", exact, 1.0 - np.sqrt(exact / expected), label="Sand", points=True, **axes)


# Impedance times diffusivity over length at w L^2/D: other face held, other face closed.
WARBURG = {
    0.1: (0.9986688500 - 0.03327945357j, 0.3333121714 - 10.00222201j),
    1.0: (0.8854508118 - 0.2869778728j, 0.3312380920 - 1.022012724j),
    10.0: (0.2197819582 - 0.2297583806j, 0.2272742220 - 0.2174056651j),
}


def linearised(held: bool):
    """Impedance as a function of frequency: change of the content at a face per flow into it."""
    length = 1e-7
    contacts = {"anode": {"tracer": reservoir(BULK, 1e9 * DIFFUSIVITY / length)}} if held else {}
    diffuse = bound("transport", "sedan", diffusivity=DIFFUSIVITY)
    chosen = model(
        (species("tracer", 0, "boltzmann", BULK, diffuse),), 10.0, 298.15, contacts=contacts
    )
    found = film(slab(length, length / 200), chosen)
    fill(found, {"tracer": 1.0})
    flows, stored, rest = (_matrix(found, *both) for both in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0)))
    row = found.layout.species["tracer"][wall(found)]
    inflow = np.zeros(found.layout.n_owned, dtype=complex)
    inflow[row] = BULK * DIFFUSIVITY / length

    def impedance(frequency: float) -> complex:
        omega = frequency * DIFFUSIVITY / length**2
        change = splu(csc_array(flows + 1j * omega * (stored - rest))).solve(inflow)
        return complex(change[row] / thermal_voltage(298.15))

    return impedance


def _matrix(found, lead: float, step: float):
    """Jacobian matrix for weights of stored amounts and of flows."""
    zero = np.zeros(found.layout.n_owned)
    found.system.linearise(zero, lead, step, np.zeros(2))
    starts, columns, entries = found.system.matrix.getValuesCSR()
    return csr_array((entries.copy(), columns, starts))


def test_finite_warburg(verify):
    for k, kind in enumerate(("held", "closed")):
        impedance = linearised(kind == "held")
        for frequency, both in WARBURG.items():
            found, expected = impedance(frequency), both[k]
            verify(
                f"warburg.{kind}({frequency:g})",
                [found.real, found.imag],
                [expected.real, expected.imag],
                rel=5e-5,
                title=f"real and imaginary part of Z D/L at ω L²/D = {frequency:g}, "
                f"other face {kind}",
                source=("tanh s/s", "coth s/s")[k] + ", s = √(i ω L²/D)",
            )
        sweep = np.geomspace(0.5, 1e3, 25)
        curve = np.array([impedance(one) for one in sweep])
        s = np.sqrt(1j * np.geomspace(0.5, 1e3, 200))
        exact = np.tanh(s) / s if kind == "held" else 1.0 / (np.tanh(s) * s)
        axes = {"xlabel": "real part of Z D/L", "ylabel": "− imaginary part"}
        axes["title"] = "Diffusion impedance"
        verify.curve("warburg", exact.real, -exact.imag, label=f"other face {kind}", **axes)
        verify.curve(
            "warburg", curve.real, -curve.imag, label=f"ionstack, {kind}", points=True, **axes
        )


LENGTH, LIMIT = 1e-4, 192.9706642
SALT = 100.0 * AVOGADRO
LIMITING = {
    0.25: -0.007391294408,
    0.5: -0.01780873878,
    0.9: -0.05915934968,
    0.99: -0.1183186994,
}


def electrolyte(density, open_side):
    """Salt between a reservoir or an electrode (left) and a cation-selective wall."""
    hop = bound("transport", "sedan", diffusivity=1e-9)
    ions = tuple(species(name, z, "boltzmann", SALT, hop) for name, z in (("K", 1), ("Cl", -1)))
    rate = density / FARADAY * AVOGADRO
    left = {"K": reservoir(SALT, 1e3), "Cl": reservoir(SALT, 1e3)}
    contacts = {
        "cathode": left if open_side else {"K": injection(rate)},
        "anode": {"K": injection(-rate)},
    }
    found = film(slab(LENGTH, 2e-10, 1.02), model(ions, 78.49, 298.15, contacts=contacts))
    fill(found, {"K": 1.0, "Cl": 1.0})
    return found


def beyond_the_layer(found, values) -> float:
    """Value at the wall, from the straight line outside its double layer."""
    depth = found.volumes.depth / LENGTH
    outside = (depth > 0.8) & (depth < 0.998)
    line = np.polyfit(depth[outside], values[outside], 1)
    return float(np.polyval(line, 1.0))


@pytest.mark.parametrize("share", LIMITING)
def test_limiting_current(share, verify):
    found = electrolyte(share * LIMIT, open_side=True)
    # The wall's own double layer does not matter; without one Newton's method starts better.
    for stage in np.linspace(0.0, 1.0, 9)[1:]:
        level = float(stage * LIMITING[share])
        list(found.drive(hold((1e4 if stage == 1.0 else 10.0,), (0.0, level)), tolerance=1e-2))
    source = "electroneutral Nernst-Planck equations"
    verify(
        f"limiting.content({share:g})",
        beyond_the_layer(found, contents(found, "Cl")),
        1.0 - share,
        abs=1e-4,
        title=f"salt at the wall over that of the reservoir, i = {share:g} of the limit",
        source=source,
    )
    thermal = thermal_voltage(298.15)
    ratio = beyond_the_layer(found, np.exp(found.potential() / thermal))
    verify(
        f"limiting.potential({share:g})",
        thermal * np.log(ratio),
        LIMITING[share],
        # Near the limit the wall's space charge is no longer thin against the rest.
        rel=1e-3 if share > 0.95 else 1e-4,
        unit="V",
        title=f"potential at the wall, i = {share:g} of the limit",
        source=source,
    )


def test_limiting_current_of_a_closed_cell(verify):
    """Cations enter and leave, anions stay: the limit is twice as large."""
    found = electrolyte(0.5 * 385.9413285, open_side=False)
    list(found.drive(hold((1e4,)), tolerance=1e-2))
    verify(
        "limiting.closed_cell",
        beyond_the_layer(found, contents(found, "Cl")),
        0.5,
        abs=1e-4,
        title="salt at the wall over its mean at half of 4 F D c/L",
        source="electroneutral Nernst-Planck equations",
    )


def test_steady_flux(verify):
    found = electrolyte(0.5 * LIMIT, open_side=True)
    list(found.drive(hold((1e4,)), tolerance=1e-2))
    verify(
        "limiting.current",
        steady(found, (0.0, 0.0))[0],
        0.5 * LIMIT,
        rel=1e-6,
        unit="A/m^2",
        title="current that the reservoir supplies at half of the limit",
        source="conservation",
    )
