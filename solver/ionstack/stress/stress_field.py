"""Stress as a field beside the transport unknowns: what swells strains, what strains resists.

In every round of a time step the solver of the mechanics gets the volume strain at the
nodes and gives the stress that works against swelling, and how it changes with the strain
of the node itself. Transport is solved with this straight line, which is all there is to a
clamped film, and what the line misses is left to the next round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities, Face
from ionstack.assembly.node_places import NodePlaces
from ionstack.errors import NumericsError
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.carriers import FOCUS, STRESS, STRESS_SLOPE, TEMPERATURE
from ionstack.output.checkpoint import Memory
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.stress.swelling import Swelling

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Stressed(NamedTuple):
    """Stress that works against swelling [Pa] and its slope along the volume strain [Pa]."""

    stress: Floats
    slope: Floats


class Unsolved(NamedTuple):
    """Why there is no stress at the end of a step."""

    reason: str


class Solver(Protocol):
    """Mechanics of a device at the nodes of its transport mesh."""

    @property
    def local(self) -> bool:
        """Whether the stress of a node is linear in its own strain, always with one slope."""

    @property
    def followed(self) -> bool:
        """Whether something must be solved after every step even where `local`."""

    @property
    def solved(self) -> bool:
        """Whether there is a solution to tell of."""

    def clamped(self) -> Stressed:
        """Stress without any volume strain if all films were clamped and elastic."""

    def solve(self, strain: Floats, step: float, heating: float) -> Stressed | Unsolved:
        """Stress at volume strains after a step [s] from the accepted state (collective).

        `heating` [K] is the rise of the temperature since the start. All ranks find a
        solution, or none does.
        """

    def accept(self) -> None:
        """Take the last solution as the state."""

    def opened(self, metal: str, nodes: Ints) -> Floats:
        """Porosity that plastic strain has opened in a metal over nodes of its face.

        At the accepted state; what of it gas can reach.
        """

    def crests(self, metal: str, nodes: Ints, distance: Floats | float = 0.0) -> Floats:
        """Field over the crests of a metal's face over the mean one, at any nodes.

        `distance` [m] of the nodes from the face. At the accepted state, 1 over plane faces.
        """

    def memory(self) -> Mapping[str, Any]:
        """State as plain data, the same on any number of ranks (collective)."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood (collective)."""

    @property
    def names(self) -> list[str]:
        """Names of the entries, with units."""

    def entries(self) -> Mapping[str, float]:
        """Numbers of the last solution by name (collective)."""


