"""From short-term to long-term: what remains after trainings of different length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ionstack.instruments.records import Records
from ionstack.instruments.selection import View
from ionstack.metrics.transients import learnt_residual
from ionstack.output.steps import StepRow


def learnt(
    records: Records, views: Sequence[View], numbers: Mapping[str, float]
) -> dict[str, float]:
    """Return how much more remains per decade of pulses, of decays after several trainings.

    `numbers` are those of all views, by name. Empty for fewer than two decays after pulses.
    """
    decays = [one for one in views if f"{one.name}.residual" in numbers and _is_decay(one)]
    starts = [0.0, *(one.steps[0].end for one in decays)]
    counts = [
        _pulses_between(records, begin, one.steps[0])
        for begin, one in zip(starts, decays, strict=False)
    ]
    shares = [numbers[f"{one.name}.residual"] for one in decays]
    trained = [(count, share) for count, share in zip(counts, shares, strict=True) if count]
    if len({count for count, _ in trained}) < 2:
        return {}
    return {"decay.residual.per_decade": learnt_residual(*zip(*trained, strict=True))}


def _is_decay(view: View) -> bool:
    return view.kind.name == "decay"


def _pulses_between(records: Records, begin: float, step: StepRow) -> int:
    """Return the number of pulses since `begin` [s] and before a step."""
    between = [one for one in records.steps if begin <= one.start and one.end <= step.start]
    return len(np.unique(records.pulse_rows(between, "pulse")))
