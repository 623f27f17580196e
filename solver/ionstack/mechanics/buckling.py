"""Stable equilibrium of a body with several: Newton's method that goes down in energy only.

A film under compression is flat or buckled, an interface whole or apart, and may have to leave
the one for the other at once. Here every step goes down
in the energy of the step, so that the search leaves those that are not stable:

- Where the stiffness is not positive definite, the part of it that stems from the stress, or
  from interfaces that soften, is weighed less until it is. The rest of the stiffness always is.
- The length of a step is chosen where its slope, forces out of balance times the update, is small.

Bodies that bend by many thicknesses at once stretch so much on the way that only short steps
go down. Newton's full steps then come first, with a stiffness of the stress that the linear
part of the last step's strain gives: Magisano, Leonetti and Garcea, Int. J. Numer. Methods
Eng. 109, 1237 (2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from ionstack.errors import InputError
from ionstack.mechanics.balance import ROUND_OFF, TINY, Control, NewtonReport
from ionstack.mechanics.factors import Factors
from ionstack.mechanics.forces import Forces, Task
from ionstack.mechanics.material import Response

Floats = NDArray[np.float64]

# Weights of the stiffness of stress, tried in turn.
_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)
# A step is long enough when its slope has fallen to this part of that at its start.
_SLOPE = 0.5
_LONGEST, _MOST_LENGTHS = 16.0, 12
# Below this part of all forces the slope is one of round-off; Newton's own step serves.
_NEAR = 1e-6
# What is left of the forces in a body without any.
_NO_FORCE = 1e-15
# Full steps, over those after which a search has failed.
_STRIDES, _MOST_STRIDES = 2, 80


class _Load(NamedTuple):
    """What the body is to bear: the task, forces of pressures or None, norm of all forces."""

    task: Task
    given: Any
    scale: float


class _Point(NamedTuple):
    """Response at the displacement, forces out of balance over all, slope along the update."""

    response: Response
    imbalance: float
    slope: float


class Descent:
    """Finds a displacement at which the forces are in balance and the energy is least."""

    def __init__(self, forces: Forces, control: Control) -> None:
        """Assemble the stiffness (collective); raises InputError for supports that move."""
        if forces.holds.moving:
            raise InputError("large rotations: supports cannot move, they hold at 0 only")
        self._forces = forces
        self._control = control
        self.factors = Factors(forces.stiffness(), PETSc.KSP.Type.CG)
        self.factors.count_negative()
        # Whether the factors are those of all of the stiffness, and of an earlier displacement.
        self._definite, self._lagged = False, True

    def find(
        self, start: Floats, task: Task, pressure: Mapping[str, float], *, warm: bool
    ) -> tuple[Response, NewtonReport]:
        """Search from a displacement (local values) of the forces (collective).

        A `warm` start is near the result: full steps are not tried.
        """
        self._forces.displacement.x.array[:] = start
        load = self._load(task, pressure)
        point, count, done = self._descend(load)
        if not done and not warm:
            self._forces.displacement.x.array[:] = start
            count += self._stride(load)
            point, steps, done = self._descend(load)
            count += steps
        return point.response, NewtonReport(count, point.imbalance, done)

    def _load(self, task: Task, pressure: Mapping[str, float]) -> _Load:
        loads = self._forces.loads(pressure)
        scale = self._forces.load_size(task, loads)
        _, size = self._forces.residual(self._forces.respond(task), loads)
        return _Load(task, loads, max(scale, size, TINY))

    def _descend(self, load: _Load) -> tuple[_Point, int, bool]:
        """Go down to equilibrium; return where that ends, after how many steps, and success."""
        point, previous, before = self._point(load), np.inf, np.inf
        for count in range(self._control.most + 1):
            lagged = self._lagged
            # One step that gains little may be chance, two are round-off.
            if self._is_done(point.imbalance, before) and self._is_stable(point.imbalance):
                return self._refined(load, point) if lagged else point, count, True
            previous, before = point.imbalance, previous
            if count == self._control.most or not np.isfinite(previous) or not self._aim():
                break
            point = self._advance(load)
        return point, count, False

    def _refined(self, load: _Load, point: _Point) -> _Point:
        """Take the step of the factors that have just told a state to be stable.

        What older ones leave hardly shows in the forces of thin films, but in how far they bend.
        """
        start = self._forces.displacement.x.array.copy()
        self._forces.move(start, 1.0)
        better = self._point(load)
        if better.imbalance <= max(point.imbalance, self._control.tolerance):
            return better
        self._forces.displacement.x.array[:] = start
        return self._point(load)

    def _stride(self, load: _Load) -> int:
        """Take full steps until the forces are near balance; return how many."""
        forces, strain = self._forces, None
        most = min(_STRIDES * self._control.most, _MOST_STRIDES)
        for count in range(most):
            point = self._point(load)
            forces.put(forces.respond(load.task, strain))
            if not point.imbalance > _NEAR or not self._aim():
                return count
            strain = forces.stride()
        return most

    def _is_done(self, imbalance: float, before: float) -> bool:
        """Whether the balance is as good as asked for, or as round-off lets it be."""
        stuck = self._definite and ROUND_OFF >= imbalance > 0.5 * before
        return imbalance <= self._control.tolerance or stuck

    def _is_stable(self, imbalance: float) -> bool:
        """Whether no way leads down from an equilibrium, or no force tells which."""
        if self._lagged:
            self._definite, self._lagged = self._factored(1.0), False
        return self._definite or imbalance <= _NO_FORCE

    def _point(self, load: _Load) -> _Point:
        """Evaluate the displacement; forms and right side become those of it."""
        forces = self._forces
        response = forces.respond(load.task)
        forces.put_tangent(response)
        imbalance, _ = forces.residual(response, load.given)
        return _Point(response, imbalance / load.scale, forces.update.dot(forces.right_side))

    def _aim(self) -> bool:
        """Find the update, which goes down; False if there is none."""
        forces = self._forces
        forces.stiffness(self.factors.matrix)
        self._lagged = self._definite and self.factors.iterate(forces.right_side, forces.update)
        if self._lagged:
            return True
        for weight in _WEIGHTS:
            if self._factored(weight):
                self._definite = weight == 1.0
                return True
        return False

    def _factored(self, weight: float) -> bool:
        """Solve with the stiffness of stress and softening weighed; False if some way leads up."""
        forces = self._forces
        forces.forms.weight.value = weight
        forces.stiffness(self.factors.matrix)
        forces.forms.weight.value = 1.0
        solved = self.factors.direct(forces.right_side, forces.update, anew=True)
        return solved and self.factors.negative() == 0

    def _advance(self, load: _Load) -> _Point:
        """Take the update as far as it leads down."""
        forces = self._forces
        start = forces.displacement.x.array.copy()
        steepest = forces.update.dot(forces.right_side)
        length, ends = 1.0, (0.0, np.inf)
        for _ in range(_MOST_LENGTHS):
            forces.move(start, length)
            point = self._point(load)
            near = self._definite and length == 1.0 and point.imbalance < _NEAR
            if near or abs(point.slope) <= _SLOPE * steepest or length >= _LONGEST:
                break
            ends = (length, ends[1]) if point.slope > 0.0 else (ends[0], length)
            length = _between(*ends)
        return point


def _between(low: float, high: float) -> float:
    """A length to try next."""
    if np.isinf(high):
        return 2.0 * low
    return 0.1 * high if low == 0.0 else 0.5 * (low + high)
