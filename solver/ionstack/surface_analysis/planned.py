"""The analyses that a case asks for, at the end of its run and whenever they are wanted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ionstack.errors import InputError
from ionstack.surface_analysis.order import PlannedAnalysis, planned
from ionstack.surface_analysis.run import run_sims


@dataclass(frozen=True)
class Done:
    """Lines for the log, and the files written."""

    lines: tuple[str, ...]
    paths: tuple[Path, ...]


def run_planned(
    folder: Path, wanted: Sequence[PlannedAnalysis] | None = None, *, figures: bool = True
) -> Done:
    """Do every analysis of a run anew, from its files; those of its own record unless given.

    An analysis that finds too little in the files is a line for the log; nothing is raised for it.
    """
    try:
        wanted = planned(folder) if wanted is None else wanted
    except InputError as error:
        return Done((f"no analyses: {error}",), ())
    done = [_one(folder, one, figures) for one in wanted]
    return Done(
        tuple(line for one in done for line in one.lines),
        tuple(path for one in done for path in one.paths),
    )


def _one(folder: Path, wanted: PlannedAnalysis, figures: bool) -> Done:
    kind = wanted.setup.given.kind
    try:
        paths = run_sims(folder, wanted.setup, replace(wanted.order, figures=figures))
    except InputError as error:
        return Done((f"analysis {kind}: {error}",), ())
    except Exception as error:
        # Whatever a state does to an analysis: the run and its other results stay.
        return Done((f"analysis {kind}: failed: {type(error).__name__}: {error}",), ())
    number = f"{len(paths)} file{'s' * (len(paths) != 1)}"
    return Done((f"analysis {kind}: {number} in {wanted.order.folder}",), tuple(paths))
