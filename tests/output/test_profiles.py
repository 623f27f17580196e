from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.output.profiles import Profile, ProfileWriter, read_profiles


def profile(state: str, time: float, shift: float) -> Profile:
    depth = np.array([0.0, 5e-9, 5e-9, 30e-9])
    region = ("WO3", "WO3", "LiPON", "LiPON")
    li = np.array([1.0, 2.0, 3.0, 4.0]) * 1e27 + shift
    electrons = np.array([1e26, 1e26, np.nan, np.nan])
    return Profile(state, time, depth, region, {"Li+ [m^-3]": li, "e- [m^-3]": electrons})


def test_states_come_back_with_absent_values(tmp_path: Path) -> None:
    path = tmp_path / "profiles.csv"
    writer = ProfileWriter(path)
    writer.add(profile("start", 0.0, 0.0))
    assert [p.state for p in read_profiles(path)] == ["start"]
    writer.add(profile("most negative bias", 5.25, 1e26))
    start, negative = read_profiles(path)
    assert (negative.state, negative.time) == ("most negative bias", 5.25)
    assert start.region == ("WO3", "WO3", "LiPON", "LiPON")
    np.testing.assert_allclose(start.depth, [0.0, 5e-9, 5e-9, 30e-9], rtol=1e-15)
    np.testing.assert_array_equal(
        negative.quantities["Li+ [m^-3]"], np.array([1, 2, 3, 4]) * 1e27 + 1e26
    )
    np.testing.assert_array_equal(np.isnan(start.quantities["e- [m^-3]"]), [0, 0, 1, 1])


def test_first_line_and_row(tmp_path: Path) -> None:
    ProfileWriter(tmp_path / "p.csv").add(profile("start", 0.0, 0.0))
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "state,time [s],depth [nm],region,Li+ [m^-3],e- [m^-3]"
    assert lines[4] == "start,0.0,30.0,LiPON,4e+27,"


def test_state_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    writer = ProfileWriter(tmp_path / "p.csv")
    writer.add(profile("most negative bias", 1.0, 0.0))
    writer.add(profile("most negative bias", 2.0, 0.0))
    assert [p.time for p in read_profiles(tmp_path / "p.csv")] == [2.0]


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    with pytest.raises(InputError, match=r"p\.csv: cannot be read: No such file"):
        read_profiles(path)
    path.write_text("a,b\n")
    with pytest.raises(InputError, match=r"p\.csv:1: is not a profile file: expected state, time"):
        read_profiles(path)
    path.write_text("state,time [s],depth [nm],region,x [1]\nstart,0,1,WO3\n")
    with pytest.raises(InputError, match=r"p\.csv:2: has 4 cells, the header has 5"):
        read_profiles(path)
    path.write_text("state,time [s],depth [nm],region,x [1]\nstart,0,1,WO3,much\n")
    with pytest.raises(InputError, match=r"state 'start': could not convert.*'much'"):
        read_profiles(path)


def test_synthetic_profiles_hold_three_states(tmp_path: Path, synthetic: ModuleType) -> None:
    synthetic.write_profiles(tmp_path / "p.csv")
    assert [p.state for p in read_profiles(tmp_path / "p.csv")] == [
        s for s, _, _ in synthetic.STATES
    ]
