"""The balance of heat on the control volumes: conduction, storage, contacts.

For every node C dT/dt = sum over edges k A/h (T_other - T) + source, with implicit Euler
in time, so that heat made, stored and given away balance to round-off over any steps.
Regions share the temperature of a vertex unless their interface resists. A metal has one
temperature: given, or such that what it takes up flows on through its resistance. The
latter are found from the response of the nodes to each of them.

Films conduct far better than what the heat has to pass outside, so that they are almost
equally warm: their mean is found first, then the nodes as differences to it, which keep
all digits. Temperatures are rises [K] above that at the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import coo_array, csr_array, diags_array

from ionstack.geometry.graph import ControlVolumes
from ionstack.models.heat_model import HeatModel, Medium, Sink
from ionstack.models.layout import build_node_layout

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PREFIX = "ionstack_heat_"
# Unknowns in 3-D above which iterating beats a factorisation, and what it leaves over, relative:
# heat that is not accounted for.
DIRECT_LIMIT_3D = 5_000
TOLERANCE = 1e-12
# Times that the mean is sought before the differences to it: each leaves an error of round-off
# times the ratio of the conductance of a cell to that outside, 1e-4 of still air about silicon.
PASSES = 2


@dataclass(frozen=True)
class Heated:
    """Result of one solve: rise [K] of every local unknown, heat flows [W] of all ranks.

    `outflow` has one entry per contact.
    """

    rise: Floats
    generated: float
    outflow: Floats
    stored: float


@dataclass(frozen=True)
class _Bonds:
    """Owned unknowns at contacts: their contact, and how they are bound to its metal.

    Some are `held` at the metal's temperature, others give heat to it through a `soft`
    conductance [W/K], which is 0 for those that are held.
    """

    row: Ints
    contact: Ints
    held: NDArray[np.bool_]
    soft: Floats


@dataclass(frozen=True)
class _Part:
    """What acts on the nodes: heat [W] at the owned unknowns, rises [K] of the metals."""

    load: Floats
    metal: Floats


class HeatEquation:
    """The linear system of one rank; `layout.phi` numbers the temperature at its nodes."""

    def __init__(self, volumes: ControlVolumes, model: HeatModel) -> None:
        """Set the conduction up; nothing is factored yet (collective)."""
        self._comm, self._dimension = volumes.comm, volumes.dimension
        self._volumes, self._model = volumes, model
        self.layout = build_node_layout(volumes, _joined(volumes, model))
        self._conductivity = between_nodes(volumes, _conductivities(volumes, model))
        self._conduction = self._conducted()
        self._capacity = self._at_unknowns(_capacities(volumes, model))
        sinks = [model.sinks.get(name) for name in volumes.contacts]
        self._bonds = _bonds(volumes, sinks, self.layout.phi, self.layout.n_owned)
        self._sinks, self._start = sinks, model.start
        # Metals whose temperature follows from the heat that they take up.
        self._free = [k for k, sink in enumerate(sinks) if sink is not None and sink.resistance]
        self._scale = np.maximum(self._conduction.diagonal(), 1e-300)
        self._step: float | None = None
        self._rate: Floats = np.zeros_like(self._capacity)
        self._filled: PETSc.Mat | None = None
        self._ksp: PETSc.KSP
        # What was found last for each purpose, from which iterations start.
        self._found: dict[str, Floats] = {}
        self._answers: Floats
        self._vector = PETSc.Vec().createGhost(
            self.layout.ghosts, (self.layout.n_owned, self.layout.n_global), comm=self._comm
        )
        self._load = self._vector.duplicate()

    def solve(
        self,
        source: Floats,
        before: Floats,
        step: float,
        around: float,
        conductivity: Floats | None = None,
    ) -> Heated:
        """Solve for the temperature (collective).

        Args:
            source: heat [W] at all local nodes; those of owned nodes count.
            before: rise [K] of the local unknowns before the step.
            step: [s]; infinite for the steady state.
            around: temperature of the surroundings [K].
            conductivity: [W/(m K)] of all local edges, see `between_nodes`; that of the last
                call, at first those of the media, when left out.
        """
        self._prepare(step, self._conductivity if conductivity is None else conductivity)
        generated = self._at_unknowns(source)
        base = 0.0
        for _ in range(PASSES):
            base += self._mean(self._about(base, generated, before, around)[1])
        part, above = self._about(base, generated, before, around)
        rise = base + above
        stored = self._rate * (rise - before)[: self.layout.n_owned]
        sums = self._sum(np.array([generated.sum(), stored.sum()]))
        return Heated(rise, float(sums[0]), self._outflow(part, above), float(sums[1]))

    def _about(
        self, base: float, generated: Floats, before: Floats, around: float
    ) -> tuple[_Part, Floats]:
        """What acts on the nodes, and their rise, both above a `base` [K]."""
        load = generated + self._rate * (before[: self.layout.n_owned] - base)
        beyond = self._beyond(around) - base
        part = _Part(load, beyond.copy())
        if self._free:
            part.metal[self._free] = 0.0
            part.metal[self._free] = self._floating(part, beyond[self._free])
        return part, self._respond(part, "nodes", base)

    def _mean(self, rise: Floats) -> float:
        own = rise[: self.layout.n_owned].sum()
        return float(self._sum(np.array([own]))[0]) / self.layout.n_global

    def _at_unknowns(self, nodes: Floats) -> Floats:
        """Sums over the nodes of each owned unknown."""
        phi, count = self.layout.phi, self.layout.n_owned
        return np.bincount(phi, nodes, self.layout.n_local)[:count].astype(np.float64, copy=False)

    def _beyond(self, around: float) -> Floats:
        """Rise [K] of the place that every contact gives its heat to."""
        given = [None if sink is None else sink.temperature for sink in self._sinks]
        return np.array([around if one is None else one for one in given]) - self._start

    def _floating(self, part: _Part, beyond: Floats) -> Floats:
        """Rises [K] at which the metals without a given temperature pass all heat on.

        In `part` they have none; `beyond` are the rises of the places to which they pass it.
        """
        sinks = [sink for sink in self._sinks if sink is not None and sink.resistance]
        resistance = np.array([sink.resistance for sink in sinks])
        flow = self._outflow(part, self._respond(part, "metals"))[self._free]
        matrix = np.eye(len(sinks)) - resistance[:, None] * self._answers
        return np.asarray(np.linalg.solve(matrix, resistance * flow + beyond))

    def _outflow(self, part: _Part, rise: Floats) -> Floats:
        """Heat into every metal [W]: through bonds, or what the balance of held nodes leaves."""
        bonds = self._bonds
        left = part.load - self._conduction @ rise - self._rate * rise[: self.layout.n_owned]
        fall = rise[bonds.row] - part.metal[bonds.contact]
        flow = np.where(bonds.held, left[bonds.row], bonds.soft * fall)
        return self._sum(np.bincount(bonds.contact, flow, len(self._sinks)))

    def _sum(self, local: NDArray[Any]) -> Floats:
        return np.asarray(self._comm.allreduce(local) if self._comm.size > 1 else local)

    def _prepare(self, step: float, conductivity: Floats) -> None:
        """Factor the matrix and find the responses, unless nothing has changed (collective)."""
        changed = not np.array_equal(conductivity, self._conductivity)
        if self._comm.size > 1:
            changed = self._comm.allreduce(changed, MPI.LOR)
        if step == self._step and not changed:
            return
        if changed:
            self._conductivity = conductivity
            self._conduction = self._conducted()
            self._scale = np.maximum(self._conduction.diagonal(), 1e-300)
        self._step, self._rate = step, np.asarray(self._capacity / step)
        self._factor()
        flows = [self._answer(contact) for contact in self._free]
        self._answers = np.column_stack(flows) if flows else np.zeros((0, 0))

    def _conducted(self) -> csr_array:
        owned = self.layout.n_owned
        return _conduction(self._volumes, self._model, self._conductivity, (self.layout.phi, owned))

    def _factor(self) -> None:
        """Fill the matrix; its pattern stays, so the order of elimination does."""
        starts, columns, values = self._rows()
        if self._filled is None:
            size = (self.layout.n_owned, self.layout.n_global)
            self._filled = PETSc.Mat().createAIJ((size, size), comm=self._comm)
            self._filled.setPreallocationCSR((starts, columns, values))
            self._ksp = self._solver(self._filled)
        else:
            self._filled.setValuesCSR(starts, columns, values)
        self._filled.assemble()

    def _answer(self, contact: int) -> Floats:
        """Heat [W] into the metals that pass it on, where one of them rises by 1 K."""
        part = self._unit(contact)
        return self._outflow(part, self._respond(part, f"contact {contact}"))[self._free]

    def _unit(self, contact: int) -> _Part:
        """Nothing but a metal that rises by 1 K, all above 1 K.

        Where all heat leaves through this metal nothing is left then, not even round-off.
        """
        metal = np.full(len(self._sinks), -1.0)
        metal[contact] = 0.0
        return _Part(0.0 - self._rate, metal)

    def _rows(self) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Balances of the free nodes, as CSR; rows of held nodes say that they are held."""
        bonds, layout = self._bonds, self.layout
        soft = np.bincount(bonds.row, bonds.soft, layout.n_owned)
        free = np.ones(layout.n_owned)
        free[bonds.row[bonds.held]] = 0.0
        balance = self._conduction + _diagonal(self._rate + soft, layout.n_local)
        rows = diags_array(free) @ balance + _diagonal((1.0 - free) * self._scale, layout.n_local)
        own = csr_array(rows)
        columns = layout.global_index[own.indices].astype(np.int32)
        return own.indptr.astype(np.int32), columns, own.data

    def _solver(self, matrix: PETSc.Mat) -> PETSc.KSP:
        """A factorisation, natural order on a line, else MUMPS; multigrid for large bodies."""
        ksp = PETSc.KSP().create(self._comm)
        ksp.setOptionsPrefix(PREFIX)
        ksp.setOperators(matrix)
        if self._dimension == 3 and self.layout.n_global > DIRECT_LIMIT_3D:
            _iterate(ksp)
        else:
            _factor(ksp, natural=self._comm.size == 1 and self._dimension == 1)
        ksp.setFromOptions()
        return ksp

    def _respond(self, part: _Part, purpose: str, base: float = 0.0) -> Floats:
        """Rise [K] of the local unknowns under loads at the owned ones and of the metals.

        All above a `base` [K]. Iterations start from what was found last for the `purpose`.
        """
        bonds = self._bonds
        metal = part.metal[bonds.contact]
        right = part.load + np.bincount(bonds.row, bonds.soft * metal, len(part.load))
        held = bonds.row[bonds.held]
        right[held] = self._scale[held] * metal[bonds.held]
        self._load.setArray(right)
        self._vector.setArray(self._found.get(purpose, base) - base)
        self._ksp.solve(self._load, self._vector)
        if self._ksp.getConvergedReason() <= 0:
            _factor(self._ksp)
            self._ksp.solve(self._load, self._vector)
        self._found[purpose] = self._vector.getArray(readonly=1) + base
        return self.with_ghosts(self._vector.getArray(readonly=1).copy())

    def with_ghosts(self, owned: Floats) -> Floats:
        """Values of the local unknowns from those of the owned ones (collective)."""
        if self._comm.size == 1:
            return owned
        self._vector.setArray(owned)
        self._vector.ghostUpdate(
            addv=PETSc.InsertMode.INSERT_VALUES, mode=PETSc.ScatterMode.FORWARD
        )
        with self._vector.localForm() as local:
            return np.asarray(local.getArray(readonly=1).copy())


