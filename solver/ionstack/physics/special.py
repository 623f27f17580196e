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


def smooth_positive(x: jax.Array, width: jax.Array | float) -> jax.Array:
    """Return max(x, 0), rounded off within `width`; positive for every x."""
    modulus = jnp.where(x < 0.0, -x, x)
    magnitude = 0.5 * (modulus + jnp.sqrt(x * x + width * width))
    return jnp.where(x < 0.0, 0.25 * width * width / magnitude, magnitude)


def drive(
    log_forward: jax.Array, affinity: jax.Array, log_backward: jax.Array | None = None
) -> jax.Array:
    """Return forward - backward rate with backward = forward * exp(-affinity).

    Written so that neither rate cancels against the other nor overflows where only the
    smaller one would be small: exact zero at affinity 0. With `log_backward` given the
    result is odd to the last bit.
    """
    up = affinity > 0.0
    behind = log_forward - affinity if log_backward is None else log_backward
    log_larger = jnp.where(up, log_forward, behind)
    return (
        jnp.where(up, -1.0, 1.0)
        * jnp.exp(log_larger)
        * jnp.expm1(jnp.where(up, -affinity, affinity))
    )


def smooth_sqrt_abs(x: jax.Array, width: float = 1e-6) -> jax.Array:
    """Return sqrt(|x|), rounded off within `width` so that its slope at 0 is finite."""
    return jnp.sqrt(jnp.sqrt(x * x + width * width))
