"""Residual, stored amounts, terminal charges and Jacobian from the terms.

All contributions are computed by one compiled kernel. Where each goes, and with
which sign, is held by constant sparse matrices made once: residual = S values,
matrix entries = P slopes. Ranks evaluate everything that touches their unknowns, so
no entry is ever sent to another rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import csr_array

from ionstack.assembly.border import BorderScatter, Numbers
from ionstack.assembly.destinations import scatter_of
from ionstack.assembly.equations import Equations
from ionstack.assembly.packing import Buffers, pack
from ionstack.assembly.terms import State
from ionstack.models.carriers import NodeBatch, node_batch, settled
from ionstack.physics.constants import thermal_voltage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# Fields by region that come from outside of these equations, at all local nodes of the region.
Outer = tuple[Mapping[str, jax.Array], ...]


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
        self._scatter = scatter_of(equations)
        self.floating = equations.floating
        self.last_slopes: Floats = np.zeros(0)
        self.outer: Outer = tuple({} for _ in equations.volumes.regions)
        # Porosity that strain has opened, at the nodes of each face of `Entities.bindings`.
        self.opened: tuple[Floats, ...] = tuple(
            np.zeros(len(film["area"])) for film in equations.arrays["films"]
        )
        # Field at the crests of rough faces over the mean one, at the owned nodes of each face
        # with nucleation by its key; 1 where there is none.
        self.crests: Mapping[tuple[int, int], Floats] = {}
        # Of the contacts [V], as last used.
        self.voltages: Floats = np.zeros(len(equations.volumes.contacts))
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

    def flows(self) -> Floats:
        """Values of all terms at the present unknowns and last voltages; flows in 1/s."""
        return np.asarray(self._values(*self._inputs(1.0, 1.0, self.voltages))[0])

    def rows_of(self, slopes: Numbers) -> csr_array:
        """Return this rank's rows of the matrix that slopes make, shape (n_owned, n_global)."""
        starts, columns, _ = self._csr
        shape = (self.layout.n_owned, self.layout.n_global)
        return csr_array((self._scatter.entries @ slopes, columns, starts), shape=shape)

    def set_outer(self, region: int, fields: Mapping[str, Floats]) -> None:
        """Set fields from outside at all local nodes of a region, besides those it has."""
        before = self.outer
        # A kernel takes arrays of its own kind without a copy.
        merged = {**before[region], **{name: jnp.asarray(one) for name, one in fields.items()}}
        self.outer = (*before[:region], merged, *before[region + 1 :])

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
        self.voltages = voltages
        scheme = np.array([lead, step, self.equations.model.temperature])
        return (
            self.local_unknowns(),
            scheme,
            voltages,
            self._levels,
            self.outer,
            self.opened,
            self._buffers,
        )

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
    model = equations.model
    return arrays, settled(equations.numbers, model.temperature, activated=model.heated)


Kernel = Callable[..., tuple[jax.Array, jax.Array, jax.Array]]


def _kernel(equations: Equations, unpack: Callable[[Buffers], Any]) -> Kernel:
    """Return the pure function of unknowns, scheme and voltages that runs all terms."""
    terms = equations.terms
    regions = [equations.model.region(name) for name in equations.volumes.regions]

    def run(
        u: Any, scheme: Any, voltages: Any, levels: Any, outer: Outer, opened: Any, buffers: Buffers
    ) -> Any:
        lead, step, temperature = scheme
        arrays, numbers = unpack(buffers)
        batches: list[NodeBatch] = []
        for region, nodes, fields in zip(regions, arrays["nodes"], outer, strict=True):
            own = {name: u[index] for name, index in nodes["unknowns"].items()}
            batches.append(node_batch(region, numbers, temperature, own, fields))
        arrays = {**arrays, "u": u, "levels": levels, "outer": outer, "opened": opened}
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
