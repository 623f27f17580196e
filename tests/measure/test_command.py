"""``ionstack measure``: every kind from a file to its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.measure.run import KINDS, describe, measure
from ionstack.metrics.plasticity import shape_of_label, update_curve
from ionstack.output.trace import TraceWriter


def write(path: Path, header: str, *columns: Any, delimiter: str = ",") -> Path:
    np.savetxt(path, np.stack(columns, axis=1), header=header, delimiter=delimiter, comments="")
    return path


def run(path: Path, kind: str, *arguments: str) -> dict[str, Any]:
    out = path.parent / "out"
    assert main(["measure", str(path), "--kind", kind, "-o", str(out), *arguments]) == 0
    assert (out / f"{kind}.png").stat().st_size > 1000
    numbers: dict[str, Any] = json.loads((out / f"{kind}.json").read_text())
    return numbers


def iv_file(folder: Path) -> Path:
    """Two volatile sweeps with V_th of 1 and 1.1 V, V_hold 0.4 V, 10 µA compliance."""
    size = np.concatenate([np.arange(0, 401), np.arange(399, -1, -1)]) * 0.005
    after = np.arange(801) >= 400
    parts = []
    for number, threshold in enumerate((1.0, 1.1), 1):
        on = np.where(after, size > 0.4 + 1e-9, size > threshold + 1e-9)
        current = np.minimum(np.where(on, 1e3, 1e-3) * size, 10.0)
        parts.append(np.stack([np.full(801, number), size, current], axis=1))
    return write(folder / "iv.csv", "cycle,V_G [V],I_D (uA)", *np.concatenate(parts).T)


def test_iv(tmp_path: Path) -> None:
    found = run(iv_file(tmp_path), "iv", "--set", "compliance=10 uA", "--set", "read_voltage=0.7V")
    assert found["positive.sweeps"] == 2
    assert found["positive.threshold.slope [V]"] == pytest.approx(1.05)
    assert found["positive.threshold.slope.variation"] == pytest.approx(0.1 / np.sqrt(2) / 1.05)
    assert found["positive.hold.slope [V]"] == pytest.approx(0.405)
    assert found["positive.high_resistance [ohm]"] == pytest.approx(1e9, rel=1e-6)
    assert found["positive.low_resistance [ohm]"] == pytest.approx(0.7 / 1e-5, rel=1e-6)
    assert found["column.current"] == "I_D (uA)"


def test_iv_of_a_runs_own_trace(tmp_path: Path) -> None:
    """Voltage is taken across the device; 3 nS with a displacement current of ±1 nA."""
    path = tmp_path / "trace.csv"
    with TraceWriter(path, ("Pt", "ITO")) as trace:
        trace.append(0.0, {"Pt": 0.2, "ITO": 0.2}, {"Pt": 0.0, "ITO": 0.0}, 0.0, 1, 0)
        for k in range(1, 41):
            volts = -2.0 * min(k, 40 - k) / 20.0
            amps = 3e-9 * volts + (-1e-9 if k <= 20 else 1e-9)
            voltages, currents = {"Pt": volts + 0.2, "ITO": 0.2}, {"Pt": amps, "ITO": -amps}
            trace.append(0.1 * k, voltages, currents, 0.1, 2, 1)
    found = run(path, "iv")
    assert found["negative.sweeps"] == 1
    assert found["negative.read_voltage [V]"] == pytest.approx(-1.0)
    assert found["negative.conductance [S]"] == pytest.approx(3e-9)
    assert found["negative.conductance.out [S]"] == pytest.approx(4e-9)
    assert found["negative.conductance.back [S]"] == pytest.approx(2e-9)
    assert found["column.voltage"] == "trace, contact Pt"
    assert found["negative.charge [C]"] == pytest.approx(-1.2e-8, rel=0.01)


def test_ltp(tmp_path: Path) -> None:
    share = np.linspace(0.0, 1.0, 41)
    up = 2.0 + 113.0 * update_curve(share, 1.0 / shape_of_label(0.6))
    down = 115.0 - 113.0 * update_curve(share, 1.0 / shape_of_label(7.7))
    data = np.concatenate([up, down[1:], up[1:], down[1:]])
    path = write(tmp_path / "ltp.csv", "pulse,G (uS)", np.arange(len(data)), data)
    found = run(path, "ltp", "--set", "pulses_up=40", "--set", "pulses_down=40")
    assert found["up.label"] == pytest.approx(0.6, rel=1e-4)
    assert found["up.shape"] == pytest.approx(2.0979, rel=3e-3)
    assert found["down.label"] == pytest.approx(-7.7, rel=1e-4)
    assert found["window"] == pytest.approx(57.5)
    assert found["up.branches"] == found["down.branches"] == 2
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"aihwkit.csv", "dG_increasing.txt", "dG_decreasing.txt"} <= names
    pulses = np.loadtxt(tmp_path / "out" / "aihwkit.csv", delimiter=",", skiprows=1)
    assert pulses.shape == (len(data), 2)
    assert (np.sign(np.diff(pulses[:, 1])) == pulses[:-1, 0]).all()


def test_ltp_of_currents_needs_the_read_voltage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = 1.0 + update_curve(np.linspace(0.0, 1.0, 11), 2.0)
    path = write(tmp_path / "ltp.csv", "I [nA]\tdirection", data, np.ones(11), delimiter="\t")
    assert main(["measure", str(path), "--kind", "ltp", "-o", str(tmp_path / "out")]) == 2
    assert "--set read_voltage=0.1V" in capsys.readouterr().err
    found = run(path, "ltp", "--set", "read_voltage=0.1V")
    assert found["g_max [S]"] == pytest.approx(2e-8)
    assert found["up.nu"] == pytest.approx(2.0, rel=1e-4)
    assert "down.nu" not in found


def test_energy_per_change_of_ltp(tmp_path: Path) -> None:
    path = write(tmp_path / "ltp.csv", "G [nS]", 4000.0 + 300.0 * np.arange(11))
    found = run(path, "ltp", "--set", "area=0.6cm^2", "--set", "pulse_energy=1.6e-6 J")
    assert found["up.energy_per_change [aJ/um^2/nS]"] == pytest.approx(88.9, rel=1e-3)


def test_ppf(tmp_path: Path) -> None:
    gaps = np.geomspace(20.0, 1e4, 15)
    index = 0.8 * np.exp(-gaps / 100.0) + 0.3 * np.exp(-gaps / 3000.0)
    columns = gaps, np.full(15, 5.0), 5.0 * (1.0 + index), 5.0 * (1.0 + 2.0 * index)
    path = write(
        tmp_path / "ppf.txt", "dt [ms]\tA1 [nA]\tA2 [nA]\tA10 [nA]", *columns, delimiter="\t"
    )
    found = run(path, "ppf")
    assert found["ppf.index"] == pytest.approx(index[0])
    assert found["ppf.tau1 [s]"] == pytest.approx(0.1, rel=1e-3)
    assert found["ppf.tau2 [s]"] == pytest.approx(3.0, rel=1e-3)
    assert found["ptp.c2"] == pytest.approx(0.6, rel=1e-3)


def test_srdp(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "f (Hz),I1 (nA),I20 (nA)", [0.1, 1, 10], [2, 2, 2], [2, 4, 6])
    found = run(path, "srdp")
    assert found["gain.fastest"] == pytest.approx(3.0)
    assert found["gain.per_decade"] == pytest.approx(1.0)


def test_epsc(tmp_path: Path) -> None:
    time = np.linspace(0.0, 2.0, 201)
    current = np.where(time < 0.2, 1.0, 1.0 + 5.0 * np.exp(-(time - 0.2) / 0.3))
    found = run(write(tmp_path / "e.csv", "time [s],current [nA]", time, current), "epsc")
    assert found["amplitude [A]"] == pytest.approx(5e-9, rel=1e-3)
    assert found["half_time [s]"] == pytest.approx(0.3 * np.log(2.0), rel=1e-2)


def test_decay(tmp_path: Path) -> None:
    time = np.linspace(0.0, 300.0, 61)
    data = 1.0 + 3.0 * np.exp(-np.sqrt(time / 40.0))
    path = write(tmp_path / "d.csv", "time [s],G [uS]", time, data)
    found = run(path, "decay", "--set", "baseline=1uS")
    assert found["stretched.tau [s]"] == pytest.approx(40.0, rel=1e-3)
    assert found["residual"] == pytest.approx(np.exp(-np.sqrt(7.5)))


def test_pulses(tmp_path: Path) -> None:
    time = np.arange(0.0, 4.0, 0.002)
    high = (time % 1.0 > 0.2501) & (time % 1.0 < 0.7501)
    path = write(tmp_path / "p.csv", "t [s],V_G [V],I_G [uA]", time, -0.32 * high, -10.0 * high)
    found = run(path, "pulses", "--set", "area=0.6cm^2", "--set", "change=300nS")
    assert found["pulses"] == 4
    assert found["charge [C]"] == pytest.approx(-5e-6, rel=5e-3)
    assert found["energy_per_change [aJ/um^2/nS]"] == pytest.approx(88.9, rel=5e-3)


def test_retention_of_resistances(tmp_path: Path) -> None:
    time = np.geomspace(1.0, 1e5, 30)
    path = write(tmp_path / "r.csv", "time (s),R (kOhm)", time, 10.0 * time**0.02)
    found = run(path, "retention", "--set", "horizon=1e6 s")
    assert found["power.exponent"] == pytest.approx(0.02, rel=1e-6)
    assert found["power.value [S]"] == pytest.approx(1e-4 * 1e6**-0.02, rel=1e-6)


def test_variation_and_arrhenius(tmp_path: Path) -> None:
    path = write(tmp_path / "v.csv", "V_th (V)", 4.0 + 0.1 * np.array([-1, 0, 1, 0.5, -0.5]))
    found = run(path, "variation")
    assert found["value [V]"] == pytest.approx(4.0)
    assert found["value.variation"] == pytest.approx(np.sqrt(0.025 / 4.0) / 4.0)
    assert found["value.weibull.shape"] > 10.0
    celsius = np.array([25.0, 50.0, 80.0])
    sigma = 1e5 * np.exp(-0.5 / (8.617333262e-5 * (celsius + 273.15)))
    path = write(tmp_path / "a.csv", "T (degC),sigma (S/cm)", celsius, sigma)
    assert run(path, "arrhenius")["activation_energy [eV]"] == pytest.approx(0.5, rel=1e-6)


def test_cv(tmp_path: Path) -> None:
    up = np.linspace(0.0, 3.0, 301)
    volts = np.concatenate([up, up[-2::-1]])
    rising = np.arange(601) <= 300
    parts = []
    for rate in (10.0, 40.0, 160.0):
        wave = np.where(rising, np.exp(-(((volts - 2.6) / 0.2) ** 2)), 0.0)
        wave -= np.where(rising, 0.0, np.exp(-(((volts - 2.4) / 0.2) ** 2)))
        parts.append(np.stack([np.full(601, rate), volts, np.sqrt(rate) * wave], axis=1))
    path = write(tmp_path / "cv.csv", "scan rate [mV/s],Ewe/V,<I>/uA", *np.concatenate(parts).T)
    found = run(path, "cv", "--set", "area=1cm^2")
    assert found["b"] == pytest.approx(0.5, abs=1e-3)
    assert found["at_0.04V/s.separation [V]"] == pytest.approx(0.2, abs=1e-3)
    assert found["at_0.01V/s.capacitive"] == pytest.approx(0.0, abs=1e-3)
    area_of_wave = 0.2 * np.sqrt(np.pi) * np.sqrt(10.0) * 1e-6
    expected = area_of_wave * 0.5 * (2.0 - 0.0047 - 0.0) / (3.0 * 0.01)
    assert found["at_0.01V/s.capacitance [F/cm^2]"] == pytest.approx(expected, rel=1e-2)


def test_cv_of_one_unknown_rate_and_of_a_rate_from_the_times(tmp_path: Path) -> None:
    up = np.linspace(0.0, 1.0, 101)
    volts = np.tile(np.concatenate([up, up[::-1]]), 2)
    amps = np.where(np.tile(np.repeat([True, False], 101), 2), 3.0, -3.0)
    path = write(tmp_path / "a.csv", "V [V],I [uA]", volts, amps)
    found = measure(path, "cv").result
    assert "capacitance" not in {scalar.name for scalar in found.scalars}
    assert len(found.panels[0].series[0].x) == 404
    path = write(tmp_path / "b.csv", "t [s],V [V],I [uA]", 0.1 * np.arange(404), volts, amps)
    values = {scalar.name: scalar.value for scalar in measure(path, "cv").result.scalars}
    assert values["rate"] == pytest.approx(0.1)
    assert values["capacitance"] == pytest.approx(3e-5, rel=0.02)


def test_gcd_reproduces_the_power_mode(tmp_path: Path) -> None:
    area, capacitance = 3.14e-4, 4.1e-3 * 3.14e-4
    current = 15.9e-6 * area
    half = 3.51 * capacitance / current
    time = np.linspace(0.0, 2.0 * half, 2001)
    amps = np.where(time <= half, current, -current)
    volts = np.where(time <= half, time, 2.0 * half - time) * current / capacitance
    path = write(tmp_path / "gcd.csv", "t [s];E [V];I [nA]", time, volts, amps * 1e9, delimiter=";")
    found = run(path, "gcd", "--set", "area=3.14e-4cm^2")
    assert found["capacitance [F/cm^2]"] == pytest.approx(4.1e-3, rel=1e-3)
    assert found["energy [J/cm^2]"] / 3600e-6 == pytest.approx(7.0, rel=1e-2)
    assert found["power [W/cm^2]"] == pytest.approx(27.9e-6, rel=1e-2)
    assert found["duration [s]"] == pytest.approx(903.0, rel=2e-3)
    assert found["coulombic_efficiency"] == pytest.approx(1.0, rel=2e-3)


def test_self_discharge(tmp_path: Path) -> None:
    hours = np.linspace(0.0, 24.0, 49)
    path = write(tmp_path / "sd.csv", "t (h),V (V)", hours, 3.0 * np.exp(-hours / 25.0))
    settings = ("capacitance=1uF", "area=1cm^2", "thickness=100nm")
    found = run(path, "selfdischarge", *(part for s in settings for part in ("--set", s)))
    assert found["time_constant [s]"] == pytest.approx(9e4)
    assert found["leak_conductivity [S/m]"] == pytest.approx(1e-6 / 9e4 * 1e-7 / 1e-4)


@pytest.mark.parametrize("form", ["negative", "polar"])
def test_impedance(tmp_path: Path, form: str) -> None:
    f = np.geomspace(1e6, 0.1, 43)
    z = 400.0 + 6e4 / (1.0 + (2j * np.pi * f * 2e-4) ** 0.85)
    if form == "negative":
        path = write(tmp_path / "z.csv", "freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm", f, z.real, -z.imag)
    else:
        angle = np.degrees(np.angle(z))
        path = write(tmp_path / "z.csv", "f [Hz],|Z| [Ohm],Phase [deg]", f, np.abs(z), angle)
    found = run(path, "impedance", "--set", "thickness=1um", "--set", "area=1mm^2")
    assert found["arc.series [ohm]"] == pytest.approx(400.0, rel=1e-3)
    assert found["arc.parallel [ohm]"] == pytest.approx(6e4, rel=1e-3)
    assert found["arc.exponent"] == pytest.approx(0.85, rel=1e-3)
    assert found["conductivity [S/m]"] == pytest.approx(1e-6 / (6e4 * 1e-6), rel=1e-3)
    assert "series_resistance [ohm]" in found["not_finite"]


def test_every_kind_has_a_test() -> None:
    tests = {name for name in globals() if name.startswith("test_")}
    missing = [k for k in KINDS if not any(k in name.replace("self_d", "selfd") for name in tests)]
    assert missing == []


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    words = set(capsys.readouterr().out.replace(",", " ").split())
    assert set(KINDS) <= words


def test_columns_by_header_number_and_unit(tmp_path: Path) -> None:
    """Headers may hold commas and colons; a unit that is given overrules the header's."""
    path = write(tmp_path / "iv.csv", '"gate, left","run: 2",note [V]', *np.ones((3, 5)))
    volts = np.array([0.0, 0.5, 1.0, 0.5, 0.0])
    write(path, '"gate, left","run: 2",note [V]', volts, 2.0 * volts, 9.0 * volts)
    for columns, factor in (
        (["voltage=gate, left:V,current=run: 2:mA"], 2e-3),
        (["voltage=3:mV", "current=2:A"], 2.0 / 9e-3),
    ):
        found = measure(path, "iv", columns).result.scalars
        values = {scalar.name: scalar.value for scalar in found}
        assert values["positive.conductance.out"] == pytest.approx(factor)


def test_results_of_another_file_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "a.csv", "V_th (V)", [1.0, 2.0])
    second = write(tmp_path / "b.csv", "V_th (V)", [3.0, 4.0])
    run(first, "variation")
    arguments = ["measure", str(second), "--kind", "variation", "-o", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "holds the evaluation of" in capsys.readouterr().err


def test_the_printed_table(tmp_path: Path) -> None:
    printed = describe(measure(iv_file(tmp_path), "iv"))
    assert "columns: voltage = 'V_G [V]', current = 'I_D (uA)', cycle = 'cycle'" in printed
    line = next(s for s in printed.splitlines() if s.startswith("positive.threshold.slope"))
    assert line.split()[1:3] == ["1.05", "V"]
    assert "σ/mean 6.7 %" in line
