"""Electrons that tunnel through a gap, in a case file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.errors import InputError
from ionstack.models.case_model import build_model
from ionstack.models.gap_model import GapLayer, build_gap_model

CASES = Path(__file__).parents[2] / "cases/filament"
LAW = "materials.SiO2_Ag.species.e-.transport"
NUMBERS = (
    "metallic_content: {value: 0.4, source: x}, barrier_height: {value: 2 eV, source: x}, "
    "conductivity: {formula: 1e-6 + x, unit: S/m, source: x}"
)
TUNNELLING = f"{{kind: gap_tunnelling, couples: Ag, {NUMBERS}}}"


def case_with(*changes: str):
    return load_case(CASES / "nucleated.yaml", [f"{LAW}={TUNNELLING}", *changes])


def test_the_gap_follows_from_the_law_of_its_layer() -> None:
    case = case_with("numerics.gap_tolerance=0.02")
    gap = build_gap_model(case, build_model(case))
    assert gap is not None
    assert gap.layers == {"SiO2": GapLayer("Ag", 0.4, 2.0, 1.0)}
    assert gap.between == ("Ag", "Pt")
    assert gap.sides == {"Ag": 0, "Pt": 1}
    assert gap.tolerance == pytest.approx(0.02)
    assert any(one.path.endswith("barrier_height") for one in values_used(case))


def test_without_the_law_there_is_no_gap() -> None:
    case = load_case(CASES / "nucleated.yaml")
    assert build_gap_model(case, build_model(case)) is None


IONS = f"materials.SiO2_Ag.species.Ag+.transport={TUNNELLING}"


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (f"{LAW}.couples=Au", r"couples: unknown species 'Au'; allowed: Ag, Ag\+, e-"),
        (f"{LAW}.barrier_height.value=-1 eV", r"barrier_height.*-1 eV"),
        (f"{LAW}.barrier_hight={{value: 1 eV, source: x}}", r"did you mean 'barrier_height'"),
        ("contacts.Pt.e-={kind: blocking}", r"contacts.Pt: takes no e-, which tunnels"),
        (IONS, r"e-.transport.kind: Ag\+ tunnels already|Ag\+ tunnels already"),
        ("numerics.gap_tolerance=0", r"gap_tolerance"),
    ],
)
def test_mistakes_are_answered(change: str, answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        case_with(change)
