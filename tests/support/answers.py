"""Numbers that instruments find in hand-made runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ionstack.instruments.run import run_instruments
from support.runs import HandMade


def made(run: HandMade, folder: Path, *instruments: dict, figures: bool = False) -> dict:
    """The numbers of all instruments, none of which may have failed."""
    run.write(folder, list(instruments) or None)
    found = run_instruments(folder, figures=figures)
    assert found.lines[0].startswith("instruments: ")
    assert found.lines[1:] == ()
    for path in found.paths:
        assert path.stat().st_size > 0
    return dict(found.entries)


def table(path: Path) -> dict[str, list[float]]:
    header, *rows = csv.reader(path.read_text().splitlines())
    return {name: [float(row[k]) for row in rows] for k, name in enumerate(header)}


def capacitor(currents: tuple[float, ...] = (1e-6, 1e-5)) -> HandMade:
    """C = 2 µF with R = 10 kΩ in series, charged to 1 V and discharged, once per current."""
    run = HandMade()
    for current in currents:
        duration = 2e-6 / current
        share = np.linspace(0.0, 1.0, 2001)[1:]
        inside = np.concatenate([share, 1.0 - share])
        sign = np.repeat([1.0, -1.0], 2000)
        time = np.concatenate([share, 1.0 + share]) * duration
        run.step("gcd", time, inside + sign * current * 1e4, sign * current)
    return run


def relaxing(kind: str, current, voltage=0.1, end: float = 100.0, points: int = 60) -> HandMade:
    time = np.geomspace(0.01, end, points)
    volts = np.full(points, voltage) if np.isscalar(voltage) else voltage(time)
    return HandMade().step(kind, time, volts, current(time), name="rest")
