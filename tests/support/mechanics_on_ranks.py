"""A program for ``mpirun``: a body that yields, creeps and has come apart, on any ranks.

``python -m support.mechanics_on_ranks FOLDER`` writes ``FOLDER/body.json`` on rank 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.abort import abort_on_crash
from ionstack.casefile.case import load_case
from ionstack.compute import configure
from ionstack.errors import InputError
from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.geometry.stack import Lateral, Layer, Stack
from ionstack.mechanics.areas import Cohesive, Debond
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.conditions import Conditions
from ionstack.mechanics.mesh import MechanicalMesh, build_mechanical_mesh
from ionstack.mechanics.transfer import Transfer
from ionstack.output.checkpoint import Memory, Places
from ionstack.physics.cohesion import Cohesion
from ionstack.physics.solids import Creep, Solid
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.stress_field import Stressed
from support.stacks import stack

COMM = MPI.COMM_WORLD
CONVERSION = Path(__file__).parents[2] / "cases/stress/conversion.yaml"
METAL = Layer("metal", "Pt", 50e-9, 20e-9, 2.0)
PLATE = Layer("plate", "glass", 300e-9, 100e-9, 2.0)
HOST = Solid(100e9, 0.3)
SOLIDS = (
    Solid(140e9, 0.38, yield_strength=100e6, hardening=5e9, residual_stress=50e6),
    Solid(100e9, 0.3, yield_strength=300e6, hardening=1e9),
    Solid(80e9, 0.25, creep=Creep(1e-4, 50e6, 3.0)),
    HOST,
    Solid(70e9, 0.2),
)
SLITS = {
    "axisymmetric": Debond("metal", "oxide", radius=35e-6),
    "3d-rectangle": Debond("metal", "oxide", between=(0.0, 55e-6)),
}


def run(shape: str) -> dict[str, Any]:
    """Three steps, the last after the state has gone through a checkpoint's arrays."""
    films = _films(shape)
    mesh = build_mechanical_mesh(films, (METAL,), (PLATE,), COMM, (SLITS[shape],))
    volumes = build_control_volumes(build_mesh(films, COMM))
    transfer = Transfer(volumes, mesh)
    body = Body(mesh, SOLIDS, Conditions())
    trials = []
    for level, step in ((0.5, 1.0), (1.0, 2.0), (0.2, 5.0)):
        if len(trials) == 2:
            body = _restored(body, mesh)
        trials.append(body.solve(transfer.to_cells(_swelling(volumes, level)), step))
        body.accept(trials[-1])
    return _summary(volumes, transfer, trials[-1]) | {
        "memory": _remembered(body),
        "converged": [trial.newton.converged for trial in trials],
    }


def _films(shape: str) -> Stack:
    films = stack(shape, 40e-9)
    cells = 3 if shape == "3d-rectangle" else 6
    return replace(films, lateral=replace(films.lateral, cells=cells))


def _swelling(volumes: ControlVolumes, level: float) -> np.ndarray:
    """More in the middle, in the uppermost film only."""
    x = volumes.coordinates[volumes.node_vertex][:, 0]
    return np.where(volumes.node_region == 0, 0.02 * level * (1.0 - (x / 100e-6) ** 2), 0.0)


def _restored(body: Body, mesh: MechanicalMesh, solids: Sequence[Solid] = SOLIDS) -> Body:
    """Another body with the state that went to rank 0 and back."""
    places = Places(COMM, body.keys())
    memory = body.memory()
    back = {name: places.scatter(places.gather(one)) for name, one in memory.owned.items()}
    other = Body(mesh, solids, Conditions())
    other.recall(Memory({}, back))
    return other


def _remembered(body: Body) -> dict[str, Any]:
    """The arrays of a checkpoint, as rank 0 has them."""
    places = Places(COMM, body.keys())
    whole = {name: places.gather(one) for name, one in body.memory().owned.items()}
    return {name: one.reshape(-1).tolist() for name, one in whole.items()}


def _summary(volumes: ControlVolumes, transfer: Transfer, trial: Trial) -> dict[str, Any]:
    """Node values in the order of the mesh, with the coordinates that name them."""
    fields = {
        "pressure": transfer.to_nodes(trial.hydrostatic()),
        "plastic": transfer.to_nodes(trial.corner_plastic()),
        "displacement": transfer.to_nodes(trial.corner_displacement()),
    }
    own = slice(volumes.n_owned_nodes)
    keys = volumes.vertex_id[volumes.node_vertex[own]] * 10 + volumes.node_region[own]
    keys = np.concatenate(COMM.allgather(keys))
    order = np.argsort(keys)
    found: dict[str, Any] = {"keys": keys[order].tolist()}
    for name, field in fields.items():
        found[name] = np.concatenate(COMM.allgather(field[own]))[order].tolist()
    metal = COMM.allreduce(float(trial.plastic.max(initial=0.0)), op=MPI.MAX)
    return found | {"most": metal, "ghosts": _ghosts_agree(volumes, fields["pressure"])}


def _ghosts_agree(volumes: ControlVolumes, field: np.ndarray) -> float:
    """Largest difference between ghosts and their owners, over the largest value."""
    keys = volumes.vertex_id[volumes.node_vertex] * 10 + volumes.node_region
    own = volumes.n_owned_nodes
    every = COMM.allgather(dict(zip(keys[:own].tolist(), field[:own].tolist(), strict=True)))
    whole = {key: value for one in every for key, value in one.items()}
    ghosts = zip(keys[own:].tolist(), field[own:].tolist(), strict=True)
    worst = max((abs(whole[key] - value) for key, value in ghosts), default=0.0)
    return float(COMM.allreduce(worst, op=MPI.MAX) / max(map(abs, whole.values())))


