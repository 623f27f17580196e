"""A program for ``mpirun``: does the same work on any number of ranks, writes JSON.

``python -m support.on_ranks FOLDER TASK...`` writes ``FOLDER/TASK.json`` on rank 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.abort import abort_on_crash
from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.compute import configure
from ionstack.errors import InputError, raise_together
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Lateral
from ionstack.output.names import areal_amount, site_fraction
from ionstack.protocols.protocol_steps import Hold
from ionstack.solving.impedance import admittance
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.states import StepControl
from ionstack.stepping.stepper import Stepper
from support.airs import PRODUCTS, Pot
from support.devices import Ramp, analog, assemble, ready, total
from support.everything import CONTENTS, every_law, every_layer
from support.jacobians import assembled, disturb
from support.layers import Device
from support.problems import hold
from support.stacks import SHAPES, film, stack, write_free_form
from support.volumes import table
from support.wired import CONDUCTANCE, Wired, diode, line, ohmic, pair, resistor

COMM = MPI.COMM_WORLD

# The smallest devices in which every rank has work to do.
DEVICES: dict[str, tuple[str, ...]] = {
    "1d": (),
    "3d": ("stack.dimension=3d", "stack.lateral.cells=1"),
}
ONE_SWEEP = ("protocol.0.sweep.amplitude=-0.5 V", "protocol.1.sweep.amplitude=0.05 V")


def graph(folder: Path) -> dict[str, Any]:
    """Differences between this rank's control volumes and those of the whole mesh."""
    path = folder / f"free-{COMM.size}.msh"
    with raise_together(COMM, "writing the mesh"):
        if COMM.rank == 0:
            write_free_form(path)
    stacks = {name: stack(name) for name in SHAPES} | {"free-form": film(path)}
    return {name: _graph_difference(entry) for name, entry in stacks.items()}


def _graph_difference(entry: Any) -> dict[str, Any]:
    part = build_control_volumes(build_mesh(entry, COMM))
    whole = build_control_volumes(build_mesh(entry, MPI.COMM_SELF))
    own, all_ = table(part), table(whole)
    result: dict[str, Any] = {}
    for kind, expected in all_.items():
        wrong = sum(expected.get(key) != value for key, value in own[kind].items())
        seen = set().union(*COMM.allgather(set(own[kind])))
        result[kind] = [COMM.allreduce(wrong), len(set(expected) ^ seen), len(expected)]
    result["owned"] = COMM.allgather(part.n_owned_vertices)
    result["hash"] = [part.content_hash, whole.content_hash]
    cells = COMM.allreduce(len(part.cell_nodes))
    result["cells"] = [cells, len(whole.cell_nodes)]
    return result


def jacobian(folder: Path) -> float:
    """Largest difference between the distributed and the serial matrix, over the row's scale."""
    case = analog(
        "stack.grading.first_cell=8 nm", "stack.dimension=axisymmetric", "stack.lateral.cells=4"
    )
    return _matrix_difference(*(assemble(case, comm) for comm in (COMM, MPI.COMM_SELF)), -1.0)


def every_term(folder: Path) -> dict[str, Any]:
    """The same for a stack with every kind of term, and its currents along a ramp."""
    devices = [
        Device(every_layer("2d"), every_law(), CONTENTS, comm) for comm in (COMM, MPI.COMM_SELF)
    ]
    difference = _matrix_difference(*(device.system for device in devices), 0.0)
    currents = []
    for device in devices:
        device.settle("as_given")
        ramp = Ramp((0.0, 1e-6), ((0.0, 0.0), (0.1, 0.0)))
        # Currents of pA: what an update below the usual nV leaves over would show in them.
        control = NewtonControl(tolerance=1e-11)
        newton = Newton(device.system, LinearSolver(device.system), control)
        states = Stepper(device.system, newton, ramp, StepControl(fixed=2e-7)).run()
        currents.append([state.currents.tolist() for state in states])
    return {"matrix": difference, "currents": currents}


def small_signal(folder: Path) -> dict[str, float]:
    """Largest difference of distributed and serial admittances, over the largest."""
    found = {}
    for name, overrides in DEVICES.items():
        systems = [ready(analog(*overrides), comm).system for comm in (COMM, MPI.COMM_SELF)]
        part, whole = (admittance(one, np.zeros(2), [1e-3, 1.0, 1e6]) for one in systems)
        scale = np.abs(whole).max(axis=(1, 2))
        found[name] = float((np.abs(part - whole).max(axis=(1, 2)) / scale).max())
    return found


def _matrix_difference(one: System, other: System, level: float) -> float:
    parts = []
    for system in (one, other):
        system.unknowns.set(level)
        disturb(system, 0.08)
        parts.append(assembled(system))
    part, whole = parts
    scale: dict[tuple[int, ...], float] = {}
    for key, value in whole.items():
        scale[key[:3]] = max(scale.get(key[:3], 0.0), abs(value))
    worst = max(abs(part.get(key, 0.0) - value) / scale[key[:3]] for key, value in whole.items())
    return max(worst, float(len(set(part) ^ set(whole))))


