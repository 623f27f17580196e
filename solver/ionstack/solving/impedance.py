"""Small-signal admittance and impedance of a device at its present state.

Changes proportional to exp(i omega t) turn the linearised equations of a time step into
those of a small signal: the step is 1 s, the leading coefficient i omega, and the history
drops out. Nothing is stepped in time, and the amplitude is infinitesimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.linalg import splu

from ionstack.assembly.assemble import System
from ionstack.assembly.scatter import slope_blocks
from ionstack.errors import InputError, raise_together
from ionstack.physics.constants import ELEMENTARY_CHARGE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Complexes = NDArray[np.complex128]
Entries = tuple[Complexes, Ints, Ints]  # values, rows, columns

# The second one counts where conductances differ by ten orders and more.
_REFINEMENTS = 2


def admittance(
    system: System, voltages: Floats, frequencies: Sequence[float] | Floats
) -> Complexes:
    """Current into every contact per volt on every contact (collective).

    The displacement current is included, so every column of the matrices sums to zero.
    Floating contacts carry no current and follow the others: their rows and columns are 0.
    The whole matrix is gathered and factorised on rank 0, which needs the memory for it.

    Args:
        system: the equations; its unknowns are the state about which they are linearised.
        voltages: of the contacts in that state [V], in the order of `ControlVolumes.contacts`.
        frequencies: of the signal [Hz]; 0 only where contacts or reactions determine all
            amounts.

    Returns:
        Admittances [S], shape (n_frequencies, n_contacts, n_contacts).

    Raises:
        InputError: for a frequency that is negative or not finite.
        NumericsError: where the linearised equations are singular.
    """
    omegas = 2.0 * np.pi * np.asarray(frequencies, dtype=np.float64)
    if not (np.isfinite(omegas) & (omegas >= 0.0)).all():
        raise InputError("frequencies must be finite and not negative")
    entries, result = _gather(system, bordered(system, voltages)), None
    with raise_together(system.comm, "solving the small-signal equations"):
        if entries is not None:
            result = _admittances(system, entries, omegas)
    return np.asarray(system.comm.bcast(result))


def impedance(
    system: System, voltages: Floats, frequencies: Sequence[float] | Floats, contact: str
) -> Complexes:
    """Voltage on a contact per current into it, the others held (collective).

    Arguments and errors as for `admittance`; `contact` is the name of the driven contact.

    Returns:
        Impedances [Ohm], shape (n_frequencies,).

    Raises:
        InputError: for a contact that is not there or floats.
    """
    names = system.equations.volumes.contacts
    driven = [name for k, name in enumerate(names) if k not in system.floating]
    if contact not in driven:
        raise InputError(f"no voltage can be applied to '{contact}'; one of {', '.join(driven)}")
    own = names.index(contact)
    return np.asarray(1.0 / admittance(system, voltages, frequencies)[:, own, own])


def bordered(system: System, voltages: Floats) -> Entries:
    """Return this rank's entries of the bordered matrix at an angular frequency of 1/s.

    Unknowns come first, then the voltages of all contacts as columns and the currents [e/s]
    as rows, all by global number. Real parts do not depend on the frequency, imaginary parts
    are proportional to it.
    """
    layout, terms = system.layout, system.equations.terms
    stored = np.concatenate(
        [np.full(len(column), term.weight == "stored") for term, column, _ in slope_blocks(terms)]
    )
    slopes = system.slopes(voltages) * np.where(stored, 1j, 1.0)
    contacts = tuple(range(len(voltages)))
    border = system.border_of(contacts).fill(slopes, 1j)
    own = layout.global_index
    ends = layout.n_global + np.array(contacts, dtype=np.int64)
    unknowns = np.arange(layout.n_global)
    parts = (
        _placed(system.rows_of(slopes), own[: layout.n_owned], unknowns),
        _placed(csr_array(border.columns), own[: layout.n_owned], ends),
        _placed(border.rows, ends, own),
        _placed(csr_array(border.corner), ends, ends),
    )
    return _joined(parts)


def _joined(parts: Sequence[Entries]) -> Entries:
    """All entries of some parts."""
    values, rows, columns = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(rows), np.concatenate(columns)


def _placed(matrix: csr_array, rows: Ints, columns: Ints) -> Entries:
    """Entries of a matrix with the numbers of its rows and columns."""
    entries = matrix.tocoo()
    row, column = entries.coords
    return entries.data, rows[row], columns[column]


def _gather(system: System, entries: Entries) -> Entries | None:
    """Entries of all ranks on rank 0, None elsewhere (collective)."""
    if system.comm.size == 1:
        return entries
    parts = system.comm.gather(entries)
    if parts is None:
        return None
    return _joined(parts)


def _admittances(system: System, entries: Entries, omegas: Floats) -> Complexes:
    """Admittances at angular frequencies, from all entries of the bordered matrix."""
    n_contacts = len(system.equations.volumes.contacts)
    pencil = _pencil(entries, system.layout.n_global, n_contacts)
    found = [floated(pencil.admittance(omega), system.floating) for omega in omegas]
    return np.array(found, dtype=np.complex128).reshape(-1, n_contacts, n_contacts)


@dataclass(frozen=True)
class _Pencil:
    """Blocks of the bordered matrix at an angular frequency of 1/s; see `bordered`.

    Columns of `inner` and `rows` are in an order in which factors of `inner` stay sparse.
    """

    inner: csc_array
    columns: Complexes
    rows: csr_array
    corner: Complexes

    def admittance(self, omega: float) -> Complexes:
        """Eliminate the unknowns; currents [A] per voltage."""
        rows = csr_array(
            (_at(self.rows.data, omega), self.rows.indices, self.rows.indptr), self.rows.shape
        )
        current = _at(self.corner, omega) - rows @ self._responses(omega)
        # Into the driven contact flows what leaves the others. Its own row subtracts flows
        # there and back, which for a fast exchange are far larger than their difference.
        np.fill_diagonal(current, 0.0)
        np.fill_diagonal(current, -current.sum(axis=0))
        return np.asarray(ELEMENTARY_CHARGE * current, dtype=np.complex128)

    def _responses(self, omega: float) -> NDArray[np.clongdouble]:
        """Changes of the unknowns per voltage, in extended precision.

        Currents are their differences; so they are refined with residuals that lose no digits.
        """
        matrix, size = _scaled(self.inner, omega)
        right = _at(self.columns, omega) / size[:, None]
        factors = splu(matrix, permc_spec="NATURAL")
        precise = matrix.astype(np.clongdouble)
        found = factors.solve(right).astype(np.clongdouble)
        for _ in range(_REFINEMENTS):
            lacking = (right - precise @ found).astype(np.complex128)
            found += factors.solve(lacking)
        return np.asarray(found)


def _pencil(entries: Entries, n_unknowns: int, n_contacts: int) -> _Pencil:
    values, rows, columns = entries
    size = n_unknowns + n_contacts
    whole = csc_array(coo_array((values, (rows, columns)), shape=(size, size)))
    upper, lower = whole[:n_unknowns], whole[n_unknowns:]
    inner = csc_array(upper[:, :n_unknowns])
    order = _order(inner)
    return _Pencil(
        inner=csc_array(inner[:, order]),
        columns=upper[:, n_unknowns:].toarray(),
        rows=csr_array(lower[:, order]),
        corner=lower[:, n_unknowns:].toarray(),
    )


def _order(matrix: csc_array) -> Ints:
    """Order of the columns in which the factors stay sparse; it depends on the pattern only."""
    return np.argsort(splu(_scaled(matrix, 1.0)[0], permc_spec="COLAMD").perm_c)


def _scaled(matrix: csc_array, omega: float) -> tuple[csc_array, Floats]:
    """Matrix at an angular frequency with rows of size 1, and their sizes before.

    Balances of sparse carriers are smaller than others by tens of orders.
    """
    entries, row = _at(matrix.data, omega), matrix.indices
    size = np.bincount(row, np.abs(entries), matrix.shape[0]).astype(np.float64, copy=False)
    return csc_array((entries / size[row], row, matrix.indptr), matrix.shape), size


def _at(entries: Complexes, omega: float) -> Complexes:
    """Entries at an angular frequency, from those at 1/s."""
    return entries.real + 1j * omega * entries.imag


def floated(admittances: Complexes, floating: tuple[int, ...]) -> Complexes:
    """Admittances when some contacts carry no current; 0 for these."""
    if not floating:
        return admittances
    inside = np.ix_(floating, floating)
    result = admittances - admittances[:, floating] @ np.linalg.solve(
        admittances[inside], admittances[list(floating)]
    )
    result[list(floating)] = 0.0
    result[:, list(floating)] = 0.0
    return np.asarray(result)
