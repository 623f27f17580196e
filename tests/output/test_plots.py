from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest

import ionstack
from ionstack.errors import InputError
from ionstack.output.field_reader import read_fields
from ionstack.output.names import first_neutral_species, first_positive_ion
from ionstack.output.profiles import ProfileWriter, read_profiles
from ionstack.output.states import named_steps
from ionstack.output.trace import TraceWriter, read_trace
from ionstack.plots import draw_all
from ionstack.plots.depth import layers_of
from ionstack.plots.maps import cut_tetrahedra, value_limits, vertical_slice
from ionstack.plots.style import cycle_colormap, prefixed, species_label

FLAT = ["iv.png", "conductance.png", "profiles.png"]


def drawn_pixels(path: Path) -> float:
    """Return the share of pixels that are not white, of an image of a readable size."""
    image = matplotlib.image.imread(path)
    assert min(image.shape[:2]) > 300
    return float((image[:, :, :3] < 0.97).any(axis=2).mean())


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [(1, FLAT), (2, [*FLAT, "li_map.png"]), (3, [*FLAT, "li_map.png", "li_3d.png"])],
)
def test_every_dimension_gets_its_figures(
    tmp_path: Path, synthetic: ModuleType, dimension: int, expected: list[str]
) -> None:
    run = synthetic.write_run(tmp_path / "run", dimension)
    before = dict(mpl.rcParams)
    figures = draw_all(run.path)
    assert [figure.name for figure in figures] == expected
    assert {file.name for file in run.figures.iterdir()} == set(expected)
    assert all(0.02 < drawn_pixels(figure) < 0.98 for figure in figures)
    assert dict(mpl.rcParams) == before


