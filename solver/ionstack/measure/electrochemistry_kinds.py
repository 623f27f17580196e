"""Kinds of electrochemical measurements: CV, GCD, self-discharge, impedance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ionstack.errors import InputError
from ionstack.measure.kind import Inputs, Kind, Result, Scalar, Setting, repeated
from ionstack.metrics.arrays import NAN, FloatArray, evenly
from ionstack.metrics.charging import (
    HalfCycle,
    efficiencies,
    half_cycles,
    ragone,
    self_discharge,
)
from ionstack.metrics.spectra import (
    ComplexArray,
    bode,
    conductivity,
    fit_arc,
    impedance,
    nyquist,
    peak_frequency,
    series_resistance,
)
from ionstack.metrics.voltammetry import (
    RateSplit,
    b_value,
    couple,
    rate_split,
    rising_rows,
    sweep_capacitance,
)
from ionstack.plots.panels import Axis, Mark, Panel, Series

# Areal quantities are shown per cm², as laboratories do.
_CM2 = 1e-4
_SPLIT_POINTS = 101


def _cv(inputs: Inputs) -> Result:
    voltage = inputs["voltage"]
    if len(voltage) < 5 or np.ptp(voltage) == 0.0:
        raise InputError("a voltammogram needs at least 5 rows and a voltage that changes")
    groups = _scans(inputs)
    scalars: list[Scalar] = []
    for scan in groups:
        prefix = f"at_{scan.rate:g}V/s." if len(groups) > 1 else ""
        scalars += _couple_scalars(prefix, scan, inputs)
    curves = [Series(scan.voltage, scan.current, scan.label) for scan in groups]
    axes = Axis("voltage", "V"), Axis("current", "A")
    panels = [Panel("voltammogram", *axes, tuple(curves))]
    if len(groups) > 1:
        more, panel, files = _by_rate(groups)
        scalars += more
        panels.append(panel)
        return Result(tuple(scalars), tuple(panels), files)
    return Result(tuple(scalars), tuple(panels))


@dataclass(frozen=True)
class _Scan:
    """All rows of one scan rate [V/s], which is NaN if nothing tells it."""

    rate: float
    voltage: FloatArray
    current: FloatArray

    @property
    def label(self) -> str:
        return "" if np.isnan(self.rate) else f"{self.rate:g} V/s"


def _scans(inputs: Inputs) -> list[_Scan]:
    voltage, current = inputs["voltage"], inputs["current"]
    if (rates := inputs.get("rate")) is not None:
        return [
            _Scan(float(rate), voltage[rates == rate], current[rates == rate])
            for rate in np.unique(rates)
        ]
    rate, time = inputs.setting("rate"), inputs.get("time")
    if rate is None:
        # The median leaves out the turns.
        speed = NAN if time is None else np.median(np.abs(np.diff(voltage) / np.diff(time)))
        rate = float(f"{speed:.3g}") or NAN
    return [_Scan(rate, voltage, current)]


def _couple_scalars(prefix: str, scan: _Scan, inputs: Inputs) -> list[Scalar]:
    found = couple(scan.voltage, scan.current)
    scalars = [
        Scalar(f"{prefix}oxidation.voltage", found.oxidation.voltage, "V", "peak, rising sweep"),
        Scalar(f"{prefix}oxidation.current", found.oxidation.current, "A", "its current"),
        Scalar(f"{prefix}reduction.voltage", found.reduction.voltage, "V", "peak, falling sweep"),
        Scalar(f"{prefix}reduction.current", found.reduction.current, "A", "its current"),
        Scalar(f"{prefix}midpoint", found.midpoint, "V", "mean of both peak voltages"),
        Scalar(f"{prefix}separation", found.separation, "V", "oxidation − reduction"),
        Scalar(f"{prefix}current_ratio", found.current_ratio, "1", "|I_red/I_ox|"),
    ]
    if np.isnan(scan.rate):
        return scalars
    capacitance = sweep_capacitance(scan.voltage, scan.current, scan.rate)
    cycles = _count_cycles(scan.voltage)
    value, unit = _areal(capacitance / cycles, "F", inputs)
    scalars.append(Scalar(f"{prefix}rate", scan.rate, "V/s", "scan rate"))
    scalars.append(Scalar(f"{prefix}capacitance", value, unit, "∮|I| dV/(2 ΔV v) per cycle"))
    return scalars


def _count_cycles(voltage: FloatArray) -> float:
    """Return the path of the voltage over twice its window: how often it was cycled."""
    return max(float(np.abs(np.diff(voltage)).sum()) / (2.0 * float(np.ptp(voltage))), 1e-300)


def _areal(value: float, unit: str, inputs: Inputs) -> tuple[float, str]:
    area = inputs.setting("area")
    return (value, unit) if area is None else (value / area * _CM2, f"{unit}/cm^2")


def _by_rate(scans: list[_Scan]) -> tuple[list[Scalar], Panel, dict[str, str]]:
    """Return b of the oxidation peaks and the capacitive share of the rising sweeps."""
    peaks = np.array([couple(scan.voltage, scan.current).oxidation.current for scan in scans])
    rates = np.array([scan.rate for scan in scans])
    there = np.isfinite(peaks) & (peaks != 0.0)
    b = b_value(rates[there], peaks[there]) if there.any() else NAN
    split = _split(scans, rates)
    scalars = [Scalar("b", b, "1", "I_peak ~ v^b, oxidation")]
    for rate, share in zip(split.rate, split.capacitive, strict=True):
        name = f"at_{rate:g}V/s.capacitive"
        scalars.append(Scalar(name, float(share), "1", "share of k1 v, rising sweep"))
    curve = Series(split.rate, 100.0 * split.capacitive, mark="points")
    axes = Axis("scan rate", "V/s", log=True), Axis("capacitive share", "%")
    panel = Panel("i = k1 v + k2 √v", *axes, (curve,))
    return scalars, panel, {"split.csv": _split_table(split)}


def _split_table(split: RateSplit) -> str:
    rows = zip(split.voltage, split.k1, split.k2, strict=True)
    lines = [",".join(repr(float(value)) for value in row) for row in rows]
    return "\n".join(["voltage [V],k1 [A*s/V],k2 [A*(s/V)**0.5]", *lines]) + "\n"


def _split(scans: list[_Scan], rates: FloatArray) -> RateSplit:
    rising = [rising_rows(scan.voltage) for scan in scans]
    parts = [(s.voltage[rows], s.current[rows]) for s, rows in zip(scans, rising, strict=True)]
    if not all(len(volts) for volts, _ in parts):
        raise InputError("a scan rate has no rising sweep")
    low = max(float(volts.min()) for volts, _ in parts)
    high = min(float(volts.max()) for volts, _ in parts)
    if low >= high:
        raise InputError("the scan rates have no voltage in common")
    grid = evenly(low, high, _SPLIT_POINTS)
    return rate_split(grid, rates, np.array([_binned(grid, *part) for part in parts]))


def _binned(grid: FloatArray, voltage: FloatArray, current: FloatArray) -> FloatArray:
    """Interpolate one direction; voltages met in several cycles are averaged first."""
    places, inverse, counts = np.unique(voltage, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=current) / counts
    return np.asarray(np.interp(grid, places, means))


def _gcd(inputs: Inputs) -> Result:
    area = inputs.setting("area")
    time, voltage, current = inputs["time"], inputs["voltage"], inputs["current"]
    found = half_cycles(time, voltage, current, area)
    discharges = [cycle for cycle in found if cycle.discharge]
    if not discharges:
        raise InputError("no discharge found: the current never runs against the voltage")
    levels = [float(f"{cycle.current:.2g}") for cycle in discharges]
    scalars = [Scalar("discharges", float(len(discharges)), "1", "number of discharges")]
    for level in sorted(set(levels)):
        same = [c for c, one in zip(discharges, levels, strict=True) if one == level]
        prefix = f"at_{level:g}A." if len(set(levels)) > 1 else ""
        scalars += _discharge_scalars(prefix, same, inputs)
    scalars += _efficiency_scalars(found)
    panels = [
        Panel(
            "charge and discharge",
            Axis("time", "s"),
            Axis("voltage", "V"),
            (Series(time, voltage),),
        )
    ]
    power, energy = ragone(found)
    if len(power) > 1:
        per = "" if area is None else "/cm^2"
        scale = 1.0 if area is None else _CM2
        axes = Axis("energy", f"J{per}", log=True), Axis("power", f"W{per}", log=True)
        curve = Series(energy * scale, power * scale, mark="points")
        panels.append(Panel("Ragone", *axes, (curve,)))
    return Result(
        tuple(scalars), tuple(panels), {"half_cycles.csv": _half_cycle_table(found, area)}
    )


def _half_cycle_table(found: tuple[HalfCycle, ...], area: float | None) -> str:
    """Return a row per charge and discharge, as CSV; SI units, per m² if an area is given."""
    per = "" if area is None else "/m^2"
    units = {"current": "A", "duration": "s", "charge": f"C{per}", "drop": "V"}
    units |= {"resistance": "ohm", "window": "V", "capacitance": f"F{per}"}
    units |= {"energy": f"J{per}", "power": f"W{per}"}
    lines = [",".join(["discharge [1]", *(f"{name} [{unit}]" for name, unit in units.items())])]
    for one in found:
        cells = [str(int(one.discharge)), *(repr(float(getattr(one, name))) for name in units)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def _discharge_scalars(prefix: str, discharges: list[HalfCycle], inputs: Inputs) -> list[Scalar]:
    """Return mean and spread over the discharges at one current; see `HalfCycle`."""
    areal = (
        ("capacitance", "F", "Q over the window without the drop"),
        ("charge", "C", "∫ I dt"),
        ("energy", "J", "∫ I V dt"),
        ("energy_linear", "J", "½ C (V_start² − V_end²)"),
        ("power", "W", "energy over duration"),
    )
    plain = (
        ("current", "A", "mean current"),
        ("duration", "s", "duration"),
        ("window", "V", "voltage without the drop"),
        ("drop", "V", "step of the voltage at the reversal"),
        ("resistance", "ohm", "drop over the step of the current"),
    )
    scale = 1.0 if inputs.setting("area") is None else _CM2
    per = "" if inputs.setting("area") is None else "/cm^2"
    scalars: list[Scalar] = []
    for name, unit, meaning in areal:
        values = [scale * getattr(cycle, name) for cycle in discharges]
        scalars.append(repeated(f"{prefix}{name}", values, f"{unit}{per}", meaning))
    for name, unit, meaning in plain:
        values = [getattr(cycle, name) for cycle in discharges]
        scalars.append(repeated(f"{prefix}{name}", values, unit, meaning))
    if len(discharges) > 1:
        kept = discharges[-1].capacitance / discharges[0].capacitance
        meaning = "last over first discharge"
        scalars.append(Scalar(f"{prefix}capacitance.kept", kept, "1", meaning))
    return scalars


def _efficiency_scalars(found: tuple[HalfCycle, ...]) -> list[Scalar]:
    """Return efficiencies of each charge that a discharge follows."""
    pairs = [
        efficiencies(one, two)
        for one, two in pairwise(found)
        if two.discharge and not one.discharge
    ]
    if not pairs:
        return []
    return [
        repeated("coulombic_efficiency", [q for q, _ in pairs], "1", "Q_out/Q_in"),
        repeated("energy_efficiency", [e for _, e in pairs], "1", "E_out/E_in"),
    ]


def _self_discharge(inputs: Inputs) -> Result:
    time, voltage = inputs["time"], inputs["voltage"]
    capacitance = inputs.setting("capacitance")
    found = self_discharge(time, voltage, NAN if capacitance is None else capacitance)
    scalars = [
        Scalar("kept", found.kept, "1", "last over first voltage"),
        Scalar("rate", found.rate, "V/s", "−dV/dt at the start"),
        Scalar("time_constant", found.time_constant, "s", "τ of V = V0 e^(−t/τ)"),
    ]
    if capacitance is not None:
        scalars.append(Scalar("leak_current", found.leak_current, "A", "C·rate"))
        scalars.append(Scalar("leak_conductance", found.leak_conductance, "S", "C/τ"))
        scalars += _leak_conductivity(found.leak_conductance, inputs)
    fit = np.sign(voltage[0]) * found.rate * found.time_constant
    curve = fit * np.exp(-(time - time[0]) / found.time_constant)
    curves = Series(time, voltage, "data"), Series(time, curve, "exponential", "fit")
    return Result(
        tuple(scalars), (Panel("self-discharge", Axis("time", "s"), Axis("voltage", "V"), curves),)
    )


def _leak_conductivity(conductance: float, inputs: Inputs) -> list[Scalar]:
    area, thickness = inputs.setting("area"), inputs.setting("thickness")
    if area is None or thickness is None:
        return []
    value = conductance * thickness / area
    return [Scalar("leak_conductivity", value, "S/m", "G d/A")]


def _impedance(inputs: Inputs) -> Result:
    frequency = inputs["frequency"]
    z = _spectrum(inputs)
    arc = fit_arc(frequency, z)
    scalars = [
        Scalar("series_resistance", series_resistance(frequency, z), "ohm", "Z' where Z'' is zero"),
        Scalar("arc.series", arc.series, "ohm", "R_s of R_s + R_p/(1 + (jωτ)^α)"),
        Scalar("arc.parallel", arc.parallel, "ohm", "R_p"),
        Scalar("arc.time_constant", arc.time_constant, "s", "τ"),
        Scalar("arc.exponent", arc.exponent, "1", "α"),
        Scalar("arc.capacitance", arc.capacitance, "F", "τ/R_p"),
        Scalar("arc.residual", arc.residual, "1", "r.m.s. of |ΔZ|/|Z|"),
        Scalar("peak_frequency", peak_frequency(frequency, z), "Hz", "of the largest −Z''"),
        Scalar(
            "low_frequency.real", float(z[np.argmin(frequency)].real), "ohm", "Z' at the lowest f"
        ),
    ]
    area, thickness = inputs.setting("area"), inputs.setting("thickness")
    if area is not None and thickness is not None:
        value = conductivity(arc.parallel, thickness, area)
        scalars.append(Scalar("conductivity", value, "S/m", "d/(R_p A)"))
    fitted = arc.at(frequency) if np.isfinite(arc.series) else None
    return Result(tuple(scalars), _impedance_panels(frequency, z, fitted))


def _spectrum(inputs: Inputs) -> ComplexArray:
    frequency = inputs["frequency"]
    if (magnitude := inputs.get("magnitude")) is not None:
        angle = np.radians(inputs["phase"])
        return impedance(frequency, magnitude * np.cos(angle), magnitude * np.sin(angle))
    imag = inputs.get("imag")
    return impedance(frequency, inputs["real"], -inputs["negative_imag"] if imag is None else imag)


def _impedance_panels(
    frequency: FloatArray, z: ComplexArray, fitted: ComplexArray | None
) -> tuple[Panel, ...]:
    drawn: list[tuple[ComplexArray, str, Mark]] = [(z, "data", "points")]
    if fitted is not None:
        drawn.append((fitted, "arc", "fit"))
    plane = tuple(Series(*nyquist(values), label, mark) for values, label, mark in drawn)
    bodes = [(bode(frequency, values), mark) for values, _, mark in drawn]
    sizes = tuple(Series(b.frequency, b.magnitude, mark=mark) for b, mark in bodes)
    angles = tuple(Series(b.frequency, b.phase, mark=mark) for b, mark in bodes)
    axis = Axis("frequency", "Hz", log=True)
    return (
        Panel("Nyquist", Axis("Z′", "Ω"), Axis("−Z″", "Ω"), plane, equal=True),
        Panel("Bode, magnitude", axis, Axis("|Z|", "Ω", log=True), sizes),
        Panel("Bode, phase", axis, Axis("phase", "°"), angles),
    )


_AREA = Setting("area", "m^2", "divides charge, capacitance, energy and power")
_FILM = (Setting("area", "m^2", "area of the film"), Setting("thickness", "m", "of the film"))

KINDS = (
    Kind(
        "cv",
        "cyclic voltammograms",
        (("voltage", "current"),),
        _cv,
        optional=("time", "rate"),
        settings=(Setting("rate", "V/s", "scan rate, in place of a column"), _AREA),
    ),
    Kind(
        "gcd",
        "galvanostatic charge and discharge",
        (("time", "voltage", "current"),),
        _gcd,
        settings=(_AREA,),
    ),
    Kind(
        "selfdischarge",
        "voltage at open circuit",
        (("time", "voltage"),),
        _self_discharge,
        settings=(Setting("capacitance", "F", "for the leak"), *_FILM),
    ),
    Kind(
        "impedance",
        "impedance spectra",
        (
            ("frequency", "real", "imag"),
            ("frequency", "real", "negative_imag"),
            ("frequency", "magnitude", "phase"),
        ),
        _impedance,
        settings=_FILM,
    ),
)
