"""The folder of a campaign: what was asked, a run folder per point, the table of all points."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ionstack.errors import InputError
from ionstack.output import summary
from ionstack.output.atomic import replacing, write_text
from ionstack.output.run_directory import RunDirectory, lock, refuse_foreign, writing_into
from ionstack.reading.variation import numbers
from ionstack.reading.yaml_source import read_yaml

COMPLETED, FAILED, UNFINISHED = "completed", "failed", "unfinished"


@dataclass(frozen=True)
class CampaignDirectory:
    """Where the files of a campaign lie. Pure naming: nothing is read or written here."""

    path: Path

    @property
    def record(self) -> Path:
        """What was asked; it tells whose results these are."""
        return self.path / "campaign.yaml"

    @property
    def table(self) -> Path:
        """One row per point."""
        return self.path / "table.csv"

    @property
    def overlay(self) -> Path:
        """All points in one figure."""
        return self.path / "overlay.png"

    @property
    def log(self) -> Path:
        """Begin and end of every point."""
        return self.path / "log.txt"

    def run(self, point: str) -> RunDirectory:
        """Return the run folder of a point."""
        return RunDirectory(self.path / "points" / point)

    def failure(self, point: str) -> Path:
        """Return the message of a point that failed; beside its folder, which is a run's."""
        return self.path / "points" / f"{point}.failed.txt"


@dataclass(frozen=True)
class Record:
    """What ``campaign.yaml`` says: the case's file and name, settings, values by point and key."""

    case: str
    name: str
    settings: tuple[str, ...]
    points: Mapping[str, Mapping[str, str]]

    def text(self) -> str:
        """Return the record as YAML."""
        entries = {"case": self.case, "name": self.name, "set": list(self.settings)}
        points = {point: dict(values) for point, values in self.points.items()}
        whole = entries | {"vary": self.varied(), "points": points}
        text: str = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=1000)
        return text

    def varied(self) -> dict[str, list[str]]:
        """Return the different values of every varied key, in order."""
        keys = next(iter(self.points.values()), {})
        return {k: list(dict.fromkeys(v[k] for v in self.points.values())) for k in keys}


def is_campaign(path: Path) -> bool:
    """Tell whether a folder holds a campaign."""
    return CampaignDirectory(path).record.is_file()


def read_record(folder: CampaignDirectory) -> Record:
    """Return what was asked; raises InputError if it cannot be read."""
    found = read_yaml(folder.record).plain()
    try:
        points = {
            str(point): {str(key): str(value) for key, value in values.items()}
            for point, values in found["points"].items()
        }
        settings = tuple(str(one) for one in found["set"])
        return Record(str(found["case"]), str(found["name"]), settings, points)
    except (KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{folder.record}: is not the record of a campaign") from error


@contextmanager
def claimed_campaign(
    path: Path, record: Record, cases: Mapping[str, str]
) -> Iterator[CampaignDirectory]:
    """Keep a folder as this campaign's own inside the block; write ``campaign.yaml`` into it.

    `cases` are the resolved cases by point. No results are removed.

    Raises InputError when the folder holds another campaign or other files, when a point
    in it is that of another case, when it is in use, or cannot be written.
    """
    folder = CampaignDirectory(path)
    with writing_into(path):
        release = lock(path)
    try:
        with writing_into(path):
            _claim_here(folder, record.text(), cases)
        yield folder
    finally:
        release()


def _claim_here(folder: CampaignDirectory, record: str, cases: Mapping[str, str]) -> None:
    refuse_foreign(folder.record, record)
    for point, case in cases.items():
        if folder.run(point).path.is_dir():
            refuse_foreign(folder.run(point).case, case)
    write_text(folder.record, record)
    (folder.path / "points").mkdir(exist_ok=True)


def is_finished(run: RunDirectory, case: str) -> bool:
    """Tell whether a run folder holds the complete results of a resolved case."""
    try:
        same = run.case.read_text(encoding="utf-8") == case
        return same and summary.read(run.summary)["completed"] is True
    except (OSError, ValueError, KeyError, InputError):
        return False


def forget_results(folder: CampaignDirectory, points: Iterable[str]) -> None:
    """Take away what says that points are finished or failed, so that all count as not run."""
    for point in points:
        folder.run(point).summary.unlink(missing_ok=True)
        folder.failure(point).unlink(missing_ok=True)


def status(folder: CampaignDirectory, point: str) -> tuple[str, str]:
    """Return how a point stands by its files, and the message if it failed."""
    if folder.failure(point).exists():
        return FAILED, folder.failure(point).read_text(encoding="utf-8").strip()
    completed = _entries(folder, point).get("completed")
    if completed is None:
        return UNFINISHED, ""
    return (COMPLETED if completed else FAILED), ""


def write_table(folder: CampaignDirectory) -> Path:
    """Write ``table.csv`` from the files of the points, and return it.

    Columns: point, the varied values (numbers in the unit of the first value where they are
    quantities), status, message of a failure, and all numbers of the summaries.
    """
    record = read_record(folder)
    varied = {key: _column(record, key) for key in record.varied()}
    found = {point: _numbers(_entries(folder, point)) for point in record.points}
    scalars = sorted(set().union(*found.values()))
    rows: list[list[Any]] = [
        ["point", *(title for title, _ in varied.values()), "status", "message", *scalars]
    ]
    for row, (point, entries) in enumerate(found.items()):
        values = [cells[row] for _, cells in varied.values()]
        numbers_ = [entries.get(key, "") for key in scalars]
        state, message = status(folder, point)
        rows.append([point, *values, state, " ".join(message.split()), *numbers_])
    return _write(folder.table, rows)


def axis(record: Record, key: str) -> tuple[list[float], str] | None:
    """Return a varied value of all points as numbers with their unit, None if it is none."""
    return numbers([values[key] for values in record.points.values()])


def _column(record: Record, key: str) -> tuple[str, Sequence[Any]]:
    quantities = axis(record, key)
    if quantities is None:
        return key, [values[key] for values in record.points.values()]
    cells, unit = quantities
    return (key if unit == "1" else f"{key} [{unit}]"), cells


def _entries(folder: CampaignDirectory, point: str) -> dict[str, Any]:
    try:
        return summary.read(folder.run(point).summary)
    except InputError:
        return {}


def _numbers(entries: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: value
        for key, value in entries.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _write(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with replacing(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")
    return path
