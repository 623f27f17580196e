"""The table that an instrument takes from the files of a run: one function per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ionstack.errors import InputError
from ionstack.instruments.records import Records, Rows
from ionstack.instruments.selection import View
from ionstack.metrics.arrays import FloatArray
from ionstack.output.steps import StepRow
from ionstack.output.trace import TIME

# Scan rates are told apart by this many digits.
_RATE = "{:.3g}"


@dataclass(frozen=True)
class Curve:
    """Columns by role of `ionstack.measure`, shape (n,) each, and what stands beside them.

    `beside`: further columns by header. `settings`: numbers that the files tell, by name,
    which the case may overrule. `unit` and `header` of the role `value`.
    """

    columns: Mapping[str, FloatArray]
    beside: Mapping[str, FloatArray] = field(default_factory=dict)
    settings: Mapping[str, float] = field(default_factory=dict)
    unit: str = "1"
    header: str = ""


def take(records: Records, view: View) -> Curve:
    """Return the curve of a view. Raises InputError where the run has too little for it."""
    if not view.steps:
        raise InputError(f"the run has no step for it ({', '.join(view.kind.fits)})")
    return _TAKES[view.kind.name](records, view)


def _electric(records: Records, view: View) -> dict[str, FloatArray]:
    """Return time, voltage and current of the steps, each with the row at which it begins."""
    rows = records.rows(view.steps)
    if len(rows) < 2:
        raise InputError("the trace ends before its steps begin")
    voltage, current = records.voltage(view.contact)[rows], records.current(view.contact)[rows]
    return {"time": records.trace[TIME][rows], "voltage": voltage, "current": current}


def _iv(records: Records, view: View) -> Curve:
    return Curve({**_electric(records, view), "cycle": records.cycles(view.steps)})


def _cv(records: Records, view: View) -> Curve:
    columns = _electric(records, view)
    rate = np.zeros(len(columns["time"]))
    for step in view.steps:
        inside = np.isin(records.rows(view.steps), records.rows([step]))
        rate[inside] = _rate(columns["time"][inside], columns["voltage"][inside])
    # A rate of zero belongs to a step that was cut off at its start.
    swept = rate > 0.0
    columns = {role: values[swept] for role, values in columns.items()}
    return Curve({**columns, "rate": rate[swept]})


def _rate(time: FloatArray, voltage: FloatArray) -> float:
    """Return the way of the voltage over its time [V/s], stairs or not."""
    if len(time) < 2:
        return 0.0
    return float(_RATE.format(np.abs(np.diff(voltage)).sum() / (time[-1] - time[0])))


def _gcd(records: Records, view: View) -> Curve:
    return Curve(_electric(records, view))


def _self_discharge(records: Records, view: View) -> Curve:
    rows = records.rows(view.steps, begin=False)
    time = records.trace[TIME][rows] - view.steps[0].start
    return Curve({"time": time, "voltage": records.voltage(view.contact)[rows]})


def _epsc(records: Records, view: View) -> Curve:
    """Return the current from the start of a step on; a hold is told from where it settles."""
    step = view.steps[0]
    held = step.kind not in ("pulses", "pairs", "trains")
    rows = records.rows(view.steps, begin=not held)
    time = records.trace[TIME][rows] - step.start
    current = records.current(view.contact)[rows]
    settings = {"baseline": float(current[-1])} if held and len(rows) else {}
    return Curve({"time": time, "current": current}, settings=settings)


def _read_over_time(records: Records, view: View) -> Curve:
    """Return the conductance over time, from reads, else pulses, else the held voltage."""
    step = view.steps[0]
    if step.kind == "pulses":
        kind = "read" if len(records.pulse_rows(view.steps, "read")) else "pulse"
        reading = _reads(records, view, kind)
        return Curve({"time": reading.time - step.start, "conductance": reading.conductance})
    rows = records.rows(view.steps, begin=False)
    volts, amps = records.voltage(view.contact)[rows], records.current(view.contact)[rows]
    # The rise at the start of a hold is no reading at its voltage.
    held = np.abs(volts - volts[-1]) <= 1e-9 * abs(volts[-1]) if len(rows) else volts > 0.0
    conductance = _conductance(view, amps[held], volts[held])
    return Curve({"time": records.trace[TIME][rows][held] - step.start, "conductance": conductance})


def _retention(records: Records, view: View) -> Curve:
    return _read_over_time(records, view)


def _decay(records: Records, view: View) -> Curve:
    curve = _read_over_time(records, view)
    before = _reads_before(records, view)
    settings = {} if before is None else {"baseline": before}
    return Curve(curve.columns, settings=settings)


def _reads_before(records: Records, view: View) -> float | None:
    """Return the conductance [S] at the first read before the step, None if there is none."""
    earlier = [s for s in records.steps if s.end <= view.steps[0].start and s.kind == "pulses"]
    rows = records.pulse_rows(earlier, "read")
    if not len(rows):
        return None
    first = next(s for s in earlier if len(records.pulse_rows([s], "read")))
    reading = _reads(records, View(view.name, view.kind, view.request, (first,)), "read")
    return float(reading.conductance[0])


@dataclass(frozen=True)
class _Reading:
    """Conductances [S] read at times [s], with voltage [V], current [A] and row of the table."""

    time: FloatArray
    voltage: FloatArray
    current: FloatArray
    conductance: FloatArray


def _reads(records: Records, view: View, kind: str) -> _Reading:
    rows = records.pulse_rows(view.steps, kind)
    if not len(rows):
        raise InputError(f"there is no {kind} in its steps")
    time, current = records.pulses["end [s]"][rows], _response(records, view, rows)
    voltage = records.pulses["voltage [V]"][rows]
    if view.contact != view.steps[0].contact:
        voltage = np.interp(time, records.trace[TIME], records.voltage(view.contact))
    return _Reading(time, voltage, current, _conductance(view, current, voltage))


def _conductance(view: View, current: FloatArray, voltage: FloatArray) -> FloatArray:
    read = view.request.settings.get("read_voltage")
    across = voltage if read is None else np.full_like(voltage, read)
    if not across.all():
        raise InputError(f"{view.contact} is read at 0 V; give a read_voltage or another contact")
    return np.asarray(current / across, dtype=np.float64)


def _response(records: Records, view: View, rows: Rows) -> FloatArray:
    """Return the current [A] of the contact looked at, at the ends of pulses or reads."""
    if view.contact == view.steps[0].contact:
        return records.pulses["current [A]"][rows]
    ends = records.pulses["end [s]"][rows]
    return np.asarray(np.interp(ends, records.trace[TIME], records.current(view.contact)))


def _variation(records: Records, view: View) -> Curve:
    kind = "read" if len(records.pulse_rows(view.steps, "read")) else "pulse"
    values = _reads(records, view, kind).conductance
    return Curve({"value": values}, unit="S", header="conductance [S]")


def _ltp(records: Records, view: View) -> Curve:
    """Return the conductance at every read; `direction` is that of the pulses before it."""
    reads = records.pulse_rows(view.steps, "read")
    if not len(reads):
        raise InputError("its pulses are not read: give them a 'read'")
    reading, pulses = _reads(records, view, "read"), records.pulse_rows(view.steps, "pulse")
    number = np.searchsorted(pulses, reads)
    if not len(pulses) or not number.all():
        raise InputError("pulses.csv begins with a read: the pulse before it is missing")
    sign = np.sign(records.pulses["voltage [V]"][pulses][number - 1])
    energy = float(np.abs(records.pulses["energy [J]"][pulses][: number[-1]].sum())) / len(reads)
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


def _pulses(records: Records, view: View) -> Curve:
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
    beside = {"start [s]": start, "current [A]": _response(records, view, rows)}
    return Curve(columns, beside, {**_area(records), **_change(records, view)})


def _change(records: Records, view: View) -> dict[str, float]:
    """Return the mean change of conductance [S] that one pulse makes, if it is read."""
    reads, pulses = (records.pulse_rows(view.steps, kind) for kind in ("read", "pulse"))
    if len(reads) < 2:
        return {}
    between = np.diff(np.searchsorted(pulses, reads))
    change = np.abs(np.diff(_reads(records, view, "read").conductance))
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


def _ppf(records: Records, view: View) -> Curve:
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
        role: np.array([_response(records, view, rows[n : n + 1])[0] for rows in groups])
        for role, n in numbers.items()
    }
    return Curve(_averaged("interval", np.array(gaps), currents))


def _gap(records: Records, rows: Rows) -> float:
    start, end = records.pulses["start [s]"][rows], records.pulses["end [s]"][rows]
    return float(start[1] - end[0])


def _srdp(records: Records, view: View) -> Curve:
    groups = _groups(records, view)
    starts = [records.pulses["start [s]"][rows] for rows in groups]
    rates = np.array([(len(one) - 1) / (one[-1] - one[0]) for one in starts])
    ends = {"first": 0, "last": -1}
    currents = {
        role: np.array([_response(records, view, rows[[n]])[0] for rows in groups])
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


def _impedance(records: Records, view: View) -> Curve:
    """Return the spectrum of a step; one done several times has one spectrum each time."""
    step = view.steps[0]
    rows = [one for one in records.spectra if one.step == step.step and _seen_by(view, one.contact)]
    if not rows:
        raise InputError("impedance.csv has no row of its step")
    times = [one for one in records.steps if one.step == step.step and one.kind == step.kind]
    part = np.array_split(np.arange(len(rows)), len(times))[_place(step, times)]
    mine = [rows[k] for k in part]
    return Curve(
        {
            "frequency": np.array([one.frequency for one in mine]),
            "real": np.array([one.real for one in mine]),
            "imag": np.array([one.imaginary for one in mine]),
        }
    )


def _place(step: StepRow, among: list[StepRow]) -> int:
    return next(k for k, one in enumerate(among) if one is step)


def _seen_by(view: View, contact: str) -> bool:
    return view.request.contact is None or view.request.contact == contact


_TAKES: Mapping[str, Callable[[Records, View], Curve]] = {
    "iv": _iv,
    "variation": _variation,
    "retention": _retention,
    "ltp": _ltp,
    "ppf": _ppf,
    "srdp": _srdp,
    "epsc": _epsc,
    "decay": _decay,
    "pulses": _pulses,
    "cv": _cv,
    "gcd": _gcd,
    "selfdischarge": _self_discharge,
    "impedance": _impedance,
}
