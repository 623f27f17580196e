"""All instruments of a run: from its files to tables, numbers and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ionstack.errors import InputError
from ionstack.instruments.catalogue import Request
from ionstack.instruments.curve import Curve
from ionstack.instruments.curves import take
from ionstack.instruments.records import Records, read_records, read_requests
from ionstack.instruments.selection import MOST, View, views
from ionstack.instruments.training import learnt
from ionstack.measure.columns import ANY, ROLES, Columns
from ionstack.measure.kind import Inputs, Result
from ionstack.measure.run import KINDS, entries
from ionstack.metrics.arrays import FloatArray
from ionstack.output import summary
from ionstack.output.atomic import write_text
from ionstack.output.run_directory import RunDirectory, remove_instruments
from ionstack.plots.panels import draw_panels


@dataclass(frozen=True)
class Found:
    """Numbers by ``instrument.name [unit]``, lines for the log, files written."""

    entries: Mapping[str, Any]
    lines: tuple[str, ...]
    paths: tuple[Path, ...]


def run_instruments(
    folder: Path, requests: Sequence[Request] | None = None, *, figures: bool = True
) -> Found:
    """Make every instrument of a run anew, from its files.

    `requests` are those of the run's own record unless given. An instrument that finds too
    little in the files is a line for the log; nothing is raised for it.
    """
    run = RunDirectory(folder)
    try:
        remove_instruments(run)
        wanted = read_requests(folder) if requests is None else requests
        if not wanted:
            return Found({}, (), ())
        records = read_records(folder)
        run.instruments.mkdir(exist_ok=True)
    except (InputError, OSError) as error:
        return Found({}, (f"no instruments: {error}",), ())
    return _all(run, records, wanted, figures)


def _all(run: RunDirectory, records: Records, wanted: Iterable[Request], figures: bool) -> Found:
    numbers: dict[str, Any] = {}
    lines: list[str] = []
    paths: list[Path] = []
    done: list[str] = []
    found = views(wanted, records.steps, with_reads=records.with_reads)
    for view in found:
        if view.number > MOST:
            continue
        try:
            own, written = _one(run, records, view, figures)
        except InputError as error:
            lines.append(f"instrument {view.name}: {error}")
        except Exception as error:
            # Whatever one curve does to a fit or a figure: the run and the others go on.
            lines.append(f"instrument {view.name}: failed: {type(error).__name__}: {error}")
        else:
            numbers |= {f"{view.name}.{key}": value for key, value in own.items()}
            paths += written
            done.append(view.name)
    numbers |= learnt(records, found, numbers)
    if done:
        lines.insert(0, f"instruments: {', '.join(done)}")
    return Found(numbers, (*lines, *_left_out(found)), tuple(paths))


def _left_out(found: Iterable[View]) -> Iterator[str]:
    counts = Counter(view.kind.name for view in found if view.number > MOST)
    for kind, count in counts.items():
        yield f"instrument {kind}: {count} more steps; ask for single ones with 'step'"


def _one(
    run: RunDirectory, records: Records, view: View, figures: bool
) -> tuple[dict[str, float], list[Path]]:
    """Return the numbers of one view and the files it wrote."""
    curve = take(records, view)
    table = run.instruments / f"{view.name}.csv"
    write_text(table, _text(curve))
    result = KINDS[view.kind.name].analyse(_inputs(view, curve))
    numbers = entries(result)
    return numbers, [table, *_write(run, view, result, numbers, figures)]


def _write(
    run: RunDirectory, view: View, result: Result, numbers: Mapping[str, float], figures: bool
) -> list[Path]:
    paths = [run.instruments / f"{view.name}.json"]
    summary.write(paths[0], {**numbers, "kind": view.kind.name})
    if figures and result.panels:
        paths.append(draw_panels(result.panels, run.instruments / f"{view.name}.png"))
    for name, text in result.files.items():
        paths.append(run.instruments / f"{view.name}_{name}")
        write_text(paths[-1], text)
    return paths


def _inputs(view: View, curve: Curve) -> Inputs:
    """Return what the kind of measurement takes: columns, and settings as the case gives them.

    What the case does not say the files may tell; the rest are the kind's own defaults.
    """
    units = {role: _unit(role, curve) for role in curve.columns}
    headers = {role: curve.header or role for role in curve.columns}
    known = {setting.name: setting.default for setting in KINDS[view.kind.name].settings}
    given = {**curve.settings, **view.request.settings}
    settings = known | {name: value for name, value in given.items() if name in known}
    return Inputs(Columns(dict(curve.columns), units, headers), settings)


def _unit(role: str, curve: Curve) -> str:
    unit = ROLES[role].unit
    return curve.unit if unit == ANY else unit


def _text(curve: Curve) -> str:
    """Return the table as CSV, with the headers that `ionstack measure` understands."""
    roles = {f"{role} [{_unit(role, curve)}]": one for role, one in curve.columns.items()}
    columns: dict[str, FloatArray] = {**curve.beside, **roles}
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(repr(float(x)) for x in row) for row in rows)]
    return "\n".join(lines) + "\n"
