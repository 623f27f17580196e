"""The page lists what the tests compare, with the values that they expect."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support.verification import Record

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "verification.md"
ADVICE = "run: ./ionstack shell python tests/verification/page.py"


def on_page() -> dict[str, dict[str, list[float]]]:
    """Numbers in the column of expected values by topic and name."""
    topics: dict[str, dict[str, list[float]]] = {}
    rows: dict[str, list[float]] = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            rows = topics.setdefault(line[3:], {})
        elif line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line)
            numbers = re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?", cells[4].split("(")[0])
            rows[cells[1].strip(" `")] = [float(one) for one in numbers]
    return topics


def listed(one: Record) -> list[float]:
    """What the page says of the expected values: the value, or smallest and largest."""
    if len(one.expected) == 1:
        return one.expected
    return [min(one.expected), max(one.expected)]


def test_every_file_has_its_table() -> None:
    files = set(HERE.glob("test_*.py")) - {HERE / "test_page.py"}
    headings = {ast.get_docstring(ast.parse(path.read_text())) for path in files}
    expected = {(text or "").split("\n")[0].rstrip(".") for text in headings}
    assert set(on_page()) == expected, ADVICE


def test_page_is_up_to_date(ledger, request) -> None:
    """What this run compared is on the page; of files that ran as a whole, nothing else."""
    if not ledger.records:
        pytest.skip("this run compared nothing")
    page = on_page()
    compared: dict[str, dict[str, list[float]]] = {}
    for one in ledger.records:
        compared.setdefault(one.topic, {})[one.name] = listed(one)
    for topic, rows in compared.items():
        for name, expected in rows.items():
            assert name in page.get(topic, {}), f"{name} is not on the page; {ADVICE}"
            assert page[topic][name] == pytest.approx(expected, rel=1e-3, abs=1e-30), ADVICE
        if not _partial(request.config):
            assert set(page[topic]) == set(rows), ADVICE


def _partial(config) -> bool:
    """Whether the command line picks single tests out of files."""
    picked = config.option.keyword or config.option.markexpr or config.getoption("lf", False)
    return bool(picked) or any("::" in argument for argument in config.args)
