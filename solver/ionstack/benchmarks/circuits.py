"""Circuits as benchmarks: a series resistor, an array of diodes, a lumped filament alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

from mpi4py import MPI

from ionstack.benchmarks.measure import Quantity, Row, Run
from ionstack.benchmarks.stacks import case_path, march
from ionstack.casefile.case import Case, load_case
from ionstack.casefile.circuit_schema import CircuitModel
from ionstack.casefile.netlist import netlist, numbered
from ionstack.circuits.crossbar import cell_factors
from ionstack.protocols.laid import Instruments
from ionstack.protocols.protocol import build_protocol
from ionstack.protocols.protocol_steps import Sweep
from ionstack.runs.circuit_simulation import circuit_stepper
from ionstack.runs.preparation import prepare

_ANALOG = Path("cases") / "all_in_one" / "analog.yaml"
_DIODE = Path("cases") / "basics" / "pn_diode.yaml"
_FILAMENT = Path("cases") / "filament" / "threshold.yaml"
_NO_NOISE = ("circuit.elements.F1.atomic_volume=0 m^3",)
_BARE = "without circuit"
_SERIES = {
    "sources": {"V1": {"node": "in", "compliance": "1 mA"}},
    "elements": {"R1": {"kind": "resistor", "nodes": ["in", "Pt"], "resistance": "1 kohm"}},
}


def circuit_row() -> Row:
    """Return the benchmark of a Newton step behind a resistor, beside that of the bare stack."""
    quantities = (Quantity("step", "step", "ms", None, _BARE, "bare", 1e3),)
    return Row("circuit-1d", _series, quantities, (), 3)


def crossbar_row() -> Row:
    """Return the benchmark of a Newton step of an array of diodes, beside that of one diode."""
    quantities = (Quantity("step", "step", "ms", None, "one diode", "bare", 1e3),)
    return Row("crossbar", _array, quantities, (), 3)


def filament_row() -> Row:
    """Return the benchmark of sweeps of a lumped filament alone, in cycles per minute."""
    quantities = (
        Quantity("sweeps", "rate", "1/min"),
        Quantity("noisy sweeps", "noisy", "1/min"),
        Quantity("step", "step", "us", scale=1e6),
    )
    return Row("filament-lumped", _sweeps, quantities, (), 3)


def _sweeps(quick: bool) -> Callable[[], Run]:
    count = 3 if quick else 50
    cycles = f"protocol.0.sweep.cycles={count}"
    plain, noisy = (load_case(case_path(_FILAMENT), [*how, cycles]) for how in (_NO_NOISE, ()))
    # What is compiled is shared by all of its circuits.
    run = circuit_stepper(plain).run()
    for _ in range(2):
        next(run)

    def work() -> Run:
        passed, newton = _swept(plain)
        rates = {"rate": 60.0 * count / passed, "noisy": 60.0 * count / _swept(noisy)[0]}
        return Run(rates | {"step": passed / newton})

    return work


def _swept(case: Case) -> tuple[float, int]:
    """Processor time [s] and Newton steps of a case's protocol."""
    stepper, begun = circuit_stepper(case), process_time()
    for _ in stepper.run():
        pass
    return process_time() - begun, stepper.newton_steps


def _series(quick: bool) -> Callable[[], Run]:
    case = load_case(case_path(_ANALOG), ["stack.grading.growth=1.05"])
    wired = _in_circuit(case, _SERIES, Sweep("V1", (-5.0, 0.0), 1.0, 1))
    return _both(case, wired, 6 if quick else 30)


def _array(quick: bool) -> Callable[[], Run]:
    size = 2 if quick else 8
    case = load_case(case_path(_DIODE), ["stack.grading.first_cell=2 nm"])
    section = {"crossbar": {"rows": size, "columns": size, "wire_resistance": "10 ohm"}}
    cell = {"cell": cell_factors(size, size, (1, 1), "half")}
    wired = _in_circuit(case, section, Sweep("cell", (0.7, 0.0), 0.1, 1), cell)
    return _both(case, wired, 6 if quick else 30)


def _in_circuit(
    case: Case,
    section: Mapping[str, Any],
    sweep: Sweep,
    cells: Mapping[str, Mapping[str, float]] | None = None,
) -> Case:
    """The case with another circuit and a sweep as its protocol."""
    contacts = case.circuit.contacts
    circuit = numbered(netlist(CircuitModel.model_validate(section), contacts), case.temperature)
    start = circuit.start
    positive, negative = (
        dict(zip(circuit.sources, map(float, one), strict=True))
        for one in (start.positive, start.negative)
    )
    instruments = Instruments(circuit.sources, positive, negative, {}, cells)
    protocol = build_protocol([sweep], instruments)
    return replace(case, circuit=circuit, protocol=protocol)


def _both(bare: Case, wired: Case, steps: int) -> Callable[[], Run]:
    one, other = (prepare(case, MPI.COMM_SELF) for case in (bare, wired))

    def work() -> Run:
        numbers = dict(march(other, steps))
        return Run(numbers | {"bare": march(one, steps)["step"]})

    return work