def _factor(ksp: PETSc.KSP, natural: bool = False) -> None:
    ksp.setType(PETSc.KSP.Type.PREONLY)
    ksp.setInitialGuessNonzero(False)
    ksp.getPC().setType(PETSc.PC.Type.LU)
    if natural:
        ksp.getPC().setFactorOrdering("natural")
    else:
        ksp.getPC().setFactorSolverType(PETSc.Mat.SolverType.MUMPS)


def _iterate(ksp: PETSc.KSP) -> None:
    """GMRES with one V-cycle of algebraic multigrid; rows of held nodes make it unsymmetric."""
    ksp.setType(PETSc.KSP.Type.GMRES)
    ksp.setPCSide(PETSc.PC.Side.RIGHT)
    ksp.setTolerances(rtol=TOLERANCE, atol=0.0)
    ksp.setInitialGuessNonzero(True)
    ksp.getPC().setType(PETSc.PC.Type.HYPRE)
    ksp.getPC().setHYPREType("boomeramg")


def _diagonal(values: Floats, width: int) -> csr_array:
    index = np.arange(len(values))
    return csr_array((values, (index, index)), shape=(len(values), width))


def _joined(volumes: ControlVolumes, model: HeatModel) -> list[tuple[int, int]]:
    """Pairs of regions between which the temperature does not step."""
    return [pair for pair in volumes.interfaces if not _resistance(volumes, model, pair)]


