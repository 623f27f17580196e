"""The table in the documentation, made from the JSON of ``ionstack bench --json``.

python3 -m ionstack.benchmarks.table bench.json docs/performance.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_HEADINGS = ("benchmark", "value", "beside", "its value", "ratio", "target", "deviation")


def text_table(results: Iterable[Mapping[str, Any]]) -> str:
    """Return results as a table in Markdown."""
    rows = [_HEADINGS, tuple("---" for _ in _HEADINGS), *(_cells(one) for one in results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(one["name"]),
        _measured(one["value"], one["spread"], one["unit"]),
        one["peer"] or "",
        _measured(one["peer_value"], one["peer_spread"], one["unit"]) if one["peer"] else "",
        _number(one["ratio"], "") if one["peer"] else "",
        _target(one),
        "" if one["deviation"] is None else f"{one['deviation']:.1e}",
    )


def _measured(value: float | None, spread: float | None, unit: str) -> str:
    around = "" if spread is None else f" ± {spread / 2.0:.0%}"
    return _number(value, "" if unit == "1" else f" {unit}") + (around if value else "")


def _number(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.3g}{unit}"


def _target(one: Mapping[str, Any]) -> str:
    if one["target"] is None:
        return ""
    mark = {True: "met", False: "**missed**", None: "?"}[one["met"]]
    return f"≤ {one['target']:.3g}, {mark}"


def replaced(document: str, report: Mapping[str, Any]) -> str:
    """Return a document with the text between the markers made anew."""
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    head = f"{machine['processor']}, {machine['cores']} cores; {versions}."
    return f"{before}{BEGIN}\n{head}\n\n{text_table(report['results'])}{END}{after}"


def main(arguments: list[str]) -> None:
    """Write the table of a JSON file into a document."""
    source, target = (Path(one) for one in arguments)
    target.write_text(replaced(target.read_text(), json.loads(source.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
