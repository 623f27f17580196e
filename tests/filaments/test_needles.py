"""Needles in a field: exact spheroids, the barrier, its limits and its derivatives."""

from __future__ import annotations

from math import pi

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from ionstack.physics.catalogue import laws
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.physics.needles import (
    Needle,
    bridging_voltage,
    controlling_voltage,
    depolarisation,
    long_needle,
    needle_energy,
    needle_in_film,
    needle_nucleus,
    spheroid,
)
from ionstack.physics.nucleation import field_drive, nucleation_rate
from ionstack.physics.states import MetalFace

VACANCIES = Needle(tension=0.1, narrowest=0.5e-9, relative_permittivity=17.0)
ASPECTS = np.array([1.0, 1.0 + 1e-12, 1.001, 1.05, 1.0540925, 1.0540926, 1.1, 2.0, 10.0, 1e3])


@pytest.mark.parametrize("aspect", [1.0, 1.0001, 1.04, 1.06, 1.5, 7.0, 300.0])
def test_spheroids_by_quadrature(aspect: float) -> None:
    """Area of revolution, and n = s/2 int dq/((q + s^2)^(3/2) (q + 1)), by quadrature."""
    area, _ = quad(
        lambda t: 2.0 * pi * np.sin(t) ** 2 * np.sqrt(aspect**2 + 1.0 / np.tan(t) ** 2),
        0.0, pi / 2.0, epsrel=1e-12,
    )  # fmt: skip
    # With q = s^2 (1/v^2 - 1) the range is finite.
    n, _ = quad(
        lambda v: v**2 / (aspect**2 * (1.0 - v**2) + v**2), 0.0, 1.0, epsrel=1e-12, limit=400
    )
    shape = spheroid(aspect)
    assert shape.surface == pytest.approx(2.0 * area / (4.0 * pi), rel=1e-10, abs=0.0)
    assert depolarisation(aspect) == pytest.approx(n, rel=1e-9, abs=0.0)


def test_round_ends_join() -> None:
    """Values and slopes have no seam between series and closed form, and none at the sphere."""
    shape = spheroid(ASPECTS)
    assert shape.surface[0] == 1.0
    assert shape.response[0] == pytest.approx(3.0, rel=1e-15, abs=0.0)
    assert shape.surface_slope[0] == pytest.approx(2.0 / 3.0, rel=1e-15, abs=0.0)
    assert shape.response_slope[0] == pytest.approx(5.4, rel=1e-15, abs=0.0)
    for values in (*shape,):
        assert np.isfinite(values).all()
        assert values[5] / values[4] == pytest.approx(1.0, rel=1e-6, abs=0.0)
    step = 1e-5
    ahead, behind = spheroid(ASPECTS[2:] + step), spheroid(ASPECTS[2:] - step)
    by_difference = (ahead.response - behind.response) / (2.0 * step)
    np.testing.assert_allclose(shape.response_slope[2:], by_difference, rtol=1e-8)
    by_difference = (ahead.surface - behind.surface) / (2.0 * step)
    np.testing.assert_allclose(shape.surface_slope[2:], by_difference, rtol=1e-8)


