"""Floating metals: voltages as unknowns that border the matrix.

A floating metal takes the voltage at which no current flows. Its equation, the charge
that came in since the last step, touches all nodes at the metal; so it stays out of the
matrix, and Newton's method eliminates it with one more solve per floating metal. The
border of all contacts gives their small-signal currents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ionstack.equations import Equations
from ionstack.scatter import Triplets, matrix_of, slope_blocks

Ints = NDArray[np.int64]
# float64, or complex128 for a small signal.
Numbers = NDArray[Any]


@dataclass(frozen=True)
class Border:
    """Derivatives by the voltages of some contacts, and those of their currents.

    `columns` (n_owned, n) are derivatives of the residuals by the voltages, `rows`
    (n, n_local) those of the currents by the local unknowns, `corner` (n, n) those by
    the voltages. Rows and corner are this rank's part.
    """

    columns: Numbers
    rows: csr_array
    corner: Numbers


class BorderScatter:
    """Where the slopes of the terms go in the border of the voltages of some contacts."""

    def __init__(
        self,
        equations: Equations,
        charges: csr_array,
        outflows: csr_array,
        contacts: tuple[int, ...],
    ) -> None:
        self.contacts = contacts
        self._shape = (equations.layout.n_owned, equations.layout.n_local)
        self._columns = self._of_columns(equations)
        self._charges = self._of_rows(equations, charges)
        self._outflows = self._of_rows(equations, outflows)

    def fill(self, slopes: Numbers, lead: complex) -> Border:
        """Return the border for the slopes of all terms and a leading coefficient."""
        n_owned, n_local = self._shape
        count = len(self.contacts)
        columns = (self._columns @ slopes).reshape(count, n_owned).T
        flat = lead * (self._charges @ slopes) - self._outflows @ slopes
        whole = csr_array(flat.reshape(count, -1))
        corner = whole[:, [n_local + contact for contact in self.contacts]]
        return Border(columns, csr_array(whole[:, :n_local]), np.asarray(corner.toarray()))

    def _of_columns(self, equations: Equations) -> csr_array:
        """Matrix from slopes to derivatives of free residuals by the voltages."""
        n_owned, n_local = self._shape
        shape = (
            len(self.contacts) * n_owned,
            sum(len(c) for _, c, _ in slope_blocks(equations.terms)),
        )
        parts: list[Triplets] = []
        for term, column, start in slope_blocks(equations.terms):
            for k, contact in enumerate(self.contacts):
                for row, factor in term.rows:
                    free = equations.holder(term, row) < 0
                    here = np.flatnonzero((column == n_local + contact) & free & (row < n_owned))
                    values = np.full(len(here), float(factor))
                    parts.append((k * n_owned + row[here], here + start, values))
        return matrix_of(parts, shape)

    def _of_rows(self, equations: Equations, sums: csr_array) -> csr_array:
        """Matrix from slopes to derivatives of a sum per contact by all local unknowns."""
        width = self._shape[1] + len(equations.volumes.contacts)
        shape = (
            len(self.contacts) * width,
            sum(len(c) for _, c, _ in slope_blocks(equations.terms)),
        )
        sizes = [term.size for term in equations.terms]
        first = dict(zip(map(id, equations.terms), np.cumsum([0, *sizes]), strict=False))
        parts: list[Triplets] = []
        for term, column, start in slope_blocks(equations.terms):
            value = int(first[id(term)])
            inside = sums[list(self.contacts), value : value + term.size].tocoo()
            contact, entity = inside.coords
            parts.append((contact * width + column[entity], entity + start, inside.data))
        return matrix_of(parts, shape)
