"""Kinds of synaptic measurements: LTP/LTD, paired pulses, spike rate, EPSC, decay, pulses."""

from __future__ import annotations

import numpy as np

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
    repeated,
)
from ionstack.metrics.arrays import NAN, FloatArray, by_decades, counted, evenly
from ionstack.metrics.energy import Pulses, energy_per_change, find_pulses
from ionstack.metrics.exports import crosssim_text, to_aihwkit, to_crosssim
from ionstack.metrics.fits import DoubleExponential
from ionstack.metrics.plasticity import (
    Update,
    asymmetry,
    conductance_window,
    fit_update,
    split_updates,
    update_curve,
)
from ionstack.metrics.transients import Facilitation, facilitation, rate_gain, residual, transient
from ionstack.plots.panels import Axis, Panel, Series

_PULSE = Axis("pulse", whole=True)
_BRANCHES = (("up", 1), ("down", -1))


def _ltp(inputs: Inputs) -> Result:
    data = conductance_of(inputs)
    direction = _direction(inputs, len(data))
    parts = split_updates(data, direction)
    scalars = [
        Scalar("g_max", float(data.max()), "S", "largest conductance"),
        Scalar("g_min", float(data.min()), "S", "smallest conductance"),
        Scalar("window", conductance_window(data), "1", "G_max/G_min"),
    ]
    means: dict[str, FloatArray] = {}
    for name, sign in _BRANCHES:
        branches = [values for values, way in parts if way == sign and len(values) >= 4]
        if branches:
            means[name] = _mean_branch(branches)
            scalars += _update_scalars(name, fit_update(means[name]), branches)
    if len(means) == 2:
        both = asymmetry(means["up"], means["down"]).mean_size
        scalars.append(Scalar("asymmetry", both, "1", "mean |ΔG_up+ΔG_dn|/(ΔG_up−ΔG_dn)"))
    scalars += _energy_scalars(inputs, means)
    return Result(tuple(scalars), _ltp_panels(data, means), _exports(data, direction, len(means)))


def _direction(inputs: Inputs, count: int) -> FloatArray | None:
    """Return the sign of the pulse before each value: a column, or a pattern up, down."""
    if (given := inputs.get("direction")) is not None:
        return given
    up, down = inputs.setting("pulses_up"), inputs.setting("pulses_down")
    if up is None and down is None:
        return None
    if up is None or down is None or min(up, down) < 1 or (up % 1, down % 1) != (0, 0):
        raise InputError("pulses_up and pulses_down: give both, as whole numbers from 1")
    pattern = np.repeat([1.0, -1.0], [int(up), int(down)])
    tiled = np.resize(pattern, count - 1)
    return np.concatenate([tiled[:1], tiled], dtype=np.float64)


def _mean_branch(branches: list[FloatArray]) -> FloatArray:
    """Return the mean of the branches of the usual length, of equally usual ones the longest.

    Left out are a last branch that was cut short, and a first one whose start was not read.
    """
    lengths, counts = np.unique([len(b) for b in branches], return_counts=True)
    usual = max(zip(counts, lengths, strict=True))[1]
    return np.asarray(np.mean([b for b in branches if len(b) == usual], axis=0))


def _update_scalars(name: str, mean: Update, branches: list[FloatArray]) -> list[Scalar]:
    noise = float(np.mean([fit_update(values).cycle_to_cycle for values in branches]))
    number = 1.0 / noise if noise > 0.0 else NAN
    return [
        Scalar(f"{name}.branches", float(len(branches)), "1", "number of branches"),
        Scalar(f"{name}.pulses", float(mean.pulses), "1", "pulses per branch"),
        Scalar(f"{name}.label", mean.label, "1", "NeuroSim nonlinearity of the mean branch"),
        Scalar(f"{name}.shape", mean.shape, "1", "NeuroSim A/P_max"),
        Scalar(f"{name}.nu", mean.nu, "1", "CrossSim nonlinearity ν = P_max/|A|"),
        Scalar(f"{name}.first", mean.first, "S", "fitted conductance at the start"),
        Scalar(f"{name}.last", mean.last, "S", "fitted conductance at the end"),
        Scalar(f"{name}.residual", mean.residual, "1", "r.m.s. off the law over the range"),
        Scalar(f"{name}.cycle_to_cycle", noise, "1", "σ(ΔG) over the range, per √pulse"),
        Scalar(f"{name}.states", number, "1", "range/σ(ΔG)"),
    ]


def _energy_scalars(inputs: Inputs, means: dict[str, FloatArray]) -> list[Scalar]:
    energy, area = inputs.setting("pulse_energy"), inputs.setting("area")
    if energy is None or area is None:
        return []
    steps = {name: float(np.mean(np.abs(np.diff(branch)))) for name, branch in means.items()}
    return [
        Scalar(
            f"{name}.energy_per_change",
            energy_per_change(energy, area, step),
            "aJ/um^2/nS",
            "E/(A |ΔG|) of the mean pulse",
        )
        for name, step in steps.items()
    ]


