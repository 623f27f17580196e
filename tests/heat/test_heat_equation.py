"""The balance of heat with given sources, against exact solutions."""

from __future__ import annotations

from math import inf, pi

import numpy as np
import pytest

from ionstack.models.heat_model import Medium, Sink
from ionstack.physics.heat import series_conductance, spreading_resistance
from support.convergence import order
from support.heated import LENGTH, START, Heater, heat_model, slab

K, C = 2.0, 1.5e6
SOURCE = 1e15  # W/m^3


def test_a_slab_with_a_source_is_exact_at_second_order():
    sizes, errors = (10, 20, 40), []
    for cells in sizes:
        film = Heater(slab(cells), heat_model())
        wave = pi / LENGTH
        shape = np.sin(wave * film.volumes.depth)
        found = film.heat(SOURCE * shape)
        exact = SOURCE / (K * wave**2) * shape
        errors.append(np.abs(film.at_nodes - exact).max())
        assert found.outflow.sum() == pytest.approx(found.generated, rel=1e-12)
    assert order([1 / n for n in sizes], errors) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("resistance", [0.0, 3e-8])
@pytest.mark.parametrize("kind", ["fixed", "convective", "substrate"])
def test_heat_leaves_through_a_contact_as_in_closed_form(kind, resistance):
    radius, glass, coefficient = 100e-6, 1.1, 1e7
    given = coefficient if kind == "convective" else inf
    onward = spreading_resistance(glass, radius) if kind == "substrate" else 0.0
    sink = Sink(series_conductance(given, resistance), onward)
    film = Heater(slab(40), heat_model(sinks={"bottom": sink}))
    found = film.heat(SOURCE, around=START + 7.0)
    power = SOURCE * LENGTH
    outside = {"fixed": 0.0, "convective": 1.0 / coefficient, "substrate": 1 / (4 * glass * radius)}
    surface = 7.0 + power * (resistance + outside[kind])
    exact = surface + SOURCE * (LENGTH**2 - film.volumes.depth**2) / (2.0 * K)
    np.testing.assert_allclose(film.at_nodes, exact, rtol=1e-11)
    np.testing.assert_allclose(found.outflow, [0.0, power], rtol=1e-13, atol=1e-9 * power)


def test_two_substrates_share_the_heat_as_their_resistances_say():
    first, second = 2.0e-8, 5e-8
    sinks = {"top": Sink(inf, first), "bottom": Sink(inf, second, START + 3.0)}
    film = Heater(slab(40), heat_model(sinks=sinks))
    found = film.heat(SOURCE)
    power, own = SOURCE * LENGTH, LENGTH / K
    # T_top = R1 q, T_bottom = 3 K + R2 (P - q), T_top - T_bottom = (P/2 - q) own.
    up = (3.0 + second * power + 0.5 * own * power) / (first + second + own)
    np.testing.assert_allclose(found.outflow, [up, power - up], rtol=1e-11)
    assert film.at_nodes[0] == pytest.approx(first * up, rel=1e-11)


def test_the_temperature_jumps_at_an_interface_that_resists():
    resistance, media = 4e-8, {"upper": Medium(2.0), "lower": Medium(0.5)}
    film = Heater(
        slab(20, "upper", "lower"),
        heat_model(
            media=media,
            sinks={"top": Sink(inf, 0.0, START + 10.0), "bottom": Sink(inf)},
            resistances={frozenset(("lower", "upper")): resistance},
        ),
    )
    found = film.heat(0.0)
    flux = 10.0 / (LENGTH / 2.0 + resistance + LENGTH / 0.5)
    np.testing.assert_allclose(found.outflow, [-flux, flux], rtol=1e-11)
    upper, lower = film.at_nodes[film.volumes.pair_nodes[0]]
    assert upper - lower == pytest.approx(flux * resistance, rel=1e-11)
    assert upper == pytest.approx(10.0 - flux * LENGTH / 2.0, rel=1e-11)


def test_layers_without_a_resistance_touch():
    media = {"upper": Medium(2.0), "lower": Medium(0.5)}
    film = Heater(slab(20, "upper", "lower"), heat_model(media=media))
    film.heat(SOURCE)
    upper, lower = film.at_nodes[film.volumes.pair_nodes[0]]
    assert upper == lower


