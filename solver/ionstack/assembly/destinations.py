"""Where the values and slopes of all terms of some equations go: matrices made once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from ionstack.assembly.equations import Equations
from ionstack.assembly.scatter import Triplets, matrix_of, slope_blocks
from ionstack.assembly.terms import Term

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scatter:
    """Where contributions go: constant sparse matrices from values and slopes.

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


def scatter_of(equations: Equations) -> Scatter:
    """Return the places of all values and slopes of the equations' terms."""
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
    return Scatter(
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
