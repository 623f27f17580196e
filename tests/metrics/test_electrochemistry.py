"""Charge, energy, voltammograms, charging and impedance of ideal circuits."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.metrics.arrays import FloatArray
from ionstack.metrics.charging import efficiencies, half_cycles, ragone, self_discharge
from ionstack.metrics.energy import (
    energy_per_change,
    find_pulses,
    spent_energy,
    transferred_charge,
)
from ionstack.metrics.spectra import (
    bode,
    conductivity,
    effective_capacitance,
    fit_arc,
    impedance,
    nyquist,
    peak_frequency,
    series_resistance,
)
from ionstack.metrics.voltammetry import b_value, couple, rate_split, sweep_capacitance


def test_charge_and_energy_of_a_ramp() -> None:
    time = np.linspace(0.0, 2.0, 201)
    assert transferred_charge(time, 3.0 * time) == pytest.approx(6.0)
    assert spent_energy(time, np.full(201, 0.5), 3.0 * time) == pytest.approx(3.0)
    with pytest.raises(InputError, match="time: has to increase"):
        transferred_charge([0.0, 0.0], [1.0, 1.0])


def test_energy_of_the_magnesium_synapse() -> None:
    """5 µC at 0.32 V over 6e7 µm² for 300 nS: 89 aJ/(µm² nS), published as 90."""
    assert energy_per_change(0.32 * 5e-6, 6e7 * 1e-12, 300e-9) == pytest.approx(88.9, rel=1e-3)


def test_each_pulse_is_found() -> None:
    time = np.linspace(0.0, 1.0, 10001)
    high = ((time % 0.25) > 0.1) & ((time % 0.25) < 0.15)
    voltage = np.where(high, -5.0, 0.0)
    found = find_pulses(time, voltage, 2e-3 * voltage)
    assert len(found.start) == 4
    np.testing.assert_allclose(found.start, [0.1, 0.35, 0.6, 0.85], atol=2e-4)
    np.testing.assert_allclose(found.width, 0.05, atol=2e-4)
    np.testing.assert_allclose(found.amplitude, -5.0)
    np.testing.assert_allclose(found.charge, -5e-4, rtol=5e-3)
    np.testing.assert_allclose(found.energy, 25 * 2e-3 * 0.05, rtol=5e-3)


def voltammogram() -> tuple[FloatArray, FloatArray]:
    up = np.linspace(0.0, 3.0, 601)
    voltage = np.concatenate([up, up[-2::-1]])
    rising = np.arange(1201) <= 600
    wave = np.where(
        rising,
        np.exp(-(((voltage - 2.6) / 0.2) ** 2)),
        -0.8 * np.exp(-(((voltage - 2.3) / 0.2) ** 2)),
    )
    return voltage, 1.8e-6 * wave


def test_peaks_of_a_voltammogram() -> None:
    found = couple(*voltammogram())
    assert found.oxidation.voltage == pytest.approx(2.6, abs=1e-4)
    assert found.oxidation.current == pytest.approx(1.8e-6, rel=1e-4)
    assert found.reduction.voltage == pytest.approx(2.3, abs=1e-4)
    assert found.reduction.current == pytest.approx(-1.44e-6, rel=1e-4)
    assert found.midpoint == pytest.approx(2.45, abs=1e-4)
    assert found.separation == pytest.approx(0.3, abs=2e-4)
    assert found.current_ratio == pytest.approx(0.8, rel=1e-4)


def test_peaks_of_several_cycles_with_noise_on_the_voltage() -> None:
    voltage, current = voltammogram()
    volts = np.tile(voltage, 3) + 2e-3 * np.random.default_rng(6).normal(size=3 * len(voltage))
    found = couple(volts, np.tile(current, 3))
    assert found.oxidation.voltage == pytest.approx(2.6, abs=0.01)
    assert found.reduction.voltage == pytest.approx(2.3, abs=0.01)


def test_the_edge_of_the_window_is_no_peak_in_any_cycle() -> None:
    up = np.linspace(0.0, 1.0, 101)
    voltage = np.tile(np.concatenate([up, up[::-1]]), 3)
    assert np.isnan(couple(voltage, np.exp(5.0 * voltage)).oxidation.voltage)


def test_a_capacitor_has_no_peak() -> None:
    voltage, _ = voltammogram()
    current = np.where(np.gradient(voltage) > 0.0, 1e-6, -1e-6)
    assert np.isnan(couple(voltage, current).oxidation.voltage)
    assert sweep_capacitance(voltage, current, rate=0.1) == pytest.approx(1e-5, rel=2e-3)


def test_split_of_the_current_by_scan_rate() -> None:
    rates = np.array([0.01, 0.02, 0.05, 0.1])
    voltage = np.linspace(0.0, 1.0, 11)
    k1, k2 = 1e-4 * (1.0 + voltage), 2e-5 * (2.0 - voltage)
    current = k1 * rates[:, None] + k2 * np.sqrt(rates)[:, None]
    found = rate_split(voltage, rates, current)
    np.testing.assert_allclose(found.k1, k1, rtol=1e-9)
    np.testing.assert_allclose(found.k2, k2, rtol=1e-9)
    capacitive, diffusive = 1.5e-4 * rates, 3e-5 * np.sqrt(rates)
    np.testing.assert_allclose(found.capacitive, capacitive / (capacitive + diffusive), rtol=1e-9)
    with pytest.raises(InputError, match="needs at least 2"):
        rate_split(voltage, rates[:1], current[:1])
    with pytest.raises(InputError, match="shape"):
        rate_split(voltage, rates, current.T)


@pytest.mark.parametrize("b", [0.5, 1.0])
def test_b_value(b: float) -> None:
    rates = np.array([0.01, 0.1, 1.0])
    assert b_value(rates, -3e-6 * rates**b) == pytest.approx(b, rel=1e-12)
    assert np.isnan(b_value([0.1], [1e-6]))


def charged_capacitor(
    capacitance: float, resistance: float, current: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """0 → 2 V → 0 of an ideal capacitor with a resistor in series."""
    half = 2.0 * capacitance / current
    time = np.linspace(0.0, 2.0 * half, 2001)
    amps = np.where(time <= half, current, -current)
    ideal = np.where(time <= half, time, 2.0 * half - time) * current / capacitance
    return time, ideal + resistance * amps, amps


def test_capacitance_energy_and_drop_of_a_capacitor() -> None:
    charge, discharge = half_cycles(*charged_capacitor(1e-3, 50.0, 1e-3))
    assert (charge.discharge, discharge.discharge) == (False, True)
    assert discharge.capacitance == pytest.approx(1e-3, rel=1e-9)
    assert discharge.drop == pytest.approx(0.1, abs=3e-3)
    assert discharge.resistance == pytest.approx(50.0, abs=1.5)
    assert discharge.current == pytest.approx(1e-3)
    # A capacitor's V(t) is straight, so both energies are those of the terminals.
    assert discharge.energy == pytest.approx(discharge.energy_linear, rel=1e-3)
    assert discharge.energy == pytest.approx(0.5e-3 * 2.0**2 - 50.0 * 1e-6 * 2.0, rel=1e-2)
    assert discharge.power == pytest.approx(discharge.energy / discharge.duration)
    coulombic, energetic = efficiencies(charge, discharge)
    assert coulombic == pytest.approx(1.0, abs=2e-3)
    assert energetic < coulombic
    with pytest.raises(InputError, match="in this order"):
        efficiencies(discharge, charge)


def test_the_triple_of_the_power_mode() -> None:
    """4.1 mF/cm², 7.0 µWh/cm² and 27.9 µW/cm² belong to 3.51 V, 15.9 µA/cm² and 903 s."""
    area = 3.14e-4 * 1e-4
    time = np.linspace(0.0, 903.0, 904)
    current = np.full(904, -15.9e-2 * area)
    voltage = 3.51 - 15.9e-6 * time / 4.1e-3
    (found,) = half_cycles(time, voltage, current, area)
    assert found.capacitance == pytest.approx(41.0, rel=1e-3)
    assert found.charge == pytest.approx(144.0, rel=5e-3)
    assert found.energy / 3600.0 == pytest.approx(7.0e-2, rel=5e-3)
    assert found.power == pytest.approx(27.9e-2, rel=5e-3)


def test_ragone_is_sorted_by_power() -> None:
    cycles = [c for i in (1e-3, 1e-4) for c in half_cycles(*charged_capacitor(1e-3, 50.0, i))]
    power, energy = ragone(tuple(cycles))
    assert power[0] < power[1]
    assert energy[0] > energy[1]
    assert ragone(())[0].shape == (0,)


def test_rests_are_no_half_cycles() -> None:
    time = np.arange(9.0)
    current = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, -1.0, -1.0])
    voltage = np.array([0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 0.0])
    assert [c.discharge for c in half_cycles(time, voltage, current)] == [False, True]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_leak_of_a_charged_capacitor(sign: float) -> None:
    time = np.linspace(0.0, 100.0, 51)
    found = self_discharge(time, sign * 3.0 * np.exp(-time / 400.0), capacitance=1e-6)
    assert found.time_constant == pytest.approx(400.0)
    assert found.rate == pytest.approx(3.0 / 400.0)
    assert found.leak_current == pytest.approx(1e-6 * 3.0 / 400.0)
    assert found.leak_conductance == pytest.approx(1e-6 / 400.0)
    assert found.kept == pytest.approx(np.exp(-0.25))
    assert np.isnan(self_discharge(time, np.exp(-time)).leak_current)


FREQUENCY = np.geomspace(1e6, 1e-2, 81)


@pytest.mark.parametrize("alpha", [1.0, 0.8])
def test_arc_is_recovered(alpha: float) -> None:
    z = 120.0 + 5e4 / (1.0 + (2j * np.pi * FREQUENCY * 1e-3) ** alpha)
    found = fit_arc(FREQUENCY, z)
    assert found.series == pytest.approx(120.0, rel=1e-5)
    assert found.parallel == pytest.approx(5e4, rel=1e-5)
    # α = 1 is the end of its range, where the search takes shorter steps.
    assert found.time_constant == pytest.approx(1e-3, rel=1e-4)
    assert found.exponent == pytest.approx(alpha, rel=1e-4)
    assert found.capacitance == pytest.approx(2e-8, rel=1e-4)
    np.testing.assert_allclose(found.at(FREQUENCY), z, rtol=1e-5)
    assert peak_frequency(FREQUENCY, z) == pytest.approx(1.0 / (2e-3 * np.pi), rel=0.15)


def test_arc_under_noise() -> None:
    rng = np.random.default_rng(8)
    z = 120.0 + 5e3 / (1.0 + 2j * np.pi * FREQUENCY * 1e-3)
    noisy = z * (1.0 + 0.01 * rng.normal(size=81))
    found = fit_arc(FREQUENCY, noisy)
    assert found.series == pytest.approx(120.0, rel=0.02)
    assert found.parallel == pytest.approx(5e3, rel=0.02)
    assert found.residual == pytest.approx(0.01, rel=0.3)


def test_a_resistor_has_no_arc() -> None:
    assert np.isnan(fit_arc(FREQUENCY, np.full(81, 50.0 + 0j)).series)
    assert np.isnan(series_resistance(FREQUENCY, np.full(81, 50.0 - 1j)))
    assert np.isnan(peak_frequency(FREQUENCY, 1.0 / (2j * np.pi * FREQUENCY)))


def test_series_resistance_where_lead_and_device_balance() -> None:
    omega = 2.0 * np.pi * FREQUENCY
    z = 75.0 + 1e-5j * omega + 1.0 / (1j * omega * 1e-8)
    assert series_resistance(FREQUENCY, z) == pytest.approx(75.0)
    # Spectra are also recorded upwards.
    assert series_resistance(FREQUENCY[::-1], z[::-1]) == pytest.approx(75.0)


def test_bode_and_nyquist_axes() -> None:
    z = impedance([1e3, 1.0], [3.0, 0.0], [-4.0, -2.0])
    found = bode([1e3, 1.0], z)
    assert found.frequency.tolist() == [1.0, 1e3]
    np.testing.assert_allclose(found.magnitude, [2.0, 5.0])
    np.testing.assert_allclose(found.phase, [-90.0, -np.degrees(np.arctan2(4.0, 3.0))])
    np.testing.assert_allclose(nyquist(z), [[3.0, 0.0], [4.0, 2.0]])
    with pytest.raises(InputError, match="frequency: has to be greater than 0"):
        impedance([0.0], [1.0], [1.0])


def test_capacitance_and_conductivity_of_a_film() -> None:
    z = 100.0 + 1.0 / (2j * np.pi * FREQUENCY * 3e-9)
    np.testing.assert_allclose(effective_capacitance(FREQUENCY, z), 3e-9)
    assert conductivity(1e5, 1e-6, 1e-6) == pytest.approx(1e-5)
