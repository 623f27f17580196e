"""The folder of one run: whose results it holds, and where each file lies."""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ionstack.errors import InputError, raise_together
from ionstack.output import summary
from ionstack.output.atomic import partial_path, write_text

if TYPE_CHECKING:
    from mpi4py import MPI

SCRIPT = "open_in_paraview.py"
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
    def events(self) -> Path:
        """What happened at random."""
        return self.path / "events.csv"

    @property
    def steps(self) -> Path:
        """The steps that the protocol went through."""
        return self.path / "steps.csv"

    @property
    def spectra(self) -> Path:
        """Impedances by step and frequency."""
        return self.path / "impedance.csv"

    @property
    def fields(self) -> Path:
        """Fields at the snapshots, VTKHDF."""
        return self.path / "fields.vtkhdf"

    @property
    def paraview(self) -> Path:
        """Script with which ParaView shows the fields."""
        return self.path / SCRIPT

    @property
    def mechanics(self) -> Path:
        """Stress, growth and plastic strain of the layers at every state."""
        return self.path / "mechanics.csv"

    @property
    def gap(self) -> Path:
        """Width of the gap that electrons tunnel through at every state."""
        return self.path / "gap.csv"

    @property
    def nucleation(self) -> Path:
        """Rates, barriers and critical sizes of nuclei on the faces of metals at every state."""
        return self.path / "nucleation.csv"

    @property
    def body(self) -> Path:
        """Displacement, stress and plastic strain at the snapshots, VTKHDF."""
        return self.path / "mechanics.vtkhdf"

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
    def report(self) -> Path:
        """The page made of the other files."""
        return self.path / "report.html"

    @property
    def log(self) -> Path:
        """What was printed."""
        return self.path / "log.txt"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    @property
    def instruments(self) -> Path:
        """Folder of the instruments: tables, numbers and figures."""
        return self.path / "instruments"

    @property
    def analyses(self) -> Path:
        """Folder of the surface analyses."""
        return self.path / "sims"

    @property
    def finished(self) -> bool:
        """Whether the summary says that the protocol ran to its end."""
        return self.summary.exists() and summary.read(self.summary).get("completed") is True

    @property
    def results(self) -> tuple[Path, ...]:
        """The files that a new run of the same case replaces (figures and instruments apart)."""
        return (
            self.trace,
            self.pulses,
            self.steps,
            self.events,
            self.spectra,
            self.fields,
            self.paraview,
            self.mechanics,
            self.gap,
            self.nucleation,
            self.body,
            self.profiles,
            self.summary,
            self.checkpoint,
            self.sources,
            self.input,
            self.log,
            self.report,
        )


def claim(path: Path, case_text: str, comm: MPI.Comm, resume: bool = False) -> RunDirectory:
    """Make the folder this run's own and write ``case.yaml`` into it (collective).

    Earlier results of the *same* case text are removed, together with the PNG and GIF
    files in ``figures`` and the tables and figures in ``instruments`` and ``sims``; files that
    ionstack did not write stay. `case_text` must therefore contain whatever tells two
    runs apart, overrides included. To `resume` a run that has finished or has a
    checkpoint, its results stay. The folder stays locked against a second run until
    the returned record is released.

    Raises InputError on all ranks when the folder holds another case's results or
    files without a case, is in use by another run, or cannot be written.
    """
    run = RunDirectory(path)
    with raise_together(comm, f"claiming {path}"):
        if comm.rank == 0:
            _claim_here(run, case_text, resume)
    return run


def _claim_here(run: RunDirectory, case_text: str, resume: bool) -> None:
    with writing_into(run.path):
        weakref.finalize(run, lock(run.path))
        refuse_foreign(run.case, case_text)
        if resume and (run.finished or run.checkpoint.exists()):
            if not run.finished:
                run.summary.unlink(missing_ok=True)
            return
        _remove_results(run)
        write_text(run.case, case_text)


@contextmanager
def writing_into(path: Path) -> Iterator[None]:
    """Make a folder; what cannot be written into it inside the block becomes an InputError."""
    try:
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file, not a folder; choose another with -o")
        path.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be used for results: {reason}") from error


def lock(path: Path) -> Callable[[], None]:
    """Lock a folder and return what releases it, or raise InputError if another run has it.

    It is the folder itself that is locked: no lock file stays behind, and a kill releases it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(
            f"{path}: another run is writing into this folder now; "
            "choose another with -o, or wait for it to end"
        ) from None
    except OSError:
        # Some network file systems have no locks; the text comparison still guards.
        os.close(descriptor)
        return lambda: None
    return partial(os.close, descriptor)


def refuse_foreign(record: Path, text: str) -> None:
    """Raise InputError if a folder holds other files, or a record with another text.

    `record` is the file that tells whose results the folder holds, ``case.yaml`` of a run.
    """
    folder = record.parent
    if not record.exists():
        found = sorted(item.name for item in folder.iterdir() if not _is_partial(item))
        if found:
            shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise InputError(
                f"{folder}: holds files but no {record.name}, so not results of a "
                f"{'run' if record.stem == 'case' else record.stem} (found {shown}); {OPTIONS}"
            )
        return
    earlier = record.read_text(encoding="utf-8", errors="replace")
    if earlier != text:
        raise InputError(
            f"{folder}: holds the results of another {record.stem} "
            f"({record.name}{_first_difference(earlier, text)}); {OPTIONS}"
        )


def _is_partial(item: Path) -> bool:
    return item.name.startswith(".") and item.name.endswith(".partial")


def _first_difference(earlier: str, wanted: str) -> str:
    pairs = zip_longest(earlier.splitlines(), wanted.splitlines(), fillvalue="")
    for number, (there, here) in enumerate(pairs, start=1):
        if there != here:
            return f":{number}: {there.strip()!r} there, {here.strip()!r} in this run"
    return " differs in its line ends"


def _remove_results(run: RunDirectory) -> None:
    for result in run.results:
        result.unlink(missing_ok=True)
        partial_path(result).unlink(missing_ok=True)
    for figure in (*run.figures.glob("*.png"), *run.figures.glob("*.gif")):
        figure.unlink()
    remove_instruments(run)
    for file in run.analyses.glob("**/*_*"):
        ours = file.name.startswith(("sims_", "xps_")) and file.suffix in (".csv", ".png", ".vti")
        if ours or file.name == "open_in_paraview.py":
            file.unlink()


def remove_instruments(run: RunDirectory) -> None:
    """Remove what instruments wrote earlier; other files in their folder stay."""
    for kind in ("csv", "json", "png", "txt"):
        for file in run.instruments.glob(f"*.{kind}"):
            file.unlink()
