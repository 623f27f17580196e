"""Mistakes in files: each is answered with file, line, key, allowed values and nearest name."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.errors import InputError
from ionstack.geometry.stack import load_stack
from support.spoilt import message as answer_to
from support.spoilt import place, replace

_ROOT = Path(__file__).parents[2]


STACK_MISTAKES = [
    (
        "WO3, thickness: 100 nm",
        "WO3, thicknes: 100 nm",
        "thicknes:",
        "layers.0.thicknes: unknown key; allowed: name, material, thickness, first_cell, "
        "growth (did you mean 'thickness'?)",
    ),
    ("100 nm}", "100 s}", "100 s}", "layers.0.thickness: '100 s' is not a quantity in m"),
    (
        "thickness: 100 nm}",
        "thickness: 100}",
        "100}",
        "layers.0.thickness: '100' needs a unit, for instance '100 m'",
    ),
    (
        "100 nm}",
        "-100 nm}",
        "-100 nm}",
        "layers.0.thickness: must be greater than 0, found '-100 nm'",
    ),
    ("100 nm}", ".nan}", ".nan}", "layers.0.thickness: 'nan' is not a finite number"),
    ("100 nm}", "inf m}", "inf m}", "layers.0.thickness: 'inf m' is not a finite number"),
    (
        "{name: LiPON,",
        "{name: WO3,",
        "WO3, material: LiPON",
        "layers.1.name: duplicate name 'WO3'; already used by layers.0.name",
    ),
    (
        "{name: LiPON,",
        "{name: Pt,",
        "Pt, material: LiPON",
        "electrodes.top.name: duplicate name 'Pt'; already used by layers.1.name",
    ),
    (
        "material: LiPON",
        "material: LiPNO",
        "LiPNO",
        "layers.1.material: unknown material 'LiPNO'; available: ",
    ),
    (
        "material: LiPON",
        "material: Pt",
        "Pt, thickness",
        "layers.1.material: 'Pt' is an electrode material, this needs a layer material",
    ),
    (
        "{name: Pt, material: Pt}",
        "{name: Pt, material: WO3}",
        "WO3}",
        "electrodes.top.material: 'WO3' is a layer material, this needs an electrode material; "
        "of this stack: ITO",
    ),
    (
        "dimension: 1d",
        "dimension: 4d",
        "4d",
        "dimension: '4d' is not allowed; allowed: 1d, axisymmetric, 2d, 3d (did you mean",
    ),
    (
        "shape: disc",
        "shape: disk",
        "disk",
        "lateral.shape: 'disk' is not allowed; allowed: disc, rectangle (did you mean 'disc'?)",
    ),
    ("cells: 10", "cells: 0", "0  ", "lateral.cells: "),
    ("growth: 1.35", "growth: 0.9", "0.9", "grading.growth: must be at least 1, found '0.9'"),
    ("  shape: disc", "  shape: rectangle", "shape: rect", "a rectangle needs width and depth"),
    ("name: WO3,", "name: W O,", "W O", "layers.0.name: String should match pattern"),
]


@pytest.mark.parametrize(("old", "new", "at", "message"), STACK_MISTAKES)
def test_mistakes_in_a_stack_file(
    files: tuple[Path, Path], old: str, new: str, at: str, message: str
) -> None:
    case, stack = files
    replace(stack, old, new)
    answer = answer_to(case)
    assert message in answer
    if "duplicate name 'Pt'" not in message:
        assert place(stack, at) in answer


CASE_MISTAKES = [
    (
        "temperature: 25",
        "temperatur: 25",
        "temperatur:",
        "temperatur: unknown key; allowed: name, title, seed, ensemble, stack, temperature, "
        "ambient, species, layers, start, initial, content, interfaces, contacts, heat, circuit, "
        "mechanics, nucleation, noise, protocol, instruments, materials, numerics, output, "
        "observables, references (did you mean 'temperature'?)",
    ),
    ("25 degC", "25 V", "25 V", "temperature: '25 V' is not a quantity in K"),
    ("25 degC", "-300 degC", "-300", "temperature: must be greater than 0, found '-300 degC'"),
    ("Li+: {valence: 1}", "Li+: {}", "Li+: {}", "species.Li+.valence: missing"),
    (
        "{valence: 1}",
        "{valence: 1.5}",
        "1.5",
        "species.Li+.valence: expected a whole number, found 1.5",
    ),
    (
        "WO3: {Li+: 0.3}",
        "WO3: {Li+: 1.3}",
        "1.3}",
        "content.WO3.Li+: must lie between 0 and 1, found '1.3'",
    ),
    ("WO3: {Li+: 0.3}", "WO3: {Li+: 0}", "0}", "content.WO3.Li+: must lie between 0 and 1"),
    (
        "WO3: {Li+: 0.3}",
        "WO3: {Na+: 0.3}",
        "Na+",
        "content.WO3.Na+: unknown species 'Na+'; allowed: Li+, e-",
    ),
    (
        "  MoO3: {Li+: 0.3}",
        "  Mo03: {Li+: 0.3}",
        "Mo03",
        "content.Mo03: unknown layer 'Mo03'; allowed: WO3, LiPON, MoO3 (did you mean 'MoO3'?)",
    ),
    ("  MoO3: {Li+: 0.3}", "", "content:", "content.MoO3.Li+: missing; MoO3 holds Li+"),
    (
        "  LiPON/MoO3:",
        "  LiPON/MoO2:",
        "LiPON/MoO2",
        "interfaces.LiPON/MoO2: unknown interface 'LiPON/MoO2'; allowed: WO3/LiPON, LiPON/MoO3 "
        "(did you mean 'LiPON/MoO3'?)",
    ),
    (
        "kind: barrier_leakage",
        "kind: barrier_leak",
        "barrier_leak",
        "interfaces.WO3/LiPON.e-.kind: unknown interface law 'barrier_leak'; allowed: ",
    ),
    (
        "      couples: Li+",
        "      couples: Li",
        "Li\n",
        "interfaces.WO3/LiPON.e-.couples: unknown species 'Li'; allowed: Li+, e- "
        "(did you mean 'Li+'?)",
    ),
    (
        "barrier_shift:",
        "barier_shift:",
        "barier_shift",
        "interfaces.WO3/LiPON.e-.barier_shift: unknown key; allowed: ",
    ),
    (
        "value: 2 eV",
        "value: 2 V",
        "2 V",
        "interfaces.WO3/LiPON.e-.barrier_shift.value: '2 V' is not a quantity in eV",
    ),
    (
        "value: 10 A/m^2",
        "value: -10 A/m^2",
        "-10 A",
        "exchange_current_density.value: must be at least 0, found '-10 A/m^2'",
    ),
    (
        "value: 10 A/m^2",
        "value: nan A/m^2",
        "nan A",
        "exchange_current_density.value: 'nan A/m^2' is not a finite number",
    ),
    (
        "        source: 1 to 10 A/m^2 at mid content, fit range. Confidence low\n",
        "",
        "exchange_current_density:",
        "interfaces.WO3/LiPON.Li+.exchange_current_density.source: missing",
    ),
    ("rate: 1 V/s", "rate: 0 V/s", "0 V/s", "protocol.0.sweep.rate: must be greater than 0"),
    ("rate: 1 V/s", "rate: 1 V", "1 V, c", "protocol.0.sweep.rate: '1 V' is not a quantity"),
    ("amplitude: -1 V", "amplitude: 0 V", "0 V,", "sweep.amplitude: must not be zero"),
    ("cycles: 5", "cycles: 2.5", "2.5", "sweep.cycles: expected a whole number, found 2.5"),
    (
        "{contact: Pt",
        "{contact: Pd",
        "Pd",
        "protocol.0.sweep.contact: unknown contact 'Pd'; allowed: Pt, ITO (did you mean 'Pt'?)",
    ),
    ("- sweep:", "- swep:", "swep", "protocol.0.swep: unknown key; allowed: sweep, hold, "),
    (
        "\n  ITO:\n    Li+: {kind: blocking}\n    e-: *ohmic\n",
        "\n",
        "contacts:",
        "contacts.ITO: missing law for Li+, e-; allowed kinds: exchange, tunnelling, ",
    ),
    (
        "\n  ITO:\n    Li+: {",
        "\n  ITOO:\n    Li+: {",
        "ITOO",
        "contacts.ITOO: unknown contact 'ITOO'; allowed: Pt, ITO (did you mean 'ITO'?)",
    ),
    (
        "\n  LiPON:\n    species:",
        "\n  LiPOM:\n    species:",
        "LiPOM",
        "materials.LiPOM: the stack does not use material 'LiPOM'; available: ",
    ),
    (
        "stack.yaml",
        "stak.yaml",
        "stak.yaml",
        "no such file (did you mean 'stack.yaml'?)",
    ),
    ("class: trend", "class: guess", "guess", "observables.0.class: 'guess' is not allowed"),
]


@pytest.mark.parametrize(("old", "new", "at", "message"), CASE_MISTAKES)
def test_mistakes_in_a_case_file(
    files: tuple[Path, Path], old: str, new: str, at: str, message: str
) -> None:
    case, _ = files
    replace(case, old, new)
    answer = answer_to(case)
    assert message in answer
    assert (place(case, at) if "\n" not in at else str(case)) in answer


def test_all_mistakes_are_listed_not_only_the_first(files: tuple[Path, Path]) -> None:
    case, stack = files
    replace(case, "rate: 1 V/s", "rate: 1 s")
    replace(case, "content:", "contents:")
    replace(stack, "100 nm}", "100}")
    replace(stack, "cells: 10", "cels: 10")
    lines = answer_to(case).splitlines()
    assert len(lines) == 4
    assert [str(case) in line for line in lines] == [True, True, False, False]


def test_a_syntax_error_names_its_line(files: tuple[Path, Path]) -> None:
    case, _ = files
    replace(case, "  e-: {valence: -1}", "  e-: {valence: -1")
    assert "YAML syntax" in answer_to(case)
    assert f"{case}:" in answer_to(case)


def test_a_missing_case_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.yaml: no such file"):
        load_case(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stak.dimension=3d", "stak: unknown key; allowed: name, title, seed, ensemble, stack, "),
        ("stak.dimension=3d", "(did you mean 'stack'?)"),
        ("stack.dimenson=3d", "dimenson: unknown key; allowed: name, dimension, "),
        ("stack.lateral.cels=3", "lateral.cels: unknown key; allowed: shape, "),
        ("stack.layers.9.thickness=3 nm", "unknown entry; allowed: 0, 1, 2, WO3, LiPON, MoO3"),
        ("protocol.0.sweep.cyles=2", "(did you mean 'cycles'?)"),
        ("temperature=320", "temperature: '320' needs a unit, for instance '320 K'"),
        ("numerics.solver=mump", "allowed: auto, lu, mumps, iterative (did you mean 'mumps'?)"),
        ("numerics.min_step=1 V", "numerics.min_step: '1 V' is not a quantity in s"),
        ("materials.WO3.species.Li+.level=3 V", "'3 V' is not a quantity in eV"),
        ("materials.WO3.species.Li+.transport.difusivity=3 m^2/s", "(did you mean 'diffusivity'"),
        ("materials.WO3.species.Li+.statistics.kind=latice_gas", "(did you mean 'lattice_gas'?)"),
        ("content.WO3.e-=0.1", "its content follows from equilibrium"),
        ("species.Na+.valence=1", "species.Na+: no layer holds 'Na+'"),
        ("interfaces.LiPON/WO3.Li+.kind=blocking", "the same interface as WO3/LiPON"),
        ("temperature", "write it as dotted.key=value"),
    ],
)
def test_a_wrong_setting_names_itself(
    files: tuple[Path, Path], override: str, message: str
) -> None:
    answer = answer_to(files[0], override)
    assert message in answer
    assert answer.startswith(f"--set {override}: ")


def test_the_layers_of_an_interface_may_be_named_in_either_order(
    files: tuple[Path, Path],
) -> None:
    case, _ = files
    replace(case, "  WO3/LiPON:", "  LiPON/WO3:")
    assert tuple(load_case(case).interfaces) == ("LiPON/WO3", "LiPON/MoO3")


def test_anchors_are_harmless_and_tags_refused(files: tuple[Path, Path]) -> None:
    case, _ = files
    assert "*ohmic" in case.read_text()
    load_case(case)
    replace(case, "title: ", "title: !!python/object/apply:os.getcwd ")
    answer = answer_to(case)
    assert "the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd' is not allowed" in answer
    assert place(case, "!!python") in answer


def test_a_mesh_file_replaces_thicknesses(files: tuple[Path, Path]) -> None:
    _, stack = files
    with pytest.raises(InputError) as raised:
        load_stack(stack, ["mesh_file=dimple.msh"])
    assert "layers.0.thickness: not allowed beside mesh_file" in str(raised.value)
    assert "mesh_file: no such file" in str(raised.value)
    (stack.parent / "dimple.msh").write_text("")
    text = stack.read_text().replace(", thickness: 100 nm", "")
    stack.write_text(text + "\nmesh_file: dimple.msh\n")
    read = load_stack(stack)
    assert read.mesh_file == stack.parent / "dimple.msh"
    assert read.layers[0].thickness == 0.0


def test_thickness_is_required_without_mesh_file(files: tuple[Path, Path]) -> None:
    _, stack = files
    replace(stack, "material: WO3, thickness: 100 nm", "material: WO3")
    with pytest.raises(InputError, match=r"layers\.0\.thickness: missing"):
        load_stack(stack)


def test_a_rectangle_is_not_axisymmetric() -> None:
    with pytest.raises(InputError, match="dimension axisymmetric needs the shape disc"):
        load_stack(_ROOT / "meshes/ito_pentacene_p13_al.yaml", ["dimension=axisymmetric"])


def test_cells_are_smallest_at_the_edge_or_in_the_middle() -> None:
    with pytest.raises(InputError, match=r"centre_grading: cells are smallest at the edge"):
        load_stack(
            _ROOT / "meshes/ito_pentacene_p13_al.yaml",
            ["lateral.edge_grading=2", "lateral.centre_grading=2"],
        )


def test_no_garbled_file_ever_ends_in_a_traceback(
    files: tuple[Path, Path], everything: Path
) -> None:
    chance = random.Random(20240607)
    for case, path in ((files[0], files[0]), files, (everything, everything)):
        text = path.read_text()
        for _ in range(60):
            path.write_text(_garbled(text, chance))
            with contextlib.suppress(InputError):
                load_case(case)
        path.write_text(text)


def _garbled(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        index = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[index]
            case 1:
                lines[index] = lines[index][: chance.randint(0, len(lines[index]))]
            case 2:
                lines[index] = lines[index].replace(":", chance.choice([": -", ": {", ": ~", ""]))
            case _:
                lines[index] = "  " + lines[index]
    return "\n".join(lines)
