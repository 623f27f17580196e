"""What the record of a run says in words: case, protocol, parameters, circuit, origin."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ionstack.errors import InputError
from ionstack.output.run_directory import RunDirectory
from ionstack.output.steps import read_steps
from ionstack.reading.yaml_source import read_yaml
from ionstack.report.wording import number, quantity

Case = Mapping[str, Any]
Summary = Mapping[str, Any]

_DIMENSIONS = {"1d": "one dimension", "2d": "two dimensions", "3d": "three dimensions"}
# Rows of a protocol that a reader goes through.
_MOST_STEPS = 200
_MOST_LINES = 2000


@dataclass(frozen=True)
class Parameter:
    """One number of the run: where it stands, value with unit, source, whether it is fitted."""

    path: str
    value: str
    source: str
    fitted: bool
    valid: str


@dataclass(frozen=True)
class ProtocolRow:
    """One step of the protocol as it was done."""

    step: int
    what: str
    contact: str
    start: str
    end: str
    ended_by: str


def read_case(run: RunDirectory) -> Case:
    """Return every setting of a run; raises InputError where there is no record of them."""
    found = read_yaml(run.case).plain()
    if not isinstance(found, dict):
        raise InputError(f"{run.case}: is not the record of a case")
    return found


def text_of(path: Path) -> str:
    """Return the last lines of a file, all of a short one, and nothing where there is none."""
    if not path.exists():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    left_out = len(lines) - _MOST_LINES
    return "\n".join([f"({left_out} lines left out)"] * (left_out > 0) + lines[-_MOST_LINES:])


def solved(case: Case, summary: Summary, end: float) -> dict[str, str]:
    """Return what was solved as terms and their values; `end` is the last time [s]."""
    stack = case.get("stack") or {}
    layers = [layer["name"] for layer in stack.get("layers") or ()]
    names = [stack["top"]["name"], *layers, stack["bottom"]["name"]] if layers else []
    dimension = stack.get("dimension", "")
    found = {
        "solved in": _DIMENSIONS.get(dimension, dimension) if layers else "a circuit alone",
        "stack": " / ".join(names),
        "species": ", ".join(case.get("valences") or ()),
        "temperature": f"{case.get('temperature', 'none')} K",
        "unknowns": number(summary.get("unknowns")),
        "time simulated": quantity(end, "s"),
        "settings beside the case file": ", ".join(case.get("overrides") or ()),
        "outer fields": ", ".join(name for name in ("heat", "mechanics") if case.get(name)),
    }
    return {term: value for term, value in found.items() if value and not value.startswith("none")}


@dataclass(frozen=True)
class Protocol:
    """The first steps that a run went through, and how many more there are."""

    rows: Sequence[ProtocolRow]
    left_out: int


def protocol(run: RunDirectory) -> Protocol:
    """Return the protocol as it was done."""
    rows = read_steps(run.steps) if run.steps.exists() else ()
    shown = [
        ProtocolRow(
            row.step,
            f"{row.kind} ({row.name})" if row.name else row.kind,
            row.contact,
            quantity(row.start, "s"),
            quantity(row.end, "s"),
            row.ended_by,
        )
        for row in rows[:_MOST_STEPS]
    ]
    return Protocol(shown, max(len(rows) - _MOST_STEPS, 0))


def parameters(path: Path) -> dict[str, Sequence[Parameter]]:
    """Return the numbers of ``sources.csv`` by material, interface or contact."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        groups = groupby(rows, key=lambda row: row["material"])
        return {name: tuple(_parameter(row) for row in group) for name, group in groups}
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path}: is not a table of sources: {error}") from error


def _parameter(row: Mapping[str, str]) -> Parameter:
    value = row["text"] or quantity(float(row["value"]), row["unit"])
    if float(row["activation_energy"] or 0.0):
        value += f", activated with {quantity(float(row['activation_energy']), 'eV')}"
    return Parameter(row["path"], value, row["source"], row["fitted"] == "True", row["valid"])


def elements(case: Case) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and finite numbers in SI units of a circuit's elements.

    A circuit of sources alone is a device with its contacts, and has nothing to tell.
    """
    found = (case.get("circuit") or {}).get("elements") or ()
    for one in found if any(one["kind"] != "source" for one in found) else ():
        numbers = (one.get("parameters") or {}).items()
        kept = (f"{key} {number(value)}" for key, value in numbers if np.isfinite(value))
        yield one["name"], one["kind"], ", ".join(kept)


def origin(summary: Summary) -> dict[str, str]:
    """Return what the result was made with: commit, seed, ranks, versions, hashes."""
    plain = ("git.commit", "seed", "date.utc", "mpi.ranks", "mpi.library", "blas", "linear.method")
    starts = ("version.", "restart.", "initial.")
    hashes = ("case.sha256", "mesh.sha256", "source.sha256")
    keys = [key for key in plain if key in summary]
    keys += [key for key in summary if key.startswith(starts)]
    keys += [key for key in hashes if key in summary]
    return {key: _origin_value(summary[key]) for key in keys}


def _origin_value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(number(one) for one in value)
    return number(value)
