"""A file below HDF5 that keeps a full disk to itself until HDF5 has closed.

HDF5 does not survive a failing write: files stay half open, and the process ends in a
segmentation fault (HDF5 1.14, h5py 3.13).
"""

from __future__ import annotations

import io
from typing import Any


class SteadyFile(io.FileIO):
    """A raw file that drops what it cannot write, and remembers why."""

    error: OSError | None = None

    def write(self, content: Any) -> int:
        """Write all bytes, unless a write has failed before."""
        rest = memoryview(content)
        try:
            while self.error is None and len(rest) > 0:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file, unless a write has failed before."""
        try:
            return super().truncate(size) if self.error is None else self.tell()
        except OSError as error:
            self.error = error
            return self.tell()

    def check(self) -> None:
        """Raise what a write has failed with."""
        if self.error is not None:
            raise self.error
