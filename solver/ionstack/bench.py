"""``ionstack bench``: what a Newton step costs, and what SciPy and MUMPS need on the same matrix.

Times depend on the machine and on what else runs there; the ratios inside one run
hardly do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy.linalg import solve_banded
from scipy.sparse import csr_array
from scipy.sparse.linalg import splu

from ionstack.assemble import System
from ionstack.case import load_case
from ionstack.compute import configure
from ionstack.errors import InputError
from ionstack.newton import Scheme
from ionstack.simulation import Prepared, prepare

_CASE = Path("cases") / "all_in_one" / "analog.yaml"
_SWEEPS = ("protocol.0.sweep.cycles=1", "protocol.1.sweep.cycles=1")
# Columns of the table: heading and width.
_COLUMNS = (
    ("case", 20),
    ("vertices", 9),
    ("unknowns", 9),
    ("solver", 10),
    ("steps/s", 9),
    ("ms/step", 9),
    ("assembly", 9),
    ("linear", 8),
    ("rest", 7),
    ("MUMPS ms", 9),
    ("step/MUMPS", 11),
    ("SciPy ms", 9),
)


@dataclass(frozen=True)
class Problem:
    """A device to time: settings on top of the analog case, time steps and repetitions."""

    title: str
    settings: tuple[str, ...]
    steps: int
    repeats: int = 1


@dataclass(frozen=True)
class Timing:
    """Mean seconds of one Newton step and of its parts."""

    newton_steps: int
    step: float
    assembly: float
    linear: float

    @property
    def rest(self) -> float:
        """Seconds of a Newton step that are neither assembly nor linear algebra."""
        return self.step - self.assembly - self.linear


def problems(quick: bool) -> tuple[Problem, ...]:
    """Devices of the benchmark: 400 nodes in 1-D, 20 000 in 2-D and in 3-D, or fewer."""
    line = ("stack.dimension=1d", "stack.grading.growth=1.05")
    plane, block = ("5", "2") if quick else ("92", "7")
    few = 6 if quick else 30
    return (
        Problem("1-D", line, 60 if quick else 100_000, 1 if quick else 5),
        Problem("2-D", ("stack.dimension=2d", f"stack.lateral.cells={plane}"), few),
        Problem("3-D", ("stack.dimension=3d", f"stack.lateral.cells={block}"), few),
        Problem(
            "3-D, 300 nm wide",
            (
                "stack.dimension=3d",
                f"stack.lateral.cells={block}",
                "stack.lateral.diameter=300 nm",
            ),
            few,
        ),
    )


def main(arguments: Sequence[str] = ()) -> int:
    """Run the benchmarks and print a table; return the exit status."""
    parser = argparse.ArgumentParser(prog="ionstack bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small meshes, to see that it works")
    options = parser.parse_args(arguments)
    configure()
    print(f"{os.cpu_count()} cores, one used; mean of Newton steps after compilation\n")
    print("".join(f"{name:>{width}}" for name, width in _COLUMNS))
    for problem in problems(options.quick):
        print(f"{problem.title:>{_COLUMNS[0][1]}}", end="", flush=True)
        print(_row(problem), flush=True)
    print(
        "\nMUMPS: refactorisation and solve of the last matrix, symbolic analysis kept; "
        "SciPy: banded LAPACK (1-D) or SuperLU on the same matrix. "
        "assembly, linear and rest are shares of a step."
    )
    return 0


def _row(problem: Problem) -> str:
    """Time one device; the cells of its row after the title."""
    prepared = prepare(load_case(_case(), [*_SWEEPS, *problem.settings]), MPI.COMM_SELF)
    system = prepared.system
    _compile(system)
    timings = [_march(prepared, problem.steps) for _ in range(problem.repeats)]
    best = min(timings, key=lambda timing: timing.step)
    mumps = _mumps_seconds(system)
    volumes = system.equations.volumes
    cells = (
        str(volumes.n_owned_vertices),
        str(system.layout.n_global),
        prepared.newton.method,
        f"{1.0 / best.step:.0f}",
        f"{best.step * 1e3:.3g}",
        *(f"{part / best.step:.0%}" for part in (best.assembly, best.linear, best.rest)),
        f"{mumps * 1e3:.3g}",
        f"{best.step / mumps:.2f}",
        _scipy(system),
    )
    widths = (width for _, width in _COLUMNS[1:])
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _case() -> Path:
    """Path of the analog case: in the working directory or in the source tree."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if (root / _CASE).is_file():
            return root / _CASE
    raise InputError(f"no {_CASE} here: run `ionstack bench` in the repository")


def _compile(system: System) -> None:
    """Compile both kernels, so that no timing contains it."""
    zero = np.zeros(system.layout.n_owned)
    voltages = np.zeros(len(system.equations.volumes.contacts))
    scheme = Scheme(zero, 1.5, 1e-3, voltages)
    system.linearise(scheme.history, scheme.lead, scheme.step, scheme.voltages)
    system.evaluate(scheme.history, scheme.lead, scheme.step, scheme.voltages)


def _march(prepared: Prepared, steps: int) -> Timing:
    """Take time steps from equilibrium, then put the equilibrium back."""
    start, newton = prepared.system.unknowns.copy(), prepared.newton
    newton.assembly_seconds = newton.linear_seconds = 0.0
    stepper = prepared.stepper()
    begin = perf_counter()
    for _ in islice(stepper.run(), steps + 1):
        pass
    seconds, count = perf_counter() - begin, stepper.newton_steps
    start.copy(prepared.system.unknowns)
    prepared.system.refresh_ghosts()
    return Timing(
        count, seconds / count, newton.assembly_seconds / count, newton.linear_seconds / count
    )


def _best(work: Callable[[], object], repeats: int = 3) -> float:
    """Shortest of several runs [s], after one that is not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        begin = perf_counter()
        work()
        seconds.append(perf_counter() - begin)
    return min(seconds)


def _mumps_seconds(system: System) -> float:
    ksp = PETSc.KSP().create(system.comm)
    ksp.setOptionsPrefix("ionstack_bench_")
    ksp.setOperators(system.matrix)
    ksp.setType(PETSc.KSP.Type.PREONLY)
    ksp.getPC().setType(PETSc.PC.Type.LU)
    ksp.getPC().setFactorSolverType(PETSc.Mat.SolverType.MUMPS)

    def work() -> None:
        system.matrix.stateIncrease()
        ksp.setOperators(system.matrix)
        ksp.solve(system.right_side, system.update)

    return _best(work)


def _scipy(system: System) -> str:
    """Milliseconds of SciPy's solver; none in 3-D, where SuperLU needs minutes."""
    dimension = system.equations.volumes.dimension
    if dimension == 3:
        return "-"
    return f"{1e3 * (_banded_seconds if dimension == 1 else _superlu_seconds)(system):.3g}"


def _superlu_seconds(system: System) -> float:
    matrix, right_side = _matrix(system).tocsc(), system.right_side.getArray()
    begin = perf_counter()
    splu(matrix).solve(right_side)
    return perf_counter() - begin


def _banded_seconds(system: System) -> float:
    matrix, right_side = _matrix(system).tocoo(), system.right_side.getArray()
    rows, columns = matrix.coords
    width = int(np.abs(rows - columns).max())
    bands = np.zeros((2 * width + 1, len(right_side)))
    bands[width + rows - columns, columns] = matrix.data
    return _best(lambda: solve_banded((width, width), bands, right_side), 20)


def _matrix(system: System) -> csr_array:
    starts, columns, entries = system.matrix.getValuesCSR()
    return csr_array((entries, columns, starts), shape=system.matrix.getSize())
