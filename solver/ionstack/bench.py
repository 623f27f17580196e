"""The project's own benchmarks: ``ionstack bench [--quick]``.

Every device is the analog stack, stepped along its first sweep. Times are per Newton
step and split; the peer in the same run is MUMPS on the same matrix (factorisation
and solve), so that ratios hold when the machine's speed does not.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI
from petsc4py import PETSc

from ionstack.assemble import System
from ionstack.case import Case, load_case
from ionstack.compute import configure
from ionstack.errors import InputError
from ionstack.simulation import Prepared, prepare

CASE = Path("cases") / "all_in_one" / "analog.yaml"


@dataclass(frozen=True)
class Device:
    """A size of the analog device: dimension, lateral cells, grading, steps to time."""

    name: str
    dimension: str
    cells: int
    first_cell: float
    growth: float
    steps: int


FULL = (
    Device("1-D, 400 nodes", "1d", 1, 0.05e-9, 1.05, 300),
    Device("2-D, 20 000 nodes", "2d", 180, 0.1e-9, 1.35, 6),
    Device("3-D, 20 000 nodes", "3d", 9, 0.1e-9, 1.6, 4),
)
QUICK = (
    Device("1-D, 110 nodes", "1d", 1, 0.1e-9, 1.35, 60),
    Device("2-D, 1 100 nodes", "2d", 9, 0.1e-9, 1.35, 4),
)


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and print a table; return the exit status."""
    parser = argparse.ArgumentParser(prog="ionstack bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small devices only")
    options = parser.parse_args(arguments)
    configure()
    if not CASE.exists():
        raise InputError(f"{CASE}: not found; run the benchmarks from the top of a checkout")
    print(
        f"{'device':<20}{'unknowns':>9}  {'method':<10}{'Newton/s':>9}{'ms each':>9}"
        f"{'assembly':>9}{'linear':>8}{'rest':>7}{'T_MUMPS':>10}{'each/T':>8}"
    )
    for device in QUICK if options.quick else FULL:
        print(f"{device.name:<20}", end="", flush=True)
        print(_measure(device))
    return 0


def _case(device: Device) -> Case:
    settings = [
        f"stack.dimension={device.dimension}",
        f"stack.lateral.cells={device.cells}",
        "numerics.max_step=25 ms",
    ]
    case = load_case(CASE, settings)
    layers = tuple(
        dataclasses.replace(layer, first_cell=device.first_cell, growth=device.growth)
        for layer in case.stack.layers
    )
    return dataclasses.replace(case, stack=dataclasses.replace(case.stack, layers=layers))


def _measure(device: Device) -> str:
    """Step a device after a warm-up and return its row of the table."""
    prepared = prepare(_case(device), MPI.COMM_SELF)
    newton, stepper = prepared.newton, prepared.stepper()
    states = stepper.run()
    for _ in itertools.islice(states, 5):
        pass
    before = (stepper.newton_steps, newton.assembly_seconds, newton.linear_seconds)
    begin = time.perf_counter()
    for _ in itertools.islice(states, device.steps):
        pass
    seconds = time.perf_counter() - begin
    count = stepper.newton_steps - before[0]
    assembly = newton.assembly_seconds - before[1]
    linear = newton.linear_seconds - before[2]
    peer = _mumps_seconds(prepared)
    return (
        f"{prepared.system.layout.n_global:>9}  {newton.method:<10}{count / seconds:>9.1f}"
        f"{1e3 * seconds / count:>9.3f}{assembly / seconds:>9.0%}{linear / seconds:>8.0%}"
        f"{1.0 - (assembly + linear) / seconds:>7.0%}{1e3 * peer:>7.1f} ms"
        f"{seconds / count / peer:>8.2f}"
    )


def _mumps_seconds(prepared: Prepared) -> float:
    """Wall-clock seconds of a MUMPS refactorisation and solve of the present matrix."""
    system: System = prepared.system
    ksp = PETSc.KSP().create(system.comm)
    ksp.setType(PETSc.KSP.Type.PREONLY)
    ksp.setOperators(system.matrix)
    ksp.getPC().setType(PETSc.PC.Type.LU)
    ksp.getPC().setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
    result = system.matrix.createVecRight()
    ksp.solve(system.right_side, result)
    system.matrix.stateIncrease()
    begin = time.perf_counter()
    ksp.solve(system.right_side, result)
    return time.perf_counter() - begin
