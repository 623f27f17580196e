"""The shipped cases, run as a user runs them: what they show, keep and write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import pyvista

from ionstack.cli import main
from ionstack.metrics import CycleConductance, cycle_conductance
from ionstack.output.counts import read_counts
from ionstack.output.names import density, site_fraction
from ionstack.output.trace import read_trace

CASES = Path(__file__).parents[2] / "cases"
ANALOG = CASES / "all_in_one" / "analog.yaml"
FIGURES_1D = {"iv.png", "conductance.png", "profiles.png"}
_PLAIN = ("output.figures=false", "instruments=auto")


def _run(case: Path, folder: Path, *settings: str) -> dict[str, object]:
    options = [part for setting in settings for part in ("--set", setting)]
    assert main(["run", str(case), "-o", str(folder), "--quiet", *options]) == 0
    return dict(json.loads((folder / "summary.json").read_text()))


@pytest.fixture(scope="module")
def analog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analog") / "out"
    _run(ANALOG, folder)
    return folder


def _summary(folder: Path) -> dict[str, float]:
    return dict(json.loads((folder / "summary.json").read_text()))


def _potentiates(cycles: CycleConductance) -> None:
    """Rows S0-01, S0-02: conductance rises while negative, falls while positive."""
    negative = cycles.conductance[cycles.amplitude < 0.0]
    positive = cycles.conductance[cycles.amplitude > 0.0]
    assert len(negative) > 1
    assert len(positive) > 1
    assert np.all(np.diff(negative) > 0.0), negative
    assert np.all(np.diff(positive) < 0.0), positive


def test_analog_conserves_lithium_and_current(analog: Path) -> None:
    summary = _summary(analog)
    assert summary["conservation.Li+"] < 1e-12
    assert summary["current_sum"] < 1e-9
    assert summary["equilibrium.spread.Li+ [V]"] < 1e-10
    assert summary["equilibrium.spread.e- [V]"] < 1e-10
    assert summary["equilibrium.current"] < 1e-12


def test_analog_potentiates_and_depresses(analog: Path) -> None:
    _potentiates(cycle_conductance(read_trace(analog / "trace.csv")))


def test_analog_still_switches_at_half_a_volt(tmp_path: Path) -> None:
    amplitudes = ("protocol.0.sweep.amplitude=-0.5 V", "protocol.1.sweep.amplitude=0.5 V")
    _run(ANALOG, tmp_path / "out", *amplitudes, *_PLAIN)
    _potentiates(cycle_conductance(read_trace(tmp_path / "out" / "trace.csv")))


def test_lipon_carries_most_of_the_resistance(analog: Path) -> None:
    """Row S0-41; the barrier at WO3 is LiPON's (closure of the case)."""
    summary = _summary(analog)
    for state in ("most negative bias", "most positive bias"):
        key = f"electron_energy_drop.{state}."
        drops = {
            name.removeprefix(key).removesuffix(" [eV]"): value
            for name, value in summary.items()
            if name.startswith(key)
        }
        lipon = drops["LiPON"] + drops["WO3/LiPON"]
        hosts = [drops["WO3"], drops["MoO3"]]
        assert abs(lipon) > 10.0 * max(map(abs, hosts))


def test_analog_writes_everything(analog: Path) -> None:
    assert {path.name for path in (analog / "figures").iterdir()} == FIGURES_1D
    for name in ("case.yaml", "trace.csv", "profiles.csv", "sources.csv", "log.txt"):
        assert (analog / name).stat().st_size > 0
    grid = pyvista.read(analog / "fields.vtkhdf")
    content = grid.point_data[site_fraction("Li+")]
    assert grid.n_points > grid.n_cells > 0
    assert np.all((content > 0.0) & (content < 1.0))
    assert np.all(grid.point_data[density("e-")] >= 0.0)


def test_a_second_run_of_another_case_is_refused(
    analog: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["run", str(ANALOG), "-o", str(analog), "--set", "temperature=320 K"])
    assert status == 2
    assert str(analog) in capsys.readouterr().err


def test_the_virtual_instrument_sees_lithium_come_and_go(analog: Path) -> None:
    found = {one.state: one for one in read_counts(analog / "sims" / "sims_profile.csv")}
    assert list(found) == ["start", "most negative bias", "most positive bias", "end"]
    there = np.array(found["start"].material)

    def seen(state: str, material: str) -> float:
        return float(found[state].expected["Li+"][there == material].sum())

    negative, positive = "most negative bias", "most positive bias"
    assert seen(negative, "WO3") > 1.2 * seen("start", "WO3") > 1.4 * seen(positive, "WO3")
    assert seen(negative, "MoO3") < 0.9 * seen("start", "MoO3") < 0.8 * seen(positive, "MoO3")
    whole = [one.expected["Li+"].sum() for one in found.values()]
    assert whole == pytest.approx(np.full(4, whole[0]), rel=1e-3)


@pytest.mark.parametrize(
    "dimension",
    [
        pytest.param("axisymmetric", marks=pytest.mark.long),
        pytest.param("2d", marks=pytest.mark.long),
        "3d",
    ],
)
def test_lithium_stays_laterally_homogeneous(dimension: str, tmp_path: Path) -> None:
    """Row S0-37."""
    summary = _run(
        ANALOG,
        tmp_path / "out",
        f"stack.dimension={dimension}",
        "stack.lateral.cells=4",
        "stack.grading.first_cell=0.4 nm",
        "stack.grading.growth=2",
        "protocol.0.sweep.cycles=1",
        "protocol.1.sweep.cycles=1",
        "numerics.max_step=1 s",
        "instruments=auto",
    )
    assert float(str(summary["lateral_spread.Li+"])) < 1e-9
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert FIGURES_1D | {"li_map.png"} <= figures


def test_organic_heterojunction_has_its_built_in_field(tmp_path: Path) -> None:
    """Row S1-01: the 0.4 eV offset; electrode work functions set the field at 0 V."""
    case = CASES / "organic_heterojunction" / "first_sweep.yaml"
    summary = _run(case, tmp_path / "out")
    assert float(str(summary["conservation.In+"])) < 1e-12
    assert float(str(summary["current_sum"])) < 1e-9
    grid = pyvista.read(tmp_path / "out" / "fields.vtkhdf")
    potential = grid.point_data["potential [V]"]
    assert np.ptp(potential) == pytest.approx(0.42, abs=1e-6)
    holes = grid.point_data[density("h+")]
    at_interface = np.isclose(grid.points[:, 0], 20e-9, atol=1e-15)
    step = np.log(holes[at_interface].max() / holes[at_interface].min())
    sites = np.log(2.9e27 / 9e26)
    assert (step - sites) * 0.025692579 == pytest.approx(0.4, abs=1e-6)


def test_a_numerical_failure_keeps_what_was_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    settings = ("numerics.min_step=0.1 s", "numerics.initial_step=1 s", "numerics.max_step=1 s")
    arguments = [part for setting in settings for part in ("--set", setting)]
    status = main(["run", str(ANALOG), "-o", str(out), "--quiet", *arguments])
    message = capsys.readouterr().err
    assert status == 3
    assert "Traceback" not in message
    assert "V" in message
    assert "at t = " in message
    assert _summary(out)["completed"] is False
    assert len(read_trace(out / "trace.csv")["time [s]"]) >= 1
