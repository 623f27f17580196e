"""The step that a run was in when it was cut off: no row tells of it, the case file does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ionstack.metrics.arrays import FloatArray
from ionstack.output.run_directory import RunDirectory
from ionstack.output.steps import StepRow
from ionstack.output.trace import TIME

# Column of the trace with the number of the step, where it has one.
_NUMBER = "step [1]"


def with_unfinished(
    steps: tuple[StepRow, ...], trace: Mapping[str, FloatArray], run: RunDirectory
) -> tuple[StepRow, ...]:
    """Return the steps, and the one begun after them as far as the trace goes.

    The steps as they are where the trace ends with them, or where the case file does not
    tell which step came next.
    """
    times, begun = trace[TIME], steps[-1].end if steps else 0.0
    if not len(times) or times[-1] <= begun * (1.0 + 1e-12):
        return steps
    planned = list(_planned(_protocol(run)))
    if len(planned) <= len(steps):
        return steps
    number, name, kind, contact = planned[len(steps)]
    if _NUMBER in trace and trace[_NUMBER][-1] != number:
        return steps
    last = float(times[-1])
    return (*steps, StepRow(number, name, kind, contact, begun, last, "the run was cut off"))


def _protocol(run: RunDirectory) -> list[Any]:
    try:
        case = yaml.safe_load(run.input.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return []
    found = case.get("protocol") if isinstance(case, dict) else None
    return found if isinstance(found, list) else []


def _planned(entries: Sequence[Any], number: int = 0) -> Iterator[tuple[int, str, str, str]]:
    """Yield number, name, kind and contact of every step in order, repeats written out.

    Inside a repeat all have its `number`.
    """
    for place, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            return
        own = number or place
        kind = next((key for key, keys in entry.items() if _is_kind(key, keys)), "")
        keys = entry.get(kind, {})
        if kind == "repeat":
            for _ in range(int(keys["times"])):
                yield from _planned(keys["steps"], own)
        else:
            name = entry.get("name") or keys.get("name") or ""
            yield own, str(name), kind, str(keys.get("contact", ""))


def _is_kind(key: str, keys: Any) -> bool:
    return isinstance(keys, dict) and key not in ("until", "compliance")
