"""A small run that is cut off in many ways, and what must be the same after it was resumed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
import yaml
from mpi4py import MPI

from ionstack.casefile.case import Case
from ionstack.output import rows, vtkhdf
from ionstack.output.carry import points_and_regions
from ionstack.output.field_reader import read_fields
from ionstack.output.profiles import read_profiles
from ionstack.output.pulses import read_pulses
from ionstack.output.run_directory import RunDirectory, claim
from ionstack.output.trace import read_trace
from ionstack.runs import simulation
from ionstack.runs.log import Log
from support.devices import ANALOG, COARSE

PROTOCOL = [
    {"sweep": {"contact": "Pt", "amplitude": "-0.2 V", "rate": "1 V/s"}},
    {"pulses": {
        "contact": "Pt", "amplitude": "0.5 V", "width": "0.1 s", "gap": "0.4 s", "number": 1,
        "read": {"voltage": "-0.1 V", "width": "0.05 s", "delay": "0.1 s", "every": 1},
    }},
    {"hold": {"contact": "Pt", "voltage": "0.1 V", "duration": "1 s"}},
]  # fmt: skip


def write_case(file: Path, **sections: Any) -> None:
    """Write the analog device with a short protocol; it is meant for a coarse grid."""
    case = yaml.safe_load(ANALOG.read_text())
    case["stack"] = str((ANALOG.parent / case["stack"]).resolve())
    case["numerics"] = {"step_tolerance": "20 mV"}
    case["protocol"] = PROTOCOL
    case["output"] = {"figures": False}
    case["instruments"] = "auto"
    file.write_text(yaml.safe_dump({**case, **sections}))


SETTINGS = tuple(part for one in COARSE for part in ("--set", one))


def run(case: Case, folder: Path, comm: MPI.Comm = MPI.COMM_SELF, resume: bool = False) -> None:
    """What the command line does with a case."""
    directory = claim(folder, case.resolved(), comm, resume)
    kept = comm.bcast(directory.checkpoint.exists(), root=0)
    simulation.simulate(case, directory, comm, Log(1), resume=kept)


def results(folder: Path) -> dict[str, Any]:
    """All numbers that a run leaves."""
    run = RunDirectory(folder)
    summary = json.loads(run.summary.read_text())
    keys = ("steps.", "newton.", "linear.it", "equilibrium.", "completed", "electron", "lateral")
    checks = ("conservation", "current_sum")
    fields = read_fields(run.fields)
    with h5py.File(run.fields) as file:
        # Points on the border of two ranks appear once per rank.
        _, once = np.unique(points_and_regions(file["VTKHDF"]), axis=0, return_index=True)
    return {
        "trace": read_trace(run.trace),
        "pulses": read_pulses(run.pulses) if run.pulses.exists() else {},
        "profiles": {
            f"{one.state} {name}": values
            for one in read_profiles(run.profiles)
            for name, values in (*one.quantities.items(), ("time", np.array([one.time])))
        },
        "fields": {
            f"{name} {step}": fields.values(name, step)[once]
            for name in fields.names
            for step in range(len(fields.times))
        } | {"times": fields.times},
        "summary": {
            key: np.array([float(value)])
            for key, value in summary.items()
            if key.startswith(keys) and not isinstance(value, str)
        },
        "restarts": len(summary.get("restart.times [s]", [])),
        "checks": {key: value for key, value in summary.items() if key.startswith(checks)},
    }  # fmt: skip


def difference(
    found: dict[str, Any], expected: dict[str, Any], without: tuple[str, ...] = ()
) -> float:
    """Largest difference of any column, over the column's largest number."""
    worst = 0.0
    for part in ("trace", "pulses", "profiles", "fields", "summary"):
        kept = {key for key in expected[part] if not key.startswith(without or "-")}
        assert kept <= set(found[part]), part
        for key in kept:
            one, other = np.asarray(found[part][key]), np.asarray(expected[part][key])
            assert one.shape == other.shape, f"{part}: {key}: {one.shape}, not {other.shape}"
            np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
            scale = np.nanmax(np.abs(other), initial=1e-300)
            worst = max(worst, float(np.nanmax(np.abs(one - other), initial=0.0) / scale))
    return worst


class Instants:
    """Keeps the folder of a run as a kill would leave it, at the n-th acts on its files.

    What another process can read at an instant is what remains after a kill at that instant:
    buffers of the process are lost with it. Each act is cut in the middle: a row or a file is
    half written, a new file is not yet in its place.
    """

    def __init__(self, folder: Path, instants: Mapping[int, Path] | None = None) -> None:
        self._folder, self._instants = folder, instants or {}
        self.acts: list[str] = []

    def __enter__(self) -> Self:
        self._undo: list[Callable[[], None]] = []
        self._watch(rows.RowFile, "append", _torn_row)
        self._watch(Path, "write_bytes", _torn_bytes)
        self._watch(Path, "replace", _nothing)
        self._watch(vtkhdf, "store", _nothing)
        return self

    def __exit__(self, *rest: object) -> None:
        for undo in self._undo:
            undo()

    def _watch(self, owner: Any, name: str, half: Callable[..., Callable[[], None]]) -> None:
        whole = getattr(owner, name)

        def work(*arguments: Any, **options: Any) -> Any:
            self.acts.append(name)
            target = self._instants.get(len(self.acts))
            if target is not None:
                undo = half(*arguments)
                shutil.copytree(self._folder, target)
                undo()
            return whole(*arguments, **options)

        setattr(owner, name, work)
        self._undo.append(lambda: setattr(owner, name, whole))


def _torn_row(table: rows.RowFile, cells: Sequence[str]) -> Callable[[], None]:
    position = table._file.tell()
    table._file.write(",".join(cells).encode()[:-3])

    def undo() -> None:
        table._file.truncate(position)
        table._file.seek(position)

    return undo


def _torn_bytes(path: Path, content: bytes) -> Callable[[], None]:
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
    return path.unlink


def _nothing(*arguments: Any) -> Callable[[], None]:
    return lambda: None