def _resistance(volumes: ControlVolumes, model: HeatModel, pair: tuple[int, int]) -> float:
    return model.resistances.get(frozenset(volumes.regions[side] for side in pair), 0.0)


def _media(volumes: ControlVolumes, model: HeatModel) -> list[Medium]:
    return [model.media[name] for name in volumes.regions]


def _capacities(volumes: ControlVolumes, model: HeatModel) -> Floats:
    """Heat capacity [J/K] of every local node; 0 where nothing is stored."""
    if model.steady:
        return np.zeros(len(volumes.node_volume))
    own = np.array([medium.capacity for medium in _media(volumes, model)])
    return np.asarray(own[volumes.node_region] * volumes.node_volume)


def _conductivities(volumes: ControlVolumes, model: HeatModel) -> Floats:
    """Thermal conductivity [W/(m K)] at all local nodes; 1 where it is a function."""
    own = [medium.conductivity for medium in _media(volumes, model)]
    numbers = np.array([one if isinstance(one, float) else 1.0 for one in own])
    return np.asarray(numbers[volumes.node_region])


def between_nodes(volumes: ControlVolumes, at_nodes: Floats) -> Floats:
    """Conductivity [W/(m K)] of all local edges: the mean of that at their ends."""
    return np.asarray(at_nodes[volumes.edge_nodes].mean(axis=1))


