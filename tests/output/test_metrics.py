from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ionstack.metrics import cycle_conductance, device_curve

Trace = dict[str, npt.NDArray[np.float64]]


def triangle(amplitude: float, points: int = 11) -> npt.NDArray[np.float64]:
    up = np.linspace(0.0, amplitude, points)
    return np.concatenate([up[1:], up[-2::-1]])


def trace_of(
    amplitudes: list[float], conductances: list[float], capacitive: float = 0.0, other: float = 0.0
) -> Trace:
    """Ohmic cycles with a displacement current that changes sign at the turn."""
    volts, amps, cycles = [np.zeros(1)], [np.zeros(1)], [np.zeros(1)]
    for number, (amplitude, value) in enumerate(zip(amplitudes, conductances, strict=True), 1):
        shape = triangle(amplitude)
        direction = np.sign(amplitude) * np.repeat([1.0, -1.0], len(shape) // 2)
        volts.append(shape)
        amps.append(value * shape + capacitive * direction)
        cycles.append(np.full(len(shape), number))
    voltage, current = np.concatenate(volts), np.concatenate(amps)
    return {
        "time [s]": np.arange(len(voltage), dtype=float),
        "voltage ITO [V]": np.full(len(voltage), other),
        "voltage Pt [V]": voltage + other,
        "current ITO [A]": -current,
        "current Pt [A]": current,
        "cycle [1]": np.concatenate(cycles),
    }


def test_displacement_current_drops_out() -> None:
    found = cycle_conductance(trace_of([-2.0, -2.0, 1.0], [1e-9, 2e-9, 4e-9], capacitive=5e-10))
    assert found.cycle.tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.amplitude, [-2.0, -2.0, 1.0])
    np.testing.assert_allclose(found.read_voltage, [-1.0, -1.0, 0.5])
    np.testing.assert_allclose(found.conductance, [1e-9, 2e-9, 4e-9], rtol=1e-12)


def test_read_voltage_between_rows_is_interpolated() -> None:
    found = cycle_conductance(trace_of([1.0], [3e-9]), read_fraction=0.33)
    np.testing.assert_allclose(found.read_voltage, [0.33])
    np.testing.assert_allclose(found.conductance, [3e-9], rtol=1e-12)


def test_voltage_is_taken_between_the_two_contacts() -> None:
    trace = trace_of([1.0], [3e-9], other=0.25)
    assert device_curve(trace).contact == "Pt"
    np.testing.assert_allclose(device_curve(trace).voltage.max(), 1.0)
    np.testing.assert_allclose(cycle_conductance(trace).conductance, [3e-9], rtol=1e-12)


@pytest.mark.parametrize(("rows", "readable"), [(8, False), (11, False), (13, False), (17, True)])
def test_cycle_cut_short_has_no_conductance(rows: int, readable: bool) -> None:
    trace = {name: column[:rows] for name, column in trace_of([1.0], [3e-9]).items()}
    assert np.isfinite(cycle_conductance(trace).conductance).tolist() == [readable]


def test_rows_outside_cycles_and_empty_traces() -> None:
    hold = trace_of([], [])
    assert cycle_conductance(hold).conductance.shape == (0,)
    empty = {name: column[:0] for name, column in hold.items()}
    assert cycle_conductance(empty).cycle.shape == (0,)
    flat = trace_of([0.0], [1e-9])
    assert np.isnan(cycle_conductance(flat).conductance).all()