def buckled() -> dict[str, Any]:
    """A metal that yields on a film that buckles over a slit, pressed in two steps."""
    host = Layer("host", "WO3", 100e-9, 50e-9, 2.0)
    lateral = Lateral("disc", 12e-6, None, None, 30, 1.0)
    films = replace(stack("axisymmetric"), layers=(host,), lateral=lateral)
    slit = Debond("host", "plate", radius=3e-6)
    mesh = build_mechanical_mesh(films, (METAL,), (PLATE,), COMM, (slit,))
    solids = (SOLIDS[0], HOST, HOST)
    body = Body(mesh, solids, Conditions(sides="roller"), rotations="large")
    lift = body.lifting_pressure(1e-9)
    swells = (mesh.cell_region[: mesh.n_owned] == 1).astype(float)[:, None] * np.ones(3)
    for level in (0.01, 0.02):
        trial = body.solve(level * swells, 1.0, pressure={"slit": lift})
        body.accept(trial)
    found = _remembered(body)
    return {"converged": trial.newton.converged, "lift": lift, **found}


def parted() -> dict[str, Any]:
    """A metal that comes off in part: a slit grows, the rest gives way, then it is pressed back."""
    lateral = Lateral("disc", 2e-6, None, None, 20, 1.0)
    films = replace(stack("axisymmetric", 40e-9), lateral=lateral)
    law = Cohesion(stiffness=1e19, strength=500e6, work=0.3)
    joints = (Debond("metal", "oxide", between=(0.8e-6, 1e-6)), Cohesive("metal", "oxide", law))
    mesh = build_mechanical_mesh(films, (METAL,), (PLATE,), COMM, joints)
    body = Body(mesh, (HOST,) * 5, Conditions())
    shrinks = (mesh.cell_region[: mesh.n_owned] == 0).astype(float)[:, None] * np.ones(3)
    trials = []
    for level in (-0.01, -0.03, 0.02):
        if len(trials) == 2:
            body = _restored(body, mesh, (HOST,) * 5)
        trials.append(body.solve(level * shrinks, 1.0))
        body.accept(trials[-1])
    reached = np.concatenate(COMM.allgather(trials[-1].separation.reached.ravel()))
    pressed = min(COMM.allgather(float(trials[-1].separation.traction[..., -1].min(initial=0.0))))
    return {
        "converged": all(trial.newton.converged for trial in trials),
        "failed": float(np.mean(reached >= law.final)),
        "whole": float(np.mean(reached < law.onset)),
        "pressed": pressed,
        "memory": _remembered(body),
    }


def pores(dimension: str) -> dict[str, Any]:
    """Pores that a rough film opens in a metal, in three steps with a checkpoint between."""
    settings = (f"stack.dimension={dimension}", "stack.grading.first_cell=100 nm")
    settings += (
        "stack.lateral={shape: disc, diameter: 4 um, cells: 2}",
        "mechanics.metals={Pt: 50 nm}",
    )
    case = load_case(CONVERSION, settings)
    volumes = build_control_volumes(build_mesh(case.stack, COMM))
    x = volumes.coordinates[volumes.node_vertex][:, 0] / 2e-6
    swells = np.where(volumes.node_region == 0, 1.0 - 0.3 * x, 0.0)
    solver = BodyMechanics(case, volumes)
    for level in (0.01, 0.02, 0.03):
        if level == 0.03:
            memory = COMM.bcast(json.loads(json.dumps(solver.memory(), default=np.ndarray.tolist)))
            solver = BodyMechanics(case, volumes)
            solver.recall(memory)
        found = solver.solve(level * swells, 1.0, 0.0)
        solver.accept()
    own = np.flatnonzero(volumes.depth[: volumes.n_owned_nodes] == 0.0)
    keys = np.concatenate(COMM.allgather(volumes.vertex_id[volumes.node_vertex[own]]))
    opened = np.concatenate(COMM.allgather(solver.opened("Pt", own)))
    memory = solver.memory()["closures"]
    return {
        "solved": isinstance(found, Stressed),
        "opened": opened[np.argsort(keys)].tolist(),
        "stretch": memory["stretch"]["Pt"].tolist(),
        "porosity": memory["porosity"]["Pt"].reshape(-1).tolist(),
        "entries": list(solver.entries().values()),
    }


def mistake() -> list[str]:
    """What every rank says of an area at no interface."""
    try:
        slit = Debond("metal", "oxid", radius=70e-6)
        build_mechanical_mesh(stack("axisymmetric"), (METAL,), (PLATE,), COMM, (slit,))
    except InputError as error:
        return COMM.allgather(str(error))
    return []


def main(folder: Path) -> None:
    """Run all and write what was found."""
    configure()
    abort_on_crash(COMM)
    found: dict[str, Any] = {shape: run(shape) for shape in SLITS}
    found["mistake"] = mistake()
    found["buckled"] = buckled()
    found["parted"] = parted()
    found["pores"] = {dimension: pores(dimension) for dimension in ("axisymmetric", "3d")}
    if COMM.rank == 0:
        (folder / "body.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
