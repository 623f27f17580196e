"""The section `circuit`: what is read, what follows by itself, what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from ionstack.casefile.case import load_case
from ionstack.circuits.circuit import Circuit
from ionstack.circuits.crossbar import Crossbar, cell_factors
from ionstack.runs.check import describe
from support.spoilt import message as answer_to
from support.spoilt import place, replace

_REFERENCE = Path(__file__).parents[2] / "docs/files.md"

WHOLE = """
circuit:
  devices:
    M1: {Pt: in, ITO: mid}
    M2: {ITO: drain, Pt: mid}
  sources:
    V1: {node: in, compliance: {positive: 1 mA}}
    VG: {node: gate}
    Pt: {node: far, return: gate, compliance: 20 uA}
  elements:
    R1: {kind: resistor, nodes: [far, mid], resistance: 1 kohm}
    C1: {kind: capacitor, nodes: [in, ground], capacitance: 10 pF}
    T1:
      kind: mosfet
      channel: n
      nodes: {drain: drain, gate: gate, source: ground, bulk: ground}
      transconductance: 1 mA/V^2
      threshold: 0.5 V
      slope_factor: 1.3
    S1: {kind: switch, nodes: [mid, drain], on: 1 ohm, off: 1 Gohm, closed: false}
"""


def with_circuit(files: tuple[Path, Path], text: str) -> Path:
    """The case with a section, its protocol's sweeps driving what stands there already."""
    case = files[0]
    replace(case, "\nprotocol:", f"{text}\nprotocol:")
    return case


def circuit(files: tuple[Path, Path], text: str) -> Circuit:
    return load_case(with_circuit(files, text)).circuit


def test_a_whole_section(files: tuple[Path, Path]) -> None:
    of = circuit(files, WHOLE)
    assert of.nodes == ("in", "mid", "drain", "gate", "far")
    assert of.copies == ("M1", "M2")
    assert of.contacts == ("M1.Pt", "M1.ITO", "M2.Pt", "M2.ITO")
    assert of.contact_node == (0, 1, 1, 2)
    assert (of.sources, of.source_node, of.return_node) == (
        ("V1", "VG", "Pt"),
        (0, 3, 4),
        (-1, -1, 3),
    )
    assert of.switches == ("S1",)
    parts = {one.name: one for one in of.elements}
    assert parts["R1"].nodes == (4, 1)
    assert parts["R1"].parameters == {"resistance": 1e3}
    assert parts["C1"].parameters == {"capacitance": 1e-11}
    assert parts["T1"].nodes == (2, 3, -1, -1)
    expected = {"channel": 1.0, "transconductance": 1e-3, "threshold": 0.5, "slope_factor": 1.3}
    assert parts["T1"].parameters == expected
    assert of.start.positive.tolist() == [1e-3, np.inf, 20e-6]
    assert of.start.negative.tolist() == [np.inf, np.inf, 20e-6]
    assert of.start.closed.tolist() == [False]
    assert of.held(of.start)[0][:5].tolist() == [False, False, False, True, False]
    assert of.temperature == pytest.approx(298.15)


def test_a_circuit_is_described_and_kept_with_the_run(files: tuple[Path, Path]) -> None:
    case = load_case(with_circuit(files, WHOLE))
    text = describe(case)
    for line in (
        "V1           source node at in, return at ground, positive compliance 0.001 A",
        "R1           resistor a at far, b at mid, resistance 1000 ohm",
        "S1           switch a at mid, b at drain, on 1 ohm, off 1e+09 ohm, closed false",
        "M2.ITO       contact at drain",
        "I(V1) [A]",
    ):
        assert line in text
    kept = yaml.safe_load(case.resolved())["circuit"]
    assert kept["elements"][0]["parameters"]["negative"] == np.inf


