"""Campaigns of the smallest device, and campaign folders made by hand."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ionstack.output import summary
from ionstack.output.campaign import CampaignDirectory, Record, claimed_campaign
from ionstack.output.pulses import KINDS, PulseRow, PulseWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TraceWriter

ROOT = Path(__file__).parents[2]
DIODE = ROOT / "cases" / "basics" / "pn_diode.yaml"

# A diode on some twenty nodes, without figures of its own; a point takes a second.
_SETTINGS = (
    "stack.grading.first_cell=60 nm",
    "stack.grading.growth=2",
    "protocol.0.sweep.amplitude=0.3 V",
    "numerics.max_step=1 s",
    "numerics.min_step=0.1 s",
    "output.figures=false",
    "output.snapshots=none",
)
TINY = tuple(part for one in _SETTINGS for part in ("--set", one))
# No step reaches a tolerance of a femtovolt, whose point fails while it is computed.
TOLERANCES = "numerics.step_tolerance=0.5 mV,1e-15 V,1 mV"
POINTS = ("01-step_tolerance_0.5mV", "02-step_tolerance_1e-15V", "03-step_tolerance_1mV")


def sweep_command(folder: Path, *varied: str) -> list[str]:
    """Return the arguments of a campaign of the tiny diode."""
    options = [part for one in varied for part in ("--vary", one)]
    return ["sweep", str(DIODE), *TINY, *options, "-o", str(folder), "--quiet"]


def read_table(folder: Path) -> list[dict[str, str]]:
    """Return the rows of ``table.csv``."""
    with CampaignDirectory(folder).table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_campaign(path: Path, points: Mapping[str, Mapping[str, str]]) -> CampaignDirectory:
    """Write a campaign whose points have no results yet."""
    record = Record("case.yaml", "case", ("temperature=300 K",), points)
    with claimed_campaign(path, record, {}) as folder:
        for point in points:
            folder.run(point).path.mkdir()
    return folder


def write_point(run: RunDirectory, conductance: float, **entries: object) -> None:
    """Write trace and summary of a resistor, and pulses after which it conducts better."""
    with TraceWriter(run.trace, ("Pt", "ITO")) as trace:
        for step, volts in enumerate(np.linspace(0.0, 1.0, 11)):
            amps = conductance * volts
            both = {"Pt": amps, "ITO": -amps}
            trace.append(float(step), {"Pt": volts, "ITO": 0.0}, both, 1.0, 2, 1)
    summary.write(run.summary, entries)


def write_pulses(run: RunDirectory, conductances: Sequence[float]) -> None:
    """Write a pulse of 2 V and a read of 0.1 V for every conductance [S]."""
    writer = PulseWriter(run.pulses)
    for number, conductance in enumerate(conductances, start=1):
        for kind, volts in (("pulse", 2.0), ("read", 0.1)):
            amps = conductance * volts
            writer.append(
                PulseRow(KINDS[kind], 1, 1, number, 0.0, 1.0, volts, amps, amps, amps * volts)
            )
    writer.close()
