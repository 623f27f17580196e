"""Images hold all that the columns hold: turned, drawn out, or as they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from ionstack.errors import InputError
from ionstack.output.field_reader import read_fields
from ionstack.output.names import density
from ionstack.surface_analysis.analysis import analysis_of
from ionstack.surface_analysis.columns import Columns, Pieces
from ionstack.surface_analysis.extruded import column_areas
from ionstack.surface_analysis.raster import raster
from ionstack.surface_analysis.setup import Setup, load_setup
from ionstack.surface_analysis.setup_schema import Mirror
from ionstack.surface_analysis.subject import columns_of, subject_of
from support import synthetic
from support.free_form import integral

UM = 1e-6
STACK = Path(__file__).with_name("stack.yaml").read_text()


def columns(arrangement: str, places: np.ndarray, areas: np.ndarray) -> Columns:
    nothing = Pieces(*8 * [np.zeros(0, dtype=np.int64)])
    bounds = np.stack([places.min(axis=0), places.max(axis=0)])
    return Columns(arrangement, places, areas, bounds, nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [16, 33])
def test_what_turns_around_an_axis_keeps_its_amount(count: int) -> None:
    radii = np.concatenate([[0.0, 1e-3, 2e-3], np.linspace(0.1, 50.0, 40)]) * UM
    places = np.column_stack([radii, np.zeros_like(radii)])
    areas = np.pi * np.gradient(radii**2)
    around = columns("axis", places, areas)
    content = np.exp(-((radii / (20 * UM)) ** 2))[:, None]
    image = raster(around, (100 * UM, 100 * UM), count).image(content)[:, :, 0]
    assert image.sum() == pytest.approx((areas * content[:, 0]).sum(), rel=1e-12)
    assert image == pytest.approx(image[::-1], rel=1e-9)
    assert image == pytest.approx(image.T, rel=1e-9)


def test_a_gaussian_around_an_axis_is_found_at_every_pixel() -> None:
    radii = np.linspace(0.0, 50.0, 201) * UM
    places = np.column_stack([radii, np.zeros_like(radii)])
    inner, outer = np.maximum(radii - 0.125 * UM, 0.0), np.minimum(radii + 0.125 * UM, 50 * UM)
    around = columns("axis", places, np.pi * (outer**2 - inner**2))
    seen = raster(around, (100 * UM, 100 * UM), 40)
    content = np.exp(-((radii / (20 * UM)) ** 2))[:, None]
    x = (np.arange(40) + 0.5) * 2.5 * UM - 50 * UM
    r2 = x[:, None] ** 2 + x[None, :] ** 2
    inside = r2 < (45 * UM) ** 2
    found = seen.image(content)[:, :, 0] / seen.pixels.size**2
    assert found[inside] == pytest.approx(np.exp(-r2[inside] / (20 * UM) ** 2), abs=5e-3)


@pytest.mark.parametrize("deviation", [0.3, 2.5])
def test_a_beam_spreads_an_image_as_a_gaussian(deviation: float) -> None:
    """Narrow and wide beams are computed in different ways, and both as pixels are filtered."""
    x = np.linspace(0.0, 8.0, 9) * UM
    places = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    body = raster(columns("body", places, np.full(81, UM**2)), (8 * UM, 8 * UM), 16)
    content = np.random.default_rng(1).random((81, 2))
    width = deviation * UM / body.pixels.size
    expected = body.image(content)
    for axis in (0, 1):
        expected = gaussian_filter1d(expected, width, axis=axis, mode="reflect")
    seen = body.blurred(deviation * UM).image(content)
    assert seen == pytest.approx(expected, rel=1e-9)
    assert seen.sum() == pytest.approx(body.image(content).sum(), rel=1e-12)


def test_a_plane_is_drawn_out_and_a_film_covers_everything() -> None:
    x = np.linspace(0.0, 8.0, 9) * UM
    plane = columns("plane", np.column_stack([x, 0.0 * x]), np.gradient(x))
    seen = raster(plane, (8 * UM, 4 * UM), 32)
    total = seen.image(x[:, None]).sum()
    assert seen.pixels.shape == (16, 32)
    assert total == pytest.approx((plane.areas * x).sum() * 4 * UM, rel=1e-12)
    film = raster(columns("film", np.zeros((1, 2)), np.ones(1)), (8 * UM, 4 * UM), 32)
    assert film.coverage == pytest.approx(np.ones((16, 32)))


@pytest.mark.parametrize("mirror", [["x"], ["y"], ["x", "y"]])
def test_a_mirrored_sector_holds_as_many_times_its_amount(mirror: list[Mirror]) -> None:
    rng = np.random.default_rng(2)
    x, y = np.meshgrid(np.linspace(0.0, 8.0, 9) * UM, np.linspace(0.0, 4.0, 6) * UM)
    places = np.column_stack([x.ravel(), y.ravel()])
    areas = rng.uniform(0.5, 1.5, len(places)) * UM**2
    body = columns("body", places, areas)
    content = rng.uniform(0.0, 1.0, (len(places), 2))
    half = raster(body, (8 * UM, 4 * UM), 32).image(content)
    seen = raster(body, (8 * UM, 4 * UM), 64 if "x" in mirror else 32, mirror)
    whole = seen.image(content)
    assert whole.sum(axis=(0, 1)) == pytest.approx(seen.copies * (areas @ content), rel=1e-12)
    assert whole[-16:, -32:] == pytest.approx(half)
    for axis, name in ((1, "x"), (0, "y")):
        if name in mirror:
            assert whole == pytest.approx(np.flip(whole, axis))
    low = [-8 * UM if "x" in mirror else 0.0, -4 * UM if "y" in mirror else 0.0]
    assert seen.pixels.low == pytest.approx(np.array(low))


def test_what_is_no_sector_is_not_mirrored(disc: Path) -> None:
    setup = load_setup("tof_sims_c60", ["imaging.mirror=[x]", "imaging.pixels=8"])
    subject = subject_of(disc)
    with pytest.raises(InputError, match="what turns around an axis is not mirrored along x"):
        analysis_of(subject, subject.states[0], setup).image()


def test_counts_of_a_mirrored_map_are_those_of_the_profile(tmp_path: Path, small: Setup) -> None:
    run = synthetic.write_run(tmp_path / "body", 3)
    run.case.write_text(synthetic.CASE + STACK.replace("diameter: 2.0e-04", "diameter: 1.0e-04"))
    subject = subject_of(run.path, ["start"])
    imaging = small.given.imaging.model_copy(update={"mirror": ["x", "y"]})
    mirrored = replace(small, given=small.given.model_copy(update={"imaging": imaging}))
    whole, sector = (
        dict(analysis_of(subject, subject.states[0], one).voxels(["Li+"])[1])[
            "Li+ expected [counts]"
        ]
        for one in (mirrored, small)
    )
    assert whole.sum() == pytest.approx(sector.sum(), rel=1e-4)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_columns_hold_what_the_linear_elements_hold(tmp_path: Path, dimension: int) -> None:
    fields = read_fields(synthetic.write_run(tmp_path / "run", dimension).fields)
    found = columns_of(fields)
    values = fields.values(density("Li+"), 1)
    edges = np.arange(-10.0, 330.0, 0.7) * 1e-9
    cut = found.cut(edges)
    content = cut.averages(values) @ np.diff(edges)
    assert (content * found.areas).sum() == pytest.approx(integral(fields, values), rel=1e-9)
    thickness = sum(cut.shares(layer) for layer in range(3)) @ np.diff(edges)
    assert thickness == pytest.approx(300e-9)


def test_points_of_several_ranks_are_taken_once(tmp_path: Path) -> None:
    fields = read_fields(synthetic.write_run(tmp_path / "run", 2).fields)
    doubled = type(fields)(
        **{
            **{name: getattr(fields, name) for name in fields.__dataclass_fields__},
            "points": np.vstack([fields.points, fields.points[::3]]),
        }
    )
    # The copies belong to the cells of another rank.
    once, twice = columns_of(fields), columns_of(_with_copies(doubled, len(fields.points)))
    assert twice.places == pytest.approx(once.places)
    assert twice.pieces.start == pytest.approx(once.pieces.start)
    assert column_areas(doubled, twice.places) == pytest.approx(once.areas)


def _with_copies(fields, number: int):  # type: ignore[no-untyped-def]
    copies = number + np.arange(len(fields.points) - number)
    mapping = np.arange(number)
    mapping[::3] = copies
    half = len(fields.cells) // 2
    cells = fields.cells.copy()
    cells[half:] = mapping[cells[half:]]
    used = np.unique(cells)
    assert len(used) > number
    order = np.full(len(fields.points), -1)
    order[used] = np.arange(len(used))
    parts = {name: getattr(fields, name) for name in fields.__dataclass_fields__}
    return type(fields)(**{**parts, "points": fields.points[used], "cells": order[cells]})
