"""Analyses that the record of a run asks for: done anew from its files, or told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ionstack.surface_analysis.order import Order, PlannedAnalysis
from ionstack.surface_analysis.planned import run_planned
from ionstack.surface_analysis.setup import Setup


def recorded(disc: Path, *orders: PlannedAnalysis) -> None:
    record = {"analyses": [one.record() for one in orders]}
    with (disc / "case.yaml").open("a") as file:
        yaml.safe_dump(record, file, allow_unicode=True)


def test_the_record_is_enough_to_do_it_again(disc: Path, small: Setup) -> None:
    orders = [Order(("start",), ("Li+",)), Order(("start",), folder="sims/all", maps=True)]
    recorded(disc, *(PlannedAnalysis(small, one) for one in orders))
    done = run_planned(disc, figures=False)
    assert [str(path.relative_to(disc)) for path in done.paths] == [
        "sims/sims_profile.csv",
        "sims/all/sims_profile.csv",
        "sims/all/sims_map_start.vti",
    ]
    header = (disc / "sims/sims_profile.csv").read_text().splitlines()[0]
    assert header.count("expected") == 1
    before = done.paths[1].read_text()
    assert run_planned(disc, figures=False).paths[1].read_text() == before


def test_a_measured_table_is_kept_for_the_next_time(disc: Path, small: Setup) -> None:
    table = disc.parent / "ours.csv"
    table.write_text("depth [nm],Li+\n" + "".join(f"{k},{20 + k}\n" for k in range(10, 90)))
    wanted = PlannedAnalysis(small, Order(("start",), measured=table))
    recorded(disc, wanted)
    assert disc / "sims/sims_misfit.csv" in run_planned(disc, [wanted], figures=False).paths
    table.unlink()
    again = run_planned(disc, figures=False)
    assert disc / "sims/sims_misfit.csv" in again.paths
    assert (disc / "sims/sims_measured.csv").exists()


def test_what_cannot_be_done_is_a_line_and_the_others_go_on(disc: Path, small: Setup) -> None:
    orders = [Order(("rest",)), Order(signals=("HfO2-",)), Order(("start",), ("Li+",))]
    done = run_planned(disc, [PlannedAnalysis(small, one) for one in orders], figures=False)
    assert "unknown state 'rest'" in done.lines[0]
    assert "nothing to count of 'HfO2-'" in done.lines[1]
    assert done.lines[2] == "analysis tof_sims: 1 file in sims"


@pytest.mark.parametrize("record", ["3", "[3]", "[{setup: 3}]", "[{states: []}]"])
def test_a_damaged_record_is_named(disc: Path, record: str) -> None:
    with (disc / "case.yaml").open("a") as file:
        file.write(f"analyses: {record}\n")
    (line,) = run_planned(disc).lines
    assert line.startswith(f"no analyses: {disc}/case.yaml:")
