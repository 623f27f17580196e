"""Special functions that are safe in value and in derivative for every argument."""

from __future__ import annotations

import jax
import jax.numpy as jnp

# Below this the series of x/expm1(x) is exact to round-off (next term x^6/30240).
_SERIES = 1e-2


def bernoulli(x: jax.Array) -> jax.Array:
    """Return x/(exp(x)-1), positive for all x, without overflow or 0/0.

    The argument is clipped inside each branch: automatic differentiation
    evaluates both sides of ``where``.
    """
    small = jnp.abs(x) < _SERIES
    series_x = jnp.where(small, x, 0.0)
    square = series_x * series_x
    series = 1.0 - 0.5 * series_x + square / 12.0 - square * square / 720.0
    magnitude = jnp.where(small, 1.0, jnp.where(x < 0.0, -x, x))
    backward = magnitude / -jnp.expm1(-magnitude)
    forward = backward * jnp.exp(-magnitude)
    return jnp.where(small, series, jnp.where(x < 0.0, backward, forward))


def smooth_sqrt_abs(x: jax.Array, width: float = 1e-6) -> jax.Array:
    """Return sqrt(|x|), rounded off within `width` so that its slope at 0 is finite."""
    return jnp.sqrt(jnp.sqrt(x * x + width * width))
