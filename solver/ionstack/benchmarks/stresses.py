"""What stress costs: time steps of a device that swells, beside those without mechanics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter

from mpi4py import MPI

from ionstack.benchmarks.measure import Quantity, Row, Run
from ionstack.benchmarks.stacks import case_path
from ionstack.casefile.case import Case, load_case
from ionstack.runs.preparation import prepare

_CASE = Path("cases") / "stress" / "bilayer.yaml"
_STEPS = 8
_STRONG = "mechanics.yield_strength={value: 1 TPa, source: elastic}"
# A fixed step: both take the same ones. All is elastic, and the closures of the case are left out.
_SETTINGS = (
    "numerics={fixed_step: 0.5 s}",
    "mechanics.roughness=[]",
    "mechanics.porosity=[]",
    f"materials.Pt.{_STRONG}",
    f"materials.ITO.{_STRONG}",
)


def stress_row(dimension: str, limit: float, *settings: str) -> Row:
    """Return the benchmark of a time step with elastic films, beside that without mechanics."""
    quantities = (Quantity("step", "step", "ms", limit, "without mechanics", "bare", 1e3),)
    chosen = (f"stack.dimension={dimension}", *_SETTINGS, *settings)
    return Row(f"stress-{dimension}", partial(_both, chosen), quantities, (), 3)


def _both(settings: tuple[str, ...], quick: bool) -> Callable[[], Run]:
    small = ("stack.lateral.cells=2", "stack.grading.growth=3") if quick else ()
    stressed = load_case(case_path(_CASE), [*settings, *small])
    bare = replace(stressed, mechanics=None)
    steps = 3 if quick else _STEPS

    def work() -> Run:
        return Run({"step": _seconds(stressed, steps), "bare": _seconds(bare, steps)})

    return work


def _seconds(case: Case, steps: int) -> float:
    """Seconds per time step, after the first two, which compile and factor."""
    states = prepare(case, MPI.COMM_SELF).stepper().run()
    for _ in islice(states, 3):
        pass
    begin = perf_counter()
    for _ in islice(states, steps):
        pass
    return (perf_counter() - begin) / steps