EXAMPLES = re.findall(r"```yaml\n(circuit:\n.*?)```", _REFERENCE.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_reference_can_be_read(files: tuple[Path, Path], text: str) -> None:
    case = with_circuit(files, f"\n{text}")
    driven = "V1" if "V1" in text else "row1"
    for _ in range(2):
        replace(case, "contact: Pt", f"contact: {driven}")
    assert driven in load_case(case).circuit.sources
    assert len(EXAMPLES) == 3


def test_without_section_every_contact_has_a_source(files: tuple[Path, Path]) -> None:
    case = load_case(files[0])
    assert case.circuit.plain
    assert case.circuit.sources == case.circuit.contacts == ("Pt", "ITO")
    assert "Circuit" not in describe(case)


def test_a_compliance_takes_three_lines(files: tuple[Path, Path]) -> None:
    of = circuit(files, "\ncircuit:\n  sources:\n    Pt: {node: Pt, compliance: 100 uA}\n")
    assert of.contacts == of.nodes == of.sources == ("Pt", "ITO")
    assert of.start.positive.tolist() == [1e-4, np.inf]
    assert of.copies == ("",)


def test_a_series_resistor_takes_its_contact_from_the_protocol(files: tuple[Path, Path]) -> None:
    text = """
circuit:
  sources: {V1: {node: in}}
  elements:
    R1: {kind: resistor, nodes: [in, Pt], resistance: 0 ohm}
    C1: {kind: capacitor, nodes: [ITO, ground], capacitance: 1 fF}
"""
    case = with_circuit(files, text)
    assert "protocol.0.sweep.contact: unknown source 'Pt'; allowed: V1, ITO" in answer_to(case)
    for _ in range(2):
        replace(case, "contact: Pt", "contact: V1")
    of = load_case(case).circuit
    # A capacitor drives nothing: ITO keeps its source.
    assert of.sources == ("V1", "ITO")
    assert of.nodes == ("Pt", "ITO", "in")


def array(files: tuple[Path, Path], text: str) -> Circuit:
    case = files[0]
    for _ in range(2):
        replace(case, "contact: Pt", "contact: row2")
    return circuit(files, f"\ncircuit:\n  crossbar: {text}\n")


def test_crossbar_without_resistance(files: tuple[Path, Path]) -> None:
    of = array(files, "{rows: 2, columns: 3}")
    assert of.crossbar == (2, 3)
    assert set(of.nodes) == {"row1", "row2", "column1", "column2", "column3"}
    assert of.sources == ("row1", "row2", "column1", "column2", "column3")
    assert of.copies == ("M1_1", "M1_2", "M1_3", "M2_1", "M2_2", "M2_3")
    ends = dict(zip(of.contacts, (of.node_name(n) for n in of.contact_node), strict=True))
    assert (ends["M2_3.Pt"], ends["M2_3.ITO"]) == ("row2", "column3")
    assert of.held(of.start)[0].all()


def test_crossbar_with_wires_the_other_way_up(files: tuple[Path, Path]) -> None:
    """A row runs row1, (1,1), (1,2); a column (1,2), (2,2), column2. ITO is above."""
    of = array(files, "{rows: 2, columns: 2, bottom: Pt, wire_resistance: 2 ohm}")
    ends = dict(zip(of.contacts, (of.node_name(n) for n in of.contact_node), strict=True))
    assert (ends["M1_2.ITO"], ends["M1_2.Pt"]) == ("upper1_2", "lower1_2")
    wires = {
        tuple(of.node_name(n) for n in one.nodes): one.parameters["resistance"]
        for one in of.elements
        if one.kind == "resistor"
    }
    assert len(wires) == 8
    for pair in (("row1", "upper1_1"), ("upper1_1", "upper1_2"), ("lower1_2", "lower2_2"),
                 ("lower2_2", "column2")):  # fmt: skip
        assert wires[pair] == 2.0


def test_a_line_of_a_crossbar_may_have_a_compliance(files: tuple[Path, Path]) -> None:
    text = "{rows: 2, columns: 2}\n  sources: {row2: {node: row2, compliance: 1 mA}}"
    of = array(files, text)
    limits = dict(zip(of.sources, of.start.positive, strict=True))
    assert limits == {"row1": np.inf, "column1": np.inf, "column2": np.inf, "row2": 1e-3}


@pytest.mark.parametrize(
    ("scheme", "along_row", "along_column", "elsewhere"),
    [
        ("half", 0.5, 0.5, 0.0),
        ("third", 1.0 / 3.0, 1.0 / 3.0, -1.0 / 3.0),
        ("grounded", 1.0, 0.0, 0.0),
    ],
)
def test_selection_of_a_cell(
    scheme: str, along_row: float, along_column: float, elsewhere: float
) -> None:
    factors = cell_factors(3, 4, (2, 3), scheme)  # type: ignore[arg-type]
    assert tuple(factors) == Crossbar(3, 4, 0.0).lines
    for i in range(1, 4):
        for j in range(1, 5):
            drop = factors[f"row{i}"] - factors[f"column{j}"]
            expected = {
                (True, True): 1.0,
                (True, False): along_row,
                (False, True): along_column,
                (False, False): elsewhere,
            }[i == 2, j == 3]
            assert drop == pytest.approx(expected)
    with pytest.raises(ValueError, match="no cell 4, 1 in 3 rows and 4 columns"):
        cell_factors(3, 4, (4, 1), "half")


MISTAKES = [
    ("far, mid]", "fra, mid]", "fra, mid", "circuit.elements.R1.nodes.0: nothing else is joined to "
     "node 'fra'; nodes: ground, in, mid, drain, gate (did you mean 'drain'?)"),
    ("ITO: mid}", "ITO: mdi}", "mdi}", "devices.M1.ITO: nothing else is joined to node 'mdi'"),
    ("VG: {node: gate}", "VG: {node: gaet}", "gaet}", "sources.VG.node: nothing else is joined"),
    ("    M1: {Pt: in", "    M1: {Pd: in", "Pd: in", "circuit.devices.M1.Pd: unknown contact 'Pd'; "
     "allowed: Pt, ITO (did you mean 'Pt'?)"),
    ("{Pt: in, ITO: mid}", "{Pt: in}", "M1:", "circuit.devices.M1: no node for ITO; every contact"),
    ("20 uA", "0 uA", "0 uA", "sources.Pt.compliance: must be greater than 0, found '0 uA'"),
    ("20 uA", "20 uV", "20 uV", "sources.Pt.compliance: '20 uV' is not a quantity in A"),
    ("{positive: 1 mA}", "{positive: -1 mA}", "-1 mA", "compliance.positive: must be greater"),
    ("{positive: 1 mA}", "{positiv: 1 mA}", "positiv:", "compliance.positiv: unknown key; allowed: "
     "positive, negative (did you mean 'positive'?)"),
    ("1 kohm", "-1 kohm", "-1 kohm", "elements.R1.resistance: must be at least 0, found '-1 kohm'"),
    ("10 pF", "0 pF", "0 pF", "elements.C1.capacitance: must be greater than 0"),
    ("off: 1 Gohm", "off: 1 ohm", "1 ohm, closed", "elements.S1.off: must be larger than"),
    ("slope_factor: 1.3", "slope_factor: 0.9", "0.9", "T1.slope_factor: must be at least 1"),
    ("channel: n", "channel: mx", "mx", "T1.channel: 'mx' is not allowed; allowed: n, p"),
    ("kind: resistor", "kind: resistance", "resistance, n", "elements.R1.kind: unknown element "
     "'resistance'; allowed: resistor, capacitor, switch, mosfet, diffusive_memristor, filament "
     "(did you mean 'resistor'?)"),
    ("kind: switch, ", "", "S1:", "elements.S1.kind: missing; allowed: resistor,"),
    ("resistance: 1 kohm", "resistor: 1 kohm", "resistor: 1", "R1.resistor: unknown key; allowed"),
    ("[in, ground]", "[in]", "[in]", "C1.nodes: expected two nodes, for instance [in, ground]"),
    ("bulk: ground", "bluk: ground", "bluk:", "T1.nodes.bluk: unknown key; allowed: drain, gate, "),
    ("[in, ground]", "[in, in]", "in], c", "elements.C1.nodes.1: C1 begins and ends at 'in'"),
    ("return: gate", "retrun: gate", "retrun:", "sources.Pt.retrun: unknown key; allowed: node, "
     "return, bias, compliance (did you mean 'return'?)"),
    ("VG: {node: gate}", "VG: {node: ground}", "ground}", "VG.node: a source drives a node other"),
    ("    R1:", "    M2:", "M2: {kind", "circuit.elements.M2: duplicate name 'M2'; already used by "
     "circuit.devices.M2"),
    ("{positive: 1 mA}}", "1 mA, x: 1}", "x: 1", "circuit.sources.V1.x: unknown key"),
    ("far, return: gate, compliance: 20 uA", "far", None, None),
    ("far, return: gate, compliance: 20 uA", "gate, return: ground}\n    V3: {node: far",
     "gate, return: gr", "circuit.sources.Pt.node: VG drives node 'gate' already; put a resistor "),
    ("resistance: 1 kohm", "resistance: 0 ohm", None, None),
    ("nodes: [mid, drain], on", "nodes: [mid, alone], on", "alone], on", "nothing else is joined"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "at", "message"), MISTAKES)
def test_mistakes(files: tuple[Path, Path], old: str, new: str, at: str, message: str) -> None:
    """Without a message the change is no mistake."""
    case = with_circuit(files, WHOLE)
    replace(case, old, new)
    if message is None:
        load_case(case)
        return
    answer = answer_to(case)
    assert message in answer
    assert place(case, at) in answer


def test_nodes_behind_a_capacitor_float(files: tuple[Path, Path]) -> None:
    text = """
circuit:
  elements:
    C1: {kind: capacitor, nodes: [Pt, x], capacitance: 1 pF}
    R1: {kind: resistor, nodes: [x, y], resistance: 1 ohm}
    C2: {kind: capacitor, nodes: [y, ground], capacitance: 1 pF}
"""
    case = with_circuit(files, text)
    answer = answer_to(case)
    assert "circuit.elements.C1.nodes.1: no conducting path from x and y to 'ground'" in answer
    assert place(case, "x], cap") in answer


def test_a_floating_gate_is_refused(files: tuple[Path, Path]) -> None:
    case = with_circuit(files, WHOLE)
    replace(case, "    VG: {node: gate}\n", "")
    replace(case, "far, return: gate", "far, return: ground")
    replace(case, "[in, ground], cap", "[in, gate], cap")
    answer = answer_to(case)
    assert "no conducting path from gate to 'ground': capacitors and gates" in answer
    assert place(case, "gate], cap") in answer


def test_a_name_that_a_contact_needs(files: tuple[Path, Path]) -> None:
    case = with_circuit(files, "\ncircuit:\n  sources: {ITO: {node: Pt}}\n")
    message = "circuit.sources.ITO: duplicate name 'ITO'; a source of this name is there by itself"
    assert message in answer_to(case)


def test_loops_of_sources_and_wires(files: tuple[Path, Path]) -> None:
    text = """
circuit:
  sources:
    V1: {node: Pt}
    V2: {node: a, return: Pt, compliance: {positive: 1 mA}}
  elements:
    R1: {kind: resistor, nodes: [a, b], resistance: 0 ohm}
    S1: {kind: switch, nodes: [b, ground], on: 0 ohm, off: 1 Gohm}
"""
    case = with_circuit(files, text)
    replace(case, "contact: Pt", "contact: V1")
    replace(case, "contact: Pt", "contact: V1")
    assert "circuit.elements.S1: closes a loop of sources and wires without" in answer_to(case)
    replace(case, "{positive: 1 mA}", "1 mA")
    load_case(case)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{rows: 0, columns: 2}", "circuit.crossbar.rows: "),
        ("{rows: 2, columns: 2.5}", "circuit.crossbar.columns: expected a whole number"),
        ("{rows: 2}", "circuit.crossbar.columns: missing"),
        ("{rows: 2, columns: 2, top: Pd}", "crossbar.top: unknown contact 'Pd'; allowed: Pt, ITO"),
        ("{rows: 2, columns: 2, top: Pt, bottom: Pt}", "bottom: Pt is the contact of the rows"),
        ("{rows: 2, columns: 2, wire_resistance: -1 ohm}", "wire_resistance: must be at least 0"),
        (
            "{rows: 2, columns: 2}\n  devices: {M1: {Pt: a, ITO: a}}",
            "circuit.devices: the crossbar",
        ),
        (
            "{rows: 2, columns: 2}\n  sources: {M1_1: {node: row1}}",
            "circuit.sources.M1_1: duplicate",
        ),
    ],
)
def test_mistakes_of_a_crossbar(files: tuple[Path, Path], text: str, message: str) -> None:
    assert message in answer_to(with_circuit(files, f"\ncircuit:\n  crossbar: {text}\n"))


