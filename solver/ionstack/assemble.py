"""Residual, stored amounts, terminal charges and Jacobian from the terms.

All contributions are computed by one compiled kernel. Where each goes, and with
which sign, is held by constant sparse matrices made once: residual = S values,
matrix entries = P slopes. Ranks evaluate everything that touches their unknowns, so
no entry is ever sent to another rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import csr_array, vstack

from ionstack.border import BorderScatter, Numbers
from ionstack.carriers import NodeBatch, node_batch, settled
from ionstack.equations import Equations
from ionstack.packing import Buffers, pack
from ionstack.physics.constants import thermal_voltage
from ionstack.scatter import Triplets, matrix_of, slope_blocks
from ionstack.terms import State, Term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Result of one pass over the terms.

    `residual` and `amounts` have one entry per owned unknown (amounts: particles,
    0 for potentials). `metal_charge` [e] and `outflow` [e, over the step] have one
    entry per contact and are this rank's part.
    """

    residual: Floats
    amounts: Floats
    metal_charge: Floats
    outflow: Floats


class System:
    """The assembled equations of one rank; owns the PETSc matrix and vectors."""

    def __init__(self, equations: Equations) -> None:
        self.equations = equations
        self.layout = equations.layout
        self.comm = equations.volumes.comm
        self._scatter = _scatter(equations)
        self.floating = equations.floating
        self.last_slopes: Floats = np.zeros(0)
        self._levels = np.asarray(equations.arrays.get("levels", np.zeros(0)))
        self._buffers, unpack = pack(_constants(equations))
        kernel = _kernel(equations, unpack)
        self._values = jax.jit(lambda *inputs: kernel(*inputs)[::2])
        self._both = jax.jit(kernel)
        self.unknowns = PETSc.Vec().createGhost(
            self.layout.ghosts, (self.layout.n_owned, self.layout.n_global), comm=self.comm
        )
        self._csr = self._scatter.csr()
        self._residual: Floats = np.zeros(self.layout.n_owned)
        self.matrix = self._newmatrix_of()
        self.renew_vectors()

    def adopt(self, equations: Equations) -> None:
        """Go on with the same terms on other numbers, for instance at another temperature."""
        self.equations = equations
        self._buffers, _ = pack(_constants(equations))

    def renew_vectors(self) -> None:
        """Make the vectors of the linear system (collective)."""
        self.right_side = self.matrix.createVecLeft()
        self.update = self.matrix.createVecRight()

    def border_of(self, contacts: tuple[int, ...]) -> BorderScatter:
        """Where slopes go in the border of the voltages of some contacts."""
        scatter = self._scatter
        return BorderScatter(self.equations, scatter.charges, scatter.outflows, contacts)

    def slopes(self, voltages: Floats) -> Floats:
        """Slopes of all terms, numbered as by `slope_blocks`, with all weights 1.

        They are those at the present unknowns; the matrix stays as it is.
        """
        return np.asarray(self._both(*self._inputs(1.0, 1.0, voltages))[1])

    def rows_of(self, slopes: Numbers) -> csr_array:
        """Return this rank's rows of the matrix that slopes make, shape (n_owned, n_global)."""
        starts, columns, _ = self._csr
        shape = (self.layout.n_owned, self.layout.n_global)
        return csr_array((self._scatter.entries @ slopes, columns, starts), shape=shape)

    def set_levels(self, levels: Floats) -> None:
        """Set the equilibrium levels [V] of an equilibrium system."""
        self._levels = np.array(levels)

    @property
    def thermal_voltage(self) -> float:
        """Return kT/e of the model [V]."""
        return thermal_voltage(self.equations.model.temperature)

    def members(self, species: str, regions: Sequence[str]) -> NDArray[np.bool_]:
        """Mask of the owned unknowns of a species in some regions, shape (n_owned,)."""
        volumes, layout = self.equations.volumes, self.layout
        inside = np.asarray([name in regions for name in volumes.regions])
        field = layout.names.index(species) + 1
        mask = (layout.field == field) & inside[volumes.node_region[layout.node]]
        return np.asarray(mask[: layout.n_owned])

    def local_unknowns(self) -> Floats:
        """Copy of this rank's unknowns [V], owned ones first, then ghosts."""
        with self.unknowns.localForm() as local:
            return np.asarray(local.getArray(readonly=1).copy())

    def with_ghosts(self, owned: Floats) -> Floats:
        """Values of this rank's unknowns and ghosts, from those of the owned ones (collective)."""
        if self.comm.size == 1:
            return owned
        vector = self.unknowns.duplicate()
        vector.setArray(owned)
        vector.ghostUpdate(addv=PETSc.InsertMode.INSERT_VALUES, mode=PETSc.ScatterMode.FORWARD)
        with vector.localForm() as local:
            return np.asarray(local.getArray(readonly=1).copy())

    def refresh_ghosts(self) -> None:
        """Copy the owners' values to the ghost unknowns (collective)."""
        if self.comm.size > 1:
            self.unknowns.ghostUpdate(
                addv=PETSc.InsertMode.INSERT_VALUES, mode=PETSc.ScatterMode.FORWARD
            )

    def worst_unknown(self) -> str:
        """Describe the unknown with the largest last update (collective).

        One whose equation or update is not finite counts as the largest of all.
        """
        update = np.abs(self.update.getArray(readonly=1))
        good = np.isfinite(update) & np.isfinite(self._residual)
        size = np.where(good, update, np.inf)
        index = int(np.argmax(size)) if len(size) else 0
        sizes = self.comm.allgather(float(size.max(initial=-1.0)))
        text = self._describe(index) if len(size) else ""
        return str(self.comm.bcast(text, root=int(np.argmax(sizes))))

    def _describe(self, index: int) -> str:
        volumes, layout = self.equations.volumes, self.layout
        node = layout.node[index]
        name = ("potential", *layout.names)[layout.field[index]]
        region = volumes.regions[volumes.node_region[node]]
        place = ", ".join(f"{x:.4g}" for x in volumes.coordinates[volumes.node_vertex[node]])
        return f"in {name} of {region} at ({place}) m"

    def _newmatrix_of(self) -> PETSc.Mat:
        size = (self.layout.n_owned, self.layout.n_global)
        if self.comm.size == 1:
            return PETSc.Mat().createAIJWithArrays((size, size), self._csr, comm=self.comm)
        matrix = PETSc.Mat().createAIJ((size, size), comm=self.comm)
        matrix.setPreallocationCSR(self._csr)
        matrix.assemble()
        return matrix

    def _fill(self, slopes: Floats) -> None:
        """Write the matrix entries; on one rank PETSc shares the array."""
        starts, columns, entries = self._csr
        entries[:] = self._scatter.entries @ slopes
        if self.comm.size == 1:
            self.matrix.stateIncrease()
        else:
            self.matrix.setValuesCSR(starts, columns, entries)
        self.matrix.assemble()

    def evaluate(self, history: Floats, lead: float, step: float, voltages: Floats) -> Evaluation:
        """Evaluate at the current unknowns without derivatives.

        Args:
            history: what the time scheme adds to the stored amounts, per owned unknown.
            lead: leading coefficient of the time scheme.
            step: time step [s].
            voltages: of the contacts [V], in the order of `ControlVolumes.contacts`.
        """
        values, amounts = self._values(*self._inputs(lead, step, voltages))
        return self._evaluation(np.asarray(values), np.asarray(amounts), history)

    def linearise(
        self, history: Floats, lead: float, step: float, voltages: Floats, keep: bool = False
    ) -> Evaluation:
        """Evaluate and fill the matrix, as `evaluate`; `keep` the slopes in `last_slopes`."""
        values, slopes, amounts = self._both(*self._inputs(lead, step, voltages))
        self._fill(np.asarray(slopes))
        self.last_slopes = np.asarray(slopes) if keep else np.zeros(0)
        return self._evaluation(np.asarray(values), np.asarray(amounts), history)

    def _inputs(self, lead: float, step: float, voltages: Floats) -> tuple[Any, ...]:
        scheme = np.array([lead, step, self.equations.model.temperature])
        return self.local_unknowns(), scheme, voltages, self._levels, self._buffers

    def _evaluation(self, values: Floats, stored: Floats, history: Floats) -> Evaluation:
        row = self._scatter.stored_row
        weights = stored * self._scatter.stored_factor
        amounts = np.bincount(row, weights, self.layout.n_owned).astype(np.float64, copy=False)
        sums = self._scatter.sums @ values
        residual = sums[: len(history)]
        metal_charge, outflow = sums[len(history) :].reshape(2, -1)
        if self._scatter.held.nnz:
            outflow -= self._scatter.held @ history
        residual += self.balanced(history)
        self._residual = residual
        return Evaluation(residual, amounts, metal_charge, outflow)

    def balanced(self, amounts: Floats) -> Floats:
        """Amounts in the rows that balance them, 0 in those of carriers that a metal holds."""
        return np.where(self._scatter.free, amounts, 0.0)


