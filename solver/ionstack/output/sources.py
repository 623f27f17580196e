"""``sources.csv``: every material and interface number of a run with where it is from."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

from ionstack.output.atomic import write_text
from ionstack.reading.materials import UsedValue


def write(path: Path, rows: Sequence[UsedValue]) -> None:
    """Write one row per number; the columns are the fields of `UsedValue`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(UsedValue)])
    writer.writerows(dataclasses.astuple(row) for row in rows)
    write_text(path, text.getvalue())
