"""Named states of a run as steps of its field file."""

from __future__ import annotations

from collections.abc import Sequence

from ionstack.output.field_reader import Fields
from ionstack.output.profiles import Profile, read_profiles
from ionstack.output.run_directory import RunDirectory
from ionstack.output.steps import read_steps

# States that a run keeps by itself, as far as it comes there.
BY_THEMSELVES = ("start", "most negative bias", "most positive bias", "end")


def named_steps(fields: Fields, profiles: Sequence[Profile]) -> tuple[tuple[str, int], ...]:
    """Return the name and step number of each state; without profiles, first and last step."""
    if profiles:
        return tuple((p.state, fields.nearest_step(p.time)) for p in profiles)
    steps = dict.fromkeys((0, len(fields.times) - 1))
    return tuple((f"t = {fields.times[step]:.4g} s", step) for step in steps)


def states_of(run: RunDirectory, fields: Fields) -> tuple[tuple[str, int], ...]:
    """Return the named states of a run, found by their times among the steps."""
    profiles = read_profiles(run.profiles) if run.profiles.exists() else ()
    return named_steps(fields, profiles)


def ends_of_steps(run: RunDirectory, fields: Fields) -> dict[str, int]:
    """Return the step number of the state at the end of each named step, the last time it ended."""
    rows = read_steps(run.steps) if run.steps.exists() else ()
    return {row.name: fields.nearest_step(row.end) for row in rows if row.name}
