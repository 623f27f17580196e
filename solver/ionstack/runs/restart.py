"""Checkpoints of a run while it goes on, and going on from one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.casefile.case import Case
from ionstack.casefile.case_schema import Initial
from ionstack.circuits.circuit import Circuit
from ionstack.errors import (
    InputError,
    Interrupted,
    OutputError,
    Terminated,
    raise_together,
)
from ionstack.observing.observers import Observer
from ionstack.output import checkpoint
from ionstack.output.checkpoint import LATEST, Memory, Places
from ionstack.output.provenance import provenance
from ionstack.output.run_directory import RunDirectory
from ionstack.runs.origin import END, identity
from ionstack.solving.network import Network
from ionstack.stepping.states import State

# What asks a run to end: as Ctrl-C and SIGTERM, also in the form that mpirun passes on.
_ASKED = {
    signal.SIGINT: Interrupted,
    signal.SIGUSR1: Interrupted,
    signal.SIGTERM: Terminated,
    signal.SIGUSR2: Terminated,
}
# Relative change of an amount that a state keeps when it is taken over.
_KEPT = 1e-9


@dataclass(frozen=True)
class Frame:
    """What checkpoints say of the device: contacts, hash of the mesh, places of the unknowns."""

    comm: MPI.Comm
    contacts: tuple[str, ...]
    mesh: str
    places: Places

    @classmethod
    def of_system(cls, system: System) -> Frame:
        """That of devices on a mesh (collective)."""
        volumes, layout = system.equations.volumes, system.layout
        node = layout.node[: layout.n_owned]
        vertex = volumes.vertex_id[volumes.node_vertex[node]]
        place = vertex * len(volumes.regions) + volumes.node_region[node]
        keys = place * (1 + len(layout.names)) + layout.field[: layout.n_owned]
        contacts, comm = tuple(volumes.contacts), system.comm
        return cls(comm, contacts, volumes.content_hash, Places(comm, keys))

    @classmethod
    def without_mesh(cls, comm: MPI.Comm) -> Frame:
        """That of a circuit alone (collective)."""
        return cls(comm, (), "", Places(comm, np.zeros(0, dtype=np.int64)))


class Marcher(Protocol):
    """A stepper, as a checkpoint sees it."""

    @property
    def circuit(self) -> Circuit:
        """The circuit, whose unknowns are in every state."""

    def memory(self) -> Memory:
        """What `recall` needs to go on after the last accepted state."""

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood (collective)."""


