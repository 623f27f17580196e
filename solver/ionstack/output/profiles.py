"""Depth profiles at named states, ``profiles.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.atomic import write_text

STATE = "state"
TIME = "time [s]"
DEPTH = "depth [nm]"
REGION = "region"
_LEADING = (STATE, TIME, DEPTH, REGION)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Quantities along the depth of the stack at one named state.

    `depth` [m] from the top electrode, shape (n,); `region` names the layer of
    each point, so that an interface appears once per side; `quantities` maps names
    with units (see `output.names`) to arrays (n,), NaN where a quantity is absent.
    """

    state: str
    time: float
    depth: FloatArray
    region: tuple[str, ...]
    quantities: Mapping[str, FloatArray]


class ProfileWriter:
    """Keeps ``profiles.csv`` complete: the file is replaced as each state is added.

    Lives on one rank only. Cost: the whole file per state; a profile is small.
    """

    def __init__(self, path: Path) -> None:
        """Remember the path; nothing is written before the first state."""
        self._path = path
        self._profiles: dict[str, Profile] = {}

    def add(self, profile: Profile) -> None:
        """Add a state, or replace the state of the same name, and write the file."""
        self._profiles[profile.state] = profile
        write_text(self._path, self.text())

    def text(self) -> str:
        """What the file holds."""
        return _table(tuple(self._profiles.values()))

    def restore(self, text: str) -> None:
        """Bring back a file of which `text` is what it held."""
        write_text(self._path, text)
        self._profiles = {one.state: one for one in read_profiles(self._path)}


def _table(profiles: Sequence[Profile]) -> str:
    columns = tuple(dict.fromkeys(name for p in profiles for name in p.quantities))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_LEADING, *columns])
    for profile in profiles:
        writer.writerows(_rows(profile, columns))
    return text.getvalue()


def _rows(profile: Profile, columns: Sequence[str]) -> Iterable[list[str]]:
    absent = np.full(len(profile.depth), np.nan)
    arrays = [np.asarray(profile.quantities.get(name, absent)) for name in columns]
    for point, (depth, region) in enumerate(zip(profile.depth, profile.region, strict=True)):
        cells = (_cell(array[point]) for array in arrays)
        # Attometres: 30 nm is written as 30.0, not as 29.999999999999996.
        yield [
            profile.state,
            repr(float(profile.time)),
            _cell(round(depth * 1e9, 9)),
            region,
            *cells,
        ]


def _cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def read_profiles(path: Path) -> tuple[Profile, ...]:
    """Return the states of the file in their order; empty cells become NaN.

    Raises InputError with file and line for a missing file or a damaged row.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not rows or tuple(rows[0][: len(_LEADING)]) != _LEADING:
        raise InputError(f"{path}:1: is not a profile file: expected {', '.join(_LEADING)}")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}:{line}: has {len(row)} cells, the header has {len(rows[0])}")
    groups = groupby(rows[1:], key=lambda row: row[0])
    return tuple(_profile(path, rows[0], list(group)) for _, group in groups)


def _profile(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Profile:
    try:
        numbers = [[float(c) if c else np.nan for c in (r[1], r[2], *r[4:])] for r in rows]
    except ValueError as error:
        raise InputError(f"{path}: state {rows[0][0]!r}: {error}") from error
    table = np.array(numbers, dtype=np.float64)
    quantities = {name: table[:, 2 + k].copy() for k, name in enumerate(header[4:])}
    regions = tuple(row[3] for row in rows)
    return Profile(rows[0][0], float(table[0, 0]), table[:, 1] * 1e-9, regions, quantities)
