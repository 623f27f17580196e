"""Numbers that differ from member to member of an ensemble."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import kstest

from ionstack.campaigns.campaign_plan import plan_ensemble
from ionstack.casefile.case import load_case
from ionstack.casefile.ensemble_scatter import ScatteredNumber
from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.campaign import CampaignDirectory
from ionstack.randomness.site_scatter import Scatter
from support.launch import ROOT

CASE = ROOT / "cases" / "filament" / "volatility.yaml"
KEY = "circuit.elements.F1.resistivity"
LENGTH = "circuit.elements.F1.length"


def ensemble(scatter: str, size: int = 3) -> str:
    return f"ensemble={{size: {size}, seed: 11, scatter: {{{scatter}}}}}"


BOTH = ensemble(
    f"{KEY}: {{kind: lognormal, deviation: 0.2}}, {LENGTH}: {{kind: normal, deviation: 0.5 nm}}"
)


def test_members_are_drawn_from_the_distribution():
    normal = ScatteredNumber(KEY, 1.6, "V", Scatter("normal", 0.05))
    factor = ScatteredNumber(KEY, 1.6, "V", Scatter("lognormal", 0.3))
    seeds = range(7, 2007)
    assert kstest([(normal.drawn(n) - 1.6) / 0.05 for n in seeds], "norm").pvalue > 0.01
    assert kstest([np.log(factor.drawn(n) / 1.6) / 0.3 for n in seeds], "norm").pvalue > 0.01


def test_a_number_depends_on_its_key_and_the_seed_alone():
    members = [point.case for point in plan_ensemble(load_case(CASE, [BOTH])).points]
    alone = ensemble(f"{LENGTH}: {{deviation: 0.5 nm}}")
    others = [point.case for point in plan_ensemble(load_case(CASE, [alone])).points]
    lengths = [one.circuit.elements[1].parameters["length"] for one in members]
    assert lengths == [one.circuit.elements[1].parameters["length"] for one in others]
    assert len(set(lengths)) == 3
    assert [one.drawn[f"scatter.{LENGTH} [nm]"] * 1e-9 for one in members] == pytest.approx(lengths)
    # The input of a member is that member, with its numbers.
    again = load_case(CASE, members[1].overrides)
    assert again.circuit == members[1].circuit
    assert again.resolved() == members[1].resolved()


def test_the_table_of_an_ensemble_holds_the_drawn_numbers(tmp_path: Path):
    options = [BOTH, "output.figures=false", "protocol.1.until.conductance.below=10 uS"]
    words = [part for one in options for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(tmp_path / "out"), "--quiet", *words]) == 0
    folder = CampaignDirectory(tmp_path / "out")
    with folder.table.open() as file:
        rows = list(csv.DictReader(file))
    column = f"scatter.{KEY} [ohm*m]"
    drawn = [float(row[column]) for row in rows]
    for row, value in zip(rows, drawn, strict=True):
        run = folder.run(row["point"])
        assert json.loads(run.summary.read_text())[column] == value
        elements = yaml.safe_load(run.case.read_text())["circuit"]["elements"]
        assert elements[1]["parameters"]["resistivity"] == pytest.approx(value)
    # Thicker filaments are those of a higher resistivity; they stay longer.
    stay = [float(row["duration.retention [s]"]) for row in rows]
    assert np.argsort(drawn).tolist() == np.argsort(stay).tolist()
    with (folder.path / "distributions.csv").open() as file:
        assert column in {row["quantity"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("scatter", "message"),
    [
        (
            "circuit.elements.F2.length: {deviation: 1 nm}",
            "there is no 'F2' in circuit.elements; there: F1 (did you mean 'F1'?)",
        ),
        (f"{LENGTH}: {{deviation: 1 s}}", "'1 s'"),
        (f"{LENGTH}: {{kind: lognormal, deviation: 1 nm}}", "'1 nm'"),
        (f"{LENGTH}: {{deviation: -1 nm}}", "must be greater than 0, found '-1 nm'"),
        ("circuit.elements.F1: {deviation: 1 nm}", "is not a number; name the key of a number"),
        (f"{LENGTH}: {{kind: even, deviation: 1 nm}}", "ensemble.scatter."),
    ],
)
def test_mistakes(scatter: str, message: str):
    with pytest.raises(InputError) as caught:
        load_case(CASE, [ensemble(scatter)])
    assert message in str(caught.value)
    assert "ensemble.scatter." in str(caught.value)
