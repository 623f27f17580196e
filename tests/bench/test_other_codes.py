"""The reference problems give what DEVSIM gives on the same meshes, to round-off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.benchmarks.devices import diode_line, ion_film, set_up
from ionstack.benchmarks.meshes import diode_plane, ion_plane
from ionstack.benchmarks.work import (
    RAMP,
    RAMP_CHARGES,
    STEP,
    STEP_CHARGES,
    adaptive_charges,
    bias_sweep,
    fixed_charges,
    growing_times,
)
from ionstack.stepping.states import StepControl

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "devsim.json").read_text()
)
IONS = {"film": {"ions": 1.0}}


def recorded(name: str, series: str, scale: float = 1.0) -> dict[str, float]:
    return {key: scale * one for key, one in RECORDED[name]["values"][series].items()}


def test_currents_of_the_diode() -> None:
    """50 biases over twelve decades of current, against 128-bit numbers."""
    found = bias_sweep(set_up(*diode_line(), {}), [0.02 * i for i in range(50)]).values
    expected = recorded("diode_1d", "current_anode", 1e4)
    del expected["0"]
    # Above 0.7 V what a contact lets pass, finite here, appears at 1e-11.
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-10)


def test_currents_of_the_plane_diode() -> None:
    with diode_plane(50, 25, MPI.COMM_SELF) as (stack, model):
        device = set_up(stack, model, {})
    found = bias_sweep(device, [0.1 * i for i in range(9)]).values
    expected = recorded("diode_2d_50x25", "current_anode", 100.0)
    # DEVSIM's double precision: its two contacts differ by as much.
    rounding = {"0.1": 3e-6, "0.2": 2e-7, "0.3": 4e-8, "0.4": 3e-9, "0.5": 3e-10}
    for bias in list(expected)[1:]:
        assert found[bias] == pytest.approx(expected[bias], rel=rounding.get(bias, 1e-10))


@pytest.mark.parametrize("name", ["pnp_step_1d", "pnp_triangle_1d"])
def test_charges_of_the_film_of_ions(name: str) -> None:
    """Implicit Euler with the same time steps."""
    times = growing_times(1.1) if "step" in name else tuple(0.01 * i for i in range(201))
    triangle = np.interp(times, [0.0, 0.5, 1.5, 2.0], [0.0, 0.5, -0.5, 0.0])
    voltages = [0.5] * len(times) if "step" in name else [float(one) for one in triangle]
    device = set_up(*ion_film(2e-10, 1.0), IONS)
    found = fixed_charges(device, times, voltages).values
    expected = recorded(name, "charge")
    assert len(found) == len(expected)
    assert found == pytest.approx(expected, rel=1e-11)


def test_charges_of_the_plane_of_ions() -> None:
    with ion_plane(50, MPI.COMM_SELF) as (stack, model):
        device = set_up(stack, model, IONS)
    times = growing_times(1.3)
    found = fixed_charges(device, times, [0.5] * len(times)).values
    assert found == pytest.approx(recorded("pnp_step_2d_50", "charge"), rel=1e-11)


@pytest.mark.parametrize(
    ("drive", "exact", "control"),
    [
        (STEP, STEP_CHARGES, StepControl(tolerance=1e-4, initial=1e-6)),
        (RAMP, RAMP_CHARGES, StepControl(tolerance=1e-5, initial=1e-4)),
    ],
)
def test_adaptive_steps_find_the_exact_charges(drive, exact, control) -> None:
    """Exact in space and time by extrapolation with another code."""
    device = set_up(*ion_film(5e-11, 1.03), IONS)
    assert adaptive_charges(device, drive, control, exact).numbers["error"] < 7e-4
