"""Curves: functions of content or temperature that a law takes beside its numbers.

Each is a frozen record of plain numbers, called with arrays of all arguments of the
curve in their order. Values and slopes are finite for every finite argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp

Row = tuple[float, ...]


@dataclass(frozen=True)
class Constant:
    """The same value for all arguments."""

    value: float

    def __call__(self, *arguments: jax.Array) -> jax.Array:
        """Return the value in the shape of the arguments."""
        return self.value + sum((0.0 * one for one in arguments), jnp.asarray(0.0))


@dataclass(frozen=True)
class Table:
    """Shape-preserving cubic through points of one argument, that at `position`.

    Monotone between points with monotone values, with a continuous slope: Fritsch and
    Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984). Outside it goes on in a straight
    line; a table that is `not_negative` falls as 1/(1 + distance) instead, which never
    reaches zero.
    """

    position: int
    points: Row
    values: Row
    not_negative: bool = False

    def __call__(self, *arguments: jax.Array) -> jax.Array:
        """Return the interpolated value."""
        x = arguments[self.position]
        inside = jnp.clip(x, self.points[0], self.points[-1])
        value = self._hermite(inside)
        first, last = end_slopes(self.points, self.values)
        rise = jnp.where(x < inside, first, last) * (x - inside)
        return _continued(value, rise) if self.not_negative else value + rise

    def _hermite(self, x: jax.Array) -> jax.Array:
        """Cubic of the interval that holds x, in the form of de Boor."""
        points, values = jnp.asarray(self.points), jnp.asarray(self.values)
        slopes = jnp.asarray(pchip_slopes(self.points, self.values))
        left = jnp.clip(jnp.searchsorted(points, x, side="right") - 1, 0, len(points) - 2)
        width = points[left + 1] - points[left]
        secant = (values[left + 1] - values[left]) / width
        start, end = slopes[left], slopes[left + 1]
        t = (x - points[left]) / width
        bend = (t - 1.0) * ((start - secant) * (t - 1.0) + (end - secant) * t)
        return values[left] + width * t * (secant + bend)


@dataclass(frozen=True)
class Surface:
    """Tables of one argument at increasing levels of another, that at `position`.

    Linear between the levels and constant outside them.
    """

    position: int
    levels: Row
    tables: tuple[Table, ...]

    def __call__(self, *arguments: jax.Array) -> jax.Array:
        """Return the interpolated value."""
        level = arguments[self.position]
        rows = [table(*arguments) for table in self.tables]
        value = rows[0] + 0.0 * level
        for index, low in enumerate(self.levels[:-1]):
            share = (level - low) / (self.levels[index + 1] - low)
            value = value + jnp.clip(share, 0.0, 1.0) * (rows[index + 1] - rows[index])
        return value


@cache
def pchip_slopes(points: Row, values: Row) -> Row:
    """Return the slopes of the shape-preserving cubic at the points."""
    from scipy.interpolate import PchipInterpolator

    return tuple(PchipInterpolator(points, values).derivative()(points).tolist())


def end_slopes(points: Row, values: Row) -> tuple[float, float]:
    """Return the slopes at the first and last point."""
    slopes = pchip_slopes(points, values)
    return slopes[0], slopes[-1]


def _continued(value: jax.Array, rise: jax.Array) -> jax.Array:
    """Continue a value >= 0 by a rise: in a straight line upwards, by 1/(1 + r) downwards."""
    falls = rise < 0.0
    down = value * value / jnp.where(falls, value - rise, 1.0)
    return jnp.where(falls, down, value + rise)
