"""Write docs/verification.md and its figures from a run of the verification tests.

    ./ionstack shell python tests/verification/page.py [LEDGER.json]

Runs the tests, unless the ledger of an earlier run is given (the tests write one to the
file named in IONSTACK_VERIFICATION).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "solver")]

import matplotlib as mpl  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

from ionstack.plots.style import RC, STATE_COLORS, STATE_STYLES, new_figure, save  # noqa: E402
from support.verification import Curve, Ledger, Record  # noqa: E402

PAGE = ROOT / "docs" / "verification.md"
IMAGES = ROOT / "docs" / "images"
MARKERS = "osD^v"
WIDEST = 3  # panels in a row

HEAD = """# Verification

The solver against results that are known without it: closed forms, integrals, and extrapolated
results of other codes. Every row is asserted by a test in `tests/verification`; nothing is fitted.
"Deviation" is relative where "allowed" says so, else in the unit of the quantity; for several
values it is the largest one, over the largest value expected. Orders of convergence in space and
time are tests of their own (`tests/order`).

This page is written by `./ionstack shell python tests/verification/page.py`, which runs the tests
and takes about a minute. A test fails when names or expected values here are not those of the
tests. A further problem is a function in a file `tests/verification/test_*.py` that calls the
fixture `verify(name, found, expected, rel=…, unit=…, title=…, source=…)` and `verify.curve(…)` for
a figure; the first line of the file heads its table.
"""
TABLE = """
| name | quantity | found | expected | unit | deviation | allowed | source |
|---|---|---|---|---|---|---|---|
"""


def main(arguments: list[str]) -> int:
    """Write the page; the tests' exit status."""
    if arguments:
        write(Ledger.read(Path(arguments[0])))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.json"
        command = [sys.executable, "-m", "pytest", "-q", str(Path(__file__).parent)]
        # The old page does not count here.
        command += ["--ignore", str(Path(__file__).with_name("test_page.py"))]
        environment = os.environ | {"IONSTACK_VERIFICATION": str(path)}
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if status == 0:
            write(Ledger.read(path))
    return status


def write(ledger: Ledger) -> None:
    """Write page and figures."""
    parts = [HEAD]
    for topic, records in groupby(ledger.records, lambda one: one.topic):
        parts.append(f"\n## {topic}\n{TABLE}")
        parts.extend(row(one) + "\n" for one in records)
        curves = [one for one in ledger.curves if one.topic == topic]
        if curves:
            path = draw(curves, IMAGES / f"verification_{slug(topic)}.png")
            parts.append(f"\n![{topic}](images/{path.name})\n")
    PAGE.write_text("".join(parts))


def slug(topic: str) -> str:
    """Short file name of a topic: what stands before the colon."""
    return re.sub(r"\W+", "_", topic.split(":")[0].lower()).strip("_")


def row(one: Record) -> str:
    """One line of a table."""
    cells = (
        f"`{one.name}`",
        one.title,
        number(one.found),
        ("≥ " if one.rule == "at least" else "") + number(one.expected),
        one.unit,
        f"{one.deviation:.1e}",
        {"relative": f"{one.allowed:.2g} relative", "absolute": f"{one.allowed:.2g}"}.get(
            one.rule, "0"
        ),
        one.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def number(values: list[float]) -> str:
    """One value, or the range of several."""
    if len(values) == 1:
        return f"{values[0]:.7g}"
    return f"{min(values):.4g} … {max(values):.4g} ({len(values)} values)"


def draw(curves: Iterable[Curve], path: Path) -> Path:
    """One panel per figure name, in the order of appearance."""
    curves = list(curves)
    names = list(dict.fromkeys(one.figure for one in curves))
    columns = min(len(names), WIDEST)
    rows = -(-len(names) // columns)
    with mpl.rc_context(RC):
        figure = new_figure(4.4 * columns, 3.3 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=False):
            panel(axes, [one for one in curves if one.figure == name])
        for axes in panels[len(names) :]:
            axes.remove()
        return save(figure, path)


def panel(axes: Axes, curves: list[Curve]) -> None:
    """Draw the curves of one figure; lines and points keep separate counts of styles."""
    for points in (False, True):
        for k, one in enumerate(curve for curve in curves if curve.points == points):
            color = (
                STATE_COLORS[(2 * points + k) % len(STATE_COLORS)] if points else STATE_COLORS[k]
            )
            style = (
                {"ls": "none", "marker": MARKERS[k], "ms": 5, "mfc": "none", "mew": 1.3}
                if points
                else {"ls": STATE_STYLES[k]}
            )
            axes.plot(one.x, one.y, label=one.label, color=color, **style)
    settings = curves[0].axes
    axes.set(**settings)
    axes.legend()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
