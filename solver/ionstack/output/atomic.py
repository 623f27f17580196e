"""Files that are replaced as a whole, so that a kill leaves the old or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def partial_path(path: Path) -> Path:
    """Return the name under which a new version of the file is prepared."""
    return path.with_name(f".{path.name}.partial")


def publish(path: Path) -> None:
    """Put the prepared version on disk and in the place of the file, in one act."""
    partial = partial_path(path)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path to write to; the file is replaced when the block succeeds."""
    partial = partial_path(path)
    try:
        yield partial
        publish(path)
    except OSError as error:
        # A full disk is noticed when the bytes go out, where no name is known.
        error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace the file by the text (UTF-8)."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
