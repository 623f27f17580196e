"""What a run says: lines in a log file and on the terminal, and a progress bar."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TextIO

from tqdm import tqdm

from ionstack.protocols.itinerary import Place

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

    def progress(self) -> Progress:
        """Return a progress display of a protocol."""
        return Progress(self, self._speaks and not self._quiet)


class Progress:
    """Bar on a terminal, plain lines elsewhere: time, place, step size, Newton steps, estimate."""

    def __init__(self, log: Log, visible: bool) -> None:
        self._log = log
        self._terminal = visible and sys.stderr.isatty()
        self._bar = tqdm(
            total=1.0,
            disable=not self._terminal,
            bar_format="{percentage:3.0f}% |{bar}| {postfix} [{elapsed}]",
            leave=False,
        )
        self._started = self._last = time.monotonic()

    def update(self, now: float, place: Place, step: float, newton: int, rejected: int) -> None:
        """Show that simulated time `now` [s] is reached, at a place in the protocol."""
        clock = time.monotonic()
        if not self._terminal and clock - self._last <= LINE_EVERY:
            return
        where = f"t = {now:.6g} s in {place.step}, step {step:.2e} s, {newton} Newton steps"
        if self._terminal:
            self._bar.set_postfix_str(f"{where}{self._left(place, clock)}", refresh=False)
            self._bar.update(place.share - self._bar.n)
        else:
            self._last = clock
            percent = f"{100 * place.share:.0f} %, "
            self._log.say(f"{percent}{where}, {rejected} rejected{self._left(place, clock)}")

    def _left(self, place: Place, clock: float) -> str:
        """An estimate of the time left, where the protocol says when it ends."""
        if place.open_end or place.share < 0.01:
            return ""
        left = (clock - self._started) * (1.0 / place.share - 1.0)
        return f", about {left:.0f} s left"

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
