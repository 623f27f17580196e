"""Meshes that are not extruded: amounts of the linear elements, depths below the real surface."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.output.names import density
from ionstack.surface_analysis import sampled
from ionstack.surface_analysis.columns import Columns
from ionstack.surface_analysis.depth_profile import erosion
from ionstack.surface_analysis.films import Films
from ionstack.surface_analysis.raster import raster
from ionstack.surface_analysis.setup import Setup, load_setup
from ionstack.surface_analysis.specimen import Specimen, specimen_of
from ionstack.surface_analysis.subject import columns_of
from support.free_form import HandMade, film, integral

NM = 1e-9
EDGES = np.arange(0.0, 130.0, 0.5) * NM
FILMS = Films({"film": "HfO2"}, "Pt", "Al")


def bulge(place: np.ndarray) -> np.ndarray:
    """A surface that lies 30 nm deeper at one place."""
    return 30 * NM * np.exp(-(((place - 0.4e-6) / 0.3e-6) ** 2).sum(axis=1))


def amount(columns: Columns, values: np.ndarray) -> float:
    return float(columns.areas @ (columns.cut(EDGES).averages(values) @ np.diff(EDGES)))


def wavy(mesh: HandMade) -> np.ndarray:
    return 1.0 + np.sin(3e6 * mesh.points[:, 0]) * np.cos(2e7 * mesh.depth)


@pytest.mark.parametrize("axisymmetric", [False, True])
def test_amounts_are_those_of_the_elements(axisymmetric: bool) -> None:
    mesh = film(bulge, (1e-6, 120 * NM), 12, axisymmetric, uneven=0.3)
    values = wavy(mesh)
    assert amount(columns_of(mesh), values) == pytest.approx(integral(mesh, values), rel=1e-12)


def test_amounts_of_a_body_are_met_in_the_second_order(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = film(bulge, (1e-6, 1e-6, 120 * NM), 4, uneven=0.3)
    values = wavy(mesh)
    errors = []
    for least in (100, 1000):
        monkeypatch.setattr(sampled, "_IN_A_BODY", least)
        columns = columns_of(mesh)
        assert columns.areas.sum() == pytest.approx(1e-12)
        errors.append(abs(amount(columns, values) / integral(mesh, values) - 1.0))
    # Twelve times as many lines.
    assert errors[1] < 3e-4
    assert errors[1] < errors[0] / 8.0


def test_a_tilted_surface_spreads_an_interface() -> None:
    """Depth of the lower face below the surface is uniform between 60 and 100 nm."""
    mesh = film(lambda place: 0.04 * place[:, 0], (1e-6, 100 * NM), 7, uneven=0.3)
    specimen = specimen_of(columns_of(mesh), mesh, 0, FILMS, setup("specimen.bottom='50 nm'"))
    # A metal below a plane face, whose own lower face is plane too.
    assert specimen.boundaries == (("HfO2", 0.0), ("Al", pytest.approx(80 * NM)))
    exact = np.clip((np.cumsum(np.diff(EDGES)) - 60.25 * NM) / (40 * NM), 0.0, 1.0)
    found = mean_share(specimen, "Al")[: len(exact)]
    # Columns are steps on the way, half of them seen too early.
    largest = (specimen.columns.areas / specimen.columns.areas.sum()).max()
    assert found == pytest.approx(exact, abs=largest)
    assert np.cumsum(found)[-1] == pytest.approx(np.cumsum(exact)[-1], rel=1e-3)
    mixed = (specimen.shares["Al"] > 1e-9) & (specimen.shares["Al"] < 1.0 - 1e-9)
    assert mixed.sum(axis=1).max() <= 1


def test_an_electrode_fills_what_lies_above_a_sphere() -> None:
    """Half a ball of 30 nm of the electrode in a disc of 60 nm, its outer face plane or bare."""
    radius, width, thickness = 30 * NM, 60 * NM, 100 * NM

    def ball(place: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(radius**2 - place[:, 0] ** 2, 0.0))

    mesh = film(ball, (width, thickness), 48, axisymmetric=True)
    columns = columns_of(mesh)
    covered = specimen_of(columns, mesh, 0, FILMS, setup("specimen.top='20 nm'"))
    metal = mean_share(covered, "Pt")
    depth = 0.5 * (covered.edges[:-1] + covered.edges[1:])
    inside = np.clip(radius**2 - np.maximum(depth - 20 * NM, 0.0) ** 2, 0.0, None) / width**2
    exact = np.where(depth < 20 * NM, 1.0, inside)
    assert metal == pytest.approx(exact, abs=0.02)
    volume = columns.areas.sum() * 20 * NM + 2.0 / 3.0 * np.pi * radius**3
    assert metal.sum() * 0.5 * NM * columns.areas.sum() == pytest.approx(volume, rel=2e-3)
    # Bare, the film ends as much earlier as the ball is high.
    bare = specimen_of(columns, mesh, 0, FILMS, setup("specimen.bottom='80 nm'"))
    height = thickness - (0.5 * (bare.edges[:-1] + bare.edges[1:]))
    passed = np.clip(radius**2 - np.clip(height, 0.0, None) ** 2, 0.0, None) / width**2
    exact = np.where(height < 0.0, 1.0, np.where(height < radius, passed, 0.0))
    assert mean_share(bare, "Al") == pytest.approx(exact, abs=0.02)


def test_places_are_sputtered_at_rates_of_their_own() -> None:
    """Metal goes four times as fast as the film: below it the substrate comes earlier."""
    mesh = film(lambda place: np.where(place[:, 0] < 0.5e-6, 40 * NM, 0.0), (1e-6, 100 * NM), 2)
    given = setup(
        "specimen.top='20 nm'",
        "specimen.bottom='60 nm'",
        "sputter={rate: 1 nm/s, cycle: 1 s, transition: 0 nm}",
        "materials.Pt.relative_rate=4",
        "materials.HfO2.relative_rate=1",
        "materials.Al.relative_rate=2",
    )
    columns = columns_of(mesh)
    specimen = specimen_of(columns, mesh, 0, FILMS, given)
    worn = erosion(specimen, given)
    # Depth by place: metal to 60 nm at least where the film is thin, film from there.
    cover = 20 * NM + columns.begin
    exact = cover / (4e-9) + (120 * NM - cover) / 1e-9
    assert worn.time(np.array([120 * NM]))[:, 0] == pytest.approx(exact, rel=1e-9)
    at = exact.min()
    assert worn.depth(np.array([at])).max() == pytest.approx(120 * NM)
    # Hafnium is counted once, whichever way the time is cut into analyses.
    values = specimen.atoms["Hf"]
    whole = worn.means(values, np.array([0.0, worn.times.max()]))[:, 0] * worn.times.max()
    frames = np.linspace(0.0, worn.times.max(), 17)
    parts = worn.means(values, frames) @ np.diff(frames)
    assert parts == pytest.approx(whole, rel=1e-9)
    # Voxels are as deep as what goes there: one frame of each column is one depth cell.
    cells = worn.means(values, worn.times)
    assert cells == pytest.approx(values, rel=1e-6, abs=1e18)


def test_a_swollen_dome_keeps_its_atoms() -> None:
    """A film that grows by a tenth and lifts its surface: less dense, as many atoms."""
    mesh = film(bulge, (1e-6, 120 * NM), 9, axisymmetric=True, uneven=0.2)
    lithium = 1e28 * wavy(mesh)
    mesh.arrays[density("Li+")] = lithium
    columns = columns_of(mesh)
    up = 0.1 * (120 * NM - mesh.depth) + 0.005 * mesh.points[:, 0]
    swollen = columns.moved(-up, np.zeros(len(up)))
    assert swollen.thickness == pytest.approx(1.1 * columns.thickness, rel=1e-9)
    before, after = (specimen_of(one, mesh, 0, FILMS, setup()) for one in (columns, swollen))
    cells = len(after.edges) - 1
    assert after.bottom == pytest.approx(1.1 * before.bottom)
    totals = [
        one.columns.mean(one.columns.cut(one.edges).averages(lithium)) @ np.diff(one.edges)
        for one in (before, after)
    ]
    assert totals[1] == pytest.approx(totals[0], rel=1e-12)
    top = cells // 4
    hafnium = [one.atoms["Hf"][..., top] for one in (before, after)]
    assert hafnium[1] == pytest.approx(hafnium[0] / 1.1)
    assert mean_share(after, "HfO2") == pytest.approx(np.ones(cells))


def test_an_image_of_lines_is_full_from_the_axis_to_the_rim() -> None:
    mesh = film(bulge, (1e-6, 120 * NM), 6, axisymmetric=True, uneven=0.3)
    columns = columns_of(mesh)
    image = raster(columns, (2e-6, 2e-6), 25)
    assert image.weights.sum() == pytest.approx(np.pi * 1e-12, rel=1e-9)
    assert image.coverage[12] == pytest.approx(np.ones(25), abs=0.1)


def mean_share(specimen: Specimen, material: str) -> np.ndarray:
    share = specimen.shares[material]
    return share if share.ndim == 1 else specimen.columns.mean(share)


def setup(*settings: str) -> Setup:
    plain = ("specimen.top='0 nm'", "specimen.bottom='0 nm'")
    return load_setup("tof_sims_c60", [*plain, *settings])
