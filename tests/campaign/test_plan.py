"""The points of a campaign: all combinations, checked before anything is computed."""

from __future__ import annotations

import re

import pytest

from ionstack.campaigns.campaign_plan import plan_campaign, point_names
from ionstack.errors import InputError
from support.campaigns import DIODE

RATE = "protocol.0.sweep.rate"


def test_the_last_key_varies_fastest() -> None:
    plan = plan_campaign(
        DIODE, ["output.figures=false"], ["temperature=280 K,300 K", f"{RATE}=1 V/s:2 V/s:2"]
    )
    wanted = [("280 K", "1 V/s"), ("280 K", "2 V/s"), ("300 K", "1 V/s"), ("300 K", "2 V/s")]
    assert [tuple(point.values.values()) for point in plan.points] == wanted
    assert [point.case.temperature for point in plan.points] == [280.0, 280.0, 300.0, 300.0]
    rates = [point.case.protocol.steps[0].step.rate for point in plan.points]
    assert rates == [1.0, 2.0, 1.0, 2.0]
    assert all(not point.case.output.figures for point in plan.points)
    assert len(set(plan.cases().values())) == 4
    assert plan.record.varied() == {"temperature": ["280 K", "300 K"], RATE: ["1 V/s", "2 V/s"]}


def test_keys_reach_into_the_stack() -> None:
    plan = plan_campaign(DIODE, [], ["stack.layers.n.thickness=1 um,2 um"])
    assert [point.case.stack.layers[1].thickness for point in plan.points] == [1e-6, 2e-6]
    assert [point.name for point in plan.points] == ["01-thickness_1um", "02-thickness_2um"]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"temperature": "280 K"}, "01-temperature_280K"),
        (
            {RATE: "3.16227766017 mV/s", "a.temperature": "1e-3"},
            "01-rate_3.162mV-s-temperature_0.001",
        ),
        ({"p.0.sweep.rate": "1", "p.1.hold.rate": "-2"}, "01-sweep_rate_1-hold_rate_-2"),
        ({"p.0.rate": "1", "p.1.rate": "2"}, "01-p.0.rate_1-p.1.rate_2"),
        ({"contents": "{kind: a/b}"}, "01-contents_-kind-a-b"),
        ({"mu": "5 µm^2/(V s)", "x": "30 %"}, "01-mu_5um2-V-s-x_30pct"),
        ({"title": "../../etc"}, "01-title_-..-etc"),
    ],
)
def test_names_of_folders_can_be_read_and_typed(values: dict[str, str], name: str) -> None:
    (found,) = point_names([values])
    assert found == name
    assert re.fullmatch(r"[A-Za-z0-9_.+-]+", found)


def test_names_of_folders_differ_and_sort_in_order() -> None:
    points = [{"key": f"{1 + 1e-9 * number} V", "other": "x" * 300} for number in range(120)]
    names = point_names(points)
    assert len(set(names)) == 120
    assert sorted(names) == names
    assert max(map(len, names)) <= 100


def test_every_mistake_is_answered_once_with_key_and_value() -> None:
    with pytest.raises(InputError) as caught:
        plan_campaign(DIODE, [], ["temperatur=1 K,2 K", f"{RATE}=1 V/s,3 mV,4 mV"])
    lines = str(caught.value).splitlines()
    assert len(lines) == len(set(lines)) == 4
    for value in ("1 K", "2 K"):
        (line,) = (one for one in lines if one.startswith(f"--vary temperatur={value}: "))
        assert "did you mean 'temperature'?" in line
    for value in ("3 mV", "4 mV"):
        assert f"--vary {RATE}={value}: {RATE}: '{value}' is not a quantity in V/s" in lines


def test_too_many_points_are_refused() -> None:
    with pytest.raises(InputError, match="makes 40000 points; at most 10000"):
        plan_campaign(DIODE, [], ["a=1:2:200", "b=1:2:200"])
