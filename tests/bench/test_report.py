"""Rows of the benchmark: alternation, peers that are missing, JSON and table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ionstack import bench
from ionstack.benchmarks import rows, sweeps, table
from ionstack.benchmarks.measure import Peer, Quantity, Row, Run, deviation, measure
from ionstack.errors import InputError

KEYS = {
    "name",
    "value",
    "unit",
    "spread",
    "peer",
    "peer_value",
    "peer_spread",
    "ratio",
    "target",
    "target_of",
    "met",
    "deviation",
}


def row(peer: Peer, log: list[str]) -> Row:
    def work() -> Run:
        log.append("own")
        return Run({"seconds": 0.2, "inside": 0.4}, {"1": 1.0, "2": 2.0})

    quantities = (
        Quantity("time", "seconds", "ms", 0.25, peer.name, scale=1e3),
        Quantity("inside", "seconds", "s", 1.0, "same run", "inside"),
        Quantity("bound", "seconds", "s", 0.1),
    )
    return Row("sample", lambda quick: work, quantities, (peer,))


class Fake(Peer):
    def run(self) -> Run:
        LOG.append("peer")
        return Run({"seconds": 1.0}, {"1": 1.0, "2": 2.002, "3": 1.0})


LOG: list[str] = []


def test_codes_run_in_turn_and_medians_are_judged() -> None:
    LOG.clear()
    time, inside, bound = measure(row(Fake("other", "none"), LOG), 3, peers=True)
    assert ["own", *["own", "peer"] * 3] == LOG
    assert (time.value, time.peer_value, time.ratio, time.met) == (200.0, 1000.0, 0.2, True)
    assert time.deviation == pytest.approx(0.002 / 2.002)
    assert (inside.ratio, inside.met, inside.target_of) == (0.5, True, "ratio")
    assert (bound.ratio, bound.met, bound.target_of) == (None, False, "value")


def test_a_missing_peer_is_null(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setenv("IONSTACK_HOME", str(tmp_path))
    time, *_ = measure(row(Peer("DEVSIM", "devsim_diode"), []), 2, peers=True)
    assert time.value == 200.0
    assert (time.peer_value, time.ratio, time.met, time.deviation) == (None, None, None, None)
    assert "not installed" in capsys.readouterr().err


def test_another_code_is_held_against_exact_values(monkeypatch: pytest.MonkeyPatch) -> None:
    fluxes = {f"{time:g}": 1.1 * flux for time, flux in sweeps.FLUXES.items()}
    report = {"seconds_total": 1.0, "peak_mb": 1.0, "newton_steps": None}
    found = report | {"values": {"flux_right": fluxes}}
    monkeypatch.setattr("ionstack.benchmarks.measure.run_peer", lambda *arguments: found)
    (peer,) = rows.ROWS["solubility-2d"].peers
    assert peer.run().numbers["error"] == pytest.approx(0.1)


def test_values_that_are_tiny_are_not_compared() -> None:
    assert deviation({"0": 1e-9, "1": 1.0}, {"0": 2e-9, "1": 1.0}) == 0.0
    assert deviation({}, {"1": 1.0}) is None


def test_the_file_and_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.json"
    assert bench.main(["sweep-3-layers", "--quick", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    assert set(report) == {"machine", "versions", "results"}
    assert all(set(one) == KEYS for one in report["results"])
    assert "sweep-3-layers/time" in capsys.readouterr().out
    document = tmp_path / "page.md"
    document.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    for _ in range(2):
        table.main([str(path), str(document)])
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert text.count("sweep-3-layers/time") == 1
    assert "old" not in text


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'diode-1d'"):
        bench.main(["diode-1"])


SMALL = (
    "pnp-step",
    "diode-2d-20k",
    "pnp-2d",
    "diode-3d-50k",
    "diode-3d-300k",
    "solubility-2d",
    "impedance-1d",
    "voxels-2d",
    "voxels-3d",
)


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL)
def test_small_sizes_run(name: str) -> None:
    results = measure(rows.ROWS[name], 1, peers=False, quick=True)
    assert all(one.value and one.value > 0.0 for one in results)
