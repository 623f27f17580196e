"""A case that starts from another run's state, and states that it cannot start from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ionstack.casefile.case import load_case
from ionstack.cli import main
from ionstack.errors import InputError
from ionstack.output.checkpoint import contents
from ionstack.output.profiles import read_profiles
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import read_trace
from ionstack.runs.origin import with_origin
from support.devices import COARSE
from support.restarts import PROTOCOL, SETTINGS, Instants, results, run, write_case

REST = [{"hold": {"contact": "Pt", "voltage": "0 V", "duration": "2 s", "rise": "0.1 s"}}]


@pytest.fixture
def after(whole: RunDirectory, tmp_path: Path) -> Path:
    """A case file that lets the device rest after the whole run."""
    file = tmp_path / "cases" / "rest.yaml"
    file.parent.mkdir()
    shutil.copytree(whole.path, tmp_path / "results" / "whole")
    write_case(file, protocol=REST, initial={"from": "../results/whole", "state": "end"})
    return file


def change(file: Path, **sections: Any) -> None:
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **sections}))


def refused(file: Path, *settings: str) -> str:
    """The message of a run that is refused before it has a folder."""
    out = file.parent / "out"
    with pytest.raises(InputError) as caught:
        with_origin(load_case(file, [*COARSE, *settings]), out)
    assert not out.exists()
    return str(caught.value)


def test_the_device_keeps_its_history(after, whole, tmp_path, quick):
    case = with_origin(load_case(after, COARSE), tmp_path / "out")
    run(case, tmp_path / "out")
    found, before = results(tmp_path / "out"), results(whole.path)
    for name in ("voltage Pt [V]", "current Pt [A]", "current ITO [A]"):
        assert found["trace"][name][0] == before["trace"][name][-1]
    first = {one.state: one for one in read_profiles(tmp_path / "out" / "profiles.csv")}["start"]
    last = {one.state: one for one in read_profiles(whole.profiles)}["end"]
    for name, values in first.quantities.items():
        np.testing.assert_allclose(values, last.quantities[name], rtol=1e-12)
    # From 0.1 V down within the rise, and on to the end with the same lithium.
    voltage, time = found["trace"]["voltage Pt [V]"], found["trace"]["time [s]"]
    assert np.all(voltage[time >= 0.1] == 0.0)
    assert 0.0 < voltage[1] < 0.1
    assert found["checks"]["conservation.Li+"] < 1e-12
    summary = (tmp_path / "out" / "summary.json").read_text()
    assert '"initial.state": "end"' in summary
    assert "equilibrium.current" not in summary


def test_a_protocol_in_two_cases_is_that_in_one(after, whole, tmp_path, quick):
    """The rest after the run, in one case and in another that takes the state over."""
    one = tmp_path / "one.yaml"
    write_case(one, protocol=[*PROTOCOL, *REST])
    run(load_case(one, COARSE), tmp_path / "one")
    run(with_origin(load_case(after, COARSE), tmp_path / "two"), tmp_path / "two")
    expected, found = (read_trace(tmp_path / name / "trace.csv") for name in ("one", "two"))
    end = contents(whole.checkpoint).states["end"]["time"]
    assert found["time [s]"][-1] + end == pytest.approx(expected["time [s]"][-1], rel=1e-12)
    profiles = [read_profiles(tmp_path / name / "profiles.csv") for name in ("one", "two")]
    last = [{p.state: p for p in part}["end"].quantities["x Li+ [1]"] for part in profiles]
    assert np.nanmax(np.abs(last[0] - last[1])) < 1e-9


def test_a_case_with_an_origin_can_be_resumed(after, tmp_path, quick):
    change(after, output={"figures": False, "checkpoint_every": "1 ns"})
    out = str(tmp_path / "out")
    case = with_origin(load_case(after, COARSE), tmp_path / "out")
    run(case, tmp_path / "out")
    expected = results(tmp_path / "out")
    (tmp_path / "out" / "summary.json").unlink()
    shutil.rmtree(tmp_path / "results")
    assert main(["run", str(after), "-o", out, "--quiet", "--resume", *SETTINGS]) == 0
    found = results(tmp_path / "out")
    np.testing.assert_array_equal(
        found["trace"]["current Pt [A]"], expected["trace"]["current Pt [A]"]
    )


def test_a_state_that_is_not_there_lists_those_there_are(after):
    change(after, initial={"from": "../results/whole", "state": "ned"})
    message = refused(after)
    assert message.startswith(f"{after}:")
    assert "initial.state: unknown state 'ned'; allowed: end (did you mean 'end'?)" in message


def test_a_run_that_crashed_before_has_no_such_state(after, case, tmp_path):
    with Instants(tmp_path / "run", {100: tmp_path / "crashed"}):
        run(case, tmp_path / "run")
    change(after, initial={"from": "../crashed"})
    message = refused(after)
    assert "unknown state 'end'; allowed: none" in message
    assert "stopped at t = " in message


def test_other_folders_are_refused(after, tmp_path):
    (tmp_path / "results" / "notes").mkdir()
    change(after, initial={"from": "../results/notes"})
    assert "initial.from: " in refused(after)
    assert "is not the folder of a run" in refused(after)
    change(after, initial={"from": "../results/hole"})
    assert "no such file (did you mean 'whole'?)" in refused(after)
    (tmp_path / "results" / "whole" / "checkpoint.h5").unlink()
    change(after, initial={"from": "../results/whole"})
    assert "ended before it had any state" in refused(after)


def test_its_own_folder_is_refused(after, tmp_path):
    with pytest.raises(InputError, match="where this run's own results go"):
        with_origin(load_case(after, COARSE), tmp_path / "results" / "whole")


def test_other_species_are_named(after):
    case = yaml.safe_load(after.read_text())
    case["species"]["Li+"]["valence"] = 2
    change(after, species=case["species"])
    message = refused(after)
    assert "holds another device: species Li+ +1, e- -1 there, Li+ +2, e- -1 in this case" in (
        message.replace("e- -1, Li+ +1", "Li+ +1, e- -1")
    )


def test_another_mesh_is_refused(after, tmp_path, quick):
    case = with_origin(load_case(after, [*COARSE, "stack.grading.growth=3"]), tmp_path / "out")
    with pytest.raises(InputError, match=r"initial\.from: .* is of another mesh"):
        run(case, tmp_path / "out")


def test_other_amounts_are_refused(after, tmp_path):
    case = with_origin(load_case(after, [*COARSE, "temperature=330 K"]), tmp_path / "out")
    with pytest.raises(InputError, match=r"another amount of .* in .* temperature"):
        run(case, tmp_path / "out")
