"""Ensembles: members that differ in their seeds, and the distributions of their numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ionstack.campaigns.campaign_plan import plan_ensemble
from ionstack.campaigns.distributions import is_ensemble, samples, write_distributions
from ionstack.casefile.case import load_case
from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.metrics.statistics import fit_weibull, spread
from ionstack.output.campaign import CampaignDirectory
from support.devices import ANALOG
from support.launch import ROOT

CASE = ROOT / "cases" / "filament" / "threshold.yaml"
SHORT = (
    "ensemble={size: 3, seed: 11}",
    "protocol.0.sweep.cycles=1",
    "protocol.0.sweep.points=[0.8 V]",
    "output.figures=false",
)
THRESHOLD = "iv.positive.threshold.slope [V]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> CampaignDirectory:
    path = tmp_path_factory.mktemp("ensemble") / "out"
    options = [part for one in SHORT for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(path), "--quiet", *options]) == 0
    return CampaignDirectory(path)


def test_members_have_seeds_of_their_own(folder):
    names = sorted(one.name for one in (folder.path / "points").iterdir())
    assert names == ["01-seed_11", "02-seed_12", "03-seed_13"]
    entries = [json.loads((folder.run(one).summary).read_text()) for one in names]
    assert [one["seed"] for one in entries] == [11, 12, 13]
    assert len({one[THRESHOLD] for one in entries}) == 3
    # The input of a member is that member, not an ensemble.
    assert "# --set ensemble=null" in folder.run(names[0]).input.read_text()


def test_distributions_are_those_of_the_members(folder):
    with (folder.path / "distributions.csv").open() as file:
        rows = {row["quantity"]: row for row in csv.DictReader(file)}
    values = [
        json.loads(folder.run(one.name).summary.read_text())[THRESHOLD]
        for one in sorted((folder.path / "points").iterdir())
    ]
    expected = spread(values)
    assert float(rows[THRESHOLD]["mean"]) == pytest.approx(expected.mean, rel=1e-12)
    assert float(rows[THRESHOLD]["variation"]) == pytest.approx(expected.variation, rel=1e-12)
    assert float(rows[THRESHOLD]["weibull.shape"]) == pytest.approx(fit_weibull(values).shape)
    assert not {name for name in rows if name.startswith(("timing", "steps", "seed"))}
    assert (folder.path / "distributions.png").read_bytes().startswith(b"\x89PNG")


def test_a_member_is_the_run_with_its_seed(folder, tmp_path):
    settings = [*SHORT[1:], "ensemble=null", "seed=12"]
    options = [part for one in settings for part in ("--set", one)]
    assert main(["run", str(CASE), "-o", str(tmp_path / "one"), "--quiet", *options]) == 0
    alone = json.loads((tmp_path / "one" / "summary.json").read_text())
    member = json.loads(folder.run("02-seed_12").summary.read_text())
    assert alone[THRESHOLD] == member[THRESHOLD]


def test_only_seeds_make_an_ensemble(folder):
    assert is_ensemble(folder)
    plan = plan_ensemble(load_case(CASE, SHORT))
    assert [point.values for point in plan.points] == [{"seed": str(k)} for k in (11, 12, 13)]


def test_what_does_not_differ_or_failed_does_not_count(tmp_path: Path):
    made = CampaignDirectory(tmp_path)
    made.table.write_text(
        "point,seed,status,message,steps.accepted,iv.threshold [V],iv.threshold.count,window,hold\n"
        "01,1,completed,,100,-0.4,1,5,0.3\n02,2,completed,,120,-0.5,1,5,0.3000000000001\n"
        "03,3,failed,no,7,-9,1,6,7\n"
    )
    (found,) = samples(made)
    assert found.name == "iv.threshold [V]"
    assert np.array_equal(found.values, [-0.4, -0.5])
    text = write_distributions(made).read_text().splitlines()
    assert text[1].startswith("iv.threshold [V],2,-0.45,")


def test_an_ensemble_without_chance_is_refused():
    with pytest.raises(InputError, match=r"ensemble: nothing in this case is random.*filament"):
        load_case(ANALOG, ["ensemble={size: 3}"])
