"""Checks of the arrays that the metrics take, and steps that several of them share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NAN = float("nan")


def checked(least: int = 1, **arrays: npt.ArrayLike) -> tuple[FloatArray, ...]:
    """Return the arrays as floats; all one-dimensional, equally long, finite, `least` values.

    Raises InputError that names the array, and the first wrong value with its number from 0.
    """
    floats = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    sizes = {name: values.shape for name, values in floats.items()}
    if len(set(sizes.values())) > 1 or any(len(shape) != 1 for shape in sizes.values()):
        raise InputError(f"needs equally long columns, not of shapes {sizes}")
    for name, values in floats.items():
        if len(values) < least:
            raise InputError(f"{name}: needs at least {least} values, has {len(values)}")
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise InputError(f"{name}: value {wrong[0]} is {values[wrong[0]]}, not a number")
    return tuple(floats.values())


def check_increasing(name: str, values: FloatArray) -> None:
    """Raise InputError at the first value that is not larger than the one before it."""
    wrong = np.flatnonzero(np.diff(values) <= 0.0)
    if len(wrong):
        k = int(wrong[0]) + 1
        raise InputError(
            f"{name}: has to increase, but value {k} is {values[k]:g} after {values[k - 1]:g}"
        )


def check_positive(name: str, values: npt.ArrayLike) -> None:
    """Raise InputError at the first value that is not greater than zero."""
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    wrong = np.flatnonzero(~(numbers > 0.0))
    if len(wrong):
        raise InputError(f"{name}: has to be greater than 0, not {numbers[wrong[0]]:g}")


def first_crossing(position: FloatArray, values: FloatArray, level: float) -> float:
    """Return where `values` first passes `level`, interpolated linearly; NaN if it never does.

    Arrays of shape (n,) in the order of the measurement; `position` need not be monotonic.
    """
    above = values > level
    changes = np.flatnonzero(above[1:] != above[:-1])
    if not len(changes):
        return NAN
    k = int(changes[0])
    share = (level - values[k]) / (values[k + 1] - values[k])
    return float(position[k] + share * (position[k + 1] - position[k]))


def line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return (slope, intercept) of the least-squares line; NaN for fewer than two distinct x."""
    centred = x - x.mean()
    weight = float(centred @ centred)
    if weight == 0.0:
        return NAN, NAN
    slope = float(centred @ (y - y.mean())) / weight
    return slope, float(y.mean() - slope * x.mean())


def ratio(above: float, below: float) -> float:
    """Return the quotient, NaN where it does not exist."""
    return above / below if below != 0.0 else NAN


def runs(values: npt.NDArray[np.generic]) -> list[tuple[int, int]]:
    """Return (first, stop) of every stretch of equal values, in order."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    edges = [0, *(int(k) for k in changes), len(values)]
    return list(pairwise(edges))


def evenly(first: float, last: float, count: int) -> FloatArray:
    """Return `count` evenly spaced values, both ends included."""
    return np.asarray(np.linspace(first, last, count), dtype=np.float64)


def by_decades(first: float, last: float, count: int) -> FloatArray:
    """Return `count` values in a geometric progression, both ends included."""
    return np.asarray(np.geomspace(first, last, count), dtype=np.float64)


def counted(count: int, first: int = 0) -> FloatArray:
    """Return first, first + 1, … as floats, shape (count,)."""
    return np.asarray(np.arange(first, first + count), dtype=np.float64)