class Stress:
    """The companion of transport that brings both together; see `Companion`."""

    name = "stress"
    feedback = 0.0  # its lines foresee how it changes with the unknowns

    def __init__(self, system: System, solver: Solver, reference: Floats, tolerance: float) -> None:
        """`reference` is the volume strain at which only residual stress is left.

        `tolerance` [V] is that of the potential which stress makes.
        """
        self._system, self.solver, self._reference = system, solver, reference
        self._swelling = Swelling(system)
        self._weight = self._swelling.largest_volume() / (ELEMENTARY_CHARGE * tolerance)
        self._step = self._heating = self._last_step = 0.0
        self.trouble = ""
        equations = system.equations
        entities = Entities(equations.model, equations.volumes, equations.layout)
        self._places = NodePlaces(equations.volumes, equations.layout)
        self._bound = [(face.model.name, face.nodes) for face, _, _ in entities.bindings()]
        self._focused = [
            (face.key, face.model.name, face.nodes[face.nodes < equations.volumes.n_owned_nodes])
            for face in entities.faces
            if face.model.nucleation is not None
        ]
        self._sharpened = [
            _beside(face, equations.volumes)
            for face in entities.faces
            if face.region.laws.reads_field
        ]
        self._temperature = system.equations.model.temperature
        first = solver.clamped()
        # Stress without strain on the lines of the last two states, and their common slope.
        self._kept = [first.stress - first.slope * reference] * 2
        self._hand_over(self._kept[1], first.slope)
        self._show_faces()

    def begin(self, step: float) -> None:
        """Start a trial of a step [s] with the lines of the last states, extrapolated."""
        self._step = step
        if self.solver.local:
            return
        before, last = self._kept
        share = step / self._last_step if self._last_step > 0.0 else 0.0
        self._hand_over(last + share * (last - before), self._present[1])

    def solve(self) -> float:
        """Solve with the present unknowns and hand the stress over (collective).

        Raises:
            NumericsError: without a solution where there is no step to shorten.
        """
        heating = self._warmth() - self._temperature
        if self.solver.local and heating == self._heating:
            return 0.0
        strain = self._swelling.evaluate()
        found = self.solver.solve(strain - self._reference, self._step, heating)
        self.trouble = found.reason if isinstance(found, Unsolved) else ""
        if isinstance(found, Unsolved):
            if self._step == 0.0:
                raise NumericsError(found.reason)
            return np.inf
        self._heating = heating
        start, slope = self._present
        change = found.stress - (start + slope * strain)
        self._hand_over(found.stress - found.slope * strain, found.slope)
        largest = float(np.abs(change * self._weight).max(initial=0.0))
        return float(self._system.comm.allreduce(largest, MPI.MAX))

    def _warmth(self) -> float:
        """Temperature [K] of the films: the model's, or the mean of the field (collective)."""
        fields = [one.get(TEMPERATURE) for one in self._system.outer]
        if any(field is None for field in fields):
            return self._system.equations.model.temperature
        volumes, total = self._system.equations.volumes, np.zeros(2)
        weight = volumes.node_volume * (np.arange(len(self._reference)) < volumes.n_owned_nodes)
        for index, field in enumerate(fields):
            own = weight[volumes.node_region == index]
            total += [own @ np.asarray(field), own.sum()]
        energy, size = self._system.comm.allreduce(total)
        return float(energy / size)

    def accept(self) -> bool:
        """Take the last trial as the state."""
        if self.solver.local and self.solver.followed:
            self.solver.solve(self.strain(), self._step, self._heating)
        self.solver.accept()
        self._show_faces()
        if not self.solver.local:
            self._kept = [self._kept[1], self._present[0]]
            self._last_step = self._step
        return False

    def strain(self) -> Floats:
        """Volume strain [1] at all local nodes since the reference."""
        return self._swelling.evaluate() - self._reference

    def memory(self) -> Memory:
        """What `recall` needs; lines are kept at the nodes of any number of ranks."""
        lines = np.array([self._places.by_unknown(one) for one in (*self._kept, *self._present)])
        plain = {"solver": self.solver.memory(), "step": self._last_step, "heating": self._heating}
        return Memory(plain, {"lines": lines})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood (collective)."""
        self.solver.recall(memory.plain["solver"])
        self._last_step, self._heating = memory.plain["step"], memory.plain["heating"]
        *self._kept, start, slope = map(self._at_nodes, memory.owned["lines"])
        self._hand_over(start, slope)
        self._show_faces()

    def _show_faces(self) -> None:
        """Let what reads the field, and reactions in the pores, see what strain has made of faces.

        They see it from the next step on.
        """
        self._system.opened = tuple(self.solver.opened(*where) for where in self._bound)
        self._system.crests = {
            key: self.solver.crests(metal, nodes) for key, metal, nodes in self._focused
        }
        focus: dict[int, Floats] = {}
        for index, metal, nodes, distance in self._sharpened:
            found = self.solver.crests(metal, nodes, distance)
            focus[index] = focus.get(index, np.ones(())) * found
        for index, field in focus.items():
            self._system.set_outer(index, {FOCUS: field})

    def entries(self) -> Mapping[str, Any]:
        """Entries for the summary; solves at the accepted state where nothing did (collective)."""
        idle = self.solver.local and not self.solver.followed
        if idle or not self.solver.solved:
            found = self.solver.solve(self.strain(), 0.0, self._heating)
            if isinstance(found, Unsolved):
                raise NumericsError(found.reason)
        return self.solver.entries()

    def _hand_over(self, start: Floats, slope: Floats) -> None:
        """Let transport see the stress start + slope strain."""
        self._present = start, slope
        volumes = self._system.equations.volumes
        for index, name in enumerate(volumes.regions):
            if self._system.equations.model.region(name).swelling:
                inside = volumes.node_region == index
                self._system.set_outer(index, {STRESS: start[inside], STRESS_SLOPE: slope[inside]})

    def _at_nodes(self, by_unknown: Floats) -> Floats:
        """Values at all local nodes from those of the owned ones (collective)."""
        rows = np.array([self._system.with_ghosts(row) for row in by_unknown])
        return self._places.at_nodes(rows)


def _beside(face: Face, volumes: ControlVolumes) -> tuple[int, str, Ints, Floats]:
    """Region and metal of a face, all local nodes of the region, their distances [m] from it."""
    nodes = np.flatnonzero(volumes.node_region == face.region.index)
    here = float(volumes.depth[face.nodes].min(initial=np.inf))
    depth = volumes.comm.allreduce(here, MPI.MIN)
    return face.region.index, face.model.name, nodes, np.abs(volumes.depth[nodes] - depth)
