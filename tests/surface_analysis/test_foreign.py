"""Files of other programs: whatever the format, units and axes, they hold the same atoms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
import pyvista

from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.field_reader import Fields, read_fields
from ionstack.surface_analysis.analysis import analysis_of
from ionstack.surface_analysis.foreign import foreign_subject
from ionstack.surface_analysis.setup import Setup, load_setup
from ionstack.surface_analysis.specimen import Specimen
from ionstack.surface_analysis.subject import Subject, subject_of

NM = 1e-9
REGIONS = "materials: {array: region, values: {WO3: 0, LiPON: [1], MoO3: 2}}"
LITHIUM = "species: {Li+: {array: 'Li+ [m^-3]', unit: 1/m^3}}"
DISC = f"{{length: 1 m, depth: y, surface: lowest, around_axis: true, {REGIONS}, {LITHIUM}}}"
UP = DISC.replace("1 m,", "1 nm,").replace("lowest", "highest")


def setup(source: str, *settings: str) -> Setup:
    plain = ("specimen.top='0 nm'", "specimen.bottom='0 nm'", "sputter.cycle='40 s'")
    return load_setup("tof_sims_c60", [*plain, f"source={source}", *settings])


def specimen(subject: Subject, number: int, given: Setup) -> Specimen:
    return analysis_of(subject, subject.states[number], given).specimen


def upwards(fields: Fields, step: int) -> pyvista.UnstructuredGrid:
    """The same in nanometres, with the depth pointing up."""
    grid = fields.grid(step, ["Li+ [m^-3]"])
    grid.points = grid.points * np.array([1e9, -1e9, 1e9])
    return grid


def as_vtu(fields: Fields, folder: Path) -> Path:
    upwards(fields, 1).save(folder / "a.vtu")
    return folder / "a.vtu"


def as_vtk(fields: Fields, folder: Path) -> Path:
    upwards(fields, 1).save(folder / "a.vtk", binary=False)
    return folder / "a.vtk"


def as_blocks(fields: Fields, folder: Path) -> Path:
    grid = upwards(fields, 1)
    blocks = pyvista.MultiBlock([grid.threshold((k, k), scalars="region") for k in range(3)])
    blocks.save(folder / "a.vtm")
    return folder / "a.vtm"


def as_xdmf(fields: Fields, folder: Path) -> Path:
    cells = [("triangle", fields.cells)]
    path = folder / "a.xdmf"
    # meshio puts the numbers beside the folder that is current.
    with meshio.xdmf.TimeSeriesWriter(path) as writer:
        writer.write_points_cells(upwards(fields, 0).points, cells)
        for step, time in enumerate(fields.times):
            held = {"Li+ [m^-3]": fields.values("Li+ [m^-3]", step)}
            writer.write_data(float(time), held, {"region": [fields.region]})
    return path


def as_pvd(fields: Fields, folder: Path) -> Path:
    entries = ""
    for step, time in enumerate(fields.times):
        upwards(fields, step).save(folder / f"a{step}.vtu")
        entries += f'<DataSet timestep="{time}" part="0" file="a{step}.vtu"/>'
    path = folder / "a.pvd"
    collection = f"<Collection>{entries}</Collection>"
    path.write_text(f'<?xml version="1.0"?><VTKFile type="Collection">{collection}</VTKFile>')
    return path


@pytest.mark.parametrize("write", [as_vtu, as_vtk, as_blocks])
def test_every_format_holds_the_same_atoms(
    disc: Path, tmp_path: Path, write: Callable[[Fields, Path], Path]
) -> None:
    path = write(read_fields(disc / "fields.vtkhdf"), tmp_path)
    source = UP.replace("array: region", "array: block") if path.suffix == ".vtm" else UP
    subject = foreign_subject(path, [], setup(source))
    assert [name for name, _ in subject.states] == ["as it is"]
    compare(disc, "most negative", specimen(subject, 0, setup(source)))


@pytest.mark.parametrize("write", [as_xdmf, as_pvd, None])
def test_times_of_a_series_are_states(
    disc: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Fields, Path], Path] | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    own = disc / "fields.vtkhdf"
    path = own if write is None else write(read_fields(own), tmp_path)
    source = DISC if write is None else UP
    given = setup(source)
    subject = foreign_subject(path, [], given)
    assert subject.states == (("t = 0 s", 0), ("t = 15 s", 2))
    compare(disc, "most positive", specimen(subject, 1, given))
    middle = foreign_subject(path, ["5.1"], given)
    assert middle.states == (("t = 5 s", 1),)
    compare(disc, "most negative", specimen(middle, 0, given))


def compare(disc: Path, state: str, found: Specimen) -> None:
    run = subject_of(disc, [state])
    exact = specimen(run, 0, setup(DISC))
    assert found.bottom == pytest.approx(300 * NM)
    for atom in ("Li", "W", "P", "Mo", "O"):
        mean = [np.atleast_2d(one.atoms[atom]).mean(axis=0) for one in (found, exact)]
        assert mean[0] == pytest.approx(mean[1], rel=1e-6, abs=1e18), atom
    names = [name for name, _ in found.boundaries]
    assert names == ["WO3", "LiPON", "MoO3"]


def test_voxels_of_cells_and_layers_that_a_setup_says(tmp_path: Path) -> None:
    """Cell data of a regular grid, concentrations in mol, materials by thickness."""
    image: Any = pyvista.ImageData(dimensions=(4, 3, 11), spacing=(5.0, 5.0, 10.0))
    rising = np.repeat(np.arange(10.0), 6)
    image.cell_data["c"] = rising
    image.save(tmp_path / "a.vti")
    layers = "layers: [{material: SiO2, thickness: 33 nm}, {material: HfO2, thickness: 67 nm}]"
    given = setup(
        f"{{length: 1 nm, depth: z, {layers}, electrodes: {{top: Pt, bottom: Pt}}, "
        "species: {Ag: {array: c, unit: mol/m^3}}}",
        "specimen.top='20 nm'",
        "specimen.bottom='20 nm'",
        "depth_step='1 nm'",
    )
    subject = foreign_subject(tmp_path / "a.vti", [], given)
    found = specimen(subject, 0, given)
    depths = [(name, round(depth / NM, 6)) for name, depth in found.boundaries]
    assert depths == [("Pt", 0.0), ("SiO2", 20.0), ("HfO2", 53.0), ("Pt", 120.0)]
    silver = (
        found.columns.mean(np.atleast_2d(found.atoms["Ag"]))
        if found.atoms["Ag"].ndim == 2
        else found.atoms["Ag"]
    )
    assert silver[20:120] == pytest.approx(6.02214076e23 * np.repeat(np.arange(10.0)[::-1], 10))
    assert found.atoms["Si"][20:53] == pytest.approx(np.full(33, 2.21e28))
    assert found.atoms["Hf"][53:120] == pytest.approx(np.full(67, 2.77e28))
    assert subject.films.width == pytest.approx(15 * NM)
    assert subject.films.breadth == pytest.approx(10 * NM)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (UP.replace("array: region", "array: regin"), "did you mean 'region'?"),
        (UP.replace("'Li+ [m^-3]'", "'Li [m^-3]'"), "did you mean 'Li+ [m^-3]'?"),
        (UP.replace("MoO3: 2", "MoO3: 3"), "no material for 2 in 'region'"),
        (UP.replace("depth: y", "depth: z"), "reach along x, y"),
        (UP.replace("array: region", "array: 'Li+ [m^-3]'"), "is of points, not of cells"),
        (UP.replace("1/m^3", "kg/m^3"), "is not a quantity in 1/m^3"),
        (UP.replace("1 nm,", "1 s,"), "is not a quantity in m"),
        (UP.replace(REGIONS, "breadth: 1 nm"), "needs either 'materials'"),
        (UP.replace("depth: y", "dept: y"), "did you mean 'depth'?"),
        (UP.replace("MoO3: 2", "MoO: 2"), "source.materials.values.MoO: unknown material 'MoO'"),
        ("null", "source: missing; it tells which array of"),
    ],
)
def test_a_mistake_is_named(disc: Path, tmp_path: Path, source: str, expected: str) -> None:
    path = as_vtu(read_fields(disc / "fields.vtkhdf"), tmp_path)
    with pytest.raises(InputError, match=re.escape(expected)):
        foreign_subject(path, [], setup(source))


def test_electrodes_of_the_specimen_need_a_material(disc: Path, tmp_path: Path) -> None:
    path = as_vtu(read_fields(disc / "fields.vtkhdf"), tmp_path)
    with pytest.raises(InputError, match=r"source\.electrodes: missing"):
        foreign_subject(path, [], setup(UP, "specimen.top='9 nm'"))


@pytest.mark.parametrize("name", ["a.vtu", "a.vtkhdf", "a.xdmf", "a.foo"])
def test_a_file_that_is_none_is_named(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text("nothing of the kind")
    assert main(["sims", str(path), "--set", f"source={UP}"]) == 2
    assert f"{path}: cannot be read as a file of fields" in capsys.readouterr().err
    assert main(["sims", str(tmp_path / "none.vtu")]) == 2
    assert "no such folder of a run" in capsys.readouterr().err


def test_files_go_into_a_folder_beside(disc: Path, tmp_path: Path) -> None:
    path = as_vtu(read_fields(disc / "fields.vtkhdf"), tmp_path)
    plain = ["specimen.top='0 nm'", "specimen.bottom='0 nm'", "sputter.cycle='40 s'"]
    settings = [part for one in [*plain, f"source={UP}"] for part in ("--set", one)]
    assert main(["sims", str(path), *settings]) == 0
    assert (tmp_path / "a/sims/sims_profile.csv").stat().st_size > 1000
