"""``ionstack bench``: what solving costs, with other codes on the same problems beside.

Times depend on the machine and on what else runs there; the ratios inside one run
hardly do. All codes of a benchmark run in turn, and medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from petsc4py import PETSc

from ionstack.benchmarks.measure import Result, measure
from ionstack.benchmarks.rows import ROWS
from ionstack.benchmarks.table import text_table
from ionstack.compute import configure
from ionstack.errors import InputError, nearest
from ionstack.output.atomic import write_text

_REPEATS = 5
_PACKAGES = ("ionstack", "numpy", "jax", "petsc4py", "fenics-dolfinx")


def main(arguments: Sequence[str] = ()) -> int:
    """Run the benchmarks, print a table and write the JSON file; return the exit status."""
    options = _parser().parse_args(arguments)
    names = [name for one in options.names or ROWS for name in _named(one)]
    configure()
    repeats = 1 if options.quick else options.repeats
    results: list[Result] = []
    for name in names:
        found = measure(ROWS[name], repeats, options.peers, options.quick)
        print(text_table([one.as_dict() for one in found]), flush=True)
        results += found
        if options.json:
            write_text(options.json, json.dumps(report(results), indent=1) + "\n")
    return 0


def _named(name: str) -> list[str]:
    """Return the benchmark of that name, or all whose name begins with it."""
    found = [name] if name in ROWS else [one for one in ROWS if one.startswith(f"{name}-")]
    if not found:
        raise InputError(f"no benchmark {name!r}{nearest(name, ROWS)}")
    return found


def report(results: Sequence[Result]) -> dict[str, Any]:
    """Return the contents of the JSON file."""
    return {
        "machine": machine(),
        "versions": versions(),
        "results": [one.as_dict() for one in results],
    }


def machine() -> dict[str, Any]:
    """Return what the times were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    """Return the versions of what does the work."""
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {"PETSc": ".".join(map(str, PETSc.Sys.getVersion()))}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ionstack bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--peers", action="store_true", help="run other codes beside")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument("--repeats", type=int, default=_REPEATS, help="runs of every code")
    parser.add_argument("--quick", action="store_true", help="small problems, run once")
    return parser
