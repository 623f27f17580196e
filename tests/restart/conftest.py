"""One small device, set up once, and its run without any interruption."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from mpi4py import MPI

from ionstack.casefile.case import Case, load_case
from ionstack.output.run_directory import RunDirectory
from ionstack.runs import simulation
from ionstack.runs.preparation import prepare
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton
from support.devices import COARSE
from support.restarts import Instants, run, write_case


@contextmanager
def _set_up_once(ready: dict[Any, Any]) -> Iterator[None]:
    def again(case: Case, comm: MPI.Comm, timing: Any = None, search: bool = True) -> Any:
        if not case.circuit.plain:
            return prepare(case, comm, timing, search)
        key = (case.stack, case.temperature, comm.size)
        if key not in ready:
            made = prepare(case, comm, timing)
            ready[key] = made, made.system.unknowns.copy()
        made, unknowns = ready[key]
        if search:
            unknowns.copy(made.system.unknowns)
        else:
            made.system.unknowns.set(0.0)
        made.system.refresh_ghosts()
        solver = LinearSolver(made.system, case.numerics.solver)
        newton = Newton(made.system, solver, made.newton.control)
        found = made.equilibrium if search else replace(made.equilibrium, newton_steps=0)
        return replace(made, case=case, newton=newton, equilibrium=found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "prepare", again)
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def devices() -> dict[Any, Any]:
    """The devices that are set up."""
    return {}


@pytest.fixture(scope="module")
def quick(devices: dict[Any, Any]) -> Iterator[None]:
    """Set the device up once. Nothing waits for the disk, which a kill does not ask for."""
    with _set_up_once(devices):
        yield


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """With a checkpoint after every step."""
    file = tmp_path_factory.mktemp("case") / "case.yaml"
    write_case(file, output={"figures": False, "checkpoint_every": "1 ns"})
    return load_case(file, COARSE)


@pytest.fixture(scope="session")
def whole(
    case: Case, devices: dict[Any, Any], tmp_path_factory: pytest.TempPathFactory
) -> RunDirectory:
    """The run without interruption, with ``acts.txt``: what it did to its files."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with _set_up_once(devices), Instants(folder) as instants:
        run(case, folder)
    (folder.parent / "acts.txt").write_text("\n".join(instants.acts))
    return RunDirectory(folder)
