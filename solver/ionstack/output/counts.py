"""Counts along the depth as an instrument exports them, ``sims_profile.csv``."""

from __future__ import annotations

import csv
import io
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

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CountProfile:
    """What an instrument counts in one state of a device.

    `time` (f,) [s] and `depth` (f,) [m] at the middle of each analysis; `material` that lies there;
    `counts` and what was `expected` of each signal, (f,).
    """

    state: str
    time: FloatArray
    depth: FloatArray
    material: tuple[str, ...]
    counts: Mapping[str, FloatArray]
    expected: Mapping[str, FloatArray]


def counts_column(signal: str) -> str:
    """Return the column of a signal's counts, ``Li+ [counts]``."""
    return f"{signal} [counts]"


def expected_column(signal: str) -> str:
    """Return the column of a signal's expected counts, ``Li+ expected [counts]``."""
    return f"{signal} expected [counts]"


def write_counts(path: Path, profiles: Sequence[CountProfile]) -> Path:
    """Write the profiles of several states, which have the same signals, below each other."""
    signals = list(profiles[0].counts)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [name(signal) for signal in signals for name in (counts_column, expected_column)]
    writer.writerow([*_LEADING, *columns])
    for profile in profiles:
        pairs = [one[signal] for signal in signals for one in (profile.counts, profile.expected)]
        leading = zip(profile.time, profile.depth, profile.material, strict=True)
        for row, (time, depth, material) in enumerate(leading):
            values = (f"{pair[row]:.10g}" for pair in pairs)
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
    columns = dict(zip(header[4:], numbers.T[2:], strict=True))
    signals = [name.removesuffix(" [counts]") for name in header[4::2]]
    return CountProfile(
        state,
        numbers[:, 0],
        numbers[:, 1] * 1e-9,
        tuple(row[3] for row in rows),
        {signal: columns[counts_column(signal)] for signal in signals},
        {signal: columns[expected_column(signal)] for signal in signals},
    )