def _ltp_panels(data: FloatArray, means: dict[str, FloatArray]) -> tuple[Panel, ...]:
    axis = Axis("conductance", "S")
    sequence = Series(counted(len(data)), data, mark="points")
    panels = [Panel("sequence", _PULSE, axis, (sequence,))]
    curves: list[Series] = []
    for name, branch in means.items():
        fit = fit_update(branch)
        share = evenly(0.0, 1.0, 201)
        law = fit.first + (fit.last - fit.first) * update_curve(share, fit.nu)
        label = f"{name}, label {fit.label:.2f}".replace("-", "−")
        curves.append(Series(counted(len(branch)), branch, label, "points"))
        curves.append(Series(share * fit.pulses, law, mark="fit"))
    if curves:
        panels.append(Panel("mean branches and update law", _PULSE, axis, tuple(curves)))
    return tuple(panels)


def _exports(data: FloatArray, direction: FloatArray | None, ways: int) -> dict[str, str]:
    """Return the files for aihwkit and, if both directions were pulsed, for CrossSim."""
    pairs = to_aihwkit(data, direction)
    rows = [f"{p:g},{r:.9g}" for p, r in zip(pairs.pulses, pairs.response, strict=True)]
    files = {"aihwkit.csv": "\n".join(["pulse,response", *rows]) + "\n"}
    if ways == 2:
        table = to_crosssim(data, direction)
        files["dG_increasing.txt"] = crosssim_text(table, 1)
        files["dG_decreasing.txt"] = crosssim_text(table, -1)
    return files


def _ppf(inputs: Inputs) -> Result:
    pairs = {"ppf": facilitation(inputs["interval"], inputs["first"], inputs["second"])}
    if (tenth := inputs.get("tenth")) is not None:
        pairs["ptp"] = facilitation(inputs["interval"], inputs["first"], tenth)
    scalars = [s for name, found in pairs.items() for s in _index_scalars(name, found)]
    curves: list[Series] = []
    for name, found in pairs.items():
        curves.append(Series(found.interval, 100.0 * found.index, name.upper(), "points"))
        if np.isfinite(found.fit.tau1):
            ends = found.interval[0], found.interval[-1]
            fine = by_decades(*ends, 200)
            curves.append(Series(fine, 100.0 * found.fit.at(fine), mark="fit"))
    axes = Axis("interval", "s", log=True), Axis("index", "%")
    return Result(tuple(scalars), (Panel("facilitation", *axes, tuple(curves)),))


def _index_scalars(name: str, found: Facilitation) -> list[Scalar]:
    shortest = Scalar(f"{name}.index", float(found.index[0]), "1", "(I_n − I_1)/I_1, shortest gap")
    return [shortest, *_double_scalars(name, found.fit, "1")]


def _double_scalars(name: str, fit: DoubleExponential, unit: str) -> list[Scalar]:
    return [
        Scalar(f"{name}.c1", fit.c1, unit, "C1 of C1 e^(−t/τ1) + C2 e^(−t/τ2)"),
        Scalar(f"{name}.tau1", fit.tau1, "s", "faster lifetime"),
        Scalar(f"{name}.c2", fit.c2, unit, "C2"),
        Scalar(f"{name}.tau2", fit.tau2, "s", "slower lifetime"),
        Scalar(f"{name}.residual", fit.residual, unit, "r.m.s. off the fit"),
    ]


def _srdp(inputs: Inputs) -> Result:
    found = rate_gain(inputs["frequency"], inputs["first"], inputs["last"])
    scalars = (
        Scalar("gain.slowest", float(found.gain[0]), "1", "I_last/I_1 at the lowest rate"),
        Scalar("gain.fastest", float(found.gain[-1]), "1", "I_last/I_1 at the highest rate"),
        Scalar("gain.per_decade", found.per_decade, "1", "slope against log10 of the rate"),
    )
    axes = Axis("pulse rate", "Hz", log=True), Axis("gain")
    curve = Series(found.frequency, found.gain, mark="points")
    return Result(scalars, (Panel("spike-rate dependent gain", *axes, (curve,)),))


def _epsc(inputs: Inputs) -> Result:
    time, current = inputs["time"], inputs["current"]
    found = transient(time, current, inputs.setting("baseline"))
    scalars = (
        Scalar("baseline", found.baseline, "A", "current before the pulse"),
        Scalar("amplitude", found.amplitude, "A", "peak above the baseline"),
        Scalar("peak_time", found.peak_time, "s", "time of the peak"),
        Scalar("half_time", found.half_time, "s", "from the peak to half the amplitude"),
        Scalar("charge", found.charge, "C", "above the baseline, after the peak"),
        *_double_scalars("decay", found.decay, "A"),
    )
    curves = [Series(time, current, "data")]
    if np.isfinite(found.decay.tau1):
        after = time[time >= found.peak_time]
        fit = found.baseline + found.decay.at(after - found.peak_time)
        curves.append(Series(after, fit, "two exponentials", "fit"))
    panel = Panel("postsynaptic current", Axis("time", "s"), Axis("current", "A"), tuple(curves))
    return Result(scalars, (panel,))


