"""Comparisons with known results: checked at once, and kept for the verification page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Record:
    """One comparison; `rule` tells what `allowed` bounds: "relative", "absolute" or "at least".

    Arrays are compared entry by entry; a relative deviation of an array refers to its
    largest expected entry.
    """

    topic: str
    name: str
    title: str
    found: list[float]
    expected: list[float]
    unit: str
    rule: str
    allowed: float
    deviation: float
    source: str


@dataclass(frozen=True)
class Curve:
    """One line or set of points of a figure; `axes` holds labels, scales and the title."""

    topic: str
    figure: str
    label: str
    x: list[float]
    y: list[float]
    points: bool
    axes: dict[str, str]


@dataclass
class Ledger:
    """Everything that a test session compared."""

    records: list[Record] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write all records and curves as JSON."""
        content = {
            "records": [asdict(one) for one in self.records],
            "curves": [asdict(one) for one in self.curves],
        }
        path.write_text(json.dumps(content, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read what `write` wrote."""
        content = json.loads(path.read_text())
        records = [Record(**one) for one in content["records"]]
        return cls(records, [Curve(**one) for one in content["curves"]])


@dataclass(frozen=True)
class Verify:
    """Compares, records and asserts; `topic` heads the table on the page."""

    ledger: Ledger
    topic: str

    def __call__(
        self,
        name: str,
        found: Any,
        expected: Any,
        *,
        title: str,
        source: str,
        unit: str = "1",
        rel: float | None = None,
        abs: float | None = None,
        least: bool = False,
    ) -> None:
        """Assert that `found` is `expected` within `rel` or `abs`, or at least that large."""
        left = np.atleast_1d(np.asarray(found, dtype=float))
        right = np.atleast_1d(np.asarray(expected, dtype=float))
        rule, allowed, deviation = _compare(left, right, rel, abs, least)
        record = Record(
            self.topic,
            name,
            title,
            left.ravel().tolist(),
            right.ravel().tolist(),
            unit,
            rule,
            allowed,
            deviation,
            source,
        )
        self.ledger.records.append(record)
        assert deviation <= allowed, f"{name}: {record}"

    def curve(
        self,
        figure: str,
        x: Any,
        y: Any,
        *,
        label: str,
        points: bool = False,
        **axes: str,
    ) -> None:
        """Keep a curve for a figure of the page; `axes`: xlabel, ylabel, title, xscale, yscale."""
        x, y = (np.asarray(one, dtype=float).tolist() for one in (x, y))
        self.ledger.curves.append(Curve(self.topic, figure, label, x, y, points, axes))


def _compare(
    found: np.ndarray, expected: np.ndarray, rel: float | None, abs: float | None, least: bool
) -> tuple[str, float, float]:
    """Rule, allowed deviation and deviation (never negative; nan stays nan and fails)."""
    assert found.shape == expected.shape
    if least:
        return "at least", 0.0, float(np.maximum(expected - found, 0.0).max())
    largest = float(np.abs(found - expected).max())
    if rel is not None:
        return "relative", rel, largest / float(np.abs(expected).max())
    assert abs is not None, "say how much may be missed: rel, abs or least"
    return "absolute", abs, largest
