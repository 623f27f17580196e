"""Curves of instruments that look at voltage and current over time, and at impedances."""

from __future__ import annotations

import numpy as np

from ionstack.errors import InputError
from ionstack.instruments.catalogue import PULSED
from ionstack.instruments.curve import Curve
from ionstack.instruments.records import Records
from ionstack.instruments.selection import View
from ionstack.metrics.arrays import FloatArray
from ionstack.output.trace import TIME

# Scan rates are told apart by this many digits.
_RATE = "{:.3g}"


def _electric(records: Records, view: View) -> dict[str, FloatArray]:
    """Return time, voltage and current of the steps, each with the row at which it begins."""
    rows = records.rows(view.steps)
    if len(rows) < 2:
        raise InputError("the trace ends before its steps begin")
    voltage, current = records.voltage(view.contact)[rows], records.current(view.contact)[rows]
    return {"time": records.trace[TIME][rows], "voltage": voltage, "current": current}


def iv(records: Records, view: View) -> Curve:
    """Return voltage and current with the number of the cycle."""
    return Curve({**_electric(records, view), "cycle": records.cycles(view.steps)})


def cv(records: Records, view: View) -> Curve:
    """Return voltage and current with the scan rate of each cycle."""
    columns = {**_electric(records, view), "cycle": records.cycles(view.steps)}
    rate = np.zeros(len(columns["time"]))
    for cycle in np.unique(columns["cycle"]):
        inside = columns["cycle"] == cycle
        rate[inside] = _rate(columns["time"][inside], columns["voltage"][inside])
    # On the way to the start of a cycle there is none; a rate of zero was cut off at its start.
    swept = (rate > 0.0) & (columns.pop("cycle") > 0.0)
    columns = {role: values[swept] for role, values in columns.items()}
    return Curve({**columns, "rate": rate[swept]})


def _rate(time: FloatArray, voltage: FloatArray) -> float:
    """Return the way of the voltage over its time [V/s], stairs or not."""
    if len(time) < 2:
        return 0.0
    return float(_RATE.format(np.abs(np.diff(voltage)).sum() / (time[-1] - time[0])))


def gcd(records: Records, view: View) -> Curve:
    """Return voltage and current over time."""
    return Curve(_electric(records, view))


def self_discharge(records: Records, view: View) -> Curve:
    """Return the voltage of a step without current, from its start on."""
    rows = records.late_rows(view.steps[0], view.delay)
    time = records.trace[TIME][rows] - view.steps[0].start
    return Curve({"time": time, "voltage": records.voltage(view.contact)[rows]})


def epsc(records: Records, view: View) -> Curve:
    """Return the current of a step; that of a hold has its baseline where it settles."""
    step = view.steps[0]
    pulsed = step.kind in PULSED
    rows = records.rows([step]) if pulsed else records.late_rows(step, view.delay)
    current = records.current(view.contact)[rows]
    settings = {} if pulsed or not len(rows) else {"baseline": float(current[-1])}
    time = records.trace[TIME][rows] - step.start
    return Curve({"time": time, "current": current}, settings=settings)


def impedance(records: Records, view: View) -> Curve:
    """Return the spectrum of a step; one done several times has one spectrum each time."""
    step = view.steps[0]
    rows = [one for one in records.spectra if (one.step, one.contact) == (step.step, view.contact)]
    same = [one for one in records.steps if (one.step, one.kind) == (step.step, step.kind)]
    place = next(k for k, one in enumerate(same) if one is step)
    # Every spectrum begins with the same frequency.
    starts = [k for k, one in enumerate(rows) if one.frequency == rows[0].frequency]
    if place >= len(starts):
        raise InputError("impedance.csv has no row of its step and contact")
    mine = rows[starts[place] : (*starts, len(rows))[place + 1]]
    return Curve(
        {
            "frequency": np.array([one.frequency for one in mine]),
            "real": np.array([one.real for one in mine]),
            "imag": np.array([one.imaginary for one in mine]),
        }
    )