def test_a_circuit_decides_what_floats(files: tuple[Path, Path]) -> None:
    case = with_circuit(files, "\ncircuit:\n  sources: {Pt: {node: Pt}}\n")
    replace(case, "  ITO:\n    Li+", "  ITO:\n    floating: true\n    Li+")
    assert "contacts.ITO.floating: the circuit decides what a contact is joined to" in answer_to(
        case
    )


ALONE = """
circuit:
  sources: {V1: {node: in}}
  elements:
    R1: {kind: resistor, nodes: [in, ground], resistance: 1 kohm}
protocol:
  - sweep: {contact: V1, amplitude: 1 V, rate: 1 V/s}
"""


def alone(folder: Path, old: str = "", new: str = "") -> Path:
    path = folder / "alone.yaml"
    path.write_text(ALONE.replace(old, new))
    return path


def test_a_circuit_alone(tmp_path: Path) -> None:
    case = load_case(alone(tmp_path))
    assert case.stack.layers == ()
    assert case.circuit.unknowns[0] == "V(in) [V]"
    assert case.circuit.contacts == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  sources:",
            "  devices: {D1: {top: in, bottom: ground}}\n  sources:",
            "circuit.devices: needs a stack that the devices are made of",
        ),
        (
            "  sources:",
            "  crossbar: {rows: 2, columns: 2}\n  sources:",
            "circuit.crossbar: needs a stack",
        ),
        ("contact: V1", "contact: V2", "unknown source 'V2'; allowed: V1 (did you mean 'V1'?)"),
        (
            "  - sweep:",
            "  - ambient: {to: vacuum, duration: 1 s}\n  - sweep:",
            "protocol.0.ambient: a circuit alone has no surroundings",
        ),
        (
            "protocol:",
            "contacts: {}\nprotocol:",
            "contacts: unknown key; allowed: name, title, seed",
        ),
        ("protocol:", "species: {}\nprotocol:", "stack: missing"),
        ("[in, ground]", "[in, out]", "nothing else is joined to node 'out'"),
        (
            "protocol:",
            "ensemble: {size: 3}\nprotocol:",
            "nothing in this case is random, all members would be alike; give numbers that",
        ),
    ],
)
def test_mistakes_of_a_circuit_alone(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in answer_to(alone(tmp_path, old, new))
