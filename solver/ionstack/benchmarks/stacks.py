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
from ionstack.case import load_case
from ionstack.errors import InputError
from ionstack.preparation import Prepared, prepare

_CASE = Path("cases") / "all_in_one" / "analog.yaml"
_SWEEPS = ("protocol.0.sweep.cycles=1", "protocol.1.sweep.cycles=1")


def stack_row(dimension: str, *settings: str) -> Row:
    """Return the benchmark of a Newton step along the first sweep of the analog case."""
    quantities = (Quantity("step", "step", "ms", None, "MUMPS, same matrix", "direct", 1e3),)
    chosen = (f"stack.dimension={dimension}", *settings)
    return Row(f"analog-{dimension}", partial(_prepare, chosen), quantities, (), 3)


def _prepare(settings: tuple[str, ...], quick: bool) -> Callable[[], Run]:
    small = ("stack.lateral.cells=2",) if quick else ()
    prepared = prepare(load_case(_case(), [*_SWEEPS, *settings, *small]), MPI.COMM_SELF)
    return partial(_march, prepared, 6 if quick else 30)


def _case() -> Path:
    """Path of the analog case: in the working directory or in the source tree."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (root / _CASE).is_file():
            return root / _CASE
    raise InputError(f"no {_CASE} here: run `ionstack bench` in the repository")


def _march(prepared: Prepared, steps: int) -> Run:
    """Take time steps from equilibrium, then put the equilibrium back."""
    system, newton = prepared.system, prepared.newton
    start = system.unknowns.copy()
    newton.assembly_seconds = newton.linear_seconds = 0.0
    stepper = prepared.stepper()
    begin = perf_counter()
    for _ in islice(stepper.run(), steps + 1):
        pass
    seconds, count = perf_counter() - begin, stepper.newton_steps
    direct = direct_solver(system)
    direct()
    numbers = {
        "step": seconds / count,
        "assembly": newton.assembly_seconds / count,
        "linear": newton.linear_seconds / count,
        "direct": direct(),
    }
    start.copy(system.unknowns)
    system.refresh_ghosts()
    return Run(numbers)