def trace(folder: Path) -> dict[str, Any]:
    """Times, steps, currents and lithium of a short sweep on each device."""
    return {name: _trace(overrides) for name, overrides in DEVICES.items()}


def _trace(overrides: tuple[str, ...]) -> dict[str, Any]:
    prepared = ready(analog(*ONE_SWEEP, *overrides), COMM)
    states = list(prepared.stepper().run())
    lithium = [total(prepared.system, state, "Li+") for state in states]
    return {
        "time": [state.time for state in states],
        "step": [state.step for state in states],
        "current": [state.currents.tolist() for state in states],
        "lithium": lithium,
        "profile": _profile(prepared),
    }


def _profile(prepared: Any) -> list[float]:
    """Mean lithium content of the layers at the end."""
    volumes = prepared.system.equations.volumes
    content = NodeFields(prepared.system).evaluate()[site_fraction("Li+")]
    own = slice(volumes.n_owned_nodes)
    weight = volumes.node_volume[own]
    region = volumes.node_region[own]
    count = len(volumes.regions)
    sums = [np.bincount(region, part, count) for part in (weight * content[own], weight)]
    held, space = (COMM.allreduce(part) for part in sums)
    return (held / space).tolist()


def circuits(folder: Path) -> dict[str, Any]:
    """Currents of two diodes in series, and of a film behind a resistor in 2-D.

    At 0.8 V each the diodes' currents lie far above their digits, 1e-14 A.
    """
    two, plane = diode(COMM), ohmic(COMM, "2d")
    behind = line("in", elements={"R1": resistor("in", "top", 1.0 / CONDUCTANCE)})
    start = plane.system.unknowns.getArray().copy()
    found = {"two": _currents(Wired(two, pair(two, "series"), "auto", 1e-12))}
    for solver in ("mumps", "iterative"):
        plane.system.unknowns.setArray(start)
        plane.system.refresh_ghosts()
        found[solver] = _currents(Wired(plane, behind, solver, 1e-12))
    return found


def air(folder: Path) -> dict[str, Any]:
    """Lithium of a film bound in products: amounts, lithium in the film, currents, fields."""
    pot = Pot(dimension="2d", lateral=Lateral("rectangle", None, 1e-6, 1e-6, 4, 1.0), comm=COMM)
    pot.fill(own=1e11, hydration_rate=1e3, carbonation_rate=1e4)
    states = list(pot.march(hold((10.0,)), fixed=1.0))
    fields = NodeFields(pot.system).evaluate()
    return {
        "products": pot.column(states).tolist(),
        "lithium": [pot.lithium(state) for state in states],
        "current": [state.currents.tolist() for state in states],
        "fields": _at_contact(pot, fields),
    }


def _at_contact(pot: Pot, fields: Any) -> dict[str, Any]:
    """Amount of each product at the points of this rank's cells, ghosts among them, by place."""
    volumes = pot.volumes
    used = np.unique(volumes.cell_nodes)
    places = volumes.coordinates[volumes.node_vertex[used]]
    found = {}
    for name in PRODUCTS:
        pairs = zip(places.round(12).tolist(), fields[areal_amount(name)][used], strict=True)
        own = {str(place): float(amount) for place, amount in pairs if np.isfinite(amount)}
        found[name] = dict(
            sorted({k: v for part in COMM.allgather(own) for k, v in part.items()}.items())
        )
        clash = [k for part in COMM.allgather(own) for k, v in part.items() if v != found[name][k]]
        assert not clash, f"ranks disagree at {clash}"
    return found


def _currents(wired: Wired) -> Any:
    states = wired.run(Hold("V1", 1.6, 1.0, 0.1), fixed=0.05)
    inner = "mid" if "mid" in wired.circuit.nodes else "top"
    names = ("I(V1)", f"V({inner})")
    largest = max(state.kirchhoff for state in states)
    return {name: wired.column(states, name).tolist() for name in names} | {"kirchhoff": largest}


def error(folder: Path) -> dict[str, Any]:
    """A mistake that only the last rank sees must reach all ranks, with its class."""
    try:
        with raise_together(COMM, "testing"):
            if COMM.rank == COMM.size - 1:
                raise InputError("a mistake on one rank")
    except InputError as found:
        messages = COMM.allgather(str(found))
    return {"messages": messages}


def crash(folder: Path) -> dict[str, Any]:
    """An unforeseen error on the last rank, while the others wait in a barrier."""
    abort_on_crash(COMM)
    if COMM.rank == COMM.size - 1:
        raise RuntimeError("unforeseen")
    COMM.Barrier()
    return {}


TASKS: dict[str, Callable[[Path], Any]] = {
    "graph": graph,
    "jacobian": jacobian,
    "every_term": every_term,
    "small_signal": small_signal,
    "trace": trace,
    "circuits": circuits,
    "air": air,
    "error": error,
    "crash": crash,
}


def main(folder: Path, names: list[str]) -> None:
    """Run the tasks in turn."""
    configure()
    for name in names:
        found = TASKS[name](folder)
        if COMM.rank == 0:
            (folder / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
