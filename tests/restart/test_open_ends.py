"""Steps whose end the state decides, in a circuit, go on after a kill as if there had been none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.output.spectra import read_spectra
from ionstack.output.steps import read_steps
from support.devices import COARSE
from support.restarts import Instants, difference, results, run, write_case

pytestmark = pytest.mark.usefixtures("quick")

CIRCUIT = {
    "sources": {"V1": {"node": "in", "compliance": "1 uA"}},
    "elements": {
        "R1": {"kind": "resistor", "nodes": ["in", "Pt"], "resistance": "100 kohm"},
        "C1": {"kind": "capacitor", "nodes": ["Pt", "ground"], "capacitance": "10 pF"},
    },
}
PROTOCOL = [
    {"name": "written", "sweep": {"contact": "V1", "amplitude": "-0.5 V", "rate": "1 V/s"},
     "until": {"current": {"above": "0.3 uA"}}},
    {"temperature": {"to": "310 K", "duration": "0.2 s"}},
    {"ambient": {"to": {"O2": "21 kPa"}, "duration": "0.1 s"}},
    {"current": {"contact": "V1", "current": "20 nA", "voltage": "0.05 V", "duration": "5 s"}},
    {"open_circuit": {"contact": "V1", "duration": "1 s"}},
    {"impedance": {"contact": "Pt", "frequencies": ["1 Hz", "1 kHz"]}},
    {"hold": {"contact": "V1", "voltage": "-0.1 V", "duration": "0.2 s"}},
]  # fmt: skip
KILLS = 3


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.mktemp("open") / "case.yaml"
    output = {"figures": False, "checkpoint_every": "1 ns"}
    write_case(file, circuit=CIRCUIT, protocol=PROTOCOL, output=output, instruments="none")
    return load_case(file, COARSE)


@pytest.fixture(scope="module")
def whole(case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """The run, and what kills at random acts would have left of it."""
    base = tmp_path_factory.mktemp("whole")
    with Instants(base / "counted") as instants:
        run(case, base / "counted")
    drawn = random.Random(7).sample(range(10, len(instants.acts)), KILLS)
    places = {act: base / f"killed-{act}" for act in drawn}
    with Instants(base / "run", places):
        run(case, base / "run")
    return base / "run", list(places.values())


def test_the_steps_ended_as_they_should(whole):
    rows = {row.kind: row for row in read_steps(whole[0] / "steps.csv")}
    assert rows["sweep"].ended_by == "current of V1 above 3e-07 A"
    assert rows["sweep"].end < 0.5
    assert len(rows) == 7


def test_a_killed_run_goes_on_to_the_same_results(case, whole):
    folder, killed = whole
    expected = results(folder)
    for place in killed:
        run(case, place, resume=True)
        assert difference(results(place), expected) < 1e-9, place.name
        assert read_steps(place / "steps.csv") == read_steps(folder / "steps.csv")
        spectra = (read_spectra(one / "impedance.csv") for one in (place, folder))
        for one, other in zip(*spectra, strict=True):
            assert one.frequency == other.frequency
            assert one.real == pytest.approx(other.real, rel=1e-9)