def test_the_sphere_is_a_needle() -> None:
    """At a = b the work is that of a sphere with the driving force of the field."""
    b = VACANCIES.narrowest
    drive = field_drive(5e8, 17.0)
    exact = 4.0 * pi * b**2 * 0.1 - 4.0 / 3.0 * pi * b**3 * drive
    assert needle_energy(VACANCIES, 5e8, b) == pytest.approx(exact, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("aspect", [1.0 + 1e-9, 1.02, 1.3, 3.0, 40.0, 2e4])
@pytest.mark.parametrize("cost", [-2e7, 0.0, 3e8])
def test_critical_length_and_its_field(aspect: float, cost: float) -> None:
    """The field at which a given length is critical is explicit; the search returns to it."""
    needle = Needle(0.2, 0.4e-9, 10.0, cost=cost, focus=2.0)
    shape = spheroid(aspect)
    force = 3.0 * 0.2 / 0.4e-9 * shape.surface_slope + cost
    field = np.sqrt(2.0 * force / shape.response_slope / (10.0 * VACUUM_PERMITTIVITY)) / 2.0
    nucleus = needle_nucleus(needle, field)
    length = 0.4e-9 * aspect
    assert nucleus.size == pytest.approx(length, rel=2e-9, abs=0.0)
    assert nucleus.barrier == pytest.approx(
        float(needle_energy(needle, field, length)), rel=1e-12, abs=0.0
    )


@pytest.mark.parametrize(("aspect", "first"), [(4.0, True), (40.0, False)])
def test_a_phase_that_forms_by_itself_but_for_its_surface(aspect: float, first: bool) -> None:
    """F falls at first, then rises to its maximum: that one counts, and the sphere if higher."""
    needle = Needle(0.2, 0.4e-9, 10.0, cost=-1.1e9)
    shape = spheroid(aspect)
    density = (1.5e9 * shape.surface_slope - 1.1e9) / shape.response_slope
    field = np.sqrt(2.0 * density / (10.0 * VACUUM_PERMITTIVITY))
    lengths = 0.4e-9 * np.geomspace(1.0, 200.0, 5001)
    work = needle_energy(needle, field, lengths)
    assert work[1] < work[0]
    assert (work.argmax() == 0) == first
    nucleus = needle_nucleus(needle, field)
    assert nucleus.size == pytest.approx(0.4e-9 * (1.0 if first else aspect), rel=1e-9, abs=0.0)
    assert nucleus.barrier == pytest.approx(work.max(), rel=1e-6, abs=0.0)


def test_barrier_is_the_maximum() -> None:
    nucleus = needle_nucleus(VACANCIES, 5e8)
    top = minimize_scalar(
        lambda a: -needle_energy(VACANCIES, 5e8, a * 1e-9), bounds=(0.5, 50.0), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    assert nucleus.barrier == pytest.approx(-top.fun, rel=1e-12, abs=0.0)
    assert nucleus.size == pytest.approx(top.x * 1e-9, rel=1e-6, abs=0.0)


def test_only_small_tensions_give_low_barriers() -> None:
    """At 5e8 V/m: 3 to 8 eV for 0.1 J/m^2 (0.5 to 1 nm, permittivity 17), > 100 eV for 1 J/m^2."""
    widths = np.array([0.5e-9, 1e-9])
    low = needle_nucleus(Needle(0.1, widths, 17.0), 5e8).barrier / ELEMENTARY_CHARGE
    high = needle_nucleus(Needle(1.0, widths, 17.0), 5e8).barrier / ELEMENTARY_CHARGE
    assert (low > 3.0).all()
    assert (low < 8.0).all()
    assert (high > 100.0).all()


@pytest.mark.parametrize(("field", "tolerance"), [(2e7, 2e-3), (2e6, 2e-5), (2e5, 2e-7)])
def test_long_needles(field: float, tolerance: float) -> None:
    """F = A a - C a^3/L with L(a): a^2 = A L^2/(C (3 L - 1)), W = A a (2 L - 1)/(3 L - 1)."""
    nucleus = needle_nucleus(VACANCIES, field)
    log = np.log(2.0 * nucleus.size / VACANCIES.narrowest) - 1.0
    a, c = (pi**2 * 0.1 * 0.5e-9, 2.0 / 3.0 * pi * 17.0 * VACUUM_PERMITTIVITY * field**2)
    length = np.sqrt(a * log**2 / (c * (3.0 * log - 1.0)))
    assert nucleus.size == pytest.approx(length, rel=tolerance, abs=0.0)
    exact = a * length * (2.0 * log - 1.0) / (3.0 * log - 1.0)
    assert nucleus.barrier == pytest.approx(exact, rel=tolerance, abs=0.0)
    closed = long_needle(VACANCIES, field, log)
    assert nucleus.barrier / closed.barrier == pytest.approx(1.0, abs=0.5 / log)


def test_scaling_of_long_needles() -> None:
    plain = long_needle(VACANCIES, 1e7, 4.0)
    assert long_needle(VACANCIES, 2e7, 4.0).barrier == pytest.approx(
        plain.barrier / 2.0, rel=1e-9, abs=0.0
    )
    thick = Needle(0.2, 1e-9, 17.0)
    assert long_needle(thick, 1e7, 4.0).barrier == pytest.approx(
        8.0 * plain.barrier, rel=1e-9, abs=0.0
    )


def test_needles_on_an_electrode_and_focus() -> None:
    half = Needle(0.1, 0.5e-9, 17.0, share=0.5)
    focused = Needle(0.1, 0.5e-9, 17.0, focus=2.0)
    whole = needle_nucleus(VACANCIES, 5e8)
    assert needle_nucleus(half, 5e8).barrier == pytest.approx(
        0.5 * whole.barrier, rel=1e-14, abs=0.0
    )
    assert needle_nucleus(focused, 2.5e8).barrier == pytest.approx(
        whole.barrier, rel=1e-14, abs=0.0
    )


def test_thin_films_are_controlled_by_voltage() -> None:
    """Where the critical needle is longer than the film, its voltages hardly know the thickness."""
    needle = Needle(0.1, 0.5e-9, 17.0, share=0.5)
    thickness = np.array([20e-9, 40e-9, 80e-9])
    limit, bridge = controlling_voltage(needle, thickness), bridging_voltage(needle, thickness)
    # Four times the thickness: four times the voltage of a given field, less than 1.3 times here.
    assert (limit[1:] / limit[:-1] < 1.15).all()
    assert (bridge[1:] / bridge[:-1] < 1.15).all()
    logs = np.log(2.0 * thickness / 0.5e-9) - 1.0
    np.testing.assert_allclose((bridge / limit) ** 2, 3.0 - 1.0 / logs, rtol=2e-3)
    lasting = needle_energy(needle, bridge / thickness, thickness)
    assert np.abs(lasting).max() < 1e-12 * needle_nucleus(needle, 1e8).barrier
    for factor in (0.7, 1.5):
        nucleus = needle_in_film(needle, factor * limit, thickness)
        free = needle_nucleus(needle, factor * limit / thickness)
        if factor < 1.0:
            np.testing.assert_allclose(nucleus.size, thickness, rtol=1e-12)
            assert (nucleus.barrier < free.barrier).all()
        else:
            np.testing.assert_allclose(nucleus.barrier, free.barrier, rtol=1e-14)
    at_limit = needle_nucleus(needle, limit / thickness)
    np.testing.assert_allclose(at_limit.size, thickness, rtol=1e-9)


def test_a_film_without_voltage() -> None:
    """A needle across the film costs its surface; its barrier is finite."""
    nucleus = needle_in_film(VACANCIES, 0.0, 5e-9)
    assert nucleus.size == pytest.approx(5e-9, rel=1e-9, abs=0.0)
    surface = 4.0 * pi * 0.25e-18 * spheroid(10.0).surface
    assert nucleus.barrier == pytest.approx(0.1 * surface, rel=1e-12, abs=0.0)


FIELDS = [0.0, 5e-324, 1e-200, 1.0, 1e5, -5e8, 5e8, 3e9, 1e12, 1e300, -1e300]


def test_rate_and_slope_at_every_field() -> None:
    def rate(value: jax.Array, tension: jax.Array) -> jax.Array:
        nucleus = needle_nucleus(Needle(tension, 0.5e-9, 17.0), value)
        return nucleation_rate(1e30, nucleus.barrier, 300.0)

    fields = np.array(FIELDS)
    slopes = jax.vmap(jax.value_and_grad(rate, argnums=(0, 1)), in_axes=(0, None))
    rates, (by_field, by_tension) = jax.jit(slopes)(jnp.asarray(fields), jnp.asarray(0.1))
    found = np.array([rates, by_field, by_tension])
    assert np.isfinite(found).all()
    assert (found[:, np.abs(fields) <= 1e5] == 0.0).all()
    plain = needle_nucleus(VACANCIES, fields)
    np.testing.assert_allclose(nucleation_rate(1e30, plain.barrier, 300.0), found[0], rtol=1e-9)
    assert (plain.barrier[np.abs(fields) >= 1e12] == 0.0).all()
    assert np.isinf(plain.barrier[fields == 0.0]).all()


def test_slopes_of_the_barrier() -> None:
    """By automatic differentiation as by differences, though the length is searched."""

    def barrier(field, tension, width):
        return needle_nucleus(Needle(tension, width, 17.0, cost=1e7), field).barrier

    at = (5e8, 0.1, 0.5e-9)
    slopes = jax.grad(barrier, argnums=(0, 1, 2))(*map(jnp.asarray, at))
    for k, slope in enumerate(slopes):
        step = np.array([1e-5 * at[k] if n == k else 0.0 for n in range(3)])
        difference = barrier(*(np.array(at) + step)) - barrier(*(np.array(at) - step))
        assert float(slope) == pytest.approx(difference / (2.0 * step[k]), rel=1e-7, abs=0.0)


@pytest.mark.parametrize("voltage", [0.8, 3.0])
def test_slopes_in_a_film(voltage: float) -> None:
    """By voltage and thickness, below and above the voltage that controls."""

    def barrier(volts, thickness):
        return needle_in_film(VACANCIES, volts, thickness).barrier

    assert 0.8 < controlling_voltage(VACANCIES, 10e-9) < 3.0
    at = (voltage, 10e-9)
    slopes = jax.grad(barrier, argnums=(0, 1))(*map(jnp.asarray, at))
    for k, slope in enumerate(slopes):
        step = np.array([1e-5 * at[k] if n == k else 0.0 for n in range(2)])
        difference = barrier(*(np.array(at) + step)) - barrier(*(np.array(at) - step))
        assert float(slope) == pytest.approx(difference / (2.0 * step[k]), rel=1e-6, abs=0.0)


def test_fields_of_many_places_at_once() -> None:
    fields = np.array([1e8, 5e8, 2e9])
    many = jax.jit(lambda e: needle_nucleus(VACANCIES, e))(jnp.asarray(fields))
    for k, field in enumerate(fields):
        one = needle_nucleus(VACANCIES, field)
        assert float(many.barrier[k]) == pytest.approx(float(one.barrier), rel=1e-12, abs=0.0)
        assert float(many.size[k]) == pytest.approx(float(one.size), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("field", [3e8, -5e8, 1e9])
def test_needles_on_a_face_are_half_spheroids_by_the_law_as_by_the_formula(field):
    """The largest F over the length, from the formula of Karpov et al. as it is written."""
    tension, narrowest, permittivity, cost = 0.1, 5e-10, 17.0, 1e8

    def work(aspect: np.ndarray) -> np.ndarray:
        e = np.sqrt(1.0 - aspect**-2.0)
        n = (1.0 - e**2) / e**3 * (np.arctanh(e) - e)
        surface = 2.0 * np.pi * narrowest**2 * (1.0 + aspect * np.arcsin(e) / e)
        volume = 4.0 / 3.0 * np.pi * narrowest**3 * aspect
        gain = permittivity * VACUUM_PERMITTIVITY * field**2 * volume / (2.0 * n)
        return tension * surface + cost * volume - gain

    lengths = np.geomspace(1.001, 1e3, 400_001)
    numbers = {"prefactor": 1e24, "tension": tension, "narrowest": narrowest}
    numbers |= {"relative_permittivity": permittivity, "phase_cost": cost}
    face = MetalFace(*(jnp.asarray(one) for one in (field, 0.0, 300.0)))
    found = laws("nucleation")["field_needle"].function(face, numbers)
    assert float(found.barrier) == pytest.approx(0.5 * work(lengths).max(), rel=1e-6)
    assert float(found.rate) == 1e24
