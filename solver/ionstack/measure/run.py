"""One table, one kind of measurement: read, evaluate, print, write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ionstack.errors import InputError, nearest
from ionstack.measure import electrochemistry_kinds, switching_kinds, synapse_kinds
from ionstack.measure.columns import Columns, parse_choices, select
from ionstack.measure.kind import Inputs, Kind, Result, Scalar, Setting
from ionstack.measure.table import Table, read_table
from ionstack.output import summary
from ionstack.output.atomic import write_text
from ionstack.plots.panels import draw_panels
from ionstack.reading.units import parse

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (*switching_kinds.KINDS, *synapse_kinds.KINDS, *electrochemistry_kinds.KINDS)
}


@dataclass(frozen=True)
class Measured:
    """What was read and found: the table, the columns used, the result."""

    kind: Kind
    table: Table
    columns: Columns
    result: Result


def measure(
    path: Path,
    kind: str,
    columns: Sequence[str] = (),
    settings: Sequence[str] = (),
    skip: int = 0,
) -> Measured:
    """Evaluate a table as one kind of measurement.

    `columns`: arguments ``role=header[:unit],…``; `settings`: ``name=quantity``; `skip`:
    lines at the top that are not looked at. Raises InputError with file, line and column
    of a mistake, what was found and what is allowed.
    """
    chosen = _kind(kind)
    roles = parse_choices(columns, chosen.roles)
    numbers = _settings(chosen, settings)
    table = read_table(path, skip)
    found = select(table, chosen.alternatives, chosen.optional, roles)
    try:
        result = chosen.analyse(Inputs(found, numbers))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return Measured(chosen, table, found, result)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InputError(
            f"--kind {name!r} is unknown; allowed: {', '.join(KINDS)}{nearest(name, KINDS)}"
        )
    return KINDS[name]


def _settings(kind: Kind, texts: Sequence[str]) -> dict[str, float | None]:
    allowed = {setting.name: setting for setting in kind.settings}
    values: dict[str, float | None] = {s.name: s.default for s in kind.settings}
    for text in texts:
        name, equals, quantity = text.partition("=")
        if not equals or name not in allowed:
            what = "unknown setting" if equals else "write it like name=value, not"
            raise InputError(
                f"--set: {what} {name!r}; of {kind.name}: {', '.join(allowed) or 'none'}"
                + nearest(name, allowed)
            )
        values[name] = _quantity(allowed[name], quantity)
    return values


def _quantity(setting: Setting, text: str) -> float:
    try:
        return parse(text, setting.unit)
    except ValueError as error:
        raise InputError(f"--set {setting.name}: {error}") from error


def describe(measured: Measured) -> str:
    """Return what is printed: the columns used, then name, value, unit, spread and meaning."""
    used = measured.columns.headers.items()
    lines = [
        f"{measured.table.path}: {measured.kind.title}, {len(measured.table.lines)} rows",
        "columns: " + ", ".join(f"{role} = {header!r}" for role, header in used),
        "",
    ]
    rows = [(s.name, _shown(s.value), _unit(s.unit), _note(s)) for s in measured.result.scalars]
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    lines += [
        f"{n:<{widths[0]}}  {v:>{widths[1]}}  {u:<{widths[2]}}  {m}".rstrip() for n, v, u, m in rows
    ]
    return "\n".join(lines)


def _note(scalar: Scalar) -> str:
    """Return the meaning, and the spread of a repeated value with its 95 % interval."""
    found = {name: value for name, value, _ in scalar.details}
    if not found:
        return scalar.meaning
    low, high = (100.0 * found[f"variation.{end}"] for end in ("low", "high"))
    spread = f"σ/mean {100.0 * found['variation']:.2g} % ({low:.2g} to {high:.2g})"
    spread += f", n = {found['count']:g}"
    if "weibull.shape" in found:
        shape, scale = found["weibull.shape"], found["weibull.scale"]
        spread += f", Weibull shape {shape:.3g}, scale {scale:.4g}"
    return f"{scalar.meaning}; {spread}"


def _shown(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.5g}"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def save(measured: Measured, folder: Path | None) -> tuple[Path, ...]:
    """Write numbers, figure and further files; return their paths.

    The folder is ``results/<file>_<kind>`` unless given. Raises InputError if it holds
    the evaluation of another file, or cannot be written.
    """
    kind, source = measured.kind.name, measured.table.path
    target = folder or Path("results") / f"{source.stem}_{kind}"
    numbers = target / f"{kind}.json"
    _claim(target, numbers, source)
    used = {f"column.{role}": header for role, header in measured.columns.headers.items()}
    try:
        summary.write(
            numbers,
            {**entries(measured.result), **used, "kind": kind, "file": str(source.resolve())},
        )
        paths = [numbers]
        if measured.result.panels:
            paths.append(draw_panels(measured.result.panels, target / f"{kind}.png"))
        for name, text in measured.result.files.items():
            write_text(target / name, text)
            paths.append(target / name)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from error
    return tuple(paths)


def entries(result: Result) -> dict[str, float]:
    """Return the numbers by ``name [unit]``, details as ``name.detail [unit]``."""
    found: dict[str, float] = {}
    for s in result.scalars:
        own = (("", s.value, s.unit),)
        for name, value, unit in (*own, *((f".{n}", v, u) for n, v, u in s.details)):
            found[f"{s.name}{name}" + ("" if unit == "1" else f" [{unit}]")] = value
    return found


def _claim(target: Path, numbers: Path, source: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        before = json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {}
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from error
    except ValueError:
        before = {"file": "something else"}
    other = before.get("file") if isinstance(before, dict) else "something else"
    if other not in (None, str(source.resolve())):
        raise InputError(f"{numbers}: holds the evaluation of {other}; give another folder with -o")