def _constants(equations: Equations) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and numbers that a kernel reads, levels apart."""
    arrays = {name: one for name, one in equations.arrays.items() if name != "levels"}
    return arrays, settled(equations.numbers, equations.model.temperature)


Kernel = Callable[..., tuple[jax.Array, jax.Array, jax.Array]]


def _kernel(equations: Equations, unpack: Callable[[Buffers], Any]) -> Kernel:
    """Return the pure function of unknowns, scheme and voltages that runs all terms."""
    terms = equations.terms
    regions = [equations.model.region(name) for name in equations.volumes.regions]

    def run(u: Any, scheme: Any, voltages: Any, levels: Any, buffers: Buffers) -> Any:
        lead, step, temperature = scheme
        arrays, numbers = unpack(buffers)
        batches: list[NodeBatch] = []
        for region, nodes in zip(regions, arrays["nodes"], strict=True):
            own = {name: u[index] for name, index in nodes["unknowns"].items()}
            batches.append(node_batch(region, numbers, temperature, own))
        arrays = {**arrays, "u": u, "levels": levels}
        state = State(tuple(batches), arrays, numbers, temperature, voltages)
        weight = {"flow": step, "stored": lead, "algebraic": 1.0}
        values, slopes, stored = [], [], [jnp.zeros(0)]
        for term in terms:
            value, derivatives = term.evaluate(state)
            values.append(weight[term.weight] * value)
            slopes += [weight[term.weight] * one for one in derivatives[: len(term.columns)]]
            if term.weight == "stored":
                stored.append(value)
        return jnp.concatenate(values), jnp.concatenate(slopes), jnp.concatenate(stored)

    return run


@dataclass(frozen=True)
class _Scatter:
    """Where contributions go; see the module's docstring.

    Rows of `sums`: residuals of the owned unknowns, charges of the metals, outflows.
    `free` unknowns are not held by a metal; `held` has the charges of those that are.
    """

    sums: csr_array
    charges: csr_array
    outflows: csr_array
    free: NDArray[np.bool_]
    held: csr_array
    entries: csr_array
    row_starts: NDArray[np.int32]
    columns: NDArray[np.int32]
    stored_row: Ints
    stored_factor: Floats

    def csr(self) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Row starts, global columns and (empty) values of the matrix."""
        return self.row_starts, self.columns, np.zeros(len(self.columns))


