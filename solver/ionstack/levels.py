"""Which electrochemical potentials are known in equilibrium, and which are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.errors import NumericsError
from ionstack.model import Group, Model

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """All levels [V] as particular + basis * free ones.

    `basis` (n_groups, n_free): the transposed basis also takes the groups' amounts to
    totals that neither exchange nor reactions change. `totals` (n_groups, m) are
    those of the device's whole life, `frozen` the groups that keep their contents,
    `counted` those whose amount enters a total.
    """

    particular: Floats
    basis: Floats
    totals: Floats
    frozen: frozenset[int]

    @property
    def counted(self) -> frozenset[int]:
        """Groups whose amounts enter a total of the search."""
        return frozenset(map(int, np.flatnonzero(self.basis.any(axis=1))))

    def of(self, free: Floats) -> Floats:
        """Levels of all groups [V]."""
        return np.asarray(self.particular + self.basis @ free)


def find_levels(
    model: Model, groups: tuple[Group, ...], frozen: frozenset[int] | None = None
) -> Levels:
    """Solve the conditions on the levels: metals, reactions, species that stay.

    Args:
        model: reactions and contacts.
        groups: parts of every species that can exchange particles.
        frozen: groups that keep their contents as given; None to seek equilibrium.
    """
    count = len(groups)
    rows, right = _conditions(model, groups)
    reduced, pivots = _row_echelon(np.column_stack([rows, right]))
    totals = _null_space(reduced[:, :-1], pivots, count, set())
    if frozen is not None:
        particular = np.array([max(group.levels, default=0.0) for group in groups])
        return Levels(particular, np.zeros((count, 0)), totals, frozen)
    if count in pivots:
        raise NumericsError(
            "no equilibrium exists at 0 V: reservoirs and reactions ask for different "
            "electrochemical potentials; start from the contents as given (start: as_given)"
        )
    still = {k for k in range(count) if _is_still(model, groups, k)}
    particular = np.zeros(count)
    for row, column in enumerate(pivots):
        particular[column] = reduced[row, -1]
    basis = _null_space(reduced[:, :-1], pivots, count, still)
    return Levels(particular, basis, totals, frozenset(still))


def _conditions(model: Model, groups: tuple[Group, ...]) -> tuple[Floats, Floats]:
    """Rows and right sides: open groups have their metal's level, reactions balance."""
    rows: list[Floats] = [np.zeros((0, len(groups)))]
    right: list[Floats] = [np.zeros(0)]
    for k, group in enumerate(groups):
        for level in group.levels:
            rows.append(np.eye(len(groups))[k : k + 1])
            right.append(np.array([level]))
    for balance in _reactions(model, groups):
        row = np.zeros((1, len(groups)))
        for k, count in balance.items():
            row[0, k] += count
        rows.append(row)
        right.append(np.zeros(1))
    return np.concatenate(rows), np.concatenate(right)


def _reactions(model: Model, groups: tuple[Group, ...]) -> list[Mapping[int, int]]:
    """Particles that one event of each reaction takes from or gives to the groups."""
    position = {
        (region, group.species): k for k, group in enumerate(groups) for region in group.regions
    }
    return [
        {position[region.name, name]: change for name, change in reaction.changes.items() if change}
        for region in model.regions
        for reaction in region.reactions
    ]


def _is_still(model: Model, groups: tuple[Group, ...], k: int) -> bool:
    """Whether nothing moves or makes the species of a group."""
    group = groups[k]
    if group.open or any(k in balance for balance in _reactions(model, groups)):
        return False
    laws = (model.region(name).held(group.species).transport.law for name in group.regions)
    return not any(law.passes for law in laws)


def _row_echelon(matrix: Floats) -> tuple[Floats, list[int]]:
    """Reduced row echelon form and the columns of its pivots; entries are small integers."""
    reduced = matrix.copy()
    pivots: list[int] = []
    for column in range(matrix.shape[1]):
        row = len(pivots)
        if row == len(reduced):
            break
        best = row + int(np.argmax(np.abs(reduced[row:, column])))
        if abs(reduced[best, column]) < 1e-9:
            continue
        reduced[[row, best]] = reduced[[best, row]]
        reduced[row] /= reduced[row, column]
        others = np.arange(len(reduced)) != row
        reduced[others] -= np.outer(reduced[others, column], reduced[row])
        pivots.append(column)
    return reduced, pivots


def _null_space(reduced: Floats, pivots: list[int], count: int, without: set[int]) -> Floats:
    """Basis of the free directions, one column per free group, 1 at that group."""
    free = [k for k in range(count) if k not in pivots and k not in without]
    basis = np.zeros((count, len(free)))
    for j, k in enumerate(free):
        basis[k, j] = 1.0
        for row, column in enumerate(pivots):
            basis[column, j] = -reduced[row, k]
    return basis
