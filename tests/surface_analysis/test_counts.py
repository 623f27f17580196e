"""What is counted of a run: amounts, statistics, stages, files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from ionstack.output.counts import read_counts, write_counts
from ionstack.output.field_reader import read_fields
from ionstack.output.names import density
from ionstack.output.voxels import read_voxels, write_voxels
from ionstack.surface_analysis.analysis import analysis_of
from ionstack.surface_analysis.counting import counted
from ionstack.surface_analysis.setup import Setup, load_setup
from ionstack.surface_analysis.subject import columns_of, subject_of

QUIET = "counting.background=0"


def test_counts_scatter_as_poisson_says() -> None:
    expected = np.linspace(20.0, 200.0, 4000)
    counts = counted(expected, 5, "a test")
    deviance = ((counts - expected) ** 2 / expected).sum()
    assert chi2.cdf(deviance, 4000) == pytest.approx(0.5, abs=0.49)
    assert counts == pytest.approx(counted(expected, 5, "a test"))
    assert np.any(counts != counted(expected, 6, "a test"))
    assert np.any(counts != counted(expected, 5, "another test"))


def test_dose_is_conserved(disc: Path) -> None:
    """One rate for all: counts over the whole time are those of all atoms of the films."""
    setup = load_setup("tof_sims_c60", [QUIET, "sputter.cycle='10 s'"])
    subject = subject_of(disc, ["most negative"])
    profile = analysis_of(subject, subject.states[0], setup, ["rates", "matrix"]).profile()
    fields = read_fields(disc / "fields.vtkhdf")
    found = columns_of(fields)
    edges = np.array([0.0, 300e-9])
    lithium = found.cut(edges).averages(fields.values(density("Li+"), 1))[:, 0] * 300e-9
    mobile = (lithium * found.areas).sum() / found.areas.sum()
    host = setup.given.materials["LiPON"].atoms["Li"] * 120e-9
    per_analysis = setup.rate("Pt") * setup.given.sputter.cycle
    exact = setup.given.counting.counts / 1e28 * 10.0 * (mobile + host) / per_analysis
    assert profile.expected["Li+"].sum() == pytest.approx(exact, rel=1e-6)


def test_voxels_hold_what_the_profile_counts(disc: Path, small: Setup) -> None:
    subject = subject_of(disc, ["start"])
    analysis = analysis_of(subject, subject.states[0], small)
    grid, found = analysis.voxels()
    arrays = dict(found)
    profile = analysis.profile()
    assert grid.size[2] * 12 == pytest.approx(360e-9)
    for signal in profile.expected:
        voxels = arrays[f"{signal} expected [counts]"].sum(dtype=np.float64)
        # The profile ends with a whole analysis.
        assert voxels == pytest.approx(profile.expected[signal].sum(), rel=1.5e-2, abs=5.0)
        whole = arrays[f"{signal} [counts]"].sum(dtype=np.float64)
        assert abs(whole - voxels) < 5.0 * np.sqrt(voxels)


def test_a_wide_beam_keeps_counts_and_washes_out_the_rim(disc: Path, small: Setup) -> None:
    subject = subject_of(disc, ["start"])
    sharp = dict(analysis_of(subject, subject.states[0], small, ["beam"]).voxels()[1])
    wide = dict(analysis_of(subject, subject.states[0], small).voxels()[1])
    name = "Li+ expected [counts]"
    assert wide[name].sum() == pytest.approx(sharp[name].sum(), rel=1e-5)
    assert sharp[name][0, 0].sum() < wide[name][0, 2].sum() < sharp[name][10, 10].sum()


def test_voxels_are_read_back_where_they_lie(disc: Path, small: Setup, tmp_path: Path) -> None:
    subject = subject_of(disc, ["start"])
    grid, found = analysis_of(subject, subject.states[0], small).voxels()
    arrays = dict(found)
    image = read_voxels(write_voxels(tmp_path / "map.vti", grid, arrays.items()))
    assert image.bounds == pytest.approx((-1e-4, 1e-4, -1e-4, 1e-4, -360e-9, 0.0))
    platinum = image.cell_data["Pt- expected [counts]"].reshape(12, 20, 20)
    # The top electrode lies on top: in the last sheet, as z points up.
    assert platinum[-1, 10, 10] > 100.0 * platinum[0, 10, 10]
    assert platinum[::-1].transpose(1, 2, 0) == pytest.approx(arrays["Pt- expected [counts]"])


def test_a_table_is_read_back(disc: Path, small: Setup, tmp_path: Path) -> None:
    subject = subject_of(disc)
    profiles = [analysis_of(subject, state, small).profile() for state in subject.states]
    again = read_counts(write_counts(tmp_path / "counts.csv", profiles))
    assert [one.state for one in again] == ["start", "most negative", "most positive"]
    for before, after in zip(profiles, again, strict=True):
        assert after.material == before.material
        assert after.depth == pytest.approx(before.depth)
        assert after.counts["Li+"] == pytest.approx(before.counts["Li+"])
        assert after.expected["O-"] == pytest.approx(before.expected["O-"], rel=1e-9)


def test_each_stage_can_be_switched_off(disc: Path) -> None:
    setup = load_setup("tof_sims_c60", ["signals.Li+.matrix={LiPON: 3}", "sputter.cycle='40 s'"])
    subject = subject_of(disc, ["start"])

    def counts(*off: str) -> np.ndarray:
        analysis = analysis_of(subject, subject.states[0], setup, off)  # type: ignore[arg-type]
        return analysis.profile().expected["Li+"]

    full = counts()
    for stage in ("rates", "resolution", "matrix"):
        without = counts(stage)
        assert len(without) != len(full) or not np.allclose(without, full, rtol=1e-3)
    sharp = counts("rates", "resolution", "matrix")
    # Every analysis sees one material or, at an interface, two.
    assert len(np.unique(np.round(sharp[20:60], 3))) > 1


def test_a_state_of_any_time_can_be_asked_for(disc: Path, small: Setup) -> None:
    subject = subject_of(disc, ["14.2"])
    assert subject.states == (("t = 15 s", 2),)
    counts = analysis_of(subject, subject.states[0], small).profile()
    assert counts.state == "t = 15 s"
    assert replace(counts, state="x").state == "x"
