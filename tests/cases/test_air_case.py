"""The case of lithium bound by air: rows S0-11 and S0-33, and what its runs can go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ionstack.cli import main
from ionstack.output.field_reader import read_fields
from ionstack.output.names import areal_amount
from ionstack.output.profiles import read_profiles
from support.airs import LITHIUM, PRODUCTS
from support.devices import COARSE, ROOT

pytestmark = pytest.mark.slow

CASE = ROOT / "cases" / "stress" / "air.yaml"
# Times in air, from the first to the last: twenty minutes in two halves.
HALF = ("protocol.2.hold.duration=10 min", "output.figures=false")
AREA = np.pi * (100e-6) ** 2


def run(folder: Path, *settings: str, case: Path = CASE, resume: bool = False) -> dict[str, Any]:
    options = [part for one in (*COARSE, *settings) for part in ("--set", one)]
    again = ["--resume"] if resume else []
    assert main(["run", str(case), "-o", str(folder), "--quiet", *again, *options]) == 0
    return dict(json.loads((folder / "summary.json").read_text()))


def areal(summary: Mapping[str, Any]) -> np.ndarray:
    return np.array([summary[f"products.Pt.{name} [m^-2]"] for name in PRODUCTS])


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("air") / "out"
    return folder, run(folder, *HALF)


def test_air_binds_lithium_and_vacuum_does_not(half: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = half
    assert summary["conservation.Li+"] < 1e-12
    assert summary["products.bound.Li+ [1]"] > 0.01
    assert 0.05 < summary["products.Pt.open_porosity [1]"] < 0.19
    fields = read_fields(folder / "fields.vtkhdf")
    vacuum, air = (fields.nearest_step(time) for time in (120.0, 721.0))
    for name, amount in zip(PRODUCTS, areal(summary), strict=True):
        at_end, before = (
            np.nanmax(fields.values(areal_amount(name), step)) for step in (air, vacuum)
        )
        assert at_end == pytest.approx(amount, rel=1e-9)
        assert 0.0 <= before < 1e-3 * amount


def test_profiles_have_products_at_the_metal(half: tuple[Path, dict[str, Any]]) -> None:
    last = read_profiles(half[0] / "profiles.csv")[-1]
    for name, amount in zip(PRODUCTS, areal(half[1]), strict=True):
        column = last.quantities[areal_amount(name)]
        assert column[0] == pytest.approx(amount, rel=1e-9)
        assert np.all(np.isnan(column[1:]))


def test_products_survive_a_resume(half: tuple[Path, dict[str, Any]]) -> None:
    folder, before = half
    after = run(folder, *HALF, resume=True)
    kept = [key for key in before if key.startswith("products")]
    assert len(kept) == 5
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


def test_another_run_starts_with_the_products(
    half: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Ten more minutes, and less than in the first: the pores have become narrower."""
    text = CASE.read_text().replace("../../", f"{ROOT}/").replace("ambient: vacuum", "ambient: air")
    # In place of the contents and of the state that they settle in.
    text += f"initial: {{from: {half[0]}, state: in_air}}\n"
    begin, end = text.index("protocol:"), text.index("materials:")
    step = "protocol:\n  - hold: {contact: Pt, voltage: 0 V, duration: 10 min}\n"
    case = tmp_path / "air.yaml"
    case.write_text(text[:begin] + step + text[end:])
    found = run(tmp_path / "out", "output.figures=false", case=case)
    assert found["conservation.Li+"] < 1e-12
    first, second = areal(half[1]) @ LITHIUM, areal(found) @ LITHIUM
    assert first < second < 1.9 * first
