"""Every instrument on hand-made runs whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.instruments.run import run_instruments
from ionstack.measure.run import entries, measure
from ionstack.output.steps import StepRow
from support.answers import capacitor, made, relaxing, table
from support.runs import AREA, HandMade, request


def loop(amplitude: float, out: float, back: float, points: int = 40) -> tuple:
    """Time, voltage and current of a triangle at 1 V/s with two ohmic branches [S]."""
    share = np.linspace(0.0, 1.0, points + 1)[1:]
    volts = amplitude * np.concatenate([share, share[::-1] - share[0]])
    conductance = np.repeat([out, back], points)
    return np.arange(1, 2 * points + 1) * abs(amplitude) / points, volts, conductance * volts


def sweeps(count: int = 1) -> HandMade:
    """Loops of both polarities: 1 MΩ out and 0.1 MΩ back, and the other way round."""
    run = HandMade()
    for cycle in range(1, count + 1):
        amplitude = 1.0 if cycle % 2 else -1.0
        branches = (1e-6, 1e-5) if cycle % 2 else (1e-5, 1e-6)
        run.step("sweep", *loop(amplitude, *branches), cycle)
    return run


def test_iv_reads_both_states_of_each_polarity(tmp_path):
    found = made(sweeps(2), tmp_path)
    for side in ("positive", "negative"):
        assert found[f"iv.{side}.high_resistance [ohm]"] == pytest.approx(1e6)
        assert found[f"iv.{side}.low_resistance [ohm]"] == pytest.approx(1e5)
        assert found[f"iv.{side}.window"] == pytest.approx(10.0)
        assert found[f"iv.{side}.sweeps"] == 1
    columns = table(tmp_path / "instruments/iv.csv")
    assert list(columns) == ["time [s]", "voltage [V]", "current [A]", "cycle [1]"]
    assert len(columns["time [s]"]) == 161
    assert columns["cycle [1]"][0] == 0
    one = table(tmp_path / "instruments/iv_sweeps.csv")
    assert one["amplitude [V]"] == [1.0, -1.0]
    assert one["window [1]"] == pytest.approx([10.0, 10.0])


def test_iv_of_one_of_several_steps_leaves_the_others_out(tmp_path):
    run = sweeps(2)
    run.step("sweep", *loop(0.5, 2e-6, 2e-6), 3, name="small")
    found = made(run, tmp_path, request("iv", "small", read_voltage=0.1))
    assert found["iv.positive.sweeps"] == 1
    assert found["iv.positive.read_voltage [V]"] == pytest.approx(0.1)
    assert found["iv.positive.conductance [S]"] == pytest.approx(2e-6)
    assert "iv.negative.sweeps" not in found


def test_iv_finds_switching_voltages_and_their_spread(tmp_path):
    rng, run = np.random.default_rng(1), HandMade()
    thresholds = 0.6 + 0.02 * rng.standard_normal(30)
    for cycle, threshold in enumerate(thresholds, start=1):
        t, v, _ = loop(1.0, 0.0, 0.0, 400)
        on = np.arange(800) >= 400
        on |= v > threshold
        on &= ~((np.arange(800) > 400) & (v < 0.3))
        run.step("sweep", t, v, v * np.where(on, 1e-4, 1e-8), cycle)
    found = made(run, tmp_path)
    for rule in ("slope", "factor"):
        key = f"iv.positive.threshold.{rule}"
        assert found[f"{key} [V]"] == pytest.approx(thresholds.mean(), abs=3e-3)
        assert found[f"{key}.variation"] == pytest.approx(
            thresholds.std(ddof=1) / thresholds.mean(), rel=0.1
        )
        low, high = (found[f"{key}.{end} [V]"] for end in ("low", "high"))
        assert low < found[f"{key} [V]"] < high
        assert found[f"{key}.weibull.scale [V]"] == pytest.approx(0.61, abs=0.02)
    assert found["iv.positive.hold.slope [V]"] == pytest.approx(0.3, abs=3e-3)


def training(count: int = 30, states: int = 1) -> HandMade:
    """Potentiation by negative pulses and depression by positive ones, all read at −0.1 V.

    ν = 2 in both directions, G from 1 to 3 µS.
    """
    share = np.arange(1, count + 1) / count
    curve = np.expm1(-2.0 * share) / np.expm1(-2.0)
    rises, falls = 1e-6 + 2e-6 * curve, 3e-6 - 2e-6 * curve
    run = HandMade()
    for branch, volts in [(rises, -1.0), (falls, 1.0)] * states:
        rows = []
        for number, conductance in enumerate(branch, start=1):
            rows.append({"number": number, "voltage": volts, "current": volts * 1e-6})
            read = {"kind": 1, "voltage": -0.1, "current": -0.1 * conductance, "energy": 0.0}
            rows.append({"number": number, **read})
        run.pulse_step("pulses", rows)
    return run


def test_ltp_by_negative_pulses_is_potentiation(tmp_path):
    found = made(training(states=2), tmp_path)
    assert found["ltp.up.branches"] == 2
    assert found["ltp.up.nu"] == pytest.approx(2.0, rel=1e-3)
    assert found["ltp.down.nu"] == pytest.approx(2.0, rel=1e-3)
    # ν of the law times 10.1 times its largest deviation from the straight line.
    p = np.linspace(0.0, 1.0, 100_001)
    label = 10.1 * (np.expm1(-2.0 * p) / np.expm1(-2.0) - p).max()
    assert found["ltp.up.label"] == pytest.approx(label, rel=1e-3)
    assert found["ltp.g_max [S]"] == pytest.approx(3e-6)
    assert found["ltp.window"] == pytest.approx(3.0, rel=0.15)
    # |ν (1 − 2x)|/(2a − ν) in the mean, a = ν/(1 − e^(−ν)); the reads miss both ends.
    mean = 1.0 / (4.0 / -np.expm1(-2.0) - 2.0)
    assert found["ltp.asymmetry"] == pytest.approx(mean, rel=0.1)
    # 1 nJ per pulse over 2 mm²; from 1 to 3 µS in 30 pulses, the branch up being the mean
    # of one that begins with its first read and of one that begins with the end of the last.
    change = found["ltp.up.energy_per_change [aJ/um^2/nS]"]
    assert change == pytest.approx(1e-9 / (2e-6 / 30) / AREA / 1e3, rel=0.1)
    assert found["pulses.energy [J]"] == pytest.approx(1e-9)
    assert found["pulses.charge.total [C]"] == pytest.approx(120e-9)
    assert found["pulses.energy_per_change [aJ/um^2/nS]"] > 0.0
    columns = table(tmp_path / "instruments/ltp.csv")
    assert columns["pulse [1]"] == list(range(1, 121))
    assert columns["direction [1]"] == ([1.0] * 30 + [-1.0] * 30) * 2
    assert (tmp_path / "instruments/ltp_aihwkit.csv").exists()


def test_the_table_of_an_instrument_gives_the_same_numbers_to_measure(tmp_path):
    found = made(training(), tmp_path)
    energy = f"pulse_energy={found['pulses.energy [J]']!r} J"
    again = measure(
        tmp_path / "instruments/ltp.csv", "ltp", settings=[energy, f"area={AREA!r} m^2"]
    )
    for key, value in entries(again.result).items():
        assert found[f"ltp.{key}"] == pytest.approx(value, nan_ok=True), key
    pulses = measure(tmp_path / "instruments/pulses.csv", "pulses")
    for key, value in entries(pulses.result).items():
        assert found[f"pulses.{key}"] == pytest.approx(value, nan_ok=True), key


def test_pulses_without_reads_are_not_taken_for_ltp(tmp_path):
    run = HandMade().pulse_step("pulses", [{"number": n, "current": 1e-6} for n in range(1, 6)])
    found = made(run, tmp_path)
    assert {key.partition(".")[0] for key in found} == {"pulses"}
    found = made(run, tmp_path, request("variation"))
    assert found["variation.value [S]"] == pytest.approx(1e-6)


def test_another_contact_gives_the_response(tmp_path):
    run = training()
    # A third contact at 0.05 V that carries a tenth of the current.
    run.contacts = ("Pt", "ITO", "D")
    for k, row in enumerate(run.trace):
        t, v, _, i, *rest = row[:3] + row[3:]
        run.trace[k] = [t, v, 0.0, 0.05, i, -i, 0.1 * i, *rest[1:]]
    found = made(run, tmp_path, request("ltp", contact="D"))
    own = made(training(), tmp_path)
    # Reads at −0.1 V that give a tenth of the current: a fifth of it at 0.05 V, other sign.
    assert found["ltp.g_min [S]"] == pytest.approx(-0.2 * own["ltp.g_max [S]"])


def pairs(taus: tuple[float, float] = (0.02, 0.5)) -> HandMade:
    """Pairs with index 0.8 e^(−Δt/τ1) + 0.4 e^(−Δt/τ2)."""
    rows = []
    for group, gap in enumerate(np.geomspace(5e-3, 2.0, 15), start=1):
        # From end to start of the flat parts: 1 ms of rise after the gap.
        interval = gap + 1e-3
        index = 0.8 * np.exp(-interval / taus[0]) + 0.4 * np.exp(-interval / taus[1])
        first = {"group": group, "number": 1, "current": 1e-6, "gap": gap}
        rows += [first, {"group": group, "number": 2, "current": 1e-6 * (1 + index), "gap": 9.0}]
    return HandMade().pulse_step("pairs", rows)


def test_ppf_finds_the_two_lifetimes(tmp_path):
    found = made(pairs(), tmp_path)
    assert found["ppf.ppf.tau1 [s]"] == pytest.approx(0.02, rel=1e-3)
    assert found["ppf.ppf.tau2 [s]"] == pytest.approx(0.5, rel=1e-3)
    assert found["ppf.ppf.c1"] == pytest.approx(0.8, rel=1e-3)
    columns = table(tmp_path / "instruments/ppf.csv")
    assert columns["interval [s]"][0] == pytest.approx(6e-3)


def trains() -> HandMade:
    """Trains of ten pulses whose last response is 1 + log10(f) times the first."""
    rows = []
    for group, rate in enumerate((1.0, 10.0, 20.0, 50.0), start=1):
        gap = 1.0 / rate - 0.011
        for number in range(1, 11):
            gain = 1.0 + np.log10(rate) * (number - 1) / 9.0
            last = 5.0 if number == 10 else gap
            rows.append({"group": group, "number": number, "current": 1e-6 * gain, "gap": last})
    return HandMade().pulse_step("trains", rows)


def test_srdp_and_ptp_of_trains(tmp_path):
    found = made(trains(), tmp_path)
    assert found["srdp.gain.slowest"] == pytest.approx(1.0)
    assert found["srdp.gain.fastest"] == pytest.approx(1.0 + np.log10(50.0))
    assert found["srdp.gain.per_decade"] == pytest.approx(1.0)
    # The shortest interval, 50 Hz: the tenth over the first.
    assert found["ppf.ptp.index"] == pytest.approx(np.log10(50.0))
    assert table(tmp_path / "instruments/srdp.csv")["frequency [Hz]"] == pytest.approx(
        [1.0, 10.0, 20.0, 50.0]
    )


def test_pairs_and_trains_have_curves_of_their_own(tmp_path):
    run = pairs()
    more = trains()
    shift = run.time
    for entry in more.steps:
        run.steps.append(
            StepRow(2, "", entry.kind, "Pt", entry.start + shift, entry.end + shift, "its end")
        )
    run.trace += [[row[0] + shift, *row[1:]] for row in more.trace[1:]]
    run.pulses += [
        type(one)(**{**vars(one), "start": one.start + shift, "end": one.end + shift})
        for one in more.pulses
    ]
    found = made(run, tmp_path)
    assert found["ppf_pairs.ppf.tau2 [s]"] == pytest.approx(0.5, rel=1e-3)
    assert found["ppf_trains.ptp.index"] == pytest.approx(np.log10(50.0))


def test_retention_of_a_hold_follows_its_power_law(tmp_path):
    run = relaxing("hold", lambda t: 0.1 * 1e-6 * t**-0.05)
    found = made(run, tmp_path, request("retention", horizon=1e8))
    assert found["retention.power.exponent"] == pytest.approx(0.05)
    assert found["retention.power.value [S]"] == pytest.approx(1e-6 * 1e8**-0.05)
    assert found["retention.stretched.value [S]"] > 0.0


def test_holds_are_evaluated_on_request_only(tmp_path):
    run = relaxing("hold", lambda t: 1e-7 * np.exp(-t))
    run.write(tmp_path)
    found = run_instruments(tmp_path)
    assert found.entries == {}
    assert found.paths == ()


def test_epsc_of_a_hold_decays_to_where_it_settles(tmp_path):
    run = relaxing("hold", lambda t: 1e-9 + 4e-9 * np.exp(-t / 0.5) + 2e-9 * np.exp(-t / 5.0))
    found = made(run, tmp_path, request("epsc"))
    assert found["epsc.baseline [A]"] == pytest.approx(1e-9, rel=1e-6)
    assert found["epsc.decay.tau1 [s]"] == pytest.approx(0.5, rel=1e-3)
    assert found["epsc.decay.tau2 [s]"] == pytest.approx(5.0, rel=1e-3)


def test_decay_begins_from_what_was_read_before_the_training(tmp_path):
    run = HandMade()
    read = {"kind": 1, "voltage": 0.1, "energy": 0.0}
    run.pulse_step("pulses", [{"current": 1e-6}, {**read, "current": 1e-7}])
    later = relaxing("hold", lambda t: 0.1 * (1e-6 + 2e-6 * np.exp(-((t / 10.0) ** 0.5))))
    times = np.array([row[0] for row in later.trace[1:]])
    amps = [row[3] for row in later.trace[1:]]
    run.step("hold", times, np.full(60, 0.1), amps, name="rest")
    found = made(run, tmp_path, request("decay", "rest"))
    assert found["decay.stretched.tau [s]"] == pytest.approx(10.0, rel=0.1)
    assert found["decay.stretched.beta"] == pytest.approx(0.5, rel=0.1)


def test_longer_trainings_leave_more(tmp_path):
    # Of 1, 10 and 100 pulses 20, 40 and 60 % remain: 20 % per decade.
    run, time = HandMade(), np.geomspace(0.1, 100.0, 30)
    for count, share in ((1, 0.2), (10, 0.4), (100, 0.6)):
        run.pulse_step("pulses", [{"number": n, "current": 1e-6} for n in range(1, count + 1)])
        kept = share + (1.0 - share) * np.exp(-(time - 0.1))
        run.step("hold", time, np.full(30, 0.1), 0.1 * (1e-6 + 1e-6 * kept))
    found = made(run, tmp_path, request("decay", 2, 4, 6, baseline=1e-6))
    assert found["decay_step2.residual"] == pytest.approx(0.2)
    assert found["decay.residual.per_decade"] == pytest.approx(0.2)


def test_every_instrument_draws_a_figure(tmp_path):
    holds = relaxing("hold", lambda t: 1e-7 * t**-0.1)
    on_request = [request(kind, baseline=1e-8) for kind in ("epsc", "decay")]
    runs = {
        "iv": (sweeps(2),),
        "ltp": (training(),),
        "ppf": (pairs(),),
        "srdp": (trains(),),
        "gcd": (capacitor(),),
        "retention": (holds, request("retention"), *on_request),
    }
    for name, (run, *instruments) in runs.items():
        found = made(run, tmp_path / name, *instruments, figures=True)
        kinds = {key.partition(".")[0] for key in found}
        folder = tmp_path / name / "instruments"
        assert {path.stem for path in folder.glob("*.png")} == kinds
        assert all(path.stat().st_size > 10_000 for path in folder.glob("*.png"))


def test_a_delay_leaves_the_charging_of_the_device_out(tmp_path):
    run = relaxing("hold", lambda t: 1e-7 * t**-0.05 + 1e-4 * np.exp(-t / 0.01))
    found = made(run, tmp_path, request("retention", delay=1.0))
    assert found["retention.power.exponent"] == pytest.approx(0.05, rel=1e-6)
    assert table(tmp_path / "instruments/retention.csv")["time [s]"][0] >= 1.0
