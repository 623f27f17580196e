"""What the beams do to a specimen, against closed forms; nothing is lost by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ionstack.surface_analysis.analysis import analysis_of
from ionstack.surface_analysis.artefacts import migrated, origin, zones
from ionstack.surface_analysis.resolution import Resolution
from ionstack.surface_analysis.setup import load_setup
from ionstack.surface_analysis.subject import subject_of

NM = 1e-9
EDGES = np.arange(0.0, 120.05, 0.1) * NM
MIDDLES = 0.5 * (EDGES[:-1] + EDGES[1:])
TOP, BOTTOM = 20.03 * NM, 90.07 * NM


def between(top: float, bottom: float) -> np.ndarray:
    return (top < MIDDLES) & (bottom > MIDDLES)


@pytest.mark.parametrize("drift", [-0.7, 0.4, 0.95, 1.0, 3.0])
def test_ions_that_are_driven_are_all_found(drift: float) -> None:
    values = np.random.default_rng(2).random((3, len(MIDDLES)))
    found = migrated(values, EDGES, (TOP, BOTTOM), drift, 8 * NM)
    assert found.sum(axis=-1) == pytest.approx(values.sum(axis=-1), rel=1e-13)
    assert found.min() >= 0.0
    outside = ~between(TOP - 0.1 * NM, BOTTOM + 0.1 * NM)
    assert found[:, outside] == pytest.approx(values[:, outside], rel=1e-9)


def test_a_uniform_zone_is_thinned_at_its_top() -> None:
    """1 - r at the top, as it was further down than the field reaches, the rest at the bottom."""
    drift, reach = 0.4, 8 * NM
    found = migrated(np.ones(len(MIDDLES)), EDGES, (TOP, BOTTOM), drift, reach)
    raised = (1.0 - drift) * np.exp((MIDDLES - TOP) / reach)
    inside = between(TOP + 0.1 * NM, BOTTOM - 0.2 * NM)
    assert found[inside] == pytest.approx((raised / (drift + raised))[inside], rel=1e-4)
    late = -reach * np.log(1.0 - drift)
    assert (found.sum() - found[MIDDLES < 90 * NM].sum()) * 0.1 == pytest.approx(
        30.0 + late / NM, rel=2e-3
    )


def test_an_ion_is_found_where_its_path_meets_the_front() -> None:
    """Against the path itself, in small steps of the front."""
    drift, reach, depth, front = 0.6, 5.0, 7.0, 0.0
    step = 1e-4
    while depth > front:
        depth += step * drift * np.exp(-(depth - front) / reach)
        front += step
    assert origin(np.array(front), drift, reach) == pytest.approx(7.0, abs=1e-3)


def test_from_a_drift_as_fast_as_the_front_on_all_ions_are_swept_to_the_end() -> None:
    found = migrated(np.ones(len(MIDDLES)), EDGES, (TOP, BOTTOM), 1.0, 8 * NM)
    inside = between(TOP + 0.1 * NM, BOTTOM - 0.1 * NM)
    assert found[inside] == pytest.approx(np.zeros(int(inside.sum())), abs=1e-12)


def test_zones_join_neighbours() -> None:
    boundaries = (("Pt", 0.0), ("A", 1.0), ("B", 2.0), ("C", 4.0), ("A", 5.0))
    assert list(zones(boundaries, ["A", "B"], 9.0)) == [(1.0, 4.0), (5.0, 9.0)]
    assert list(zones(boundaries, ["Pt"], 9.0)) == [(0.0, 1.0)]


@pytest.mark.parametrize("removal", [0.5, 1.0, 2.0])
def test_what_leaves_more_easily_does_so_at_first_only(removal: float) -> None:
    """The flux of a uniform solid is c [1 + (p - 1) exp(-p z / w)], in the end stoichiometric."""
    mixing = 2 * NM
    edges = np.arange(0.0, 40.01, 0.02) * NM
    matrix = Resolution(mixing=mixing, removal=removal).response(edges)
    middles = 0.5 * (edges[:-1] + edges[1:])
    exact = 1.0 + (removal - 1.0) * np.exp(-removal * middles / mixing)
    seen = matrix.sum(axis=1)
    assert seen[:-101] == pytest.approx(exact[:-101], rel=2e-4)
    # Atoms that lie in the zone from the start are seen as all others are.
    assert matrix[:, :500].sum(axis=0) == pytest.approx(np.ones(500), abs=1e-3)


def test_both_are_options_of_a_setup_and_can_be_switched_off(disc: Path) -> None:
    migration = "{atoms: [Li], within: [LiPON], drift: 0.5, reach: 10 nm, source: assumed}"
    preferential = "{removal: {O: 2}, source: assumed}"
    quiet = ["sputter.cycle='20 s'", "counting.background=0"]
    options = [f"artefacts={{migration: {migration}, preferential: {preferential}}}"]
    subject = subject_of(disc, ["start"])

    def expected(*off: str, given: tuple[str, ...] = tuple(options)) -> dict[str, np.ndarray]:
        setup = load_setup("tof_sims_c60", [*quiet, *given])
        return dict(analysis_of(subject, subject.states[0], setup, off).profile().expected)  # type: ignore[arg-type]

    both, plain = expected(), expected(given=())
    neither = expected("migration", "preferential")
    for name, values in plain.items():
        assert neither[name] == pytest.approx(values, rel=1e-12)
    assert both["Li+"].sum() == pytest.approx(plain["Li+"].sum(), rel=2e-3)
    assert np.abs(both["Li+"] - plain["Li+"]).max() > 0.1 * plain["Li+"].max()
    assert np.abs(both["O-"] - plain["O-"]).max() > 0.02 * plain["O-"].max()
