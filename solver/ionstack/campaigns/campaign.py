"""A campaign: every point of a plan as a run of its own, dealt to groups of ranks."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI
from petsc4py import PETSc
from tqdm import tqdm

from ionstack.campaigns.campaign_plan import Plan, Point
from ionstack.campaigns.dealing import Counter, Groups
from ionstack.errors import Interrupted, IonstackError, NumericsError, raise_together
from ionstack.output.atomic import write_text
from ionstack.output.campaign import (
    COMPLETED,
    FAILED,
    CampaignDirectory,
    forget_results,
    is_finished,
    status,
    write_table,
)
from ionstack.runs.log import Log
from ionstack.runs.runner import run_case


@dataclass(frozen=True)
class Options:
    """How a campaign is run: whether finished points are kept, and nothing printed."""

    resume: bool = False
    quiet: bool = False


_DEFAULT = Options()


def run_campaign(
    plan: Plan, folder: CampaignDirectory, groups: Groups, options: Options = _DEFAULT
) -> None:
    """Run the points of a claimed campaign, then write its table and figure (collective).

    Raises:
        NumericsError: at the end, if a point failed; it does not stop the others.
    """
    log = Log(groups.comm.rank, options.quiet)
    waiting = _waiting(plan, folder, groups, options)
    log.open(folder.log, "a")
    try:
        _run_points(waiting, folder, groups, log, options)
    except (KeyboardInterrupt, Interrupted):
        log.say(f"interrupted; the same command with --resume goes on in {folder.path}")
        raise
    finally:
        log.close()
    _conclude(plan, folder, groups.world, options)


def _waiting(
    plan: Plan, folder: CampaignDirectory, groups: Groups, options: Options
) -> tuple[Point, ...]:
    """Return the points to be run, the same on all ranks, and say which are not."""
    left: list[bool] = []
    with raise_together(groups.world, "looking for finished points"):
        if groups.world.rank == 0:
            log = Log(0, options.quiet)
            log.open(folder.log, "a" if options.resume else "w")
            if not options.resume:
                forget_results(folder, [point.name for point in plan.points])
            left = [not _skipped(point, folder, log) for point in plan.points]
            log.say(f"campaign {folder.path}: {sum(left)} of {len(left)} points to run, {groups}")
            log.close()
    left = groups.world.bcast(left, root=0)
    return tuple(point for point, keep in zip(plan.points, left, strict=True) if keep)


def _skipped(point: Point, folder: CampaignDirectory, log: Log) -> bool:
    finished = is_finished(folder.run(point.name), point.case.resolved())
    if finished:
        log.say(f"{point.name} is finished already; skipped")
    return finished


def _run_points(
    waiting: tuple[Point, ...],
    folder: CampaignDirectory,
    groups: Groups,
    log: Log,
    options: Options,
) -> None:
    done, total, group = Counter(groups.world), len(waiting), f"group {groups.number + 1}"
    hidden = True if options.quiet or groups.world.rank else None  # None: unless on a terminal
    with tqdm(total=total, unit="point", disable=hidden, leave=False) as bar:
        for number in groups.deal(total):
            name = waiting[number].name
            log.say(f"{group}: {name} started")
            started = time.perf_counter()
            outcome = _outcome(waiting[number], folder, groups.comm, options.resume)
            if groups.comm.rank == 0:
                seconds, finished = time.perf_counter() - started, done.next() + 1
                bar.update(finished - bar.n)
                log.say(f"{group}: {name} {outcome} after {seconds:.1f} s ({finished} of {total})")
    done.free()


def _outcome(point: Point, folder: CampaignDirectory, comm: MPI.Comm, resume: bool) -> str:
    """Run a point and return its status, for people; a failure is kept in a file."""
    path = folder.run(point.name).path
    failure = folder.failure(point.name)
    if comm.rank == 0:
        failure.unlink(missing_ok=True)
    outcome = COMPLETED
    try:
        run_case(point.case, path, comm, quiet=True, resume=resume)
    except Interrupted:
        raise
    except IonstackError as error:
        if comm.rank == 0:
            write_text(failure, f"{error}\n")
        outcome = f"{FAILED}: {' '.join(str(error).split())};"
    # Not where an unforeseen error passes: other ranks would be waited for.
    _release(comm)
    return outcome


def _release(comm: MPI.Comm) -> None:
    """Free what a point leaves behind; PETSc does it only when all ranks ask for it."""
    gc.collect()
    PETSc.garbage_cleanup(comm)


def report(folder: CampaignDirectory) -> list[Path]:
    """Write table and figures of a campaign, and distributions where the seed varies."""
    from ionstack.campaigns.dependences import draw_dependences
    from ionstack.campaigns.distributions import (
        draw_distributions,
        is_ensemble,
        write_distributions,
    )
    from ionstack.plots import draw_overlay

    written = [write_table(folder), *draw_overlay(folder), *draw_dependences(folder)]
    if is_ensemble(folder):
        written += [write_distributions(folder), *draw_distributions(folder)]
    return written


def _conclude(plan: Plan, folder: CampaignDirectory, comm: MPI.Comm, options: Options) -> None:
    """Write table and figure from the files of the points; raise if one failed."""
    comm.Barrier()
    failed: list[str] = []
    with raise_together(comm, "writing table and figure of the campaign"):
        if comm.rank == 0:
            report(folder)
            failed = [p.name for p in plan.points if status(folder, p.name)[0] != COMPLETED]
            log = Log(0, options.quiet)
            log.open(folder.log, "a")
            log.say(f"{len(plan.points) - len(failed)} of {len(plan.points)} points completed")
            log.say(f"results in {folder.path}")
            log.close()
    failed = comm.bcast(failed, root=0)
    if failed:
        raise NumericsError(
            f"{len(failed)} of {len(plan.points)} points failed: {', '.join(failed)}; "
            f"{folder.table} says why"
        )
