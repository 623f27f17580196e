"""Curves of instruments that look at how a state fades after pulses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ionstack.instruments.curve import Curve
from ionstack.instruments.reads import conductance_of, read_states
from ionstack.instruments.records import Records
from ionstack.instruments.selection import View
from ionstack.output.trace import TIME


def retention(records: Records, view: View) -> Curve:
    """Return the conductance over time, from reads, else pulses, else the held voltage."""
    step = view.steps[0]
    if step.kind == "pulses":
        kind = "read" if len(records.pulse_rows(view.steps, "read")) else "pulse"
        reading = read_states(records, view, kind)
        late = reading.time - step.start >= view.delay
        columns = {"time": reading.time - step.start, "conductance": reading.conductance}
        return Curve({role: values[late] for role, values in columns.items()})
    rows = records.late_rows(step, view.delay)
    volts, amps = records.voltage(view.contact)[rows], records.current(view.contact)[rows]
    # The rise at the start of a hold is no reading at its voltage.
    held = np.isclose(volts, volts[-1], rtol=1e-9, atol=0.0) if len(rows) else volts > 0.0
    found = conductance_of(view, amps[held], volts[held])
    return Curve({"time": records.trace[TIME][rows][held] - step.start, "conductance": found})


def decay(records: Records, view: View) -> Curve:
    """Return the same, with the conductance before the training as its baseline."""
    before = _first_read_before(records, view)
    settings = {} if before is None else {"baseline": before}
    return Curve(retention(records, view).columns, settings=settings)


def _first_read_before(records: Records, view: View) -> float | None:
    """Return the conductance [S] of the first read before a step, None if there is none."""
    for step in records.steps:
        earlier = step.end <= view.steps[0].start and step.kind == "pulses"
        if earlier and len(records.pulse_rows([step], "read")):
            reading = read_states(records, replace(view, steps=(step,)), "read")
            return float(reading.conductance[0])
    return None
