"""Lengths of field lines from metal to metal, and the potentials at which they end.

Along the lines of grad u a length grows by du/|grad u|. On a mesh the value at an unknown is the
mean over the edges through which the flux comes in, weighted by it: exact for plane gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Sweeps end where the lengths change by less than this share of the longest.
TOLERANCE = 1e-10
MOST_SWEEPS = 10_000


@dataclass(frozen=True)
class Flux:
    """Flux of grad u along edges: unknowns at both ends, its amount, and the length it goes.

    The flux goes from the first end to the second, `u` rises along it.
    """

    source: Ints
    target: Ints
    amount: Floats
    length: Floats

    def reversed(self) -> Flux:
        """The same lines, followed from their other end."""
        return Flux(self.target, self.source, self.amount, self.length)


@dataclass(frozen=True)
class FieldLines:
    """Follows lines on one rank; `metal` are local unknowns where they begin and end."""

    comm: MPI.Comm
    metal: NDArray[np.bool_]
    n_owned: int
    with_ghosts: Callable[[Floats], Floats]

    def follow(self, flux: Flux, u: Floats) -> tuple[Floats, Floats]:
        """Length [m] from where lines leave the metal, and u there, at unknowns (collective)."""
        matrix, gained = self._mean(flux)
        ends = np.column_stack([np.zeros_like(u), u])
        gains = np.column_stack([gained, np.zeros_like(gained)])
        inside, values = ~self.metal[: self.n_owned, None], ends
        for _ in range(MOST_SWEEPS):
            new = np.where(inside, matrix @ values + gains, ends[: self.n_owned])
            change = np.abs(new - values[: self.n_owned])[:, 0].max(initial=0.0)
            size = new[:, 0].max(initial=0.0)
            values = self._everywhere(new)
            if self._settled(change, size):
                break
        return values[:, 0], values[:, 1]

    def _mean(self, flux: Flux) -> tuple[csr_array, Floats]:
        """From values at the sources to their mean at owned targets, and the mean length gained."""
        mine = flux.target < self.n_owned
        row, column, amount = flux.target[mine], flux.source[mine], flux.amount[mine]
        total = np.maximum(np.bincount(row, amount, self.n_owned), 1e-300)
        shape = (self.n_owned, len(self.metal))
        matrix = csr_array((amount / total[row], (row, column)), shape=shape)
        return matrix, np.bincount(row, amount * flux.length[mine], self.n_owned) / total

    def _everywhere(self, owned: Floats) -> Floats:
        """Columns of values at all local unknowns from those at owned ones (collective)."""
        if self.comm.size == 1:
            return owned
        return np.column_stack([self.with_ghosts(column) for column in owned.T])

    def _settled(self, change: float, size: float) -> bool:
        if self.comm.size > 1:
            change, size = (self.comm.allreduce(one, MPI.MAX) for one in (change, size))
        return change <= TOLERANCE * size
