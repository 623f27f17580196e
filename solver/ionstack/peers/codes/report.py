"""What every program prints last: one JSON object with times, memory and physical values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """One run of one code; `values` hold the physical results by bias or time.

    Attributes:
        code: name of the code, with its linear solver where there is a choice.
        version: version of the code.
        problem: which problem was solved.
        nodes: mesh nodes or cells that carry unknowns.
        seconds_total: wall time without imports and mesh [s].
        newton_steps: linear systems solved; None where the code does not tell.
        values: results by quantity and by bias [V] or time [s].
    """

    code: str
    version: str
    problem: str
    nodes: int
    seconds_total: float
    newton_steps: int | None
    values: dict[str, dict[str, float]]

    def as_json(self) -> str:
        """Return the printed form, with the derived numbers and the memory peak [MB]."""
        steps = self.newton_steps
        derived = {
            "seconds_per_newton_step": self.seconds_total / steps if steps else None,
            "peak_mb": peak_megabytes(),
        }
        return json.dumps(asdict(self) | derived)


def peak_megabytes() -> float:
    """Largest resident memory of this process [MB], without that of its parent."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1e3


def publish(report: Report) -> None:
    """Print the report as the last line of standard output, after what the code printed."""
    print(report.as_json(), flush=True)