def _scatter(equations: Equations) -> _Scatter:
    n_owned = equations.layout.n_owned
    sizes = [term.size for term in equations.terms]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    valence = _valences(equations)
    residual: list[Triplets] = []
    charges: list[Triplets] = []
    outflow: list[Triplets] = []
    for term, start in zip(equations.terms, starts, strict=False):
        for rows, sign in term.rows:
            position = np.arange(len(rows)) + start
            metal = equations.holder(term, rows)
            free = np.flatnonzero((metal < 0) & (rows < n_owned))
            residual.append(_triplets(rows[free], position[free], sign))
            bound = np.flatnonzero((metal >= 0) & (rows < n_owned))
            field = equations.layout.field[rows[bound]]
            into = bound[field == 0]
            charges.append(_triplets(metal[into], position[into], sign))
            # What the balance of a held carrier lacks flows into the metal.
            held = bound[field > 0]
            lacking = -sign * valence[rows[held]]
            outflow.append((metal[held], position[held], lacking))
        if term.contact is not None:
            owner = np.flatnonzero(_mine(equations, term))
            part = _triplets(np.full(len(owner), term.contact), owner + start, term.charge)
            (outflow if term.weight == "flow" else charges).append(part)
    n_values, n_contacts = int(starts[-1]), len(equations.volumes.contacts)
    sums = (
        matrix_of(residual, (n_owned, n_values)),
        matrix_of(charges, (n_contacts, n_values)),
        matrix_of(outflow, (n_contacts, n_values)),
    )
    return _Scatter(
        csr_array(vstack(sums)),
        *sums[1:],
        equations.metal[:n_owned] < 0,
        _held(equations),
        *_entries(equations),
        *_stored_rows(equations),
    )


