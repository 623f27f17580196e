"""The section mechanics of a case and of a material: what is read, printed, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.models.case_model import build_model
from ionstack.runs.check import describe
from ionstack.stress.mechanical_layers import solid_choices
from support.spoilt import message, place, replace

SECTION = "mechanics:\n  clamp: rigid\n  metals: {Pt: 50 nm}\n"
PORES = """  porosity:
    - metal: %s
      initial: {value: 0.01, source: test}
      nucleated: {value: 0.1, source: test}
      strain: {value: 0.02, source: test}
      deviation: {value: 0.01, source: test}
"""
ROUGH = """  roughness:
    - metal: Pt
      layer: %s
      grain: {value: 100 nm, source: test}
      amplitude: {value: 0 nm, source: test}
      gain: {value: 1, source: test}
"""
COHESIVE = """  cohesive:
    - interface: %s
      strength: {value: %s, source: test}
      work: {value: %s, source: test}
"""
TWICE = COHESIVE % ("Pt/WO3", "1 MPa", "1 J/m^2")
TWICE += "".join(TWICE.splitlines(keepends=True)[1:])
AREAS = "      radius: 1 um\n      between: [0 um, 1 um]\n"
ZONES = "  zones: [{name: soft, layer: %s, between: [1 um, 3 um], %s}]\n"


def stressed(case: Path, section: str = SECTION) -> Path:
    """The case with mechanics, and a stack of materials that have a stiffness."""
    replace(case, "protocol:\n", f"{section}\nprotocol:\n")
    return case


def test_swelling_acts_only_where_stress_is_solved_for(files: tuple[Path, Path]) -> None:
    free = load_case(files[0])
    assert not any(region.swelling for region in build_model(free).regions)
    assert not any("mechanics" in row.path or "swelling" in row.path for row in values_used(free))
    case = load_case(stressed(files[0]))
    assert build_model(case).region("WO3").swelling[0].name == "Li+"
    assert any(row.path == "mechanics.yield_strength" for row in values_used(case))


def test_check_prints_how_it_is_held_and_what_is_assumed(files: tuple[Path, Path]) -> None:
    text = describe(load_case(stressed(files[0], SECTION + ROUGH % "WO3")))
    assert "in closed form\n  held by a rigid clamp below" in text
    assert "Pt: metal of 50 nm, bonded" in text
    assert "closure: grains of 1e-07 m strain it by (pi A/l)^2" in text
    assert "a clamped film does not" in text


def test_check_prints_what_pores_of_a_body_let_through(files: tuple[Path, Path]) -> None:
    case = stressed(files[0], SECTION + ROUGH % "WO3" + PORES % "Pt")
    text = describe(load_case(case, ["stack.dimension=axisymmetric"]))
    assert "growth of WO3 at each place; a clamped film does not" in text
    assert "Pt: gas passes its whole thickness: the least porous place of each column" in text
    assert "column" not in describe(load_case(case)).split("Mechanics:")[1].split("\n\n")[0]


def test_zones_are_described_and_their_numbers_are_listed(files: tuple[Path, Path]) -> None:
    solid = "mechanics: {young_modulus: {value: 3 GPa, source: soft}, poisson_ratio: {value: 0.4, "
    section = SECTION + ZONES % ("LiPON", solid + "source: soft}}")
    section += "  debonds: [{interface: LiPON/MoO3, between: [1 um, 3 um]}]\n"
    case = load_case(stressed(files[0], section), ["stack.dimension=axisymmetric"])
    text = describe(case)
    assert "soft: LiPON between 1e-06 and 3e-06 m is a solid of its own (assumed)" in text
    assert "LiPON/MoO3: debonded between 1e-06 and 3e-06 m: traction-free" in text
    own = {row.path: row.value for row in values_used(case) if row.material == "zone soft"}
    assert own == {"mechanics.young_modulus": 3e9, "mechanics.poisson_ratio": 0.4}
    assert solid_choices(case)["soft"].solid().young_modulus == 3e9


def test_nothing_holds_the_stack(files: tuple[Path, Path]) -> None:
    case = stressed(files[0], "mechanics: {clamp: substrate}\n")
    answer = message(case)
    assert f"{place(case, '{clamp: substrate}')}: mechanics: nothing holds the stack: " in answer
    case = files[0].parent / "other.yaml"
    case.write_text(files[0].read_text().replace("mechanics: {clamp: substrate}", "mechanics: {}"))
    assert "mechanics.clamp: missing" in message(case)


@pytest.mark.parametrize(
    ("setting", "answer"),
    [
        ("young_modulus={value: 0 GPa, source: x}", "must be greater than 0"),
        ("young_modulus={value: -3 GPa, source: x}", "must be greater than 0"),
        ("poisson_ratio={value: 0.5, source: x}", "must lie between -1 and 0.5"),
        ("poisson_ratio={value: -1, source: x}", "must lie between -1 and 0.5"),
        ("yield_strength={value: 3 m, source: x}", "m"),
        ("residual_stress={value: 2 GPa, source: x}", "the film would flow at rest"),
    ],
)
def test_impossible_solids(files: tuple[Path, Path], setting: str, answer: str) -> None:
    found = message(stressed(files[0]), f"materials.Pt.mechanics.{setting}")
    assert answer in found
    assert "materials.Pt.mechanics" in found


def test_a_layer_without_stiffness(files: tuple[Path, Path]) -> None:
    answer = message(stressed(files[0]), "materials.WO3.mechanics=null")
    assert "mechanics: WO3 needs the stiffness of WO3; write for instance" in answer


@pytest.mark.parametrize(
    ("section", "answer"),
    [
        ("  metals: {Pr: 5 nm}\n", "metals.Pr: unknown electrode 'Pr'; allowed: Pt, ITO (did"),
        (ROUGH % "WO", "roughness.0.layer: unknown layer 'WO'; allowed: WO3"),
        (PORES % "ITO", "porosity.0.metal: ITO has no thickness; write for instance"),
        ("  debonds: [{interface: Pt/WO3, radius: 1 um}]\n", "debonds: a 1-D stack has no lateral"),
        ("  debonds: [{interface: Pt/WO2, radius: 1 um}]\n", "unknown interface 'Pt/WO2'; allowed"),
        (COHESIVE % ("Pt/WO3", "1 MPa", "1 J/m^2"), "cohesive: films in 1-D stay bonded"),
        (COHESIVE % ("Pt/WO2", "1 MPa", "1 J/m^2"), "unknown interface 'Pt/WO2'; allowed"),
        (COHESIVE % ("Pt/WO3", "0 MPa", "1 J/m^2"), "strength.value: must be greater than 0"),
        (COHESIVE % ("Pt/WO3", "1 GPa", "1 uJ/m^2"), "raise work or stiffness, or lower the stre"),
        (TWICE, "cohesive.1.interface: Pt/WO3 is cohesive already; give it one law"),
        (COHESIVE % ("Pt/WO3", "1 MPa", "1 J/m^2") + AREAS, "give either radius or between"),
        ("  debonds: [{interface: WO3/LiPON}]\n", "debonds.0: give either 'radius: 10 um' or"),
        (
            "  debonds: [{interface: WO3/LiPON, between: [3 um, 2 um]}]\n",
            "debonds.0: the first coordinate must be less than the second one",
        ),
        (ZONES % ("WO", "material: P13"), "zones.0.layer: unknown layer 'WO'; allowed: Pt, WO3, "),
        (ZONES % ("ITO", "material: P13"), "zones.0.layer: unknown layer 'ITO'; allowed: Pt, WO3"),
        (ZONES % ("WO3", "material: P13"), "mechanics: zone soft needs the stiffness of P13; wri"),
        (ZONES % ("WO3", "material: P14"), "zones.0.material: unknown material 'P14'"),
        (ZONES % ("WO3", "material: Pt"), "zones: a 1-D stack has no lateral place; use dimension"),
        (ZONES % ("WO3", "radius: 3 um"), "zones.0: give either radius or between, not both"),
        ("  zones: [{name: WO3, layer: WO3, radius: 1 um, material: Pt}]\n", "or zone 'WO3'; give"),
        ("  zones: [{name: soft, layer: WO3, radius: 1 um}]\n", "give either 'material: glass' or"),
        ("  tolerance: 0 V\n", "tolerance: must be greater than 0"),
    ],
)
def test_names_and_places(files: tuple[Path, Path], section: str, answer: str) -> None:
    base = "mechanics:\n  clamp: rigid\n"
    base += "" if "metals" in section else "  metals: {Pt: 50 nm}\n"
    assert answer in message(stressed(files[0], base + section))


def test_a_swelling_law_of_a_species_that_the_case_lacks(files: tuple[Path, Path]) -> None:
    law = "{kind: partial_volume, partial_molar_volume: {value: 1 cm^3/mol, source: x}}"
    one = "materials.WO3.species.Li={statistics: {kind: boltzmann, site_density: {value: 1 1/m^3, "
    one += "source: x}}, level: {value: 0 eV, source: x}, transport: {kind: immobile}, swelling: "
    answer = message(stressed(files[0]), f"{one}{law}}}")
    assert "unknown species 'Li'; allowed: Li+, e-" in answer


def test_a_species_that_stress_drives_is_not_continuous(files: tuple[Path, Path]) -> None:
    """Stress differs between the sides: a shared potential without it is no equilibrium."""
    settings = (
        "interfaces.WO3/LiPON.Li+={kind: continuous}",
        "materials.WO3.species.Li+.excess=null",
    )
    assert load_case(files[0], settings).mechanics is None
    answer = message(stressed(files[0]), *settings)
    assert "WO3/LiPON.Li+.kind: continuous is not possible: Li+ swells and feels the" in answer
    assert "stress in WO3; use exchange with a large exchange_current_density" in answer
    assert "in LiPON" not in answer


def test_a_substrate_that_does_not_bend(files: tuple[Path, Path]) -> None:
    section = "mechanics: {clamp: rigid, substrate: {material: glass, thickness: 0.5 mm}}\n"
    assert "a substrate that bends needs 'clamp: substrate'" in message(stressed(files[0], section))
    other = files[0].parent / "other.yaml"
    other.write_text(files[0].read_text().replace("clamp: rigid", "clamp: substrate"))
    assert load_case(other).materials["glass"].mechanics is not None
    assert "unknown material 'glas'" in message(other, "mechanics.substrate.material=glas")
    assert "'Pt' is" not in message(other, "mechanics.substrate.material=P13")
