"""The files of a run as the instruments take them: tables by name, rows by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from ionstack.errors import InputError, nearest
from ionstack.instruments.catalogue import AUTO, Request
from ionstack.instruments.unfinished import with_unfinished
from ionstack.metrics.arrays import FloatArray
from ionstack.output.pulses import KINDS, read_pulses
from ionstack.output.run_directory import RunDirectory
from ionstack.output.spectra import SpectrumRow, read_spectra
from ionstack.output.steps import StepRow, read_steps
from ionstack.output.trace import (
    CYCLE,
    TIME,
    contacts_in,
    current_column,
    read_trace,
    voltage_column,
)

Rows = npt.NDArray[np.intp]
# A nanosecond after days is not much more than this.
_ROUND_OFF = 1e-15


@dataclass(frozen=True)
class Records:
    """What a run wrote. `area` of the device in m², None where the case does not tell it."""

    trace: Mapping[str, FloatArray]
    pulses: Mapping[str, FloatArray]
    spectra: tuple[SpectrumRow, ...]
    steps: tuple[StepRow, ...]
    area: float | None

    @property
    def with_reads(self) -> bool:
        """Whether any pulse was read."""
        return bool(self.pulses) and bool((self.pulses["kind [1]"] == KINDS["read"]).any())

    def rows(self, steps: Sequence[StepRow], *, begin: bool = True) -> Rows:
        """Return the rows of the trace that belong to the steps.

        A step begins with the row at which the one before ended; `begin` takes that one too.
        Rows are left out whose time has too few digits to differ from the one before.
        """
        times = self.trace[TIME]
        inside = np.zeros(len(times), dtype=np.bool_)
        for step in steps:
            inside |= self._within(times, step, begin)
        return np.flatnonzero(inside & (np.diff(times, prepend=-np.inf) > 0.0))

    def late_rows(self, step: StepRow, delay: float) -> Rows:
        """Return the rows of one step that lie a delay [s] and more after its start."""
        rows = self.rows([step], begin=False)
        return rows[self.trace[TIME][rows] - step.start >= delay]

    def cycles(self, steps: Sequence[StepRow]) -> FloatArray:
        """Return the number of the cycle per row of `rows`, 0 where a step begins."""
        chosen = self.rows(steps)
        own = np.isin(chosen, self.rows(steps, begin=False))
        return np.where(own, self.trace[CYCLE][chosen], 0.0)

    @staticmethod
    def _within(times: FloatArray, step: StepRow, begin: bool) -> npt.NDArray[np.bool_]:
        margin = _ROUND_OFF * max(abs(step.end), abs(step.start))
        after = times >= step.start - margin if begin else times > step.start + margin
        return np.asarray(after & (times <= step.end + margin))

    def voltage(self, contact: str) -> FloatArray:
        """Return the voltage [V] at a contact; of two contacts, against the other one."""
        others = [name for name in contacts_in(self.trace) if name != contact]
        own = self.trace[voltage_column(self._known(contact))]
        return own - self.trace[voltage_column(others[0])] if len(others) == 1 else own

    def current(self, contact: str) -> FloatArray:
        """Return the current [A] into the device through a contact."""
        return self.trace[current_column(self._known(contact))]

    def _known(self, contact: str) -> str:
        there = contacts_in(self.trace)
        if contact not in there:
            hint = f"; there are {', '.join(there)}{nearest(contact, there)}"
            raise InputError(f"the trace has no contact {contact!r}{hint}")
        return contact

    def pulse_rows(self, steps: Sequence[StepRow], kind: str) -> Rows:
        """Return the rows of ``pulses.csv`` in these steps, of one kind: pulse or read."""
        if not self.pulses:
            return np.empty(0, dtype=np.intp)
        inside = np.zeros(len(self.pulses["start [s]"]), dtype=np.bool_)
        for step in steps:
            inside |= self._within(self.pulses["start [s]"], step, True)
        return np.flatnonzero(inside & (self.pulses["kind [1]"] == KINDS[kind]))


def read_records(folder: Path) -> Records:
    """Read the files of a run; those that it did not write are empty.

    Of a run that was cut off the step that it was in is taken as far as it got.
    Raises InputError if there is no trace or no table of steps, or if a file is damaged.
    """
    run = RunDirectory(folder)
    trace = read_trace(run.trace)
    steps = with_unfinished(read_steps(run.steps), trace, run)
    pulses = read_pulses(run.pulses) if run.pulses.exists() else {}
    spectra = read_spectra(run.spectra) if run.spectra.exists() else ()
    return Records(trace, pulses, spectra, steps, _area(_settings(run)))


def read_requests(folder: Path) -> tuple[Request, ...]:
    """Return what the case of a run asked for; ``auto`` where its record does not say."""
    entries = _settings(RunDirectory(folder)).get("instruments")
    if entries is None:
        return (Request(AUTO),)
    try:
        return tuple(
            Request(one["kind"], tuple(one["steps"]), one["contact"], one["settings"])
            for one in entries
        )
    except (TypeError, KeyError) as error:
        path = RunDirectory(folder).case
        raise InputError(f"{path}: instruments: is not the record of a run") from error


def _settings(run: RunDirectory) -> Mapping[str, Any]:
    """Return the run's record of its case, empty if there is none."""
    try:
        found = yaml.safe_load(run.case.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except yaml.YAMLError as error:
        raise InputError(f"{run.case}: cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _area(settings: Mapping[str, Any]) -> float | None:
    stack = settings.get("stack")
    lateral = stack.get("lateral") if isinstance(stack, dict) else None
    if not isinstance(lateral, dict):
        return None
    if lateral.get("shape") == "disc":
        return math.pi * float(lateral.get("diameter") or 0.0) ** 2 / 4.0 or None
    return float(lateral.get("width") or 0.0) * float(lateral.get("depth") or 0.0) or None