def _decay(inputs: Inputs) -> Result:
    baseline = inputs.setting("baseline")
    if baseline is None:
        raise InputError("decay needs --set baseline=1uS, the conductance before the training")
    time = inputs["time"] - inputs["time"][0]
    found = residual(time, conductance_of(inputs), baseline)
    scalars = (
        Scalar("residual", found.last, "1", "ΔG(end)/ΔG(0)"),
        Scalar("duration", float(time[-1]), "s", "time of the last value"),
        Scalar("stretched.tau", found.fit.tau, "s", "ΔG = ΔG0 e^(−(t/τ)^β)"),
        Scalar("stretched.beta", found.fit.beta, "1", "β"),
        Scalar("stretched.residual", found.fit.residual, "1", "r.m.s. of ln ΔG"),
    )
    curves = [Series(time, found.share, "data", "points")]
    if np.isfinite(found.fit.tau):
        curves.append(Series(time, found.fit.at(time), "stretched exponential", "fit"))
    axes = Axis("time", "s"), Axis("ΔG(t)/ΔG(0)")
    return Result(scalars, (Panel("what remains of a training", *axes, tuple(curves)),))


def _pulses(inputs: Inputs) -> Result:
    found = _listed(inputs) if inputs.get("width") is not None else _traced(inputs)
    scalars = [Scalar("pulses", float(len(found.width)), "1", "number of pulses")]
    scalars.append(repeated("amplitude", found.amplitude, "V", "voltage of a pulse"))
    scalars.append(repeated("width", found.width, "s", "width of a pulse"))
    scalars.append(repeated("charge", found.charge, "C", "∫ I dt of a pulse"))
    scalars.append(repeated("energy", found.energy, "J", "∫ V I dt of a pulse"))
    total = float(np.sum(found.charge))
    scalars.append(Scalar("charge.total", total, "C", "transferred by all pulses"))
    area, change = inputs.setting("area"), inputs.setting("change")
    if area is not None and change is not None:
        mean = float(np.mean(found.energy))
        value = energy_per_change(mean, area, change)
        meaning = "mean energy over area and ΔG"
        scalars.append(Scalar("energy_per_change", value, "aJ/um^2/nS", meaning))
    return Result(tuple(scalars), _pulse_panels(inputs, found))


def _traced(inputs: Inputs) -> Pulses:
    rest = inputs.setting("rest") or 0.0
    return find_pulses(inputs["time"], inputs["voltage"], inputs["current"], rest)


def _listed(inputs: Inputs) -> Pulses:
    """Return pulses of a table that has one per row; it does not tell when they start."""
    columns = (inputs[role] for role in ("width", "amplitude", "charge", "energy"))
    return Pulses(np.full(len(inputs["width"]), NAN), *columns)


def _pulse_panels(inputs: Inputs, found: Pulses) -> tuple[Panel, ...]:
    if (time := inputs.get("time")) is not None:
        axis = Axis("time", "s")
        volts, amps = Series(time, inputs["voltage"]), Series(time, inputs["current"])
        return (
            Panel("voltage", axis, Axis("voltage", "V"), (volts,)),
            Panel("current", axis, Axis("current", "A"), (amps,)),
        )
    number = counted(len(found.width), first=1)
    shown = (
        ("voltage", "V", found.amplitude),
        ("charge", "C", found.charge),
        ("energy", "J", found.energy),
    )
    return tuple(
        Panel(f"{name} of a pulse", _PULSE, Axis(name, unit), (Series(number, y, mark="points"),))
        for name, unit, y in shown
    )


_AREA = Setting("area", "m^2", "area of the film")

KINDS = (
    Kind(
        "ltp",
        "potentiation and depression by pulses",
        CONDUCTANCE,
        _ltp,
        optional=("direction",),
        settings=(
            READ,
            Setting("pulses_up", "1", "pulses of one potentiation, in place of a direction column"),
            Setting("pulses_down", "1", "pulses of one depression"),
            Setting("pulse_energy", "J", "energy of one pulse, for aJ/um^2/nS"),
            _AREA,
        ),
    ),
    Kind(
        "ppf",
        "paired-pulse facilitation and post-tetanic potentiation",
        (("interval", "first", "second"),),
        _ppf,
        optional=("tenth",),
    ),
    Kind(
        "srdp", "gain of a pulse train against its rate", (("frequency", "first", "last"),), _srdp
    ),
    Kind(
        "epsc",
        "response to one pulse",
        (("time", "current"),),
        _epsc,
        settings=(Setting("baseline", "A", "current at rest; the first value if not given"),),
    ),
    Kind(
        "decay",
        "what remains of a training",
        tuple(("time", *one) for one in CONDUCTANCE),
        _decay,
        settings=(READ, Setting("baseline", "S", "conductance before the training")),
    ),
    Kind(
        "pulses",
        "charge and energy of pulses",
        (("time", "voltage", "current"), ("width", "amplitude", "charge", "energy")),
        _pulses,
        settings=(
            Setting("rest", "V", "voltage between the pulses", 0.0),
            _AREA,
            Setting("change", "S", "conductance change of one pulse, for aJ/um^2/nS"),
        ),
    ),
)
