"""Kinds of resistive switching: I–V loops, retention, repeated values, activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.measure.kind import (
    CONDUCTANCE,
    READ,
    Inputs,
    Kind,
    Result,
    Scalar,
    Setting,
    conductance_of,
    distribution_panel,
    repeated,
)
from ionstack.metrics.arrays import NAN, FloatArray, by_decades, counted
from ionstack.metrics.energy import spent_energy, transferred_charge
from ionstack.metrics.retention import TEN_YEARS, arrhenius, retention
from ionstack.metrics.sweeps import States, find_sweeps, loop_area, states
from ionstack.metrics.thresholds import Reset, Switching, reset, switching
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.plots.panels import Axis, Panel, Series


@dataclass(frozen=True)
class _Sweep:
    """One sweep of a loop with what was read off it; `charge`, `energy` NaN without times."""

    voltage: FloatArray
    current: FloatArray
    switching: Switching
    reset: Reset
    states: States
    area: float
    charge: float
    energy: float

    @property
    def positive(self) -> bool:
        return bool(self.voltage[np.argmax(np.abs(self.voltage))] > 0.0)


def _iv(inputs: Inputs) -> Result:
    sweeps = [_sweep(inputs, rows) for rows in _sweep_rows(inputs)]
    if not sweeps:
        raise InputError("no sweep found: the voltage is zero throughout")
    scalars: list[Scalar] = []
    for name, positive in (("positive", True), ("negative", False)):
        chosen = [sweep for sweep in sweeps if sweep.positive is positive]
        scalars += _sweep_scalars(name, chosen)
    files = {"sweeps.csv": _sweep_table(sweeps)}
    return Result(tuple(scalars), _iv_panels(sweeps), files)


def _sweep_rows(inputs: Inputs) -> list[npt.NDArray[np.intp]]:
    """Return the rows of each sweep, cycle by cycle if the table numbers them."""
    voltage, cycle = inputs["voltage"], inputs.get("cycle")
    everything = np.arange(len(voltage))
    if cycle is None:
        return [everything[rows] for rows in find_sweeps(voltage)]
    found: list[npt.NDArray[np.intp]] = []
    for number in np.unique(cycle[cycle > 0]):
        rows = np.flatnonzero(cycle == number)
        # A cycle starts where the one before ended.
        rows = np.arange(max(rows[0] - 1, 0), rows[-1] + 1)
        found += [rows[part] for part in find_sweeps(voltage[rows])]
    return found


def _sweep(inputs: Inputs, rows: npt.NDArray[np.intp]) -> _Sweep:
    volts, amps = inputs["voltage"][rows], inputs["current"][rows]
    times = inputs.get("time")
    read = inputs.setting("read_voltage")
    extreme = volts[np.argmax(np.abs(volts))]
    at = 0.5 * extreme if read is None else np.sign(extreme) * abs(read)
    floor = inputs.setting("noise_floor") or 0.0
    events = switching(
        volts,
        amps,
        off_current=inputs.setting("off_current"),
        compliance=inputs.setting("compliance"),
        floor=floor,
    )
    charge = NAN if times is None else transferred_charge(times[rows], amps)
    energy = NAN if times is None else spent_energy(times[rows], volts, amps)
    area = loop_area(volts, amps) if len(volts) > 2 else NAN
    read_out = states(volts, amps, float(at))
    return _Sweep(volts, amps, events, reset(volts, amps, floor), read_out, area, charge, energy)


def _read_conductance(sweep: _Sweep) -> float:
    """Return the mean of both branches [S]: the displacement current drops out."""
    return 0.5 * (sweep.states.conductance_out + sweep.states.conductance_back)


_Reading = tuple[str, str, str, Callable[[_Sweep], float]]
_READINGS: tuple[_Reading, ...] = (
    (
        "threshold.slope",
        "V",
        "V_th: before log|I| rises fastest",
        lambda s: s.switching.threshold_slope,
    ),
    ("threshold.factor", "V", "V_th: |I| exceeds 10 I_off", lambda s: s.switching.threshold_factor),
    ("hold.slope", "V", "V_hold: before log|I| falls fastest", lambda s: s.switching.hold_slope),
    ("hold.factor", "V", "V_hold: |I| below I_limit/10", lambda s: s.switching.hold_factor),
    ("reset", "V", "V_reset: |I| begins to fall on the way out", lambda s: s.reset.voltage),
    ("reset_current", "A", "|I| begins to fall on the way out", lambda s: s.reset.current),
    ("high_resistance", "ohm", "V_read/I, less conducting branch", lambda s: s.states.high),
    ("low_resistance", "ohm", "V_read/I, more conducting branch", lambda s: s.states.low),
    ("window", "1", "high over low resistance", lambda s: s.states.window),
    ("conductance", "S", "I/V_read, mean of both branches", _read_conductance),
    ("conductance.out", "S", "I/V_read on the way out", lambda s: s.states.conductance_out),
    ("conductance.back", "S", "I/V_read on the way back", lambda s: s.states.conductance_back),
    ("loop_area", "W", "∮ I dV", lambda s: s.area),
)
_TIMED: tuple[_Reading, ...] = (
    ("charge", "C", "∫ I dt", lambda s: s.charge),
    ("energy", "J", "∫ V I dt", lambda s: s.energy),
)


def _sweep_scalars(name: str, sweeps: list[_Sweep]) -> list[Scalar]:
    if not sweeps:
        return []
    scalars = [Scalar(f"{name}.sweeps", float(len(sweeps)), "1", "number of sweeps")]
    reads = [sweep.states.read_voltage for sweep in sweeps]
    scalars.append(Scalar(f"{name}.read_voltage", float(np.mean(reads)), "V", "of the states"))
    timed = np.isfinite(sweeps[0].charge)
    for key, unit, meaning, read in (*_READINGS, *(_TIMED if timed else ())):
        values = [read(sweep) for sweep in sweeps]
        fit = key.startswith(("threshold", "hold"))
        scalars.append(repeated(f"{name}.{key}", values, unit, meaning, weibull=fit))
    finest = max(sweep.switching.step for sweep in sweeps)
    scalars.append(Scalar(f"{name}.step", finest, "V", "largest step; V_th/200 or less is fine"))
    return scalars


def _iv_panels(sweeps: list[_Sweep]) -> tuple[Panel, ...]:
    volts, amps = Axis("voltage", "V"), Axis("current", "A")
    linear = tuple(Series(s.voltage, s.current) for s in sweeps)
    sizes = tuple(Series(s.voltage, np.abs(s.current)) for s in sweeps)
    panels = [
        Panel("linear", volts, amps, linear),
        Panel("logarithmic", volts, Axis("|current|", "A", log=True), sizes, order="sweep"),
    ]
    if len(sweeps) > 1:
        panels.append(_states_panel(sweeps))
    rules = [_switching_panel(sweeps, rule) for rule in ("slope", "factor")]
    return (*panels, *(panel for panel in rules if panel is not None))


def _switching_panel(sweeps: list[_Sweep], rule: str) -> Panel | None:
    """Return the distributions of the voltages that one rule finds, polarities apart."""
    sets: dict[str, FloatArray] = {}
    for positive in (True, False):
        chosen = [s.switching for s in sweeps if s.positive is positive]
        for name in ("threshold", "hold"):
            label = f"V_{'th' if name == 'threshold' else name}, {'+' if positive else '−'}"
            sets[label] = np.array([getattr(one, f"{name}_{rule}") for one in chosen])
    return distribution_panel(f"switching voltages, by {rule}", Axis("|voltage|", "V"), sets)


def _sweep_table(sweeps: list[_Sweep]) -> str:
    """Return a row of readings per sweep, as CSV."""
    readings = (*_READINGS, *(_TIMED if np.isfinite(sweeps[0].charge) else ()))
    headers = [f"{name} [{unit}]" for name, unit, _, _ in readings]
    lines = [",".join(["sweep [1]", "amplitude [V]", "read voltage [V]", *headers])]
    for number, sweep in enumerate(sweeps, start=1):
        extreme = float(sweep.voltage[np.argmax(np.abs(sweep.voltage))])
        values = [extreme, sweep.states.read_voltage, *(read(sweep) for *_, read in readings)]
        lines.append(",".join([str(number), *(repr(float(value)) for value in values)]))
    return "\n".join(lines) + "\n"


def _states_panel(sweeps: list[_Sweep]) -> Panel:
    number = counted(len(sweeps), first=1)
    sides = {"out": [s.states.conductance_out for s in sweeps]}
    sides["back"] = [s.states.conductance_back for s in sweeps]
    curves = [Series(number, np.array(v), label, "points") for label, v in sides.items()]
    axis = Axis("conductance at the read voltage", "S", log=True)
    return Panel("states", Axis("sweep", whole=True), axis, tuple(curves))


def _retention(inputs: Inputs) -> Result:
    time, conductance = inputs["time"], conductance_of(inputs)
    late = time > 0.0
    found = retention(time[late], conductance[late], inputs.setting("horizon") or TEN_YEARS)
    scalars = (
        Scalar("kept", found.kept, "1", "last over first value"),
        Scalar("horizon", found.horizon, "s", "time extrapolated to"),
        Scalar("power.exponent", found.power.exponent, "1", "G ~ t^−exponent"),
        Scalar("power.value", found.power_value, "S", "at the horizon, power law"),
        Scalar("power.kept", found.power_kept, "1", "over the first value"),
        Scalar("stretched.tau", found.stretched.tau, "s", "ln G = ln G0 − (t/τ)^β"),
        Scalar("stretched.beta", found.stretched.beta, "1", "β"),
        Scalar("stretched.value", found.stretched_value, "S", "at the horizon, stretched"),
        Scalar("stretched.kept", found.stretched_kept, "1", "over the first value"),
        Scalar("disagreement", found.disagreement, "1", "larger over smaller extrapolation"),
        Scalar("power.residual", found.power.residual, "1", "r.m.s. of ln G"),
        Scalar("stretched.residual", found.stretched.residual, "1", "r.m.s. of ln G"),
    )
    fine = by_decades(time[late][0], found.horizon, 300)
    curves = (
        Series(time[late], conductance[late], "data", "points"),
        Series(fine, found.power.at(fine), "power law", "line"),
        Series(fine, found.stretched.at(fine), "stretched exponential", "line"),
    )
    axes = Axis("time", "s", log=True), Axis("conductance", "S", log=True)
    return Result(scalars, (Panel("retention", *axes, curves),))


def _variation(inputs: Inputs) -> Result:
    unit, values = inputs.columns.units["value"], inputs["value"]
    header = inputs.columns.headers["value"]
    panel = distribution_panel("distribution", Axis(header), {"data": values})
    value = repeated("value", values, unit, "repeated value", weibull=True)
    return Result((value,), (panel,) if panel else ())


def _arrhenius(inputs: Inputs) -> Result:
    kelvin, rates = inputs["temperature"], inputs["value"]
    unit = inputs.columns.units["value"]
    found = arrhenius(kelvin, rates)
    scalars = (
        Scalar("activation_energy", found.energy, "eV", "of ln(value) against 1/kT"),
        Scalar("prefactor", found.prefactor, unit, "value at infinite temperature"),
    )
    inverse = np.asarray(1000.0 / kelvin, dtype=np.float64)
    order = np.argsort(inverse)
    change = found.energy * (inverse - inverse.mean()) / (1000.0 * BOLTZMANN_EV)
    fit = np.exp(np.log(rates).mean() - change)
    curves = [Series(inverse, rates, "data", "points")]
    curves.append(Series(inverse[order], fit[order], "fit", "fit"))
    axes = Axis("1000/T", "1/K"), Axis(inputs.columns.headers["value"], log=True)
    return Result(scalars, (Panel("Arrhenius", *axes, tuple(curves)),))


KINDS = (
    Kind(
        "iv",
        "current-voltage loops",
        (("voltage", "current"),),
        _iv,
        optional=("time", "cycle"),
        settings=(
            Setting(
                "read_voltage", "V", "of the resistance states; half the amplitude if not given"
            ),
            Setting("compliance", "A", "current limit I_limit; the largest |I| if not given"),
            Setting("off_current", "A", "I_off; ohmic from the early sweep if not given"),
            Setting("noise_floor", "A", "|I| is not taken below this", 0.0),
        ),
    ),
    Kind(
        "retention",
        "a state over time, extrapolated",
        tuple(("time", *one) for one in CONDUCTANCE),
        _retention,
        settings=(READ, Setting("horizon", "s", "time to extrapolate to, ten years", TEN_YEARS)),
    ),
    Kind("variation", "spread of a repeated value", (("value",),), _variation),
    Kind("arrhenius", "activation energy", (("temperature", "value"),), _arrhenius),
)
