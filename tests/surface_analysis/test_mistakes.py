"""Mistakes are named, with what is allowed; exit status 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.cli import main
from ionstack.surface_analysis.setup import available_setups, load_setup
from support import synthetic


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["sims", *arguments]) == 2
    return capsys.readouterr().err


def test_shipped_setups_are_in_order() -> None:
    assert "tof_sims_c60" in available_setups()
    for name in available_setups():
        assert load_setup(name).given.title


def test_files_of_a_run_are_written(disc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--set", "sputter.cycle='40 s'", "--set", "imaging.pixels=10", "--map"]
    small += ["--signals", "Li+"]
    assert main(["sims", str(disc), "--state", "start", *small]) == 0
    written = capsys.readouterr().out.split()
    names = ["sims_profile.csv", "sims_profiles.png", "sims_map_start.vti", "sims_map.png"]
    names += ["open_in_paraview.py", "sims_volumes.png"]
    assert [Path(path).name for path in written] == names
    assert all(Path(path).stat().st_size > 1000 for path in written)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--state", "most positiv"], "did you mean 'most positive'?"),
        (["--state", "99"], "the run holds 0 s to 15 s"),
        (["--signals", "Mg+"], "unknown signal 'Mg+'"),
        (["--signals", "In+,HfO2-"], "nothing to count of 'HfO2-'"),
        (["--without", "matrx"], "did you mean 'matrix'?"),
        (["--setup", "tof_sims_c6"], "did you mean 'tof_sims_c60'?"),
        (["--set", "materials.WO3.relative_rate=-1"], "must be greater than 0"),
        (["--set", "signals.Li+.sensitivity=-2"], "must be at least 0"),
        (["--set", "signals.Li+.of=Lithium"], "Lithium"),
        (["--set", "signals.Li+.matrix={LiPO: 2}"], "did you mean 'LiPON'?"),
        (["--set", "specimen.below=[{material: Glas, thickness: 9 nm}]"], "did you mean 'glass'?"),
        (["--set", "sputter.cycle='2 nm'"], "is not a quantity in s"),
        (["--set", "sputer.cycle='2 s'"], "did you mean 'sputter'?"),
        (["--set", "species.Li+=null", "--set", "species={}"], "species"),
    ],
)
def test_a_mistake_is_named(
    disc: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    said = answer(capsys, str(disc), *arguments)
    assert expected in said
    assert not (disc / "sims").exists()


def test_a_material_without_atoms_is_named(disc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = disc / "case.yaml"
    case.write_text(case.read_text().replace("material: MoO3", "material: MoO2"))
    assert "unknown material 'MoO2'" in answer(capsys, str(disc))


def test_a_folder_without_fields_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "holds no fields" in answer(capsys, str(tmp_path))


def test_a_run_that_was_cut_off_is_analysed_up_to_its_last_state(tmp_path: Path) -> None:
    run = synthetic.write_run(tmp_path / "cut", 1)
    for file in (run.profiles, run.trace):
        file.unlink()
    run.case.write_text(synthetic.CASE + (Path(__file__).with_name("stack.yaml")).read_text())
    assert main(["sims", str(run.path), "--set", "sputter.cycle='40 s'"]) == 0


def test_a_measurement_is_compared_with_one_state(
    disc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--set", "sputter.cycle='40 s'"]
    assert main(["sims", str(disc), "--state", "start", *small]) == 0
    rows = (disc / "sims/sims_profile.csv").read_text().splitlines()
    table = tmp_path / "measured.csv"
    columns = [(row.split(",")[2], row.split(",")[4]) for row in rows]
    table.write_text("\n".join(",".join(pair) for pair in columns) + "\n")
    assert "choose it with --state" in answer(capsys, str(disc), "--measured", str(table), *small)
    arguments = [str(disc), "--state", "start", "--measured", str(table), *small]
    assert main(["sims", *arguments]) == 0
    written = capsys.readouterr().out.split()
    assert {"sims_misfit.csv", "sims_measured.png"} < {Path(path).name for path in written}
    row = (disc / "sims/sims_misfit.csv").read_text().splitlines()[1].split(",")
    assert row[0] == "Li+"
    assert float(row[1]) == pytest.approx(1.0, abs=0.01)
    assert float(row[2]) == pytest.approx(1.0, abs=0.6)
