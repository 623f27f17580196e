"""Hand-made runs: a folder with the files of a run, written without a solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ionstack.output.pulses import PulseRow, PulseWriter
from ionstack.output.spectra import SpectrumRow, SpectrumWriter
from ionstack.output.steps import StepRow, StepWriter
from ionstack.output.trace import CYCLE, NEWTON, STEP, TIME

Floats = NDArray[np.float64]
# The device of all these runs [m^2].
AREA = 1e-3 * 2e-3


class HandMade:
    """Collects steps one after the other on contact Pt, against ITO at 0 V."""

    def __init__(self, contacts: Sequence[str] = ("Pt", "ITO")) -> None:
        self.contacts = tuple(contacts)
        self.time = 0.0
        self.trace: list[list[float]] = [[0.0] * (2 * len(contacts) + 5)]
        self.steps: list[StepRow] = []
        self.pulses: list[PulseRow] = []
        self.spectra: list[SpectrumRow] = []
        self.planned: list[dict[str, Any]] = []

    def step(
        self,
        kind: str,
        time: Iterable[float],
        voltage: Iterable[float],
        current: Iterable[float],
        cycle: Iterable[int] | int = 0,
        *,
        name: str = "",
        finished: bool = True,
    ) -> HandMade:
        """Add a step whose rows lie at times [s] > 0 after its start."""
        times = np.array(list(time))
        cycles = [cycle] * len(times) if isinstance(cycle, int) else list(cycle)
        number, spare = len(self.planned) + 1, len(self.contacts) - 2
        for t, v, i, c in zip(times, voltage, current, cycles, strict=True):
            volts = [v, 0.0, *[0.0] * spare]
            row = [self.time + t, *volts, i, -i, *[0.0] * spare, 1.0, 1.0, c, number]
            self.trace.append(row)
        end = self.time + float(times[-1])
        if finished:
            self.steps.append(StepRow(number, name, kind, "Pt", self.time, end, "its end"))
        self.planned.append({kind: {"contact": "Pt"}, **({"name": name} if name else {})})
        self.time = end
        return self

    def pulse_step(
        self, kind: str, pulses: Sequence[Mapping[str, float]], *, name: str = ""
    ) -> HandMade:
        """Add a step of pulses; each has at least `current`, the rest are usual values."""
        begin, rows = self.time, []
        for entry in pulses:
            one = {"kind": 0, "group": 1, "number": 1, "width": 0.01, "gap": 0.09}
            one |= {"voltage": 1.0, "charge": 1e-9, "energy": 1e-9, **entry}
            start = float(self.time + 1e-3)
            end = float(start + one["width"])
            keys = ("kind", "group", "number")
            kind_, group, count = (int(one[key]) for key in keys)
            amps = (float(one[key]) for key in ("current", "charge", "energy"))
            self.pulses.append(
                PulseRow(kind_, 1, group, count, start, end, float(one["voltage"]), *amps)
            )
            after = float(end + one["gap"])
            rows += [(start, one["voltage"], 0.0), (end, one["voltage"], one["current"])]
            rows.append((after, 0.0, 0.0))
            self.time = after
        self.time = begin
        t, v, i = np.array(rows).T
        return self.step(kind, t - begin, v, i, name=name)

    def write(self, folder: Path, instruments: list[dict[str, Any]] | None = None) -> Path:
        """Write the folder; `instruments` as the record of the case has them."""
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"voltage {one} [V]" for one in self.contacts]
        names += [f"current {one} [A]" for one in self.contacts]
        header = [TIME, *names, STEP, NEWTON, CYCLE, "step [1]"]
        lines = [",".join(header), *(",".join(map(repr, map(float, row))) for row in self.trace)]
        (folder / "trace.csv").write_text("\n".join(lines) + "\n")
        _write(StepWriter(folder / "steps.csv"), self.steps)
        if self.pulses:
            _write(PulseWriter(folder / "pulses.csv"), self.pulses)
        if self.spectra:
            _write(SpectrumWriter(folder / "impedance.csv"), self.spectra)
        lateral = {"shape": "rectangle", "diameter": None, "width": 1e-3, "depth": 2e-3}
        case: dict[str, Any] = {"name": "made", "stack": {"lateral": lateral}}
        if instruments is not None:
            case["instruments"] = instruments
        (folder / "case.yaml").write_text(yaml.safe_dump(case))
        (folder / "input.yaml").write_text(yaml.safe_dump({"protocol": self.planned}))
        return folder


def _write(writer: Any, rows: Iterable[Any]) -> None:
    for row in rows:
        writer.append(row)
    writer.close()


def request(kind: str, *steps: str | int, contact: str | None = None, **settings: float) -> dict:
    """Return an entry of the record of a case."""
    return {"kind": kind, "steps": list(steps), "contact": contact, "settings": settings}
