"""The reference of the files names every law and parameter that there is."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.case_schema import CaseModel, NumericsModel
from ionstack.casefile.protocol_schema import StepModel, kinds
from ionstack.physics.catalogue import elements
from ionstack.physics.registry import Kind, Parameter
from ionstack.reading.law_choice import registered
from ionstack.reading.schema import known_keys

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


def test_the_protocol_of_the_reference_can_be_read(files: tuple[Path, Path]) -> None:
    section = _TEXT[_TEXT.index("### Protocol") :]
    text = section[section.index("protocol:\n") : section.index("```\n\nBeside")]
    case = files[0].read_text()
    before, after = case[: case.index("protocol:")], case[case.index("materials:") :]
    files[0].write_text(f"{before}{text}{after}")
    found = {one.kind for one in load_case(files[0]).protocol.spans}
    # Only a circuit has switches.
    assert found == set(kinds()) - {"repeat", "switch"}


@pytest.mark.parametrize("kind", [one for one in kinds() if one != "switch"])
def test_every_key_of_a_step_is_in_the_table(kind: str) -> None:
    row = next(line for line in _TEXT.splitlines() if line.startswith(f"| `{kind}` |"))
    (model, _) = get_args(StepModel.model_fields[kind].annotation)
    for key in known_keys(model):
        assert f"`{key}`" in row or f"`{key}: " in row, key
