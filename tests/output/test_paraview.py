"""The script for ParaView: plain data filled in, and pictures where ParaView is there."""

from __future__ import annotations

import ast
import math
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import matplotlib.image
import numpy as np
import pytest

from ionstack.output.paraview import script, write_field_script, write_map_script
from ionstack.output.voxels import VoxelGrid, write_voxels

KINDS = {1: "film", 2: "axis", 3: "body"}
LAYERS = (("WO3", 0.0, 100e-9), ("LiPON", 100e-9, 220e-9), ("MoO3", 220e-9, 300e-9))
PARAVIEW = [shutil.which(name) for name in ("xvfb-run", "pvbatch")]
needs_paraview = pytest.mark.skipif(
    None in PARAVIEW,
    reason="ParaView and Xvfb are missing: ./ionstack viewers python3 -m pytest -m viewers",
)


def scene_in(path: Path) -> dict[str, Any]:
    """Return what is filled in, read as data alone."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "SCENE":
            assert node.value is not None
            return dict(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no SCENE")


def written_maps(folder: Path) -> Path:
    """Write voxels of two states, one of them brighter, and the script beside them."""
    size = (5e-6, 5e-6, 10e-9)
    counts = np.linspace(0.0, 90.0, 20 * 20 * 30, dtype=np.float32).reshape(20, 20, 30)
    files = [folder / f"sims_map_{name}.vti" for name in ("start", "end")]
    for number, file in enumerate(files):
        arrays = {"Li+ [counts]": counts * (number + 1)}
        write_voxels(file, VoxelGrid((-50e-6, -50e-6, 0.0), size), arrays.items())
    return write_map_script(files, ("start", "end"), LAYERS, ["Li+"])


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_script_says_what_the_run_is(tmp_path: Path, synthetic: ModuleType, dimension: int) -> None:
    run = synthetic.write_run(tmp_path / "run", dimension)
    assert write_field_script(run) == [tmp_path / "run" / "open_in_paraview.py"]
    scene = scene_in(run.paraview)
    assert (scene["files"], scene["kind"]) == (["fields.vtkhdf"], KINDS[dimension])
    found = [(layer["name"], layer["top"], layer["bottom"]) for layer in scene["layers"]]
    assert found == [(name, pytest.approx(top), pytest.approx(end)) for name, top, end in LAYERS]
    assert [layer["region"] for layer in scene["layers"]] == [0, 1, 2]
    first = scene["arrays"][0]
    assert (first["name"], first["log"]) == ("x Li+ [1]", False)
    electrons = next(one for one in scene["arrays"] if one["name"] == "e- [m^-3]")
    assert electrons["log"]
    # Drawn 0.3 times as high as wide: 200 µm turned, 100 µm of a body, over 300 nm.
    assert scene["stretch"] == {1: 1.0, 2: 200.0, 3: 100.0}[dimension]
    assert str(tmp_path) not in run.paraview.read_text()


def test_script_of_maps_names_files_states_and_layers(tmp_path: Path) -> None:
    path = written_maps(tmp_path)
    scene = scene_in(path)
    assert scene["files"] == ["sims_map_start.vti", "sims_map_end.vti"]
    assert scene["notes"][1:] == ["time 0: start", "time 1: end"]
    assert scene["depth"] == pytest.approx(300e-9)
    assert scene["arrays"][0]["limits"] == [0.0, pytest.approx(180.0, rel=1e-3)]


def test_names_are_quoted_and_never_run() -> None:
    nasty = ['"""\nimport os', "{}", "\\'); raise SystemExit(#", "WO₃\u2028"]
    text = script({"title": nasty[0], "layers": [{"name": name} for name in nasty]})
    tree = ast.parse(text)
    scene = next(node for node in tree.body if isinstance(node, ast.AnnAssign)).value
    assert scene is not None
    assert [one["name"] for one in ast.literal_eval(scene)["layers"]] == nasty


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_script_runs_through_against_a_stand_in(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch, dimension: int
) -> None:
    run = synthetic.write_run(tmp_path / "run", dimension)
    write_field_script(run)
    simple = _stand_in(monkeypatch)
    monkeypatch.setattr(sys, "argv", [str(run.paraview), "--screenshot", "out.png"])
    code = compile(run.paraview.read_text(), run.paraview, "exec")
    exec(code, {"__name__": "script", "__file__": str(run.paraview)})
    simple.OpenDataFile.assert_called_once_with([str(run.fields)])
    assert simple.Threshold.call_count == 3
    simple.SaveScreenshot.assert_called_once()


def _stand_in(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    simple = MagicMock()
    simple.Transform.return_value.GetDataInformation.return_value.GetBounds.return_value = (
        0.0,
        1.0,
    ) * 3
    monkeypatch.setitem(sys.modules, "paraview", MagicMock(simple=simple))
    return simple


def picture(script_path: Path, target: Path, *options: str) -> np.ndarray:
    """Let ParaView draw, from another folder, and return the picture."""
    command = [*PARAVIEW[:1], "-a", *PARAVIEW[1:], script_path, "--screenshot", target, *options]
    done = subprocess.run(
        [str(part) for part in command],
        cwd=target.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Error" not in done.stderr, done.stderr
    return matplotlib.image.imread(target)[:, :, :3]


def colored(image: np.ndarray) -> float:
    """Share of the pixels that are neither grey nor white."""
    return float((np.ptp(image, axis=2) > 0.15).mean())


@pytest.mark.viewers
@needs_paraview
@pytest.mark.parametrize(("dimension", "least"), [(1, 0.002), (2, 0.12), (3, 0.12)])
def test_paraview_draws_runs_of_every_dimension(
    tmp_path: Path, synthetic: ModuleType, dimension: int, least: float
) -> None:
    run = synthetic.write_run(tmp_path / "run", dimension)
    write_field_script(run)
    # Where results are moved to, the script goes along.
    moved = run.path.rename(tmp_path / "moved")
    image = picture(moved / run.paraview.name, tmp_path / "out.png", "--size", "900x600")
    assert image.shape[:2] == (600, 900)
    assert colored(image) > least


@pytest.mark.viewers
@needs_paraview
def test_paraview_draws_maps_of_counts(tmp_path: Path) -> None:
    (tmp_path / "sims").mkdir()
    image = picture(written_maps(tmp_path / "sims"), tmp_path / "out.png")
    assert colored(image) > 0.12
    assert math.isfinite(float(image.mean()))
