"""Values that durations of steps are compared with."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from ionstack.campaigns.dependences import draw_dependences
from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.output.campaign import CampaignDirectory, Record
from ionstack.plots import panels
from support.launch import ROOT

DELAY = ROOT / "cases" / "filament" / "delay.yaml"
VOLATILITY = ROOT / "cases" / "filament" / "volatility.yaml"
VOLTS = "protocol.0.repeat.steps.0.hold.voltage"


@pytest.mark.parametrize("volts", [0.4, 0.6])
def test_numbers_are_those_of_the_case_in_si_units(volts):
    case = load_case(DELAY, [f"{VOLTS}={1e3 * volts} mV"])
    (value,) = case.references.values()
    assert value == pytest.approx(np.exp((1.6 / volts) ** 2) / 5e7, rel=1e-12)


def test_a_formula_without_arguments_is_a_level():
    names = load_case(VOLATILITY, ["circuit.sources.V1.compliance=0.1 mA"]).references
    level = names.pop("reference.retention.nonvolatile above 1 s [s]")
    (closed,) = names.values()
    square = 4.0 * 4e-6 * 1e-8 * 1e-4 / (np.pi * 0.15)
    assert level == 1.0
    assert closed == pytest.approx((square**2 - 1e-36) / 1e-31, rel=1e-12)


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ("{form: [{label: one, formula: '1'}]}", "retention"),
        ("{retention: [{label: one, formula: 'I', arguments: {I: circuit.sources.V2.compliance}}]}",
         "there is no 'V2' in circuit.sources; there: V1"),
        ("{retention: [{label: one, formula: 'I', arguments: {I: circuit.sources.V1}}]}",
         "circuit.sources.V1 is not a number"),
        ("{retention: [{label: one, formula: '2*d'}]}", "d"),
    ],
)  # fmt: skip
def test_mistakes(references, message):
    with pytest.raises(InputError) as caught:
        load_case(VOLATILITY, [f"references={references}"])
    assert message in str(caught.value)
    assert "references." in str(caught.value)


def test_they_are_lines_beside_the_durations(tmp_path, monkeypatch):
    folder, key = CampaignDirectory(tmp_path), "circuit.sources.V1.compliance"
    points = {f"{n}": {key: f"{10**n} uA"} for n in range(3)}
    folder.record.write_text(Record("c.yaml", "c", (), points).text())
    with folder.table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["point", f"{key} [uA]", "status", "duration.decay [s]",
                         "reference.decay.level [s]", "reference.other.level [s]"])  # fmt: skip
        for n, (name, took) in enumerate(zip(points, (4.0, "", 9.0), strict=True)):
            writer.writerow([name, 10.0**n, "completed", took, 2.0, 3.0])
    drawn = []
    monkeypatch.setattr(
        "ionstack.campaigns.dependences.draw_panels",
        lambda found, path: drawn.extend(found) or panels.draw_panels(found, path),
    )
    (path,) = draw_dependences(folder)
    assert path.exists()
    (panel,) = drawn
    assert [one.label for one in panel.series] == ["simulated", "level"]
    assert panel.series[0].x.tolist() == [1.0, 100.0]
    assert panel.series[1].y.tolist() == [2.0, 2.0, 2.0]


def test_how_a_device_switches_is_drawn_against_what_varies(tmp_path, monkeypatch):
    points = {f"0{n}": {"a.compliance": f"{n} mA"} for n in (1, 2, 8)}
    folder = CampaignDirectory(tmp_path)
    folder.record.write_text(Record("c.yaml", "c", (), points).text())
    with folder.table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["point", "a.compliance [mA]", "status", "iv.negative.reset [V]",
                         "iv_set.positive.low_resistance [ohm]", "iv.positive.window [1]",
                         "iv.positive.threshold.slope [V]"])  # fmt: skip
        for n in (1, 2, 8):
            writer.writerow([f"0{n}", n, "completed", -0.4, 400.0 / n, 2.0, ""])
    drawn = []
    monkeypatch.setattr(
        "ionstack.campaigns.dependences.draw_panels", lambda found, path: drawn.extend(found)
    )
    draw_dependences(folder)
    assert [(one.title, one.y.label, one.y.log) for one in drawn] == [
        ("negative sweeps", "reset", False),
        ("positive sweeps", "low resistance", True),
    ]
    assert drawn[1].series[0].y.tolist() == [400.0, 200.0, 50.0]
