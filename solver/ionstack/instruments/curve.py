"""The curve that an instrument takes from the files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ionstack.metrics.arrays import FloatArray


@dataclass(frozen=True)
class Curve:
    """Columns by role of `ionstack.measure`, shape (n,) each, and what stands beside them.

    `beside`: further columns by header. `settings`: numbers that the files tell, by name,
    which the case may overrule. `unit` and `header` of the role `value`.
    """

    columns: Mapping[str, FloatArray]
    beside: Mapping[str, FloatArray] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    unit: str = "1"
    header: str = ""
