"""Material files: what is read, what is refused, where they may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.reading.materials import load_material

MATERIAL = """\
title: test
relative_permittivity: {value: 5, source: test}
species:
  e-:
    statistics: {kind: lattice_gas, site_density: {value: 1e27 1/m^3, source: test}}
    level: {value: -4 eV, source: test}
    transport: {kind: ohmic, conductivity: {value: 1 S/m, source: test}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", ""),
        ("{value: 5, source: test}", "{value: 0.5, source: test}", "must be at least 1"),
        ("{value: 5, source: test}", "5", "relative_permittivity: expected 'value:' and 'source:'"),
        ("source: test}", "source: ''}", "source: String should have at least 1 character"),
        (", source: test}\nspecies", "}\nspecies", "relative_permittivity.source: missing"),
        ("1e27 1/m^3", "0 1/m^3", "site_density.value: must be greater than 0"),
        ("-4 eV", "-4 eV, activation_energy: 1 eV", "activation_energy: unknown key; allowed: "),
        ("kind: ohmic", "kind: omic", "unknown transport law 'omic'; allowed: sedan, "),
        ("kind: ohmic", "kind: sedan", "conductivity: unknown key; allowed: kind, diffusivity"),
        ("kind: ohmic, ", "", "species.e-.transport.kind: missing; allowed: sedan, "),
        ("kind: ohmic", "kind: [ohmic]", "unknown transport law"),
        ("kind: ohmic", "kind: ohmic, couples: Li+", "couples: unknown key; allowed: kind, "),
        ("    level: {value: -4 eV, source: test}\n", "", "species.e-.level: missing"),
        ("title: test\n", "", "title: missing"),
        ("relative_permittivity: {value: 5, source: test}\n", "", "needs relative_permittivity"),
    ],
)
def test_material_files(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "glass.yaml"
    path.write_text(MATERIAL.replace(old, new, 1))
    if not message:
        assert load_material("glass", [tmp_path]).species["e-"].level.value == -4.0
        return
    with pytest.raises(InputError) as raised:
        load_material("glass", [tmp_path])
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{path}:")


def test_a_case_may_bring_its_own_materials(files: tuple[Path, Path]) -> None:
    case, _ = files
    folder = case.parent / "materials"
    folder.mkdir()
    (folder / "Ti.yaml").write_text("title: Ti\nwork_function: {value: 4.33 eV, source: test}\n")
    read = load_case(case, ["stack.electrodes.top.material=Ti"])
    work_function = read.materials["Ti"].work_function
    assert work_function is not None
    assert work_function.value == 4.33


def test_changes_of_a_material_that_a_variant_does_not_use_are_no_mistake(
    files: tuple[Path, Path],
) -> None:
    case, _ = files
    read = load_case(case, ["stack.layers.LiPON.material=MoO3"])
    assert "LiPON" not in read.materials


def test_an_unknown_material_suggests_a_name() -> None:
    with pytest.raises(InputError, match=r"unknown material 'WO4'; available: .*'WO3'"):
        load_material("WO4")
    with pytest.raises(InputError, match="unknown material"):
        load_material("../materials/WO3")
