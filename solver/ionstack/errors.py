"""Error classes and the rule that either all MPI ranks raise or none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mpi4py import MPI


class IonstackError(Exception):
    """Base of all errors that end a run with a message and no traceback."""

    exit_status: ClassVar[int] = 3


class InputError(IonstackError):
    """A mistake in a file or on the command line, found before any computation."""

    exit_status: ClassVar[int] = 2


class NumericsError(IonstackError):
    """A computation that could not be completed; earlier results stay readable."""

    exit_status: ClassVar[int] = 3


class OutputError(IonstackError):
    """A file could not be written; what was written before stays readable."""

    exit_status: ClassVar[int] = 3


class Interrupted(IonstackError):
    """Ctrl-C: the run ended in order and can be resumed."""

    exit_status: ClassVar[int] = 130


class Terminated(Interrupted):
    """SIGTERM: the same."""

    exit_status: ClassVar[int] = 143


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the closest allowed name, or nothing."""
    match = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""


@contextmanager
def raise_together(comm: MPI.Comm, doing: str) -> Iterator[None]:
    """Run rank-local work; if it fails on any rank, raise the first failure on all.

    Only rank-local work may stand inside: a collective call in there would be
    the very deadlock that this guard prevents. An `IonstackError` keeps its
    class and message, a failure of the disk becomes an `OutputError` that names the
    file, anything else a `NumericsError` that says `doing`.
    """
    local: Exception | None = None
    try:
        yield
    except Exception as error:
        local = error
    failures = comm.allgather(None if local is None else _portable(local, doing))
    first = next((failure for failure in failures if failure is not None), None)
    if first is not None:
        kind, message = first
        raise kind(message) from local


def _portable(error: Exception, doing: str) -> tuple[type[IonstackError], str]:
    if isinstance(error, IonstackError):
        return type(error), str(error)
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror.split(" (")[0]  # HDF5 adds its innards in parentheses.
        return OutputError, f"{error.filename or f'{doing} failed'}: {reason}"
    return NumericsError, f"{doing} failed: {type(error).__name__}: {error}"
