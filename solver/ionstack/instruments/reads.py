"""Responses to pulses and the conductances that reads find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ionstack.errors import InputError
from ionstack.instruments.records import Records, Rows
from ionstack.instruments.selection import View
from ionstack.metrics.arrays import FloatArray
from ionstack.output.trace import TIME


@dataclass(frozen=True)
class Reading:
    """Conductances [S] read at times [s], with voltage [V] and current [A]; shape (n,) each."""

    time: FloatArray
    voltage: FloatArray
    current: FloatArray
    conductance: FloatArray


def read_states(records: Records, view: View, kind: str) -> Reading:
    """Return what the reads of a view found, or its pulses (`kind` ``pulse``).

    Raises InputError if there are none, or if they are at 0 V.
    """
    rows = records.pulse_rows(view.steps, kind)
    if not len(rows):
        raise InputError(f"there is no {kind} in its steps")
    time, current = records.pulses["end [s]"][rows], response(records, view, rows)
    voltage = records.pulses["voltage [V]"][rows]
    if view.contact != view.steps[0].contact:
        voltage = np.interp(time, records.trace[TIME], records.voltage(view.contact))
    return Reading(time, voltage, current, conductance_of(view, current, voltage))


def conductance_of(view: View, current: FloatArray, voltage: FloatArray) -> FloatArray:
    """Return current [A] over voltage [V], or over the read voltage that the case gives.

    Raises InputError at 0 V.
    """
    read = view.request.settings.get("read_voltage")
    across = voltage if read is None else np.full_like(voltage, read)
    if not across.all():
        raise InputError(f"{view.contact} is read at 0 V; give a read_voltage or another contact")
    return np.asarray(current / across, dtype=np.float64)


def response(records: Records, view: View, rows: Rows) -> FloatArray:
    """Return the current [A] of the contact looked at, at the ends of pulses or reads."""
    if view.contact == view.steps[0].contact:
        return records.pulses["current [A]"][rows]
    ends = records.pulses["end [s]"][rows]
    return np.asarray(np.interp(ends, records.trace[TIME], records.current(view.contact)))
