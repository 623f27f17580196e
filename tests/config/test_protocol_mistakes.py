"""Mistakes in protocols: answered before anything is computed, with the step and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ionstack.casefile.case import load_case
from ionstack.errors import InputError

SWITCHED = """
circuit:
  sources:
    V1: {node: in}
    Pt: {node: Pt, compliance: 1 mA}
  elements:
    R1: {kind: resistor, nodes: [in, Pt], resistance: 1 kohm}
    S1: {kind: switch, nodes: [in, ground], on: 1 ohm, off: 1 Gohm}
"""
ARRAY = "\ncircuit:\n  crossbar: {rows: 2, columns: 2, top: Pt, bottom: ITO}\n"


def with_protocol(path: Path, protocol: str, circuit: str = "") -> Path:
    """The case with another protocol, which ends it, and perhaps a circuit."""
    text = path.read_text()
    head, rest = text[: text.index("protocol:")], text[text.index("materials:") :]
    rest = rest[: rest.index("# The published")]
    path.write_text(f"{head}{rest}{circuit}\nprotocol:\n{protocol}\n")
    return path


def answer(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        load_case(path)
    return str(raised.value)


ONE_STEP = [
    ("current: {contact: Pt, current: 1 uA}", "current: this current never ends: give a voltage"),
    (
        "current: {contact: Pt, current: 1 uA}\n    until: {}",
        "until: nothing to wait for; allowed: current, voltage, charge, conductance, content",
    ),
    ("current: {contact: Pt, current: 0 A, duration: 1 s}", "current.current: must not be zero"),
    (
        "current: {contact: Pt, current: 1 uA, duration: 1 s}\n    compliance: 1 mA",
        "compliance: a step 'current' takes no compliance: its source gives no voltage",
    ),
    (
        "current: {contact: Pt, current: 1 uA}\n    until: {current: {below: 1 nA}}",
        "until.current: the current cannot end a step 'current', where it stays the same",
    ),
    (
        "open_circuit: {contact: Pt, duration: 1 s}\n    until: {charge: {above: 1 nC}}",
        "until.charge: the charge cannot end a step 'open_circuit'",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    compliance: 0 A",
        "compliance: must be greater than 0, found '0 A'",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    compliance: {positive: 0 A}",
        "compliance.positive: must be greater than 0",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    until: {curent: {above: 1 A}}",
        "until.curent: unknown key; allowed: current, voltage, charge, conductance, content, event "
        "(did you mean 'current'?)",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    until: {current: {}}",
        "until.current: a limit is above or below a value, one of them",
    ),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n    until: {charge: {below: 1 nC}}",
        "until.charge.below: the charge counts from the start of the step, where it is 0",
    ),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n"
        "    until: {content: {layer: WO2, species: Li+, above: 0.5}}",
        "until.content.layer: unknown layer 'WO2'; allowed: WO3, LiPON, MoO3 (did you mean 'WO3'?)",
    ),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n"
        "    until: {content: {layer: WO3, species: Li, above: 0.5}}",
        "until.content.species: unknown species 'Li'; allowed: Li+, e- (did you mean 'Li+'?)",
    ),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n"
        "    until: {current: {above: 1 mA, contact: IT0}}",
        "until.current.contact: unknown contact 'IT0'; allowed: Pt, ITO (did you mean 'ITO'?)",
    ),
    (
        "temperature: {to: 320 K, duration: 1 s}\n    until: {current: {above: 1 nA}}",
        "until.current: which source is meant? give its contact",
    ),
    (
        "impedance: {contact: Pt, frequencies: [1 Hz]}\n    until: {current: {above: 1 A}}",
        "until: a step 'impedance' takes no time: nothing can end it",
    ),
    ("temperature: {to: 0 K, duration: 1 s}", "temperature.to: must be greater than 0"),
    (
        "ambient: {to: are, duration: 1 s}",
        "ambient.to: unknown mixture 'are'; allowed: air, vacuum (did you mean 'air'?), "
        "or pressures, for instance {O2: 21 kPa}",
    ),
    (
        "ambient: {to: {O2: -1 kPa}, duration: 1 s}",
        "ambient.to.O2: must be greater than 0, found '-1 kPa'",
    ),
    ("ambient: {to: {O2: 1 V}, duration: 1 s}", "ambient.to.O2: '1 V' is not a quantity in Pa"),
    ("ambient: {to: {}, duration: 1 s}", "ambient.to: "),
    (
        "ambient: {too: air, duration: 1 s}",
        "ambient.too: unknown key; allowed: to, duration (did you mean 'to'?)",
    ),
    (
        "ambient: {to: air, duration: 1 s}\n    compliance: 1 mA",
        "compliance: a step 'ambient' takes no compliance",
    ),
    ("temperature: {to: -300 degC, duration: 1 s}", "temperature.to: must be greater than 0"),
    ("impedance: {contact: Pt, frequencies: [1 Hz, 0 Hz]}", "frequencies.1: must be greater than"),
    ("impedance: {contact: Pt, frequencies: []}", "impedance.frequencies: "),
    (
        "impedance: {contact: Pt, frequencies: [1 s]}",
        "frequencies.0: '1 s' is not a quantity in Hz",
    ),
    (
        "impedance: {contact: Pt, frequencies: {lowest: -1 Hz, highest: 1 Hz}}",
        "impedance.frequencies.lowest: must be greater than 0",
    ),
    (
        "impedance: {contact: Pt, frequencies: {lowest: 10 Hz, highest: 1 Hz}}",
        "impedance.frequencies: the lowest frequency must be below the highest",
    ),
    (
        "impedance: {contact: Pt, frequencies: {lowest: 10 Hz, hihgest: 1 kHz}}",
        "frequencies.hihgest: unknown key; allowed: lowest, highest, per_decade (did you mean",
    ),
    ("impedance: {contact: Pd, frequencies: [1 Hz]}", "impedance.contact: unknown contact 'Pd'"),
    ("switch: {S1: closed}", "switch.S1: there are no switches without a section 'circuit'"),
    ("cv: {contact: Pt, first: 1 V, second: -1 V}", "cv: give a rate, or rates as a list"),
    (
        "cv: {contact: Pt, first: 1 V, second: -1 V, rate: 1 V/s, rates: [1 V/s]}",
        "cv.rate: not allowed beside rates",
    ),
    (
        "gcd: {contact: Pt, current: 1 uA, low: 1 V, high: 0 V}",
        "gcd.low: the lower cut-off (1 V) must lie below the upper one (0 V)",
    ),
    ("gcd: {contact: Pt, low: 0 V, high: 1 V}", "gcd: give a current, or currents as a list"),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s, rise: 2 s}",
        "hold.rise: the rise (2 s) must be shorter than the duration",
    ),
    (
        "pulses: {contact: Pt, amplitude: 1 V, width: 1 ms, gap: 1 ms, number: 2,\n"
        "             read: {voltage: 0.1 V, width: 2 ms, delay: 1 ms}}",
        "pulses.read: a read takes 0.00302 s with its delay and edges, the gap is 0.001 s",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    until: {voltage: {above: 2 V}}",
        "until.voltage.above: never reached: the step keeps Pt between 0 and 1 V",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    until: {voltage: {below: 0.5 V}}",
        "until.voltage.below: Pt is at 0 V when the step begins, below it",
    ),
    (
        "hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n    until: {voltage: {below: 0.5 V}}",
        "until.voltage.below: never reached: the step keeps Pt at 1 V",
    ),
    (
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    compliance: 1 uA\n"
        "    until: {current: {above: 2 uA}}",
        "until.current.above: never reached: the compliance holds the current at 1e-06 A",
    ),
    (
        "current: {contact: Pt, current: 1 uA, voltage: -0.5 V}",
        "current.voltage: on the wrong side: Pt is at 0 V before, and a current of 1e-06 A raises "
        "it, away from -0.5 V",
    ),
    (
        "current: {contact: Pt, current: 1 uA}\n    until: {voltage: {below: 0.5 V}}",
        "until.voltage.below: Pt is at 0 V when the step begins, below it",
    ),
]


@pytest.mark.parametrize(("step", "message"), ONE_STEP)
def test_mistakes_in_one_step(files: tuple[Path, Path], step: str, message: str) -> None:
    found = answer(with_protocol(files[0], f"  - {step}"))
    assert message in found
    assert "protocol.0." in found
    assert found.startswith(f"{files[0]}:")


HOLD = "  - hold: {contact: Pt, voltage: 1 V, duration: 1 s}\n"
SWEEP = "  - sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n"
IN_A_ROW = [
    (
        HOLD + "  - current: {contact: Pt, current: 1 nA, voltage: 0.5 V}",
        "protocol.1.current.voltage: on the wrong side: Pt is at 1 V before",
    ),
    (
        HOLD + "  - current: {contact: Pt, current: -1 nA, voltage: 2 V}",
        "protocol.1.current.voltage: on the wrong side: Pt is at 1 V before, and a current of "
        "-1e-09 A lowers it, away from 2 V",
    ),
    (
        HOLD + "  - gcd: {contact: Pt, currents: [1 nA], low: -1 V, high: 0.5 V}",
        "protocol.1.gcd.high: on the wrong side: Pt is at 1 V before",
    ),
    (
        HOLD + "  - open_circuit: {contact: Pt, duration: 1 s}\n"
        "    until: {voltage: {above: 0.9 V}}",
        "protocol.1.until.voltage.above: Pt is at 1 V when the step begins, above it",
    ),
    (
        "  - repeat:\n      times: 2\n      steps:\n"
        "        - current: {contact: Pt, current: 1 nA, voltage: 0.5 V}\n"
        "        - hold: {contact: Pt, voltage: 0.7 V, duration: 1 s}",
        "protocol.0.repeat.steps.0.current.voltage: on the wrong side: Pt is at 0.7 V before",
    ),
    (
        SWEEP + "    name: one\n" + SWEEP + "    name: one\n",
        "protocol.1.name: duplicate name 'one'; already used by protocol.0.name",
    ),
    (
        SWEEP + "    name: one\n" + SWEEP + "    name: one-2\n",
        "protocol.1.name: 'one-2' is what a repetition of 'one' is called",
    ),
    (SWEEP + "    name: end\n", "protocol.0.name: 'end' is the name of the state at the end of"),
    (SWEEP + "    name: 3\n", "protocol.0.name: expected text, found 3"),
    (SWEEP + "    name: a b\n", "protocol.0.name: String should match pattern"),
    (
        "  - repeat:\n      times: 2\n      steps:\n"
        "        - hold: {contact: Pt, voltage: 0.7 V, duration: 1 s}\n"
        "        - hold: {contact: ITO, voltage: 0.7 V, duration: 1 s}\n"
        "    compliance: 1 mA",
        "protocol.0.compliance: the steps drive several sources: write it at these steps",
    ),
    (
        "  - repeat:\n      times: 2\n      steps:\n"
        "        - hold: {contact: Pt, voltage: 0.7 V, duration: 1 s}\n"
        "        - hold: {contact: ITO, voltage: 0.7 V, duration: 1 s}\n"
        "    until: {current: {above: 1 mA}}",
        "protocol.0.until.current: which source is meant? give its contact",
    ),
]


@pytest.mark.parametrize(("protocol", "message"), IN_A_ROW)
def test_mistakes_of_steps_in_a_row(files: tuple[Path, Path], protocol: str, message: str) -> None:
    found = answer(with_protocol(files[0], protocol))
    assert message in found
    assert len(found.splitlines()) == 1


IN_A_CIRCUIT = [
    (SWITCHED, "switch: {S2: open}", "switch.S2: unknown switch 'S2'; allowed: S1 (did you mean"),
    (SWITCHED, "switch: {S1: on}", "switch.S1: "),
    (
        SWITCHED,
        "impedance: {contact: V1, frequencies: [1 Hz]}",
        "unknown contact 'V1'; allowed: Pt",
    ),
    (
        SWITCHED,
        "sweep: {contact: V2, amplitude: 1 V, rate: 1 V/s}",
        "sweep.contact: unknown source 'V2'; allowed: V1, Pt, ITO (did you mean 'V1'?)",
    ),
    (
        SWITCHED,
        "sweep: {contact: Pt, amplitude: 1 V, rate: 1 V/s}\n    until: {current: {above: 1 mA}}",
        "until.current.above: never reached: the compliance holds the current at 0.001 A",
    ),
    (
        ARRAY,
        "current: {contact: M1_2, current: 1 uA, duration: 1 s}",
        "several sources select M1_2: a current goes into one of row1, row2, column1, column2",
    ),
    (ARRAY, "open_circuit: {contact: M1_2/third, duration: 1 s}", "several sources select M1_2/th"),
    (ARRAY, "impedance: {contact: M1_2, frequencies: [1 Hz]}", "unknown contact 'M1_2'; allowed"),
    (
        ARRAY,
        "sweep: {contact: M1_2, amplitude: 1 V, rate: 1 V/s}\n    until: {voltage: {above: 2 V}}",
        "until.voltage.above: never reached",
    ),
]


@pytest.mark.parametrize(("circuit", "step", "message"), IN_A_CIRCUIT)
def test_mistakes_of_steps_with_a_circuit(
    files: tuple[Path, Path], circuit: str, step: str, message: str
) -> None:
    found = answer(with_protocol(files[0], f"  - {step}", circuit))
    assert message in found
    assert "protocol.0." in found


def test_impedance_of_a_floating_contact(files: tuple[Path, Path]) -> None:
    case = with_protocol(files[0], "  - impedance: {contact: ITO, frequencies: [1 Hz]}")
    case.write_text(case.read_text().replace("  ITO:\n", "  ITO:\n    floating: true\n", 1))
    expected = "protocol.0.impedance.contact: ITO is floating: no current flows through it"
    assert expected in answer(case)


UNKNOWN = [
    # After an open end, at the start of what is no equilibrium, under compliance: no complaint.
    "  - open_circuit: {contact: Pt, duration: 1 s}\n",
    HOLD + "    until: {current: {below: 1 nA}}\n",
    HOLD + "    compliance: 1 uA\n",
    "  - current: {contact: Pt, current: -1 nA, voltage: -1 V}\n",
]


@pytest.mark.parametrize("before", UNKNOWN)
@pytest.mark.parametrize("voltage", [-0.5, 0.5])
def test_nothing_is_said_of_voltages_that_are_not_known(
    files: tuple[Path, Path], before: str, voltage: float
) -> None:
    step = f"  - current: {{contact: Pt, current: 1 nA, voltage: {voltage} V}}"
    assert load_case(with_protocol(files[0], before + step)).protocol.spans[-1].kind == "current"


def test_at_a_start_as_given_no_voltage_is_known(files: tuple[Path, Path]) -> None:
    step = "  - current: {contact: Pt, current: 1 nA, voltage: -0.5 V}"
    case = with_protocol(files[0], step, "\nstart: as_given\n")
    assert len(load_case(case).protocol.spans) == 1


def test_a_hold_in_compliance_may_wait_for_a_lower_voltage(files: tuple[Path, Path]) -> None:
    step = HOLD + "    compliance: 1 uA\n    until: {voltage: {below: 0.5 V}}"
    assert load_case(with_protocol(files[0], step)).protocol.laid[1].limits


def test_a_wrong_setting_of_a_step_names_itself(files: tuple[Path, Path]) -> None:
    case = with_protocol(files[0], SWEEP + "    name: forming\n    until: {current: {above: 1 mA}}")
    override = "protocol.forming.until.current.above=2 uA"
    limits = load_case(case, [override, "protocol.0.compliance=1 mA"]).protocol.laid[0].limits
    assert [one.value for one in limits] == [2e-6]
    with pytest.raises(InputError, match=r"--set protocol\.0\.until\.current\.above=2 V: "):
        load_case(case, ["protocol.0.until.current.above=2 V"])
