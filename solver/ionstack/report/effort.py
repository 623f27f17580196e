"""Where a run spent its time, and where its steps were hard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ionstack.metrics import Trace
from ionstack.output.trace import NEWTON, PROTOCOL_STEP, STEP, TIME, contacts_in, voltage_column
from ionstack.report.wording import number, quantity

_HARDEST = 8
# Parts of stepping, which are told besides.
_INNER = ("assembly", "linear")


@dataclass(frozen=True)
class Timing:
    """Seconds of a part of the run, and its share of all [%]; `inner`: a part of stepping."""

    part: str
    seconds: str
    share: float
    inner: bool


@dataclass(frozen=True)
class HardStep:
    """A step that took many Newton iterations."""

    time: str
    step: str
    newton: int
    protocol_step: int
    voltages: str


@dataclass(frozen=True)
class Effort:
    """Numbers of steps and iterations, wall-clock times, and the hardest steps."""

    counts: Mapping[str, str]
    timings: Sequence[Timing]
    hardest: Sequence[HardStep]


def effort(summary: Mapping[str, Any], trace: Trace) -> Effort:
    """Return what a run took; of one that has no summary what the trace tells."""
    return Effort(_counts(summary, trace), _timings(summary), _hardest(trace))


def _timings(summary: Mapping[str, Any]) -> list[Timing]:
    """Return the wall-clock times of a summary, the longest first, parts of stepping last."""
    found = {key[7:-4]: float(value) for key, value in summary.items() if _is_timing(key, value)}
    total = found.pop("total", sum(found.values())) or 1.0
    order = sorted(found, key=lambda part: (part in _INNER, -found[part]))
    return [
        Timing(part, quantity(found[part], "s"), 100.0 * found[part] / total, part in _INNER)
        for part in order
    ]


def _is_timing(key: str, value: Any) -> bool:
    return key.startswith("timing.") and key.endswith(" [s]") and value is not None


def _counts(summary: Mapping[str, Any], trace: Trace) -> dict[str, str]:
    """Return numbers of steps and iterations, and the range of the step size."""
    sizes = trace[STEP][1:]
    found = {
        "steps accepted": number(summary.get("steps.accepted", len(sizes))),
        "steps rejected": number(summary.get("steps.rejected")),
        "Newton iterations": number(summary.get("newton.steps")),
        "Newton iterations to equilibrium": number(summary.get("newton.equilibrium")),
        "linear solver": number(summary.get("linear.method")),
        "wall-clock time": quantity(summary.get("timing.total [s]"), "s"),
    }
    if len(sizes):
        found["least step"] = quantity(float(sizes.min()), "s")
        found["largest step"] = quantity(float(sizes.max()), "s")
    return {what: value for what, value in found.items() if not value.startswith("none")}


def _hardest(trace: Trace) -> Sequence[HardStep]:
    """Return the steps with most Newton iterations in the order of time."""
    order = np.lexsort((trace[STEP], -trace[NEWTON]))[:_HARDEST]
    chosen = sorted(int(row) for row in order if trace[NEWTON][row] > 0)
    return [_hard_step(trace, row) for row in chosen]


def _hard_step(trace: Trace, row: int) -> HardStep:
    voltages = (
        f"{name} {quantity(float(trace[voltage_column(name)][row]), 'V')}"
        for name in contacts_in(trace)[:4]
    )
    return HardStep(
        quantity(float(trace[TIME][row]), "s"),
        quantity(float(trace[STEP][row]), "s"),
        int(trace[NEWTON][row]),
        int(trace[PROTOCOL_STEP][row]) if PROTOCOL_STEP in trace else 0,
        ", ".join(voltages),
    )