def test_a_slab_between_cold_faces_cools_as_its_slowest_mode():
    """exp(-k/C (pi/L)^2 t) of the continuum; the error falls with the step at first order."""
    rate = K / C * (pi / LENGTH) ** 2
    errors = []
    for steps in (50, 100, 200):
        film = Heater(slab(100), heat_model(steady=False))
        film.rise = np.sin(pi * film.volumes.depth / LENGTH)
        for _ in range(steps):
            film.heat(0.0, 1.0 / (rate * steps))
        errors.append(film.at_nodes.max() - np.exp(-1.0))
    assert abs(errors[-1]) < 2e-3
    assert order([1 / 50, 1 / 100, 1 / 200], errors) == pytest.approx(1.0, abs=0.05)


def test_a_body_that_conducts_well_warms_exponentially_through_a_spreading_resistance():
    resistance, steps = 1e-3, 400
    media = {"film": Medium(1e6, C)}
    film = Heater(
        slab(10), heat_model(media=media, sinks={"bottom": Sink(inf, resistance)}, steady=False)
    )
    time, power = C * LENGTH * resistance, SOURCE * LENGTH
    out = stored = 0.0
    for _ in range(steps):
        found = film.heat(SOURCE, time / steps)
        out, stored = out + found.outflow[1], stored + found.stored
    exact = power * resistance * (1.0 - (1.0 + 1.0 / steps) ** -steps)
    assert film.at_nodes[0] == pytest.approx(exact, rel=1e-6)
    assert film.at_nodes[0] == pytest.approx(power * resistance * (1.0 - np.exp(-1.0)), rel=2e-3)
    assert out + stored == pytest.approx(steps * power, rel=1e-12)


@pytest.mark.parametrize("sink", [Sink(1e12, 0.1), Sink(10.0), Sink(inf, 0.1)])
def test_nothing_is_lost_where_films_conduct_much_better_than_what_is_outside(sink):
    sinks = {"bottom": sink}
    media = {"film": Medium(400.0, C)}
    film = Heater(slab(1000), heat_model(media=media, sinks=sinks))
    found = film.heat(SOURCE, around=START + 50.0)
    # More than in any device, 1e8 times what the film itself makes of it.
    assert film.at_nodes.max() > 1e6
    assert found.outflow[1] == pytest.approx(found.generated, rel=1e-11)


def test_resistances_add_up():
    assert spreading_resistance(1.1, 100e-6) == pytest.approx(2272.7272727, rel=1e-9)
    # 15 mW in a square of 100 um on glass: 60 K.
    assert 15e-3 * spreading_resistance(1.1, np.sqrt(1e-8 / pi)) == pytest.approx(60.4, abs=0.1)
    assert series_conductance(inf, 0.0) == inf
    assert series_conductance(inf, 1e-8) == pytest.approx(1e8)
    assert series_conductance(1e8, 1e-8) == pytest.approx(0.5e8)


def test_a_conductivity_that_depends_on_the_place_is_exact_at_second_order():
    """k = K (1 + z/L) between 310 K and 300 K: the temperature falls as a logarithm."""
    sizes, errors = (10, 20, 40), []
    held = {"top": Sink(inf, 0.0, START + 10.0), "bottom": Sink(inf)}
    for cells in sizes:
        film = Heater(slab(cells), heat_model(sinks=held))
        share = film.volumes.depth / LENGTH
        found = film.heat(0.0, conductivity=K * (1.0 + share))
        exact = 10.0 * (1.0 - np.log1p(share) / np.log(2.0))
        errors.append(np.abs(film.at_nodes - exact).max())
        assert found.outflow.sum() == pytest.approx(0.0, abs=1e-10 * found.outflow.max())
    assert order([1 / n for n in sizes], errors) == pytest.approx(2.0, abs=0.05)


def test_a_new_conductivity_counts_at_once_and_an_old_one_again():
    film = Heater(slab(20), heat_model())
    first = film.heat(SOURCE).rise
    twice = film.heat(SOURCE, conductivity=np.full(len(film.volumes.depth), 2.0 * K)).rise
    again = film.heat(SOURCE, conductivity=np.full(len(film.volumes.depth), K)).rise
    np.testing.assert_allclose(twice, 0.5 * first, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(again, first, rtol=1e-12, atol=1e-12)
