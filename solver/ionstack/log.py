"""What a run says: lines in a log file and on the terminal, and a progress bar."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TextIO

from tqdm import tqdm

# A run without a terminal logs its progress this often.
LINE_EVERY = 10.0  # s


class Log:
    """Lines for people; silent on all ranks but the first."""

    def __init__(self, rank: int, quiet: bool = False) -> None:
        self._speaks = rank == 0
        self._quiet = quiet
        self._file: TextIO | None = None

    def open(self, path: Path, mode: Literal["w", "a"] = "w") -> None:
        """Start writing to a file as well, from its begin or (`a`) after what it holds."""
        if self._speaks:
            self._file = path.open(mode, encoding="utf-8", buffering=1)

    def say(self, text: str) -> None:
        """Write a line to the file and, unless quiet, to the terminal."""
        if not self._speaks:
            return
        if self._file is not None:
            # On a full disk the run itself will end, with a message.
            with suppress(OSError):
                self._file.write(text + "\n")
        if not self._quiet:
            tqdm.write(text, file=sys.stdout)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def progress(self, duration: float) -> Progress:
        """Return a progress display of simulated time."""
        return Progress(self, duration, self._speaks and not self._quiet)


class Progress:
    """Bar on a terminal, plain lines elsewhere: time, step size, Newton steps, estimate."""

    def __init__(self, log: Log, duration: float, visible: bool) -> None:
        self._log, self._duration = log, duration
        self._terminal = visible and sys.stderr.isatty()
        self._bar = tqdm(
            total=duration,
            disable=not self._terminal,
            bar_format="{percentage:3.0f}% |{bar}| {n:.3f}/{total:.3f} s, "
            "{postfix} [{remaining} left]",
            leave=False,
        )
        self._started = self._last = time.monotonic()

    def update(self, now: float, step: float, newton: int, rejected: int) -> None:
        """Show that simulated time `now` [s] is reached."""
        if self._terminal:
            self._bar.set_postfix_str(f"step {step:.2e} s, {newton} Newton steps", refresh=False)
            self._bar.update(now - self._bar.n)
        elif time.monotonic() - self._last > LINE_EVERY:
            self._last = time.monotonic()
            if now < 0.01 * self._duration:
                return
            left = (self._last - self._started) * (self._duration / max(now, 1e-300) - 1.0)
            self._log.say(
                f"t = {now:.6g} of {self._duration:.6g} s, step {step:.2e} s, {newton} Newton "
                f"steps, {rejected} rejected, about {left:.0f} s left"
            )

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.close()
