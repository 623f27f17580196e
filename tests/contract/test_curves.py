"""Tables: SciPy's shape-preserving cubic inside, finite and monotone outside."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from ionstack.physics.curves import Constant, Surface, Table

POINTS = (0.0, 0.1, 0.25, 0.6, 0.8, 1.0)
FALLING = (3.9, 3.4, 3.3, 3.3, 2.8, 0.5)
WAVY = (0.0, 2.0, 1.0, 1.0, 5.0, 0.0)
INNER = np.linspace(0.0, 1.0, 401)
WIDE = np.linspace(-3.0, 4.0, 1401)


def slope(curve, points):
    points = jnp.asarray(points)
    return np.asarray(jax.jvp(curve, (points,), (jnp.ones(points.shape),))[1])


@pytest.mark.parametrize("values", [FALLING, WAVY])
def test_table_is_scipys_cubic(values):
    expected = PchipInterpolator(POINTS, values)
    table = Table(0, POINTS, values)
    np.testing.assert_allclose(table(jnp.asarray(INNER)), expected(INNER), rtol=1e-14, atol=2e-14)
    rise = expected.derivative()(INNER)
    np.testing.assert_allclose(slope(table, INNER), rise, rtol=1e-12, atol=1e-12)


def test_table_passes_through_its_points():
    np.testing.assert_array_equal(Table(0, POINTS, WAVY)(jnp.asarray(POINTS)), WAVY)


@pytest.mark.parametrize("not_negative", [False, True])
@pytest.mark.parametrize("values", [FALLING, (0.1, *WAVY[1:-1], 0.2), FALLING[::-1]])
def test_slope_is_continuous_everywhere(values, not_negative):
    table = Table(0, POINTS, values, not_negative)
    near = 1e-9
    below, above = (slope(table, np.array(POINTS) + side) for side in (-near, near))
    scale = 1.0 + np.abs(slope(table, INNER)).max()
    assert np.max(np.abs(below - above)) < 1e-5 * scale
    at = slope(table, np.array(POINTS))
    assert np.max(np.abs(at - below)) < 1e-5 * scale


@pytest.mark.parametrize("not_negative", [False, True])
def test_falling_table_falls_everywhere(not_negative):
    found = np.asarray(Table(0, POINTS, FALLING, not_negative)(jnp.asarray(WIDE)))
    assert np.all(np.diff(found) <= 1e-15)
    outside = found[(WIDE[:] < 0.0) | (WIDE > 1.0)]
    assert np.all(np.isfinite(outside))


def test_outside_is_a_straight_line():
    table = Table(0, POINTS, FALLING)
    for x, end in ((-2.0, 0.0), (3.0, 1.0)):
        expected = float(table(jnp.asarray(end))) + (x - end) * slope(table, end)
        assert float(table(jnp.asarray(x))) == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize("values", [FALLING, WAVY, (0.0,) * 6, (1e-12, 1e-9, 1e-6, 1e-3, 1.0, 0.0)])
def test_table_of_values_above_zero_stays_there(values):
    table = Table(0, POINTS, values, not_negative=True)
    assert np.all(np.asarray(table(jnp.asarray(WIDE))) >= 0.0)


@pytest.mark.parametrize("not_negative", [False, True])
@pytest.mark.parametrize("values", [FALLING, WAVY, (0.0,) * 6, (1.0,) * 6])
def test_value_and_slopes_are_finite(values, not_negative):
    table = Table(0, POINTS, values, not_negative)
    points = np.array([-1e6, -1.0, -1e-300, *POINTS, 1.0 + 1e-16, 2.0, 1e6])
    assert np.all(np.isfinite(table(jnp.asarray(points))))
    assert np.all(np.isfinite(slope(table, points)))
    assert np.all(np.isfinite(jax.vmap(jax.grad(table))(jnp.asarray(points))))


def test_two_points_are_a_line():
    table = Table(0, (1.0, 3.0), (2.0, 6.0))
    np.testing.assert_allclose(table(jnp.asarray([0.0, 1.5, 4.0])), [0.0, 3.0, 8.0])


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(1e-3, 1.0), min_size=2, max_size=9),
    rises=st.lists(st.floats(0.0, 10.0), min_size=9, max_size=9),
)
def test_rising_values_make_a_rising_curve(steps, rises):
    points = tuple(np.cumsum(steps).tolist())
    values = tuple(np.cumsum(rises[: len(points)]).tolist())
    sample = np.linspace(points[0] - 1.0, points[-1] + 1.0, 201)
    found = np.asarray(Table(0, points, values)(jnp.asarray(sample)))
    assert np.all(np.diff(found) >= -1e-12 * max(values[-1], 1.0))


def test_values_that_hardly_rise_have_no_slope():
    table = Table(0, (1.0, 2.0, 3.0, 4.0), (0.0, 0.0, 1e-300, 2e-310 + 1e-300))
    assert np.isfinite(table(jnp.asarray([1.5, 2.5, 3.5]))).all()


def test_surface_is_linear_between_its_levels():
    tables = tuple(Table(0, POINTS, tuple(k * v for v in FALLING)) for k in (1.0, 2.0, 5.0))
    surface = Surface(1, (250.0, 300.0, 400.0), tables)
    x = jnp.asarray(INNER)
    shares = {200.0: 1.0, 250.0: 1.0, 275.0: 1.5, 300.0: 2.0, 350.0: 3.5, 400.0: 5.0, 900.0: 5.0}
    for level, share in shares.items():
        found = surface(x, jnp.asarray(level))
        np.testing.assert_allclose(found, share * tables[0](x), rtol=1e-14)
        assert np.all(np.isfinite(slope(lambda one, T=level: surface(one, jnp.asarray(T)), INNER)))


def test_constant_has_the_shape_of_its_arguments_and_no_slope():
    constant = Constant(2.5)
    assert constant(jnp.zeros(3), jnp.asarray(300.0)).tolist() == [2.5] * 3
    assert float(jax.grad(constant)(jnp.asarray(0.2))) == 0.0


def test_curves_compile():
    table = Table(0, POINTS, FALLING)
    np.testing.assert_allclose(jax.jit(table)(jnp.asarray(INNER)), table(jnp.asarray(INNER)))
