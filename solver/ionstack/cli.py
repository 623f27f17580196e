"""The command line: ``ionstack run | sweep | check | plot | ...``; one function per command."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ionstack.arguments import parser
from ionstack.errors import IonstackError

if TYPE_CHECKING:
    from mpi4py import MPI

    from ionstack.campaigns.campaign_plan import Plan
    from ionstack.casefile.case import Case
    from ionstack.output.campaign import CampaignDirectory

INTERRUPTED = 130
# Two workers; files stay together, because tests of a file share devices. Longer proofs apart.
_WHOLE_SUITE = ["-n", "2", "--dist", "loadfile", "-m", "not long"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 2 for input, 3 for numerics."""
    known = parser()
    options, rest = known.parse_known_args(arguments)
    if rest and "rest" not in options:
        known.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return _WORK[options.command](options)
    except IonstackError as error:
        return _report(error)
    except KeyboardInterrupt:
        return INTERRUPTED


def _report(error: IonstackError) -> int:
    """Print the message once; every rank has raised the same error."""
    if _rank() == 0:
        for line in str(error).splitlines():
            print(f"ionstack: {line}", file=sys.stderr)
    return error.exit_status


def _rank() -> int:
    if "mpi4py.MPI" not in sys.modules:
        return int(os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMI_RANK", "0")))
    from mpi4py import MPI

    return int(MPI.COMM_WORLD.rank)


def _run(options: argparse.Namespace) -> int:
    if options.n is not None and "OMPI_COMM_WORLD_SIZE" not in os.environ:
        return _start_ranks(options.n, ["run", *_common_arguments(options)])
    from mpi4py import MPI

    from ionstack.abort import abort_on_crash
    from ionstack.runs.runner import run_case

    comm = MPI.COMM_WORLD
    abort_on_crash(comm)
    case = _load_together(comm, options)
    folder = _folder(options, case)
    if case.ensemble is not None:
        from ionstack.campaigns.campaign_plan import plan_ensemble

        return _campaign(comm, 1, lambda: plan_ensemble(case), options, folder)
    run_case(case, folder, comm, quiet=options.quiet, resume=options.resume)
    return 0


def _sweep(options: argparse.Namespace) -> int:
    if options.n is not None and "OMPI_COMM_WORLD_SIZE" not in os.environ:
        arguments = [*_common_arguments(options), *_sweep_arguments(options)]
        return _start_ranks(options.n, ["sweep", *arguments])
    from mpi4py import MPI

    from ionstack.abort import abort_on_crash
    from ionstack.campaigns.campaign_plan import plan_campaign

    comm = MPI.COMM_WORLD
    abort_on_crash(comm)

    def plan() -> Plan:
        return plan_campaign(options.case, options.set, options.vary)

    return _campaign(comm, options.group, plan, options, options.o)


def _campaign(
    comm: MPI.Intracomm,
    size: int,
    make: Callable[[], Plan],
    options: argparse.Namespace,
    path: Path | None,
) -> int:
    """Run the points of a plan on groups of `size` ranks."""
    from ionstack.campaigns.dealing import Groups
    from ionstack.compute import configure

    groups = Groups(comm, size)
    with ExitStack() as held:
        plan, folder = _plan_together(comm, make, path, held)
        configure()
        from ionstack.campaigns.campaign import Options, run_campaign

        run_campaign(plan, folder, groups, Options(options.resume, options.quiet))
    return 0


def _plan_together(
    comm: MPI.Intracomm, make: Callable[[], Plan], path: Path | None, held: ExitStack
) -> tuple[Plan, CampaignDirectory]:
    """Plan all points and claim the folder on rank 0; give every rank these or the error.

    The folder stays claimed until `held` is left.
    """
    from ionstack.errors import raise_together
    from ionstack.output.campaign import CampaignDirectory, claimed_campaign

    plan: Plan | None = None
    with raise_together(comm, "planning the campaign"):
        if comm.rank == 0:
            plan = make()
            path = path or Path("results") / f"{plan.record.name}-sweep"
            held.enter_context(claimed_campaign(path, plan.record, plan.cases()))
    shared: tuple[Plan, Path] = comm.bcast((plan, path), root=0)
    return shared[0], CampaignDirectory(shared[1])


def _folder(options: argparse.Namespace, case: Case) -> Path:
    folder: Path = options.o or Path("results") / case.name
    return folder


def _common_arguments(options: argparse.Namespace) -> list[str]:
    """Return the arguments that `run` and `sweep` share, apart from the ranks."""
    arguments = [str(options.case)]
    arguments += ["-o", str(options.o)] if options.o else []
    arguments += ["--resume"] if options.resume else []
    arguments += ["--quiet"] if options.quiet else []
    return arguments + [part for setting in options.set for part in ("--set", setting)]


def _sweep_arguments(options: argparse.Namespace) -> list[str]:
    arguments = ["--group", str(options.group)]
    return arguments + [part for one in options.vary for part in ("--vary", one)]


def _start_ranks(count: int, arguments: list[str]) -> int:
    """Run the same command on every rank of mpirun and return its exit status."""
    # More ranks than cores is the user's choice (variable of Open MPI 5's launcher).
    os.environ.setdefault("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
    command = ["mpirun", "-n", str(count), sys.executable, "-m", "ionstack", *arguments]
    try:
        # In a session of its own: mpirun kills its ranks when it hears Ctrl-C or SIGTERM. They
        # are told by signals that it passes on, and end in order.
        ranks = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except FileNotFoundError as error:
        raise IonstackError("mpirun is not on PATH; -n needs an MPI installation") from error
    signal.signal(signal.SIGINT, lambda *_: ranks.send_signal(signal.SIGUSR1))
    signal.signal(signal.SIGTERM, lambda *_: ranks.send_signal(signal.SIGUSR2))
    return ranks.wait()


def _load_together(comm: MPI.Comm, options: argparse.Namespace) -> Case:
    """Read the case on rank 0 and give every rank the case or the error."""
    from ionstack.casefile.case import load_case
    from ionstack.errors import raise_together
    from ionstack.runs.origin import with_origin

    case: Case | None = None
    with raise_together(comm, "reading the case"):
        if comm.rank == 0:
            case = load_case(options.case, options.set)
            case = with_origin(case, _folder(options, case), options.resume)
    shared: Case = comm.bcast(case, root=0)
    return shared


def _check(options: argparse.Namespace) -> int:
    from ionstack.casefile.case import load_case
    from ionstack.runs.check import describe

    _tell(describe(load_case(options.case, options.set)))
    return 0


def _tell(text: str) -> None:
    """Print what its reader, `head` or `less`, may not want to the end: that is no mistake."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    print(text, flush=True)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _mesh(options: argparse.Namespace) -> int:
    from mpi4py import MPI

    from ionstack.geometry.gmsh_model import export_msh
    from ionstack.geometry.mesh import build_mesh
    from ionstack.geometry.stack import load_stack
    from ionstack.runs.mesh_report import mesh_report

    stack = load_stack(options.stack, options.set)
    report = mesh_report(build_mesh(stack, MPI.COMM_WORLD))
    if MPI.COMM_WORLD.rank == 0:
        print(report)
        if options.o is not None:
            export_msh(stack, options.o)
            print(f"written to {options.o}")
    return 0


def _animate(options: argparse.Namespace) -> int:
    from ionstack.plots.animation import animate

    film = animate(options.folder, options.animate, options.species)
    print("\n".join([str(film.path), *film.lines]))
    return 0


def _plot(options: argparse.Namespace) -> int:
    if options.animate is not None:
        return _animate(options)
    from ionstack.compute import configure

    configure()
    from ionstack.instruments.run import run_instruments
    from ionstack.output.campaign import CampaignDirectory, is_campaign
    from ionstack.output.paraview import write_field_script
    from ionstack.output.run_directory import RunDirectory
    from ionstack.plots import draw_all
    from ionstack.surface_analysis.planned import run_planned

    if is_campaign(options.folder):
        from ionstack.campaigns.campaign import report

        for path in report(CampaignDirectory(options.folder)):
            print(path)
        return 0
    drawn = draw_all(options.folder)
    found = run_instruments(options.folder)
    scripts = write_field_script(RunDirectory(options.folder))
    analysed = run_planned(options.folder)
    for path in (*drawn, *scripts, *found.paths, *analysed.paths):
        print(path)
    for line in (*found.lines, *analysed.lines):
        print(line)
    return 0


def _write_report(options: argparse.Namespace) -> int:
    from ionstack.report import write_report

    print(write_report(options.folder))
    return 0


def _measure(options: argparse.Namespace) -> int:
    from ionstack.measure.run import describe, measure, save

    measured = measure(options.file, options.kind, options.columns, options.set, options.skip)
    written = save(measured, options.o)
    print(describe(measured))
    print("\nwritten: " + ", ".join(str(path) for path in written))
    return 0


def _sims(options: argparse.Namespace) -> int:
    from ionstack.compute import configure

    configure()
    from ionstack.surface_analysis.order import Order
    from ionstack.surface_analysis.run import run_sims
    from ionstack.surface_analysis.setup import load_setup

    signals = [name for name in options.signals.split(",") if name]
    order = Order(options.state, signals, options.without, options.map, options.measured)
    for path in run_sims(options.folder, load_setup(options.setup, options.set), order):
        print(path)
    return 0


def _materials(options: argparse.Namespace) -> int:
    from ionstack.reading.materials import available_materials, describe_material, load_material

    if options.name is None:
        _tell("\n".join(available_materials()))
    else:
        _tell(describe_material(load_material(options.name)))
    return 0


def _bench(options: argparse.Namespace) -> int:
    from ionstack import bench

    return bench.main(options.rest)


def _test(options: argparse.Namespace) -> int:
    import pytest

    root = Path(__file__).resolve().parents[2]
    os.chdir(root)
    return int(pytest.main(options.rest or _WHOLE_SUITE))


_WORK: dict[str, Callable[[argparse.Namespace], int]] = {
    "bench": _bench,
    "check": _check,
    "materials": _materials,
    "measure": _measure,
    "mesh": _mesh,
    "plot": _plot,
    "report": _write_report,
    "run": _run,
    "sims": _sims,
    "sweep": _sweep,
    "test": _test,
}


if __name__ == "__main__":
    sys.exit(main())
