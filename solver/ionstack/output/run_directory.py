"""The folder of one run: whose results it holds, and where each file lies."""

from __future__ import annotations

import fcntl
import os
import weakref
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ionstack.errors import InputError, raise_together
from ionstack.output import summary
from ionstack.output.atomic import partial_path, write_text

if TYPE_CHECKING:
    from mpi4py import MPI

OPTIONS = "choose another folder with -o, or remove this one"


@dataclass(frozen=True)
class RunDirectory:
    """Where the files of a run lie."""

    path: Path

    @property
    def case(self) -> Path:
        """Every setting of the run, defaults included; it tells whose results these are."""
        return self.path / "case.yaml"

    @property
    def input(self) -> Path:
        """The case file as it was written, to run again."""
        return self.path / "input.yaml"

    @property
    def trace(self) -> Path:
        """Voltages and currents of every accepted step."""
        return self.path / "trace.csv"

    @property
    def pulses(self) -> Path:
        """Current, charge and energy of every pulse and read."""
        return self.path / "pulses.csv"

    @property
    def fields(self) -> Path:
        """Fields at the snapshots, VTKHDF."""
        return self.path / "fields.vtkhdf"

    @property
    def profiles(self) -> Path:
        """Depth profiles at named states."""
        return self.path / "profiles.csv"

    @property
    def summary(self) -> Path:
        """Named scalars and provenance."""
        return self.path / "summary.json"

    @property
    def checkpoint(self) -> Path:
        """Where the run stands, to resume it, and its named states."""
        return self.path / "checkpoint.h5"

    @property
    def sources(self) -> Path:
        """Every number used, with its unit, source and whether it is fitted."""
        return self.path / "sources.csv"

    @property
    def log(self) -> Path:
        """What was printed."""
        return self.path / "log.txt"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    @property
    def finished(self) -> bool:
        """Whether the summary says that the protocol ran to its end."""
        return self.summary.exists() and summary.read(self.summary).get("completed") is True

    @property
    def results(self) -> tuple[Path, ...]:
        """The files that a new run of the same case replaces (figures apart)."""
        return (
            self.trace,
            self.pulses,
            self.fields,
            self.profiles,
            self.summary,
            self.checkpoint,
            self.sources,
            self.input,
            self.log,
        )


def claim(path: Path, case_text: str, comm: MPI.Comm, resume: bool = False) -> RunDirectory:
    """Make the folder this run's own and write ``case.yaml`` into it (collective).

    Earlier results of the *same* case text are removed, together with the PNG
    files in ``figures``; files that ionstack did not write stay. `case_text` must
    therefore contain whatever tells two runs apart, overrides included. To `resume`
    a run that has finished or has a checkpoint, its results stay. The folder
    stays locked against a second run until the returned record is released.

    Raises InputError on all ranks when the folder holds another case's results or
    files without a case, is in use by another run, or cannot be written.
    """
    run = RunDirectory(path)
    with raise_together(comm, f"claiming {path}"):
        if comm.rank == 0:
            _claim_here(run, case_text, resume)
    return run


def _claim_here(run: RunDirectory, case_text: str, resume: bool) -> None:
    try:
        if run.path.exists() and not run.path.is_dir():
            raise InputError(f"{run.path}: is a file, not a folder; choose another with -o")
        run.path.mkdir(parents=True, exist_ok=True)
        _lock(run)
        _refuse_foreign(run, case_text)
        if resume and (run.finished or run.checkpoint.exists()):
            if not run.finished:
                run.summary.unlink(missing_ok=True)
            return
        _remove_results(run)
        write_text(run.case, case_text)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{run.path}: cannot be used for results: {reason}") from error


def _lock(run: RunDirectory) -> None:
    """Lock the folder itself: no lock file stays behind, and a kill releases it."""
    descriptor = os.open(run.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(
            f"{run.path}: another run is writing into this folder now; "
            "choose another with -o, or wait for it to end"
        ) from None
    except OSError:
        # Some network file systems have no locks; the text comparison still guards.
        os.close(descriptor)
        return
    weakref.finalize(run, os.close, descriptor)


def _refuse_foreign(run: RunDirectory, case_text: str) -> None:
    if not run.case.exists():
        found = sorted(item.name for item in run.path.iterdir() if not _is_partial(item))
        if found:
            shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise InputError(
                f"{run.path}: holds files but no case.yaml, so not results of a run "
                f"(found {shown}); {OPTIONS}"
            )
        return
    earlier = run.case.read_text(encoding="utf-8", errors="replace")
    if earlier != case_text:
        raise InputError(
            f"{run.path}: holds the results of another case "
            f"({_first_difference(earlier, case_text)}); {OPTIONS}"
        )


def _is_partial(item: Path) -> bool:
    return item.name.startswith(".") and item.name.endswith(".partial")


def _first_difference(earlier: str, wanted: str) -> str:
    pairs = zip_longest(earlier.splitlines(), wanted.splitlines(), fillvalue="")
    for number, (there, here) in enumerate(pairs, start=1):
        if there != here:
            return f"case.yaml:{number}: {there.strip()!r} there, {here.strip()!r} in this run"
    return "case.yaml differs in its line ends"


def _remove_results(run: RunDirectory) -> None:
    for result in run.results:
        result.unlink(missing_ok=True)
        partial_path(result).unlink(missing_ok=True)
    for figure in run.figures.glob("*.png"):
        figure.unlink()
