"""Sections for reactions, shared sites, charges and starts: what is read, what is refused."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.models.case_model import build_model
from ionstack.models.model import Model
from ionstack.reading.materials import load_material
from ionstack.reading.reaction_choice import read_equation
from ionstack.runs.check import describe
from support.spoilt import message as answer_to
from support.spoilt import place, replace


def model(case: Path, *overrides: str) -> Model:
    return build_model(load_case(case, overrides))


def test_reactions_are_read_with_their_counts(everything: Path) -> None:
    plating, traps = (model(everything).region(name).reactions[0] for name in ("solid", "host"))
    assert (plating.left, plating.right) == ((("Li+", 1), ("e-", 1)), (("Li0", 1),))
    assert plating.law.numbers["rate"].value == 1e28
    assert (traps.left, traps.right) == ((("e-", 1), ("h+", 1)), ())
    assert traps.law.law.name == "srh"


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("2 Li+ + e- <=> A", ((("Li+", 2), ("e-", 1)), (("A", 1),))),
        ("<=> e- + h+", ((), (("e-", 1), ("h+", 1)))),
        ("A + B<=>C", ((("A", 1), ("B", 1)), (("C", 1),))),
        ("A <=> 2 A", ((("A", 1),), (("A", 2),))),
    ],
)
def test_equations(text: str, sides: object) -> None:
    assert read_equation(text) == sides


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A + B", "expected one '<=>' between two sides, found 'A + B'"),
        ("A <=> B <=> C", "expected one '<=>'"),
        ("<=>", "'<=>' changes nothing"),
        ("A + B <=> B + A", "changes nothing"),
        ("A B <=>", "expected '+' and a species after 'A' in 'A B'"),
        ("A + <=>", "expected '+' and a species after 'A' in 'A +'"),
        ("+ A <=>", "expected a species in '+ A'"),
        ("2 <=> A", "expected a species in '2'"),
        ("0 A <=> B", "a count must lie between 1 and 8, found 0"),
        ("99999 A <=> B", "a count must lie between 1 and 8, found 99999"),
        ("A + A <=> B", "A stands twice on a side; write '2 A'"),
    ],
)
def test_wrong_equations(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_equation(text)


def test_shared_sites_and_neutral_species(everything: Path) -> None:
    solid = model(everything).region("solid")
    assert [one.name for one in solid.rivals("Li+")] == ["Li0"]
    assert solid.rivals("e-") == ()
    assert solid.held("Li0").z == 0
    assert solid.held("Li+").transport.numbers["anisotropy"].value == 100.0


def test_what_is_charged(everything: Path) -> None:
    read = model(everything)
    (interface,) = read.interfaces
    layer = interface.double_layer
    assert layer is not None
    assert (layer.capacitance, layer.offset, layer.carriers) == (0.1, 0.1, {"solid": "Li+"})
    assert interface.sheet_charge == 1e15
    assert interface.merges("e-")
    assert [region.neutral for region in read.regions] == [False, True]
    anode, cathode = read.contacts
    assert (anode.work_function, cathode.work_function) == (None, 4.5)
    assert cathode.double_layer is not None
    assert cathode.double_layer.capacitance == 0.2
    assert not cathode.floating
    assert model(everything, "contacts.cathode.floating=true").contacts[1].floating


def test_a_fixed_charge_may_depend_on_the_place(everything: Path) -> None:
    charge = model(everything).region("host").fixed_charge
    assert callable(charge)
    depth = np.array([0.0, 1e-8, 1e-7])
    wanted = -1e25 + 1e24 * np.exp(-depth / 1e-8)
    for lateral in ((), (3e-7,), (3e-7, 4e-7)):
        points = np.column_stack([*(np.full(3, one) for one in lateral), depth])
        np.testing.assert_allclose(charge(points), wanted, rtol=1e-14)
    replace(everything, "-1e25 + 1e24*exp(-z/1e-8)", "1e31*r + 1e30*x + 1e29*y")
    charge = model(everything).region("host").fixed_charge
    assert callable(charge)
    assert charge(np.array([[3e-7, 4e-7, 1e-8]]))[0] == pytest.approx(5.34e24, rel=1e-12)
    assert charge(np.array([[1e-8]]))[0] == 0.0


def test_a_layer_takes_the_charge_of_its_material_unless_it_has_its_own(everything: Path) -> None:
    assert model(everything).region("solid").fixed_charge == -2.9e25
    table = "{table: {z: [100 nm, 150 nm], value: [-3e25, -2e25]}, unit: 1/m^3, source: test}"
    charge = model(everything, f"layers.solid.fixed_charge={table}").region("solid").fixed_charge
    assert callable(charge)
    assert charge(np.array([[1.25e-7]]))[0] == pytest.approx(-2.5e25, rel=1e-12)
    number = "{value: 0 1/m^3, source: test}"
    assert model(everything, f"layers.solid.fixed_charge={number}").regions[1].fixed_charge == 0.0


def test_a_material_may_vary_its_own_charge(tmp_path: Path, everything: Path) -> None:
    old = "fixed_charge: {value: -2.9e25 1/m^3, source: test}"
    replace(everything, old, "fixed_charge: {formula: -1e25*z/1e-7, unit: 1/m^3, source: test}")
    case = load_case(everything)
    rows = {row.path: row.text for row in values_used(case) if row.material == "solid"}
    assert rows["fixed_charge"] == "-1e25*z/1e-7"


def test_the_start_is_equilibrium_unless_told(everything: Path, files: tuple[Path, Path]) -> None:
    assert load_case(everything).start == "as_given"
    assert load_case(files[0]).start == "equilibrium"


def test_as_given_takes_contents_of_supplied_species_too(everything: Path) -> None:
    both = ("content.host.e-=0.1", "content.solid.e-=0.2")
    assert load_case(everything, both).contents["solid"]["e-"] == 0.2
    lines = answer_to(everything, "content.solid.e-=0.2").splitlines()
    assert len(lines) == 1
    assert "content.host.e-: missing; host holds e-" in lines[0]
    assert "solid has one, and they exchange e-" in lines[0]
    assert "its content follows from equilibrium" in answer_to(
        everything, "start=equilibrium", *both
    )


def test_a_reaction_may_be_taken_out(everything: Path) -> None:
    assert model(everything, "materials.solid.reactions.plating=null").regions[1].reactions == ()


def test_a_reaction_of_species_that_the_case_lacks_is_left_out(everything: Path) -> None:
    text = everything.read_text()
    for line in ("  h+: {valence: 1}\n", "    h+: *fast\n", "        equation: e- + h+ <=>\n"):
        assert line in text
    text = text.replace("  h+: {valence: 1}\n", "").replace("    h+: *fast\n", "")
    everything.write_text(text)
    assert "'e- + h+ <=>' needs h+, which the case does not list" in answer_to(everything)
    everything.write_text(text.replace("equation: e- + h+ <=>", "equation: h+ + X <=>"))
    replace(everything, "      h+:\n", "      X: &x\n")
    replace(everything, "    reactions:\n      traps", "      h+: *x\n    reactions:\n      traps")
    assert model(everything).region("host").reactions == ()


def test_the_description_names_everything(everything: Path) -> None:
    text = describe(load_case(everything))
    for part in (
        "continuous across interfaces other than host/solid",
        "start                     contents as given, at 0 V",
        "host: fixed charge depends on the place",
        "solid: neutral",
        "lattice_gas on the sites lithium",
        "plating, Li+ + e- <=> Li0, mass_action",
        "host/solid: double layer of 0.1 F/m^2, offset 0.1 V, charge stored as Li+ in solid",
        "host/solid: sheet charge 1e+15 e/m^2",
        "anode (ohmic): e- exchange",
        "layer host",
        "double_layer.capacitance",
        "reactions.plating.rate",
    ):
        assert part in text
    assert "(ohmic, floating)" in describe(
        load_case(everything, ["contacts.anode.floating=true", *HOLD])
    )


HOLD = ["protocol=[{hold: {contact: cathode, voltage: 0.1 V, duration: 1 s}}]"]


def test_the_case_travels_and_is_plain_when_resolved(everything: Path) -> None:
    case = load_case(everything)
    assert pickle.loads(pickle.dumps(case)) == case
    resolved = yaml.safe_load(case.resolved())
    assert resolved["layers"]["solid"]["neutral"] is True
    assert resolved["start"] == "as_given"
    assert resolved["boundaries"]["anode"]["ohmic"] is True
    rows = values_used(case)
    assert len({(row.material, row.path) for row in rows}) == len(rows)


MISTAKES = [
    # reactions
    (
        "Li+ + e- <=> Li0",
        "Li+ + e <=> Li0",
        "materials.solid.reactions.plating.equation: unknown species 'e'; allowed: Li+, Li0, e- "
        "(did you mean 'e-'?)",
    ),
    (
        "Li+ + e- <=> Li0",
        "Li+ <=> Li0",
        "reactions.plating.equation: charge is not conserved: +1 on the left, +0 on the right",
    ),
    ("e- + h+ <=>", "2 e- + h+ <=>", "traps.equation: srh takes one particle each of two species"),
    ("e- + h+ <=>", "e- + h+ <=> Li+", "traps.equation: srh takes one particle each"),
    ("e- + h+ <=>", "e- + h+", "traps.equation: expected one '<=>' between two sides"),
    ("        equation: e- + h+ <=>\n", "", "reactions.traps.equation: missing"),
    ("kind: srh", "kind: shr", "unknown reaction law 'shr'; allowed: mass_action, srh, langevin"),
    (
        "first_lifetime: {",
        "first_lifetme: {",
        "unknown key; allowed: kind, equation, first_lifetime",
    ),
    # shared sites
    (
        "        sublattice: lithium\n",
        "",
        "materials.solid.species.Li0.sublattice: no other species shares the sites 'lithium'",
    ),
    (
        "        level: {value: -4.5 eV, source: test}\n",
        "        level: {value: -4.5 eV, source: test}\n        sublattice: lithium\n",
        "species.e-.sublattice: shared sites need lattice_gas, found boltzmann",
    ),
    (
        "      Li0:\n        statistics: *ions",
        "      Li0:\n        statistics: {kind: lattice_gas, "
        "site_density: {value: 2e26 1/m^3, source: test}}",
        "shared sites need one site_density, found Li+ 1e+26 1/m^3, Li0 2e+26 1/m^3",
    ),
    # layers
    ("  solid: {neutral", "  sold: {neutral", "layers.sold: unknown layer 'sold'; allowed: host"),
    ("{neutral: true}", "{neutrl: true}", "unknown key; allowed: neutral, fixed_charge (did you"),
    ("{neutral: true}", "{neutral: 1}", "layers.solid.neutral: expected true or false, found 1"),
    (
        "exp(-z/1e-8), unit",
        "exp(-d/1e-8), unit",
        "layers.host.fixed_charge.formula: the name 'd' at character 19 is not allowed; allowed: "
        "numbers, + - * / ** ( ), the names z, x, y, r, pi, exp",
    ),
    (", unit: 1/m^3, source: test}\n  solid", ", source: test}\n  solid", "fixed_charge.unit: mis"),
    # double layers
    (
        "{value: 10 uF/cm^2",
        "{value: 10 uF",
        "capacitance.value: '10 uF' is not a quantity in F/m^2",
    ),
    ("{value: 10 uF/cm^2", "{value: 0 F/m^2", "double_layer.capacitance.value: must be greater"),
    (
        "      carriers: {solid: Li+}\n",
        "",
        "interfaces.host/solid.double_layer.carriers.solid: missing; solid is neutral: name the "
        "species that carries the charge on its side; allowed: Li+, e-",
    ),
    (
        "carriers: {solid: Li+}",
        "carriers: {solid: Li0}",
        "carriers.solid: unknown charged species 'Li0'; allowed: Li+, e- (did you mean 'Li+'?)",
    ),
    (
        "carriers: {solid: Li+}",
        "carriers: {solid: Li+, host: Li+}",
        "carriers.host: host is not neutral: its space charge balances the double layer",
    ),
    (
        "carriers: {solid: e-}",
        "carriers: {solid: e-, host: e-}",
        "contacts.cathode.double_layer.carriers.host: unknown layer 'host'; allowed: solid",
    ),
    (
        "carriers: {solid: Li+}",
        "carriers: {solid: e-}",
        "carriers.solid: e- is continuous here: the charge would be in both layers at once",
    ),
    (
        "    double_layer:\n",
        "    double_leyer:\n",
        "interfaces.host/solid.double_leyer: unknown key; allowed: double_layer, sheet_charge "
        "(did you mean 'double_layer'?)",
    ),
    ("{value: 1e15 1/m^2", "{value: 1e15 1/m^3", "sheet_charge.value: '1e+15 1/m^3' is not a q"),
    # contacts
    ("alignment: ohmic", "alignment: omic", "'omic' is not allowed; allowed: work_function, ohmic"),
    (
        "alignment: ohmic",
        "alignmnt: ohmic",
        "contacts.anode.alignmnt: unknown key; allowed: double",
    ),
    (
        "alignment: ohmic",
        "floating: true",
        "protocol.0.sweep.contact: anode is floating: its potential cannot be given",
    ),
    (
        "    h+: *fast\n",
        "    p+: *fast\n",
        "contacts.anode.p+: unknown species or key 'p+'; allowed: Li+, e-, h+, Li0, double_layer, "
        "alignment, floating (did you mean 'h+'?)",
    ),
    # what does not go together
    (
        "        level: {value: -4.2 eV, source: test}\n",
        "        level: {value: -4.2 eV, source: test}\n"
        "        excess: {kind: linear, slope: {value: 1 eV, source: test}}\n",
        "interfaces.host/solid.e-.kind: continuous is not possible: e- has an excess law in host",
    ),
    (
        "transport: {kind: immobile}",
        "transport: {kind: ohmic, conductivity: {value: 1 S/m, source: test}}",
        "species.Li0.transport.kind: ohmic needs a charge, and Li0 has valence 0; allowed: sedan",
    ),
    ("start: as_given", "start: given", "start: 'given' is not allowed; allowed: equilibrium, as_"),
    ("solid: {Li+: 0.3, Li0: 0.2}", "solid: {Li+: 0.3}", "content.solid.Li0: missing; solid holds"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_mistakes(everything: Path, old: str, new: str, message: str) -> None:
    replace(everything, old, new)
    answer = answer_to(everything)
    assert message in answer
    assert answer.startswith(f"{everything}:")


def test_mistakes_stand_at_their_place(everything: Path) -> None:
    replace(everything, "carriers: {solid: e-}", "carriers: {solid: X}")
    replace(everything, "Li+ + e- <=> Li0", "Li+ <=> Li0")
    lines = answer_to(everything).splitlines()
    assert lines[0].startswith(place(everything, "X}"))
    assert lines[1].startswith(place(everything, "Li+ <=> Li0"))


def test_a_neutral_layer_needs_a_charge(everything: Path) -> None:
    neutral = [f"species.{name}.valence=0" for name in ("Li+", "e-")]
    answer = answer_to(everything, *neutral)
    assert "layers.solid.neutral: solid holds no charged species" in answer


def test_not_all_contacts_float(everything: Path) -> None:
    both = [f"contacts.{name}.floating=true" for name in ("anode", "cathode")]
    answer = answer_to(everything, *both)
    assert "contacts.cathode.floating: one contact must have a voltage" in answer


def test_the_example_of_silicon_has_its_intrinsic_density() -> None:
    folder = Path(__file__).parents[2] / "cases/basics/materials"
    silicon = load_material("silicon", [folder])
    electrons, holes = silicon.species["e-"], silicon.species["h+"]
    gap = holes.level.value + electrons.level.value
    states = electrons.statistics.values["site_density"].value
    intrinsic = states * np.exp(-gap / (2.0 * 8.617333262e-5 * 300.0))
    assert intrinsic == pytest.approx(1e16, rel=1e-6)
    assert silicon.reactions["traps"].law.values["first_density"].value == 1e16
