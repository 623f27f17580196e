"""A run with mechanics is sputtered as it has deformed: swollen, lifted, come apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.errors import InputError
from ionstack.output import mechanics
from ionstack.output.field_reader import read_fields
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.state_rows import StateRows
from ionstack.surface_analysis.analysis import analysis_of
from ionstack.surface_analysis.deformation import tilt_of
from ionstack.surface_analysis.setup import Setup
from ionstack.surface_analysis.subject import columns_of, subject_of
from support import synthetic
from support.free_form import film

NM = 1e-9
STACK = Path(__file__).with_name("stack.yaml").read_text()
SWELLING = 0.05


def write_body(folder: Path, times: tuple[float, ...]) -> None:
    """WO3 swells by a twentieth; it and LiPON have come off MoO3 and stand as a dome over it."""
    fields = read_fields(folder / "fields.vtkhdf")
    corners = fields.cells.ravel()
    points = fields.points[corners]
    own = np.arange(len(corners)).reshape(fields.cells.shape)
    grid = FieldGrid(points, own, fields.cell_type, fields.region, fields.region_names, True)
    region = np.repeat(fields.region, 3)
    dome = 40 * NM * (1.0 - (points[:, 0] / 100e-6) ** 2)
    grown = SWELLING * np.clip(100 * NM - points[:, 1], 0.0, None)
    writer = FieldsWriter(folder / "mechanics.vtkhdf", MPI.COMM_SELF, grid)
    for time in times:
        up = np.where(region < 2, time / 5.0 * (dome + grown), 0.0)
        writer.append(time, {mechanics.DEFLECTION: up, mechanics.LATERAL: 0.0 * up})


def test_a_dome_is_sputtered_from_its_own_surface(disc: Path, small: Setup) -> None:
    plain = subject_of(disc, ["most negative"])
    flat = analysis_of(plain, plain.states[0], small).specimen
    write_body(disc, (0.0, 5.0))
    subject = subject_of(disc, ["start", "most negative"])
    start, swollen = (analysis_of(subject, one, small).specimen for one in subject.states)
    # The gap below the dome holds nothing, takes no time and has no depth.
    assert start.columns.thickness == pytest.approx(300 * NM)
    assert swollen.columns.thickness == pytest.approx(305 * NM)
    names = [name for name, _ in swollen.boundaries]
    assert names == ["Pt", "WO3", "LiPON", "MoO3", "ITO"]
    depths = [depth / NM for _, depth in swollen.boundaries]
    assert depths == pytest.approx([0.0, 30.0, 135.0, 255.0, 335.0])
    for atom in ("Li", "W", "P", "Mo"):
        before, after = (
            one.columns.mean(np.broadcast_to(one.atoms[atom], (9, len(one.edges) - 1)))
            for one in (flat, swollen)
        )
        assert after.sum() == pytest.approx(before.sum(), rel=1e-9)
    middle = 2 * 80
    assert swollen.atoms["W"][..., middle] == pytest.approx(flat.atoms["W"][middle] / 1.05)


@pytest.mark.parametrize("size", [(1e-6, 100 * NM), (1e-6, 0.5e-6, 100 * NM)])
def test_a_film_that_turns_is_thicker_along_the_vertical(size: tuple[float, ...]) -> None:
    mesh = film(lambda place: 0.0 * place[:, 0], size, 4)
    angle = 0.3
    moved = mesh.depth * (np.cos(angle) - 1.0) + mesh.points[:, 0] * np.sin(angle)
    turned = columns_of(mesh).moved(moved, tilt_of(mesh, moved))
    assert turned.thickness == pytest.approx(100 * NM / np.cos(angle), rel=1e-9)
    cells = np.linspace(0.0, 120.0, 25) * NM
    content = turned.cut(cells).hosts(0) @ np.diff(cells)
    assert content == pytest.approx(100 * NM, rel=1e-9)


def test_before_its_first_snapshot_a_body_has_not_moved(disc: Path) -> None:
    write_body(disc, (5.0,))
    subject = subject_of(disc)
    assert [name for name, _ in subject.states] == ["start", "most negative", "most positive"]
    thickness = [subject.columns(step).thickness[0] / NM for _, step in subject.states]
    # The last snapshot counts until the next one.
    assert thickness == pytest.approx([300.0, 305.0, 305.0])


def test_a_body_of_another_mesh_is_named(disc: Path, tmp_path: Path) -> None:
    other = synthetic.write_run(tmp_path / "other", 2)
    write_body(other.path, (0.0,))
    fields = read_fields(other.fields)
    moved = fields.points + np.array([1e-7, 0.0, 0.0])
    grid = FieldGrid(
        moved, fields.cells, fields.cell_type, fields.region, fields.region_names, True
    )
    writer = FieldsWriter(disc / "mechanics.vtkhdf", MPI.COMM_SELF, grid)
    writer.append(0.0, {mechanics.DEFLECTION: np.zeros(len(moved))})
    subject = subject_of(disc)
    with pytest.raises(InputError, match="of another mesh"):
        subject.columns(0)


def test_films_of_one_dimension_grow_by_their_table(tmp_path: Path) -> None:
    run = synthetic.write_run(tmp_path / "film", 1)
    run.case.write_text(synthetic.CASE + STACK)
    names = ["growth.WO3 [m]", "growth.LiPON [m]", "growth.MoO3 [m]"]
    table = StateRows(run.mechanics, names)
    table.append(0.0, [0.0, 0.0, 0.0])
    table.append(5.0, [4 * NM, 0.0, -1 * NM])
    table.close()
    subject = subject_of(run.path)
    assert subject.columns(0).thickness == pytest.approx([300 * NM])
    grown = subject.columns(1)
    assert grown.thickness == pytest.approx([303 * NM])
    cut = grown.cut(np.array([0.0, 52.0, 104.0, 224.0, 303.0]) * NM)
    assert cut.hosts(0) == pytest.approx(np.array([[100 / 104, 100 / 104, 0.0, 0.0]]))
    assert cut.hosts(2) == pytest.approx(np.array([[0.0, 0.0, 0.0, 80 / 79]]))
