"""Counts along the depth as an instrument exports them, for instance ``sims_profile.csv``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.atomic import write_text

STATE = "state"
TIME = "sputter time [s]"
DEPTH = "depth [nm]"
MATERIAL = "material"
_LEADING = (STATE, TIME, DEPTH, MATERIAL)

_NAME = re.compile(r"(?P<name>.+) \[(?P<unit>\w+)\]")

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CountProfile:
    """What an instrument counts in one state of a device.

    `time` (f,) [s] and `depth` (f,) [m] at the middle of each analysis; `material` that lies there;
    `counts` and what was `expected` of each signal, (f,), in `unit`: 1 where they are shares.
    """

    state: str
    time: FloatArray
    depth: FloatArray
    material: tuple[str, ...]
    counts: Mapping[str, FloatArray]
    expected: Mapping[str, FloatArray]
    unit: str = "counts"

    def columns(self) -> dict[str, FloatArray]:
        """Return the columns of the table, ``Li+ [counts]`` and ``Li+ expected [counts]``."""
        return {
            f"{signal}{which} [{self.unit}]": values[signal]
            for signal in self.counts
            for which, values in (("", self.counts), (" expected", self.expected))
        }


def write_counts(path: Path, profiles: Sequence[CountProfile]) -> Path:
    """Write the profiles of several states, which have the same signals, below each other."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_LEADING, *profiles[0].columns()])
    for profile in profiles:
        columns = profile.columns().values()
        leading = zip(profile.time, profile.depth, profile.material, strict=True)
        for row, (time, depth, material) in enumerate(leading):
            values = (f"{column[row]:.10g}" for column in columns)
            place = (f"{time:.10g}", f"{depth * 1e9:.10g}", material)
            writer.writerow([profile.state, *place, *values])
    write_text(path, text.getvalue())
    return path


def read_counts(path: Path) -> tuple[CountProfile, ...]:
    """Return the profiles of the file in their order; raises InputError for a damaged one."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not rows or tuple(rows[0][:4]) != _LEADING:
        raise InputError(f"{path}:1: is no profile of counts: expected {', '.join(_LEADING)}")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}:{line}: has {len(row)} cells, the header has {len(rows[0])}")
    groups = groupby(rows[1:], key=lambda row: row[0])
    return tuple(_profile(path, rows[0], state, list(group)) for state, group in groups)


def _profile(
    path: Path, header: Sequence[str], state: str, rows: Sequence[Sequence[str]]
) -> CountProfile:
    try:
        numbers = np.array([[float(cell) for cell in (*row[1:3], *row[4:])] for row in rows])
    except ValueError as error:
        raise InputError(f"{path}: state {state!r}: {error}") from error
    names = [_NAME.fullmatch(name) for name in header[4::2]]
    if not all(names):
        raise InputError(f"{path}:1: signals need columns like 'Li+ [counts]'")
    signals = [match["name"] for match in names if match]
    columns = numbers.T[2:]
    return CountProfile(
        state,
        numbers[:, 0],
        numbers[:, 1] * 1e-9,
        tuple(row[3] for row in rows),
        dict(zip(signals, columns[::2], strict=True)),
        dict(zip(signals, columns[1::2], strict=True)),
        next((match["unit"] for match in names if match), "counts"),
    )
