"""The published model class of vacancy memories, drift and diffusion alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from support.loops import Sweep, sweeps

CASE = Path(__file__).parents[2] / "cases/filament/drift.yaml"
CYCLES = "protocol.0.repeat"
QUICK = ("instruments=none", "output.figures=false")
COARSE = ("stack.grading.first_cell=0.5 nm", "stack.lateral.cells=8")
# In units of 100 uA.
CURRENTS = (1, 5)


def run(folder: Path, microamperes: int, *options: str) -> tuple[list[Sweep], dict[str, float]]:
    limit = f"{CYCLES}.steps.set.compliance={microamperes} uA"
    settings = [part for one in (*QUICK, limit, *options) for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *settings]) == 0
    return sweeps(folder), json.loads((folder / "summary.json").read_text())


def test_set_snaps_back_reset_is_gradual_and_vacancies_are_kept(tmp_path: Path) -> None:
    (up, down), summary = run(tmp_path / "out", 400, f"{CYCLES}.times=1", *COARSE)
    assert summary["conservation.V_O+"] < 1e-12
    assert summary["current_sum"] < 1e-9
    # Abrupt: half of the compliance to all of it within 2 mV. Then half the voltage is enough.
    assert up.rise(2e-4, 0.99 * 4e-4) < 2e-3
    assert up.resistance() * 4e-4 < 0.6 * up.volts.max()
    # Gradual: the current falls over more than 0.1 V, and never by a tenth from point to point.
    begin = down.reset()
    assert 1.0 < abs(begin.current) / 4e-4 < 1.4
    out = slice(int(np.argmin(np.abs(down.volts - begin.voltage))), int(np.argmin(down.volts)))
    falling = np.abs(down.amperes[out])
    assert np.abs(np.diff(falling)).max() < 0.1 * falling[0]
    assert np.abs(down.volts[out][int(np.argmin(falling))] - begin.voltage) > 0.1


@pytest.mark.long
def test_compliance_decides_the_resistance_and_not_the_reset_voltage(tmp_path: Path) -> None:
    """Over a factor of five, in the second cycle: R I_CC within 20 %, V_reset within 8 %."""
    loops = {limit: run(tmp_path / str(limit), 100 * limit)[0][2:] for limit in CURRENTS}
    products = [up.resistance() * limit for limit, (up, _) in loops.items()]
    assert max(products) < 1.2 * min(products)
    resets = [down.reset() for _, down in loops.values()]
    volts = [abs(one.voltage) for one in resets]
    assert max(volts) < 1.08 * min(volts)
    shares = [abs(one.current) / limit / 1e-4 for one, limit in zip(resets, CURRENTS, strict=True)]
    assert min(shares) > 1.0
    assert max(shares) < 1.4
