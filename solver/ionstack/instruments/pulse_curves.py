"""Curves of instruments that look at pulses and their reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ionstack.errors import InputError
from ionstack.instruments.curve import Curve
from ionstack.instruments.reads import read_states, response
from ionstack.instruments.records import Records, Rows
from ionstack.instruments.selection import View
from ionstack.metrics.arrays import FloatArray


def variation(records: Records, view: View) -> Curve:
    """Return the conductances of reads, or of pulses without reads, as repeated values."""
    kind = "read" if len(records.pulse_rows(view.steps, "read")) else "pulse"
    values = read_states(records, view, kind).conductance
    return Curve({"value": values}, unit="S", header="conductance [S]")


def ltp(records: Records, view: View) -> Curve:
    """Return the conductance at every read; `direction` is that of the pulses before it."""
    reads = records.pulse_rows(view.steps, "read")
    if not len(reads):
        raise InputError("its pulses are not read: give them a 'read'")
    reading, pulsed = read_states(records, view, "read"), records.pulse_rows(view.steps, "pulse")
    number = np.searchsorted(pulsed, reads)
    if not len(pulsed) or not number.all():
        raise InputError("pulses.csv begins with a read: the pulse before it is missing")
    sign = np.sign(records.pulses["voltage [V]"][pulsed][number - 1])
    energy = float(np.abs(records.pulses["energy [J]"][pulsed][: number[-1]].sum())) / len(reads)
    return Curve(
        {"conductance": reading.conductance, "direction": _direction(reading.conductance, sign)},
        beside={
            "pulse [1]": number.astype(np.float64),
            "time [s]": reading.time,
            "read voltage [V]": reading.voltage,
            "read current [A]": reading.current,
        },
        settings={"pulse_energy": energy, **_area(records)},
    )


def _direction(conductance: FloatArray, sign: FloatArray) -> FloatArray:
    """Return +1 where the pulses before a read potentiate, −1 where they depress.

    Those potentiate whose sign of voltage raises the conductance more than the other one.
    """
    change = np.diff(conductance)
    sides = [change[sign[1:] == side] for side in (1.0, -1.0)]
    if all(len(side) for side in sides):
        raises = sides[0].mean() >= sides[1].mean()
        return np.asarray(sign if raises else -sign, dtype=np.float64)
    return np.full(len(sign), 1.0 if change.sum() >= 0.0 else -1.0)


def _area(records: Records) -> dict[str, float]:
    return {} if records.area is None else {"area": records.area}


def pulses(records: Records, view: View) -> Curve:
    """Return width, voltage, charge and energy of every pulse."""
    rows = records.pulse_rows(view.steps, "pulse")
    if not len(rows):
        raise InputError("there is no pulse in its steps")
    start, end = records.pulses["start [s]"][rows], records.pulses["end [s]"][rows]
    columns = {
        "width": end - start,
        "amplitude": records.pulses["voltage [V]"][rows],
        "charge": records.pulses["charge [C]"][rows],
        "energy": records.pulses["energy [J]"][rows],
    }
    beside = {"start [s]": start, "current [A]": response(records, view, rows)}
    return Curve(columns, beside, {**_area(records), **_change(records, view)})


def _change(records: Records, view: View) -> dict[str, float]:
    """Return the mean change of conductance [S] that one pulse makes, if it is read."""
    reads, pulsed = (records.pulse_rows(view.steps, kind) for kind in ("read", "pulse"))
    if len(reads) < 2:
        return {}
    between = np.diff(np.searchsorted(pulsed, reads))
    change = np.abs(np.diff(read_states(records, view, "read").conductance))
    return {"change": float(change.sum() / between.sum())} if between.sum() > 0 else {}


def _groups(records: Records, view: View) -> list[Rows]:
    """Return the rows of every pair or train of the steps that has more than one pulse."""
    found = []
    for step in view.steps:
        rows = records.pulse_rows([step], "pulse")
        groups = records.pulses["group [1]"][rows] if len(rows) else np.empty(0)
        found += [rows[groups == number] for number in np.unique(groups)]
    whole = [rows for rows in found if len(rows) > 1]
    if not whole:
        raise InputError("no pair or train of pulses is complete")
    return whole


def ppf(records: Records, view: View) -> Curve:
    """Return the responses to the first, second and tenth pulse; the interval is from end to start.

    Equal intervals, of repeated steps, are averaged.
    """
    groups = _groups(records, view)
    if any(len(rows) < 10 for rows in groups):
        numbers = {"first": 0, "second": 1}
    else:
        numbers = {"first": 0, "second": 1, "tenth": 9}
    gaps = [_gap(records, rows) for rows in groups]
    currents = {
        role: np.array([response(records, view, rows[n : n + 1])[0] for rows in groups])
        for role, n in numbers.items()
    }
    return Curve(_averaged("interval", np.array(gaps), currents))


def _gap(records: Records, rows: Rows) -> float:
    start, end = records.pulses["start [s]"][rows], records.pulses["end [s]"][rows]
    return float(start[1] - end[0])


def srdp(records: Records, view: View) -> Curve:
    """Return the responses to the first and last pulse of trains against their rate."""
    groups = _groups(records, view)
    starts = [records.pulses["start [s]"][rows] for rows in groups]
    rates = np.array([(len(one) - 1) / (one[-1] - one[0]) for one in starts])
    ends = {"first": 0, "last": -1}
    currents = {
        role: np.array([response(records, view, rows[[n]])[0] for rows in groups])
        for role, n in ends.items()
    }
    return Curve(_averaged("frequency", rates, currents))


def _averaged(
    role: str, places: FloatArray, values: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Return the means at every place, sorted; places are equal within 1e-6."""
    order = np.argsort(places, kind="stable")
    apart = np.diff(np.log(places[order])) > 1e-6
    group = np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)
    counts = np.bincount(group)
    columns = {role: places, **values}
    return {name: np.bincount(group, one[order]) / counts for name, one in columns.items()}
