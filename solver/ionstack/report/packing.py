"""Arrays as a page carries them: thinned to what a screen shows, in single precision, base64."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def packed(values: npt.NDArray[Any]) -> dict[str, str]:
    """Return an array as ``{"type": "f4" or "u4", "base64": ...}``, little-endian.

    Numbers beyond single precision become infinite or zero, NaN stays.
    """
    whole = np.issubdtype(values.dtype, np.integer)
    kind = "u4" if whole else "f4"
    with np.errstate(over="ignore", under="ignore"):
        plain = np.ascontiguousarray(values, dtype=f"<{kind}")
    return {"type": kind, "base64": base64.b64encode(plain.tobytes()).decode("ascii")}


def kept_rows(columns: Mapping[str, FloatArray], most: int) -> IntArray:
    """Return the rows (n,) of a table to show, about `most` of them.

    The table is cut into equal parts, and each keeps the rows where a column is smallest or
    largest, so that peaks stay. Columns that are constant in a part keep its first row.
    """
    count = len(next(iter(columns.values()), ()))
    if count <= most:
        return np.arange(count)
    parts = max(most // (2 * len(columns)), 1)
    edges = [count * part // parts for part in range(parts + 1)]
    found = {0, count - 1}
    for values in columns.values():
        for start, end in pairwise(edges):
            part = np.nan_to_num(values[start:end])
            found |= {start + int(part.argmin()), start + int(part.argmax())}
    return np.array(sorted(found))


def spread(count: int, most: int, wanted: Sequence[int] = ()) -> list[int]:
    """Return about `most` of the numbers below `count`, evenly, with all that are wanted."""
    if count <= most:
        return list(range(count))
    even = np.linspace(0, count - 1, max(most - len(set(wanted)), 0)).round()
    return sorted({int(one) for one in (*wanted, *even)})


def levels(values: FloatArray, most: int) -> IntArray:
    """Return at most `most` of increasing values, half evenly by number and half by place.

    Both ends stay. By number they follow a graded mesh, by place they leave no wide gaps.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    half = most // 2
    by_number = np.linspace(0, count - 1, half).round().astype(np.int64)
    places = np.linspace(values[0], values[-1], most - half)
    by_place = np.abs(values[:, None] - places).argmin(axis=0)
    return np.asarray(np.unique(np.concatenate([by_number, by_place])))
