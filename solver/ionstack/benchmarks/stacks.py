"""The analog stack as a benchmark: all of its laws, in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter

from mpi4py import MPI

from ionstack.benchmarks.measure import Quantity, Row, Run
from ionstack.benchmarks.work import direct_solver
from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.runs.preparation import Prepared, prepare

_CASE = Path("cases") / "all_in_one" / "analog.yaml"
_SWEEPS = ("protocol.0.sweep.cycles=1", "protocol.1.sweep.cycles=1")


def stack_row(dimension: str, *settings: str) -> Row:
    """Return the benchmark of a Newton step along the first sweep of the analog case."""
    quantities = (Quantity("step", "step", "ms", None, "MUMPS, same matrix", "direct", 1e3),)
    chosen = (f"stack.dimension={dimension}", *settings)
    return Row(f"analog-{dimension}", partial(_prepare, chosen), quantities, (), 3)


def _prepare(settings: tuple[str, ...], quick: bool) -> Callable[[], Run]:
    small = ("stack.lateral.cells=2",) if quick else ()
    prepared = prepare(load_case(case_path(_CASE), [*_SWEEPS, *settings, *small]), MPI.COMM_SELF)
    return partial(_march, prepared, 6 if quick else 30)


def case_path(case: Path) -> Path:
    """Path of a shipped case: in the working directory or in the source tree."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (root / case).is_file():
            return root / case
    raise InputError(f"no {case} here: run `ionstack bench` in the repository")


def _march(prepared: Prepared, steps: int) -> Run:
    """The same march beside MUMPS on the last matrix."""
    start = prepared.system.unknowns.copy()
    numbers = march(prepared, steps, restore=False)
    direct = direct_solver(prepared.system)
    direct()
    numbers["direct"] = direct()
    start.copy(prepared.system.unknowns)
    prepared.system.refresh_ghosts()
    return Run(numbers)


def march(prepared: Prepared, steps: int, restore: bool = True) -> dict[str, float]:
    """Take time steps from equilibrium; seconds per Newton step. Then put the equilibrium back."""
    system, newton = prepared.system, prepared.newton
    start = system.unknowns.copy()
    newton.assembly_seconds = newton.linear_seconds = 0.0
    stepper = prepared.stepper()
    begin = perf_counter()
    for _ in islice(stepper.run(), steps + 1):
        pass
    seconds, count = perf_counter() - begin, stepper.newton_steps
    if restore:
        start.copy(system.unknowns)
        system.refresh_ghosts()
    return {
        "step": seconds / count,
        "assembly": newton.assembly_seconds / count,
        "linear": newton.linear_seconds / count,
    }
