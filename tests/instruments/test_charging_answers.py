"""Voltammograms, charging, rests and spectra of hand-made runs whose numbers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ionstack.output.spectra import SpectrumRow
from ionstack.output.steps import StepRow
from support.answers import capacitor, made, relaxing, table
from support.runs import HandMade, request


def voltammogram(run: HandMade, rate: float, cycle: int) -> None:
    """C = 2 µF and a couple at 0.5 V ± 0 that is diffusive: i = k1 v + k2 √v."""
    share = np.linspace(0.0, 1.0, 201)[1:]
    volts = np.concatenate([share, share[::-1] - share[0]])
    sign = np.repeat([1.0, -1.0], 200)
    peak = 5e-6 * np.sqrt(rate) * np.exp(-(((volts - 0.5) / 0.05) ** 2))
    run.step("cv", np.arange(1, 401) / 200 / rate, volts, sign * (2e-6 * rate + peak), cycle)


def test_cv_splits_capacitive_from_diffusive_current(tmp_path):
    run = HandMade()
    for cycle, rate in enumerate((0.01, 0.1, 1.0), start=1):
        voltammogram(run, rate, cycle)
    found = made(run, tmp_path)
    diffusive = 5e-6 * 0.05 * np.sqrt(np.pi)
    for rate in (0.01, 0.1, 1.0):
        share = 2e-6 * rate / (2e-6 * rate + diffusive * np.sqrt(rate))
        assert found[f"cv.at_{rate:g}V/s.capacitive"] == pytest.approx(share, rel=0.02)
        assert found[f"cv.at_{rate:g}V/s.oxidation.voltage [V]"] == pytest.approx(0.5, abs=0.01)
    assert 0.5 < found["cv.b"] < 1.0
    assert table(tmp_path / "instruments/cv_split.csv")["voltage [V]"][0] >= 0.0


def test_gcd_of_a_capacitor_with_a_resistor(tmp_path):
    found = made(capacitor(), tmp_path)
    assert found["gcd.discharges"] == 2
    for current in (1e-6, 1e-5):
        key = f"gcd.at_{current:g}A"
        assert found[f"{key}.capacitance [F]"] == pytest.approx(2e-6, rel=2e-3)
        assert found[f"{key}.resistance [ohm]"] == pytest.approx(1e4, rel=0.03)
        window = 1e-6 - 2e-6 * current * 1e4
        assert found[f"{key}.energy [J]"] == pytest.approx(window, rel=2e-3)
        assert found[f"{key}.power [W]"] == pytest.approx(window * current / 2e-6, rel=2e-3)
    assert found["gcd.coulombic_efficiency"] == pytest.approx(1.0, rel=1e-3)
    assert found["gcd.energy_efficiency"] < 1.0
    assert table(tmp_path / "instruments/gcd_half_cycles.csv")["discharge [1]"] == [0, 1, 0, 1]


def test_self_discharge_of_each_rest(tmp_path):
    run = relaxing("open_circuit", np.zeros_like, lambda t: 0.9 * np.exp(-t / 50.0))
    run.step("open_circuit", [1.0, 2.0, 3.0], 0.5 * np.exp(-np.arange(1, 4) / 7.0), [0.0] * 3)
    found = made(run, tmp_path)
    assert found["selfdischarge_rest.time_constant [s]"] == pytest.approx(50.0)
    assert found["selfdischarge_step2.time_constant [s]"] == pytest.approx(7.0)


def test_leak_of_a_film_of_known_capacitance(tmp_path):
    run = relaxing("open_circuit", np.zeros_like, lambda t: 0.9 * np.exp(-t / 50.0))
    film = {"capacitance": 1e-6, "area": 1e-6, "thickness": 1e-7}
    found = made(run, tmp_path, request("selfdischarge", "rest", **film))
    assert found["selfdischarge.leak_conductivity [S/m]"] == pytest.approx(1e-6 / 50.0 * 0.1)


def spectrum(run: HandMade, step: int, parallel: float) -> None:
    for frequency in np.geomspace(1.0, 1e6, 61):
        z = 100.0 + parallel / (1.0 + 2j * np.pi * frequency * parallel * 1e-8)
        run.spectra.append(SpectrumRow(step, "Pt", float(frequency), z.real, z.imag))


def test_impedance_of_a_step_done_twice(tmp_path):
    run = HandMade()
    for end in (1.0, 2.0):
        run.steps.append(StepRow(1, "eis", "impedance", "Pt", end - 1.0, end, "its end"))
    for parallel in (1e4, 2e4):
        spectrum(run, 1, parallel)
    found = made(run, tmp_path)
    assert found["impedance_eis.arc.parallel [ohm]"] == pytest.approx(1e4, rel=1e-3)
    assert found["impedance_eis_2.arc.parallel [ohm]"] == pytest.approx(2e4, rel=1e-3)
    assert found["impedance_eis.arc.series [ohm]"] == pytest.approx(100.0, rel=1e-3)


def test_the_numbers_are_also_in_a_file_of_each_instrument(tmp_path):
    found = made(capacitor(), tmp_path)
    own = json.loads((tmp_path / "instruments/gcd.json").read_text())
    assert own["coulombic_efficiency"] == found["gcd.coulombic_efficiency"]