def test_one_dimensional_figures_load_no_slow_library(
    tmp_path: Path, synthetic: ModuleType
) -> None:
    run = synthetic.write_run(tmp_path / "run", 1)
    slow = "('pyvista', 'vtk', 'matplotlib.pyplot', 'mpi4py.MPI', 'dolfinx', 'jax', 'petsc4py')"
    code = (
        "import sys; from pathlib import Path; from ionstack.plots import draw_all; "
        f"draw_all(Path({str(run.path)!r})); "
        f"print([m for m in {slow} if m in sys.modules])"
    )
    environment = {"PYTHONPATH": str(Path(ionstack.__file__).parents[1]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    assert (run.figures / "profiles.png").exists()


def test_running_and_failed_runs_get_the_figures_that_they_allow(
    tmp_path: Path, synthetic: ModuleType
) -> None:
    run = synthetic.write_run(tmp_path / "run", 2)
    run.profiles.unlink()
    assert [figure.name for figure in draw_all(run.path)] == [*FLAT[:2], "li_map.png"]
    run.fields.unlink()
    assert [figure.name for figure in draw_all(run.path)] == FLAT[:2]
    text = run.trace.read_text().splitlines(keepends=True)
    # Half of a first cycle has no conductance.
    run.trace.write_text("".join(text[:20]))
    assert [figure.name for figure in draw_all(run.path)] == FLAT[:1]
    run.trace.write_text(text[0])
    assert draw_all(run.path) == []
    run.trace.unlink()
    with pytest.raises(InputError, match=r"run: holds no run \(no trace\.csv in it\)"):
        draw_all(run.path)


def test_a_run_without_current_or_cycles_is_drawn(tmp_path: Path) -> None:
    with TraceWriter(tmp_path / "trace.csv", ("top", "bottom")) as trace:
        for step in range(4):
            zero = {"top": 0.0, "bottom": 0.0}
            trace.append(float(step), zero, zero, 1.0, 1, 0)
    assert [figure.name for figure in draw_all(tmp_path)] == ["iv.png"]


def test_a_profile_of_holes_and_electrons_only(tmp_path: Path, synthetic: ModuleType) -> None:
    run = synthetic.write_run(tmp_path / "run", 1)
    writer = ProfileWriter(run.profiles)
    for profile in read_profiles(run.profiles):
        kept = {"e- [m^-3]": profile.quantities["e- [m^-3]"], "h+ [m^-3]": np.zeros(75)}
        writer.add(type(profile)(profile.state, 0.0, profile.depth, profile.region, kept))
    assert "profiles.png" in [figure.name for figure in draw_all(run.path)]


def test_states_are_found_among_the_steps(tmp_path: Path, synthetic: ModuleType) -> None:
    run = synthetic.write_run(tmp_path / "run", 2)
    fields = read_fields(run.fields)
    assert named_steps(fields, read_profiles(run.profiles)) == (
        ("start", 0),
        ("most negative", 1),
        ("most positive", 2),
    )
    assert named_steps(fields, ()) == (("t = 0 s", 0), ("t = 15 s", 2))


def test_layers_are_found_in_the_profile(tmp_path: Path, synthetic: ModuleType) -> None:
    synthetic.write_profiles(tmp_path / "profiles.csv")
    (name, top, end), second, _ = layers_of(read_profiles(tmp_path / "profiles.csv")[0])
    assert (name, top, second[0]) == ("WO3", 0.0, "LiPON")
    assert end == pytest.approx(100.0)


def test_cut_of_tetrahedra_covers_the_plane_and_keeps_linear_fields(
    synthetic: ModuleType,
) -> None:
    grid = synthetic.joined([synthetic.layer_grid(k, 3, 6, 4) for k in range(3)])
    values = 2.0 + grid.points @ np.array([1e4, -3e4, 1e7])
    plane = cut_tetrahedra(grid.points, grid.cells, values)
    corners = np.stack([plane.lateral, plane.depth], axis=-1)[plane.triangles]
    area = 0.5 * np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    assert area.sum() == pytest.approx(100e-6 * 300e-9, rel=1e-9)
    expected = 2.0 + 1e4 * plane.lateral - 3e4 * 50e-6 + 1e7 * plane.depth
    np.testing.assert_allclose(plane.values, expected, rtol=1e-5)


def test_slice_of_a_plane_result_is_the_result(tmp_path: Path, synthetic: ModuleType) -> None:
    fields = read_fields(synthetic.write_run(tmp_path / "run", 2).fields)
    plane = vertical_slice(fields, "x Li+ [1]", 1)
    np.testing.assert_array_equal(plane.values, fields.values("x Li+ [1]", 1))
    assert plane.depth.max() == pytest.approx(300e-9)


@pytest.mark.parametrize(
    ("values", "unit"), [([3e-9, -2e-8], "nA"), ([0.0, 0.0], "A"), ([2.0], "A"), ([5e-4], "µA")]
)
def test_prefix_follows_the_largest_value(values: list[float], unit: str) -> None:
    factor, found = prefixed(np.array([*values, np.nan]), "A")
    assert found == unit
    assert unit == "A" or 1.0 <= factor * max(abs(v) for v in values) < 1000.0


def test_labels_and_colours() -> None:
    assert species_label("Li+") == "Li$^{+}$"
    assert species_label("e-") == "e$^{−}$"
    assert species_label("V") == "V"
    assert first_positive_ion(["e- [m^-3]", "h+ [m^-3]", "In+ [m^-3]"]) == "In+"
    assert first_positive_ion(["e- [m^-3]", "potential [V]"]) is None
    grey = cycle_colormap(7)(np.arange(7))[:, :3] @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(grey) > 0.0).all()


def test_the_metal_of_a_filament_is_the_first_neutral_species() -> None:
    assert first_neutral_species(["Ag+ [m^-3]", "Ag [m^-3]", "temperature [K]"]) == "Ag"
    assert first_neutral_species(["Ag+ [m^-3]", "e- [m^-3]"]) is None


def test_trace_of_the_synthetic_run_shows_the_conductance_that_rises_and_falls(
    tmp_path: Path, synthetic: ModuleType
) -> None:
    from ionstack.metrics import cycle_conductance

    synthetic.write_trace(tmp_path / "trace.csv")
    found = cycle_conductance(read_trace(tmp_path / "trace.csv"))
    assert (np.diff(found.conductance[:4]) > 0.0).all()
    assert (np.diff(found.conductance[4:]) < 0.0).all()


def test_colour_limits_ignore_round_off() -> None:
    assert value_limits(np.array([0.1, np.nan, 0.3])) == (0.1, 0.3)
    low, high = value_limits(0.3 + np.array([0.0, 1e-16]))
    assert high - low > 0.005
    assert value_limits(np.zeros(3)) == (-0.01, 0.01)
    assert value_limits(np.array([np.nan])) == (0.0, 1.0)


def test_a_crash_of_the_renderer_costs_only_its_picture(
    tmp_path: Path,
    synthetic: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = synthetic.write_run(tmp_path / "run", 3)
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\nkill -SEGV $$\n")
    stub.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stub))
    assert [figure.name for figure in draw_all(run.path)] == [*FLAT, "li_map.png"]
    assert "li_3d.png: not drawn: VTK ended with -11" in caplog.text
