"""One problem in a process of its own, on one or more ranks, with its peak of memory.

    mpirun -n 2 python3 -m ionstack.benchmarks.worker diode-plane 448 223 --biases 3

The last line printed is the JSON object of a `Run`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from time import perf_counter

from mpi4py import MPI

from ionstack.benchmarks.devices import Device, set_up
from ionstack.benchmarks.iterations import iterative_seconds
from ionstack.benchmarks.measure import Run
from ionstack.benchmarks.meshes import diode_block, diode_plane, ion_plane
from ionstack.benchmarks.voxel_maps import voxel_map
from ionstack.benchmarks.work import bias_sweep, direct_solver, fixed_charges, growing_times
from ionstack.compute import configure
from ionstack.errors import NumericsError
from ionstack.peers.codes.report import peak_megabytes

_LONGEST = 900.0  # s


def start(arguments: Sequence[str], ranks: int = 1) -> Run:
    """Run this module in processes of its own and return what it reports."""
    own = [sys.executable, "-m", __spec__.name, *arguments]
    launcher = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    try:
        done = subprocess.run(
            [*launcher, *own],
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=True,
        )
    except subprocess.SubprocessError as error:
        last = str(getattr(error, "stderr", ""))[-500:]
        raise NumericsError(f"{' '.join(arguments)} failed: {error}\n{last}") from error
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def run(options: argparse.Namespace, comm: MPI.Comm) -> Run:
    """Solve one problem (collective); times are those of the slowest rank."""
    problems = {"diode-plane": _diode_plane, "ion-plane": _ion_plane, "block": _block}
    found = (problems | {"voxels": _voxels})[options.problem](options, comm)
    numbers = dict(found.numbers)
    for key in numbers:
        numbers[key] = comm.allreduce(numbers[key], MPI.MAX)
    return Run(numbers, found.values)


def _diode_plane(options: argparse.Namespace, comm: MPI.Comm) -> Run:
    with diode_plane(options.cells[0], options.cells[1], comm) as (stack, model):
        device = set_up(stack, model, {}, options.solver, comm)
    return _diode(device, options)


def _block(options: argparse.Namespace, comm: MPI.Comm) -> Run:
    return _diode(set_up(*diode_block(options.cells[0]), {}, options.solver, comm), options)


def _diode(device: Device, options: argparse.Namespace) -> Run:
    """Sweep, then time other solvers on the last matrix, whose memory does not count."""
    biases = [options.rise * i for i in range(options.biases)]
    bias_sweep(device, biases[:1])
    found = _sized(device, bias_sweep(device, biases))
    others = {}
    if options.mumps:
        work = direct_solver(device.system)
        others["direct"] = median([work() for _ in range(4)][1:])
    if options.iterate:
        others["iterative"] = iterative_seconds(device.system)
    return Run({**found.numbers, **others}, found.values)


def _ion_plane(options: argparse.Namespace, comm: MPI.Comm) -> Run:
    with ion_plane(options.cells[0], comm) as (stack, model):
        device = set_up(stack, model, {"film": {"ions": 1.0}}, options.solver, comm)
    times = growing_times(1.3)[: options.steps + 1]
    fixed_charges(device, times[:2], [0.0, 0.0])
    return _sized(device, fixed_charges(device, times, [0.5] * len(times)))


def _voxels(options: argparse.Namespace, comm: MPI.Comm) -> Run:
    """Of a virtual instrument: places along each axis, nodes through a layer, dimension, pixels."""
    lateral, axial, dimension, pixels = options.cells
    found = voxel_map(lateral, axial, dimension, pixels)
    return Run({**found.numbers, "memory": peak_megabytes()})


def _sized(device: Device, found: Run) -> Run:
    newton = device.newton
    numbers = {
        "unknowns": float(device.system.layout.n_global),
        "linear": newton.linear_seconds,
        "assembly": newton.assembly_seconds,
        "linear_iterations": float(newton.linear_iterations),
        "memory": device.system.comm.allreduce(peak_megabytes()),
    }
    return Run({**found.numbers, **numbers}, found.values)


def main() -> None:
    """Read the arguments, run, print on rank 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem", choices=("diode-plane", "ion-plane", "block", "voxels"))
    parser.add_argument("cells", type=int, nargs="+")
    parser.add_argument("--biases", type=int, default=9)
    parser.add_argument("--rise", type=float, default=0.1, help="of the bias, step by step [V]")
    parser.add_argument("--steps", type=int, default=31)
    parser.add_argument("--solver", default="auto")
    parser.add_argument("--mumps", action="store_true", help="time MUMPS on the same matrices")
    parser.add_argument("--iterate", action="store_true", help="time two other iterations")
    options = parser.parse_args()
    configure()
    begin = perf_counter()
    found = run(options, MPI.COMM_WORLD)
    total = {"total": perf_counter() - begin}
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(asdict(Run({**found.numbers, **total}, found.values))))


if __name__ == "__main__":
    main()