def _conduction(
    volumes: ControlVolumes, model: HeatModel, conductivity: Floats, where: tuple[Ints, int]
) -> csr_array:
    """Heat [W/K] that flows away from the owned unknowns, by temperature of the local ones.

    `where` is the unknown of every node, and how many unknowns are owned.
    """
    unknown, n_owned = where
    ends, conductances = [volumes.edge_nodes], [conductivity * volumes.edge_factor]
    for number, pair in enumerate(volumes.interfaces):
        resistance = _resistance(volumes, model, pair)
        if resistance:
            here = volumes.pair_interface == number
            ends.append(volumes.pair_nodes[here])
            conductances.append(volumes.pair_area[here] / resistance)
    K, L = unknown[np.concatenate(ends)].T
    value = np.concatenate(conductances)
    rows, columns = np.concatenate([K, K, L, L]), np.concatenate([K, L, L, K])
    entries = np.concatenate([value, -value, value, -value])
    mine = rows < n_owned
    shape = (n_owned, int(unknown.max(initial=-1)) + 1)
    return csr_array(coo_array((entries[mine], (rows[mine], columns[mine])), shape=shape))


def _bonds(
    volumes: ControlVolumes, sinks: list[Sink | None], unknown: Ints, n_owned: int
) -> _Bonds:
    per_area = np.array([0.0 if sink is None else sink.conductance for sink in sinks])
    row = unknown[volumes.face_node]
    kept = (row < n_owned) & (per_area[volumes.face_contact] > 0.0)
    contact = volumes.face_contact[kept]
    held = ~np.isfinite(per_area[contact])
    soft = np.where(held, 0.0, per_area[contact]) * volumes.face_area[kept]
    return _Bonds(row[kept], contact, held, soft)