class Signals:
    """Remembers Ctrl-C or SIGTERM until a run can end in order; a second one ends it at once."""

    def __init__(self) -> None:
        self.caught = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Begin to listen."""
        if threading.current_thread() is threading.main_thread():
            for number in _ASKED:
                self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught = number
        signal.signal(number, self._before[number])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave signals to whom they belonged."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


class Keeper:
    """Writes checkpoints when they are due, and ends a run that is asked to end."""

    def __init__(
        self,
        case: Case,
        run: RunDirectory,
        frame: Frame,
        stepper: Marcher,
        observers: Sequence[Observer],
    ) -> None:
        """Know whom to ask; nothing is written before the first state (collective)."""
        self._case, self._path, self._frame = case, run.checkpoint, frame
        self._stepper, self._observers = stepper, observers
        text = case.resolved()
        made_with = provenance(text, mesh_hash=frame.mesh, ranks=frame.comm.size)
        self._header: dict[str, Any] = {
            "case": text,
            "mesh": frame.mesh,
            "device": identity(case),
            "start": dict(case.protocol.instruments.start or {}),
            **made_with,
        }
        # Of the equilibrium at the start, for the summary; earlier parts of this run.
        self.entries: dict[str, Any] = {}
        self.restarts: list[dict[str, Any]] = []
        self.kept: float | None = None  # time of the last checkpoint [s]
        # The state seen last, put into words only to be written; a memory after a resume.
        self._last: State | Memory | None = None
        self._written = monotonic()

    def see(self, state: State, signals: Signals, failure: OSError | None) -> None:
        """After all observers: write a checkpoint, end the run, or neither (collective).

        `failure` is what an observer of this rank could not write.

        Raises:
            OutputError, Interrupted: on all ranks.
        """
        caught, due, failed = self._agreed(signals, failure)
        if failed:
            raise OutputError(self._not_written(failure))
        self._last = state
        name = self._case.protocol.named.get(state.following) if state.at_breakpoint else None
        if caught or due or name is not None:
            self.write(name)
        if caught:
            raise _ASKED[signal.Signals(caught)](f"interrupted at t = {state.time:.9g} s")

    def _agreed(self, signals: Signals, failure: OSError | None) -> tuple[int, bool, bool]:
        """Signal, whether a checkpoint is due by the clock of rank 0, failure of any rank."""
        comm, every = self._frame.comm, self._case.output.checkpoint_every
        due = comm.rank == 0 and monotonic() - self._written >= every
        own = np.array([signals.caught, due, failure is not None], dtype=np.int64)
        if comm.size > 1:
            comm.Allreduce(MPI.IN_PLACE, own, MPI.MAX)
        return int(own[0]), bool(own[1]), bool(own[2])

    def _not_written(self, failure: OSError | None) -> str:
        own = None if failure is None else f"{failure.filename}: {failure.strerror}"
        texts = self._frame.comm.allgather(own)
        return next(str(text) for text in texts if text is not None)

    def end(self) -> None:
        """Name the last state the end (collective)."""
        self.write(END)

    def write(self, name: str | None = None) -> None:
        """Write a checkpoint of the last state seen, if there is one (collective)."""
        if self._last is None:
            return
        last = self._state(self._last) if isinstance(self._last, State) else self._last
        named = {} if name is None else {name: last}
        header = {**self._header, "restarts": self.restarts}
        latest, comm = self._latest(last), self._frame.comm
        checkpoint.write(self._path, header, latest, named, self._frame.places, comm)
        self._written, self.kept = monotonic(), last.plain["time"]

    def _latest(self, last: Memory) -> Memory:
        """What the run must know to go on."""
        stepper = self._stepper.memory()
        observers = {type(one).__name__: one.memory() for one in self._observers}
        plain = {"observers": observers, "stepper": stepper.plain, "entries": self.entries}
        return Memory({"time": last.plain["time"], "state": last.plain, **plain}, stepper.owned)

    def _state(self, state: State) -> Memory:
        """What another case needs to start from a state."""
        contacts, circuit = self._frame.contacts, self._stepper.circuit
        sources = circuit.source_voltages(state.circuit)
        plain = {
            "time": state.time,
            "currents": dict(zip(contacts, map(float, state.currents), strict=True)),
            "voltages": dict(zip(contacts, map(float, state.voltages), strict=True)),
            "sources": dict(zip(circuit.sources, map(float, sources), strict=True)),
            "circuit": dict(zip(circuit.unknowns, map(float, state.circuit), strict=True)),
        }
        return Memory(plain, {"unknowns": state.unknowns, "amounts": state.amounts})

    def resume(self) -> float:
        """Go on from the checkpoint; return its time [s] (collective).

        Raises:
            InputError: when it is of another mesh, or files that it has seen are damaged.
        """
        comm = self._frame.comm
        header = _header(self._path, comm)
        _same_mesh(str(self._path), header, self._header)
        memory = checkpoint.read(self._path, LATEST, self._frame.places, comm)
        self.entries = dict(memory.plain["entries"])
        self._stepper.recall(Memory(memory.plain["stepper"], memory.owned))
        for one in self._observers:
            one.recall(memory.plain["observers"][type(one).__name__])
        newest = {name: memory.owned[name][-1] for name in ("unknowns", "amounts")}
        self._last = Memory(memory.plain["state"], newest)
        self.kept = time = float(memory.plain["time"])
        part = {key: header[key] for key in ("date.utc", "mpi.ranks", "source.sha256")}
        self.restarts = [*header["restarts"], {"time": time, **part}]
        return time


def take_over(
    initial: Initial, system: System, network: Network, where: Places
) -> tuple[Mapping[str, Any], NDArray[np.float64], NDArray[np.float64]]:
    """Put the system's unknowns into another run's state (collective).

    Returns what its run says of itself, the unknowns of the circuit, and the currents [A] of
    the contacts. Unknowns that the other circuit did not have are 0 but for voltages of nodes
    at contacts.

    Raises:
        InputError: when the mesh differs, or the state means other amounts in this case.
    """
    path, comm = RunDirectory(initial.folder).checkpoint, system.comm
    header = _header(path, comm)
    _same_mesh(
        f"{initial.marks[0]}: {path}", header, {"mesh": system.equations.volumes.content_hash}
    )
    memory = checkpoint.read(path, initial.state, where, comm)
    system.unknowns.setArray(memory.owned["unknowns"])
    system.refresh_ghosts()
    contacts, plain = system.equations.volumes.contacts, memory.plain
    voltages, currents = (
        np.array([plain[key][name] for name in contacts]) for key in ("voltages", "currents")
    )
    circuit = network.at_contacts(voltages)
    for place, name in enumerate(network.circuit.unknowns):
        circuit[place] = plain["circuit"].get(name, circuit[place])
    zero = np.zeros(system.layout.n_owned)
    amounts = system.evaluate(zero, 0.0, 0.0, voltages).amounts
    with raise_together(comm, "taking a state over"):
        _same_amounts(initial, system, amounts, memory.owned["amounts"])
    return header, circuit, currents


def _same_amounts(
    initial: Initial, system: System, here: NDArray[np.float64], there: NDArray[np.float64]
) -> None:
    wrong = np.flatnonzero(np.abs(here - there) > _KEPT * np.abs(there))
    if len(wrong) == 0:
        return
    layout, volumes = system.layout, system.equations.volumes
    worst = wrong[0]
    name = ("potential", *layout.names)[layout.field[worst]]
    region = volumes.regions[volumes.node_region[layout.node[worst]]]
    raise InputError(
        f"{initial.marks[0]}: the state means another amount of {name} in {region} here: "
        "temperature, or levels and sites of the materials, differ from those of that run"
    )


def _header(path: Path, comm: MPI.Comm) -> Mapping[str, Any]:
    """What a checkpoint says of its run (collective)."""
    header: Mapping[str, Any] = {}
    with raise_together(comm, f"reading {path}"):
        if comm.rank == 0:
            header = checkpoint.contents(path).header
    shared: Mapping[str, Any] = comm.bcast(header, root=0)
    return shared


def _same_mesh(where: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    if there["mesh"] != here["mesh"]:
        raise InputError(
            f"{where}: is of another mesh ({there['mesh'][:12]} there, {here['mesh'][:12]} here): "
            "sizes of layers, grading or the mesh file differ"
        )
