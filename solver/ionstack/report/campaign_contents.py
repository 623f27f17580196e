"""Everything that the page of a campaign says, gathered from its files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ionstack.errors import InputError
from ionstack.output import summary
from ionstack.output.campaign import COMPLETED, CampaignDirectory, Record, read_record
from ionstack.report import facts
from ionstack.report.curves import campaign_table
from ionstack.report.pictures import ROOM, Gallery, gallery

_MOST_POINTS = 200

Json = dict[str, Any]


@dataclass(frozen=True)
class CampaignContents:
    """What the page of a campaign shows; of parameters and origin those of its first point."""

    title: str
    name: str
    unfinished: int
    asked: Mapping[str, str]
    header: Sequence[str]
    points: Sequence[Sequence[str]]
    points_left_out: int
    gallery: Gallery
    parameters: Mapping[str, Sequence[facts.Parameter]]
    case_text: str
    origin: Mapping[str, str]
    data: Mapping[str, Json]


def campaign_contents(folder: CampaignDirectory) -> CampaignContents:
    """Gather what the page of a campaign shows; raises InputError if it has no table yet."""
    record = read_record(folder)
    header, rows = _points(folder.table)
    first = folder.run(next(iter(record.points), ""))
    case = facts.read_case(first) if first.case.exists() else {}
    numbers = campaign_table(folder.table, list(record.varied()))
    data = {} if numbers is None else {"numbers": numbers}
    return CampaignContents(
        title=str(case.get("title") or record.name),
        name=record.name,
        unfinished=sum(row[header.index("status")] != COMPLETED for row in rows),
        asked=_asked(record),
        header=header,
        points=rows[:_MOST_POINTS],
        points_left_out=max(len(rows) - _MOST_POINTS, 0),
        gallery=gallery(sorted(folder.path.glob("*.png")), ROOM - len(json.dumps(data))),
        parameters=facts.parameters(first.sources),
        case_text=facts.text_of(first.input),
        origin=facts.origin(summary.read(first.summary) if first.summary.exists() else {}),
        data=data,
    )


def _asked(record: Record) -> dict[str, str]:
    settings = {"case": record.case, "settings": ", ".join(record.settings)}
    varied = {f"varied: {key}": ", ".join(values) for key, values in record.varied().items()}
    return {term: value for term, value in (settings | varied).items() if value}


def _points(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the columns of the table up to the messages: point, varied values, status."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        last = rows[0].index("message") + 1
    except (OSError, ValueError, IndexError) as error:
        hint = f"ionstack plot {path.parent} makes it"
        raise InputError(f"{path}: is no table of a campaign; {hint}") from error
    return rows[0][:last], [row[:last] for row in rows[1:]]
