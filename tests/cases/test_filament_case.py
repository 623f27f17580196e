"""The vacancy memory, coarse: set from a gap, and forming with whole cycles of reset and set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.cli import main
from support.loops import sweeps

CASE = Path(__file__).parents[2] / "cases/filament/vacancy.yaml"
COARSE = (
    "stack.grading.first_cell=0.5 nm",
    "stack.lateral.cells=6",
    "instruments=none",
    "output.figures=false",
)
# A filament with a gap of 1.5 nm above the bottom electrode, and the way up alone.
GAP = "(0.002 + 0.6/(1 + exp((r - (9e-9 - 0.5*z))/0.8e-9)))/(1 + exp((z - 8.5e-9)/0.2e-9)) + 1e-3"
UP = "{sweep: {contact: TE, points: [0.6 V], rate: 1 V/s}, compliance: 300 uA}"
FROM_A_GAP = (
    "stack.lateral.cells=4",
    f"content.oxide.V_O+={{formula: '{GAP}', unit: '1', source: a gap}}",
    f"protocol=[{UP}]",
)


def run(folder: Path, *options: str) -> Path:
    settings = [part for one in (*COARSE, *options) for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(folder), "--quiet", *settings]) == 0
    return folder


def test_a_gap_closes_at_once_and_the_compliance_holds_the_current(tmp_path: Path) -> None:
    """Within 30 mV of the sweep the current rises from a third of the compliance to all of it."""
    folder = run(tmp_path / "out", *FROM_A_GAP)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["current_sum"] < 1e-9
    assert summary["heat.closure"] < 1e-8
    assert summary["heat.rise [K]"] > 200.0
    (up,) = sweeps(folder)
    assert up.rise(1e-4, 0.98 * 3e-4) < 3e-2
    assert 0.2 < up.volts.max() < 0.6
    assert up.amperes.max() < 3e-4 * (1.0 + 1e-3)
    # The device snaps back: closed, it needs less voltage than to be set.
    assert up.volts[-1] < 0.9 * up.volts.max()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forming and five cycles at 200 uA."""
    return run(tmp_path_factory.mktemp("whole") / "out")


@pytest.mark.long
def test_charge_and_heat_are_kept_and_the_log_tells_where_it_was_hard(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["current_sum"] < 1e-8
    assert summary["heat.closure"] < 1e-8
    assert "hard from" in (whole / "log.txt").read_text()


@pytest.mark.long
def test_forming_is_a_runaway_that_ends_at_the_compliance(whole: Path) -> None:
    forming = sweeps(whole)[0]
    assert 4.0 < forming.volts.max() < 5.0
    assert forming.rise(1e-5, 0.98 * 2e-4) < 1e-6
    assert forming.amperes.max() < 2e-4 * (1.0 + 1e-3)
    assert forming.resistance() < 1e4


@pytest.mark.long
def test_five_cycles_close_on_themselves(whole: Path) -> None:
    """Nothing but the balance of breaking and healing keeps the number of vacancies."""
    _, *cycles = sweeps(whole)
    assert len(cycles) == 10
    off, on = (np.array([one.resistance() for one in cycles[k::2]]) for k in (0, 1))
    assert np.all(off > 2.5 * on)
    set_volts = np.array([one.volts.max() for one in cycles[1::2]])
    reset_volts = np.array([one.peak() for one in cycles[::2]])
    for values in (off, on, set_volts, reset_volts):
        later = values[1:]
        assert later.max() < 1.1 * later.min()


@pytest.mark.long
def test_set_is_abrupt_and_reset_gradual(whole: Path) -> None:
    """The last third of set's current comes within 20 mV; reset goes on to the largest voltage."""
    *_, reset, set_ = sweeps(whole)
    assert set_.rise(0.7 * 2e-4, 0.98 * 2e-4) < 2e-2
    assert set_.volts[-1] < 0.9 * set_.volts.max()
    peak, turn = int(np.argmax(np.abs(reset.amperes))), int(np.argmin(reset.volts))
    assert reset.time[turn] - reset.time[peak] > 0.3
    falls = np.abs(reset.amperes[peak:turn])
    assert np.abs(np.diff(falls)).max() < 0.1 * falls[0]


@pytest.mark.long
def test_compliance_sets_the_resistance_and_not_the_reset_voltage(
    whole: Path, tmp_path: Path
) -> None:
    """R I_CC is the same within 10 % over a factor of 2.5, the reset voltage within 25 %.

    In the second cycle: the first set starts from the filament of forming.
    """
    step = "protocol.1.repeat"
    high = run(tmp_path / "high", f"{step}.times=2", f"{step}.steps.set.compliance=500 uA")
    low, high = sweeps(whole)[1:], sweeps(high)[1:]
    products = [low[3].resistance() * 2e-4, high[3].resistance() * 5e-4]
    assert max(products) < 1.1 * min(products)
    resets = [low[2].peak(), high[2].peak()]
    assert max(resets) < 1.25 * min(resets)


@pytest.mark.long
def test_where_broken_bonds_are_worth_less_than_whole_ones_reset_runs_away(tmp_path: Path) -> None:
    """Heat alone breaks them then, without end."""
    down = "[{sweep: {contact: TE, points: [-0.8 V], rate: 1 V/s}}]"
    folder = run(
        tmp_path / "out",
        "content.oxide.V_O+.formula=1e-5 + 0.5/(1 + exp((r - (7e-9 - 0.4*z))/0.8e-9))",
        "contacts.TE.O-.chemical_potential.value=-0.3 eV",
        f"protocol={down}",
    )
    (reset,) = sweeps(folder)
    assert np.abs(reset.amperes).max() > 2e-3
