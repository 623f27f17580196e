"""Mistakes are named, with what is allowed; exit status 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.surface_analysis.setup import available_setups, load_setup
from support import synthetic

_MIGRATION = [
    "--set",
    "artefacts.migration={atoms: [Li], within: [LiPON], drift: 0.5, reach: 9 nm, source: assumed}",
]
_PREFERENTIAL = ["--set", "artefacts.preferential={removal: {O: 2}, source: assumed}"]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["sims", *arguments]) == 2
    return capsys.readouterr().err


def test_shipped_setups_are_in_order() -> None:
    assert "tof_sims_c60" in available_setups()
    for name in available_setups():
        assert load_setup(name).given.title


def test_files_of_a_run_are_written(disc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--set", "sputter.cycle='40 s'", "--set", "imaging.pixels=10", "--map"]
    assert main(["sims", str(disc), "--state", "start", *small]) == 0
    written = capsys.readouterr().out.split()
    names = ["sims_profile.csv", "sims_profiles.png", "sims_map_start.vti", "sims_map.png"]
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
        (["--set", "signals.Li+.of=Li - O"], "signals.Li+.of: comes out negative"),
        (["--set", "signals.In+.matrix.P13=-1"], "must be at least 0"),
        (["--set", "materials.WO3.atoms.W='-1e28 1/m^3'"], "must be at least 0"),
        (["--set", "sputter.rate='0 nm/s'"], "must be greater than 0"),
        (["--set", "resolution.mixing='-1 nm'"], "must be at least 0"),
        (["--set", "counting.background=-1"], "must be at least 0"),
        (["--set", "counting.counts=-5"], "must be greater than 0"),
        (["--set", "specimen.below=[{material: glass, thickness: -9 nm}]"], "greater than 0"),
        (["--set", "imaging.pixels=0"], "imaging.pixels"),
        (["--set", "like=tof_sims_cs"], "unknown key"),
        (["--setup", "xps_al_ka", "--set", "signals.C 1s.sensitivity=0"], "XPS divides by it"),
        ([*_MIGRATION, "--set", "artefacts.migration.atoms=[Lj]"], "unknown atom 'Lj'"),
        ([*_MIGRATION, "--set", "artefacts.migration.within=[LiPO]"], "did you mean 'LiPON'?"),
        ([*_MIGRATION, "--set", "artefacts.migration.reach='0 nm'"], "must be greater than 0"),
        ([*_PREFERENTIAL, "--set", "artefacts.preferential.removal.O=-1"], "greater than 0"),
        ([*_PREFERENTIAL, "--set", "artefacts.preferential.removal.Ox=1"], "unknown atom 'Ox'"),
        ([*_PREFERENTIAL, "--set", "resolution.mixing='0 nm'"], "resolution.mixing is 0"),
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("depth [nm],Li\n1,5\n2,6\n", "unknown column 'Li'; allowed: depth [nm], sputter time [s]"),
        ("depth [nm],Li+\n1,5\n2,-6\n", ":3: column 'Li+': -6 is no count"),
        ("Li+\n5\n6\n", "needs a depth or a sputter time"),
        ("", "measured.csv"),
    ],
)
def test_mistakes_of_a_measured_table_are_named(
    disc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    table = tmp_path / "measured.csv"
    table.write_text(text)
    options = ["--state", "start", "--set", "sputter.cycle='40 s'"]
    assert expected in answer(capsys, str(disc), *options, "--measured", str(table))
    missing = str(tmp_path / "missing.csv")
    assert "No such file" in answer(capsys, str(disc), *options, "--measured", missing)


def test_a_setup_begins_from_another(tmp_path: Path) -> None:
    ours = tmp_path / "ours.yaml"
    ours.write_text(
        "like: tof_sims_c60\ntitle: ours\nsignals: {Li+: {sensitivity: 3, source: our standards}}\n"
    )
    own, base = (load_setup(name).given for name in (str(ours), "tof_sims_c60"))
    assert (own.title, own.signals["Li+"].sensitivity) == ("ours", 3.0)
    assert own.signals["Li+"].of == base.signals["Li+"].of
    assert own.sputter == base.sputter
    assert own.materials == base.materials
    (tmp_path / "theirs.yaml").write_text("like: ours.yaml\nsputter: {cycle: 9 s}\n")
    theirs = load_setup(str(tmp_path / "theirs.yaml")).given
    assert (theirs.title, theirs.sputter.cycle) == ("ours", 9.0)
    assert theirs.sputter.rate == base.sputter.rate


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ("tof_sims_c6", "ours.yaml:1:7: like 'tof_sims_c6': no such file or setup"),
        ("ours.yaml", "is like itself"),
        ("xps_al_ka", "kind: tof_sims begins from a setup of xps"),
    ],
)
def test_a_setup_that_begins_from_nowhere(tmp_path: Path, like: str, expected: str) -> None:
    ours = tmp_path / "ours.yaml"
    ours.write_text(f"like: {like}\nkind: tof_sims\n")
    with pytest.raises(InputError) as caught:
        load_setup(str(ours))
    assert expected in str(caught.value)
