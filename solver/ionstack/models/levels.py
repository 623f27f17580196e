"""Which electrochemical potentials are known in equilibrium, and which are free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.errors import NumericsError
from ionstack.models.model import Group, Model

Floats = NDArray[np.float64]

_ROUND_OFF = 1e-9


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
    order = _compounds_first(model, groups)
    reduced, pivots = _row_echelon(np.column_stack([rows, right]), order)
    totals = _null_space(reduced[:, :-1], pivots, count, set())
    if frozen is not None:
        particular = np.array([max(group.levels, default=0.0) for group in groups])
        return Levels(particular, np.zeros((count, 0)), totals, frozen)
    if np.abs(reduced[len(pivots) :, -1]).max(initial=0.0) > _ROUND_OFF:
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


def _compounds_first(model: Model, groups: tuple[Group, ...]) -> list[int]:
    """Groups, those first that one side of a reaction consists of and several make.

    With their levels taken from those of the parts, the totals that are left count each
    part with what is bound, and never one part less another.
    """

    def alone(balance: Mapping[int, int]) -> set[int]:
        sides = [{k for k, n in balance.items() if n * sign > 0} for sign in (1, -1)]
        return next((side for side in sides if len(side) == 1 < len(balance) - 1), set())

    compounds = set().union(*map(alone, _reactions(model, groups)))
    return sorted(range(len(groups)), key=lambda k: k not in compounds)


def _row_echelon(matrix: Floats, order: Sequence[int]) -> tuple[Floats, list[int]]:
    """Reduced row echelon form and the columns of its pivots, which are sought in an order.

    The last column, the right side, has no pivot; entries of the others are small integers.
    """
    reduced = matrix.copy()
    pivots: list[int] = []
    for column in order:
        row = len(pivots)
        if row == len(reduced):
            break
        best = row + int(np.argmax(np.abs(reduced[row:, column])))
        if abs(reduced[best, column]) < _ROUND_OFF:
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
