"""The figure of the time per Newton step against unknowns, from the benchmark's JSON file.

python3 -m ionstack.benchmarks.growth bench.json docs/images/performance_growth.png
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

Points = dict[int, list[tuple[float, float]]]


def points(results: Iterable[Mapping[str, Any]]) -> Points:
    """Return unknowns and milliseconds per Newton step, by the number of ranks."""
    found: dict[tuple[int, int], dict[str, float]] = {}
    for one in results:
        row, _, quantity = one["name"].partition("/")
        if row.startswith("growth-") and one["value"] is not None:
            cells, ranks = map(int, row.split("-")[1:])
            found.setdefault((ranks, cells), {})[quantity] = one["value"]
    lines: Points = {}
    for (ranks, _), both in sorted(found.items()):
        lines.setdefault(ranks, []).append((both["unknowns"], both["step"]))
    return lines


def draw(lines: Points, path: Path) -> None:
    """Write the figure."""
    figure, axes = plt.subplots(figsize=(5.0, 3.5), layout="constrained")
    for ranks, line in lines.items():
        label = f"{ranks} rank{'s' if ranks > 1 else ''}"
        axes.loglog(*zip(*line, strict=True), marker="o", label=label)
    axes.set(xlabel="unknowns", ylabel="time per Newton step [ms]")
    axes.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str]) -> None:
    """Draw the results of a JSON file."""
    source, target = (Path(one) for one in arguments)
    draw(points(json.loads(source.read_text())["results"]), target)


if __name__ == "__main__":
    main(sys.argv[1:])
