"""Curves: functions of content or temperature that a law takes beside its numbers.

Each is a frozen record of plain numbers, called with arrays of all arguments of the
curve in their order. Values and slopes are finite for every finite argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

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
    line; one that is `not_negative` falls as 1/(1 + distance) instead, or from
    zero stays there, with a kink.
    """

    position: int
    points: Row
    values: Row
    not_negative: bool = False

    def __call__(self, *arguments: jax.Array) -> jax.Array:
        """Return the interpolated value."""
        x = arguments[self.position]
        first, last = self.points[0], self.points[-1]
        slopes = pchip_slopes(self.points, self.values)
        below, above = x < first, x > last
        # Each branch gets arguments of its own range: slopes are taken of all of them.
        low = self._beyond(jnp.where(below, first - x, 0.0), self.values[0], -slopes[0])
        high = self._beyond(jnp.where(above, x - last, 0.0), self.values[-1], slopes[-1])
        inside = self._hermite(jnp.where(below | above, first, x))
        return jnp.where(below, low, jnp.where(above, high, inside))

    def _beyond(self, distance: jax.Array, value: float, slope: float) -> jax.Array:
        """Continue from an end, with the slope away from it."""
        rise = slope * distance
        if slope >= 0.0 or not self.not_negative:
            return value + rise
        return value / (1.0 - rise / value) if value > 0.0 else 0.0 * distance

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

    # Where values hardly rise the inverse of a secant overflows, and the slope is 0, as it is.
    with np.errstate(over="ignore"):
        return tuple(PchipInterpolator(points, values).derivative()(points).tolist())
