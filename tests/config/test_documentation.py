"""The reference of the files names every law and parameter that there is."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ionstack.case_schema import CaseModel, NumericsModel
from ionstack.law_choice import registered
from ionstack.physics.circuit_elements import elements
from ionstack.physics.registry import Kind, Parameter
from ionstack.schema import known_keys

_TEXT = (Path(__file__).parents[2] / "docs/files.md").read_text()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_law_is_in_the_table(kind: Kind) -> None:
    for law in registered(kind).values():
        assert f"`{law.name}`" in _TEXT
        for entry in (*law.parameters, *law.curves):
            unit = "" if entry.unit == "1" else f" [{entry.unit}]"
            assert f"`{entry.name}`{unit}" in _TEXT


def test_every_circuit_element_is_in_the_table() -> None:
    for element in elements().values():
        for entry in element.parameters if element.name != "source" else ():
            unit = f" [{entry.unit}]" if isinstance(entry, Parameter) and entry.unit != "1" else ""
            assert f"`{element.name}`" in _TEXT
            assert f"`{entry.name}`{unit}" in _TEXT


@pytest.mark.parametrize("model", [CaseModel, NumericsModel])
def test_every_key_is_explained(model: type[CaseModel | NumericsModel]) -> None:
    for key in known_keys(model):
        assert f"{key}:" in _TEXT
