"""The section noise of a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.errors import InputError
from ionstack.models.case_model import build_model

GROWTH = Path(__file__).parents[2] / "cases/filament/growth.yaml"
TIME = "correlation_time: {value: 1 us, source: x}"


def case_with(section: str):
    return load_case(GROWTH, [f"noise={section}"])


def test_flows_and_reactions_are_named_by_layer() -> None:
    case = case_with(f"{{{TIME}, flows: {{SiO2: [Ag, Ag+]}}, reactions: {{SiO2: [plating]}}}}")
    noise = build_model(case).noise
    assert noise is not None
    assert noise.correlation_time == pytest.approx(1e-6)
    assert noise.flows == (("SiO2", "Ag"), ("SiO2", "Ag+"))
    assert noise.reactions == (("SiO2", "plating"),)
    assert case.random
    assert "correlation_time" in {one.path for one in values_used(case)}
    assert build_model(load_case(GROWTH)).noise is None


@pytest.mark.parametrize(
    ("section", "answer"),
    [
        (f"{{{TIME}, flows: {{SiO: [Ag]}}}}", r"unknown layer 'SiO'; allowed: SiO2"),
        (f"{{{TIME}, flows: {{SiO2: [Au]}}}}", r"unknown species 'Au'; allowed: Ag, Ag\+, e-"),
        (f"{{{TIME}, reactions: {{SiO2: [platin]}}}}", r"did you mean 'plating'"),
        ("{correlation_time: 1 us, flows: {SiO2: [Ag]}}", r"correlation_time"),
        ("{flows: {SiO2: [Ag]}}", r"correlation_time"),
    ],
)
def test_mistakes_are_answered(section: str, answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        case_with(section)