def _valences(equations: Equations) -> Floats:
    """Charge per particle of every local unknown, 0 of potentials."""
    by_name = [equations.model.valences.get(name, 0) for name in equations.layout.names]
    return np.array([0, *by_name], dtype=np.float64)[equations.layout.field]


def _held(equations: Equations) -> csr_array:
    """Charge per particle of the carriers that each metal holds, (n_contacts, n_owned)."""
    n_owned = equations.layout.n_owned
    metal, charge = equations.metal[:n_owned], _valences(equations)[:n_owned]
    rows = np.flatnonzero((metal >= 0) & (charge != 0.0))
    shape = (len(equations.volumes.contacts), n_owned)
    return csr_array((charge[rows], (metal[rows], rows)), shape=shape)


def _mine(equations: Equations, term: Term) -> NDArray[np.bool_]:
    """Which entities of a contact term this rank counts: those whose potential it owns."""
    return np.asarray(term.columns[0] < equations.layout.n_owned)


def _stored_rows(equations: Equations) -> tuple[Ints, Floats]:
    """Row and factor of every stored amount; those of other ranks get factor 0."""
    stored = [term.rows[0] for term in equations.terms if term.weight == "stored"]
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *(row for row, _ in stored)])
    factors = np.concatenate([np.zeros(0), *(np.full(len(row), float(f)) for row, f in stored)])
    mine = rows < equations.layout.n_owned
    return np.where(mine, rows, 0), np.where(mine, factors, 0.0)


def _triplets(rows: Ints, columns: Ints, value: float) -> Triplets:
    return rows, columns, np.full(len(rows), float(value))


def _entries(
    equations: Equations,
) -> tuple[csr_array, NDArray[np.int32], NDArray[np.int32]]:
    """Matrix from slopes to matrix entries; row starts and global columns of the entries.

    This is the largest thing that assembly makes: pieces are dropped as soon as they served.
    """
    n_owned, n_global = equations.layout.n_owned, equations.layout.n_global
    keys, positions, factor, factors = _slope_places(equations)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1)).astype(np.int32)
    keys = keys[first]
    starts = np.append(first, np.int32(len(order)))
    width = sum(len(column) for _, column, _ in slope_blocks(equations.terms))
    gather = csr_array((factors[factor[order]], positions[order], starts), (len(first), width))
    gather.sum_duplicates()
    rows = np.searchsorted(keys, np.arange(n_owned + 1) * n_global)
    return gather, rows.astype(np.int32), (keys % n_global).astype(np.int32)


def _slope_places(
    equations: Equations,
) -> tuple[Ints, NDArray[np.int32], NDArray[np.int8], Floats]:
    """Matrix entry (row times width plus column) and position of every slope in a free row.

    The third result numbers the factors, which are few and are the last result.
    """
    n_owned, n_global = equations.layout.n_owned, equations.layout.n_global
    numbers = equations.layout.global_index
    numbering: dict[float, int] = {}
    keys, positions, factor = [], [], []
    for term, column, start in slope_blocks(equations.terms):
        for rows, sign in term.rows:
            free = (equations.holder(term, rows) < 0) & (column < equations.layout.n_local)
            kept = np.flatnonzero(free & (rows < n_owned))
            keys.append(rows[kept] * n_global + numbers[column[kept]])
            positions.append((kept + start).astype(np.int32))
            code = numbering.setdefault(float(sign), len(numbering))
            factor.append(np.full(len(kept), code, dtype=np.int8))
    found = np.concatenate(keys), np.concatenate(positions), np.concatenate(factor)
    return *found, np.array(list(numbering))
