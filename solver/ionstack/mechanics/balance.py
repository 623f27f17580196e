"""Static equilibrium of a body at small rotations: Newton's method for the balance of forces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.mechanics.factors import Factors
from ionstack.mechanics.forces import Forces, Task
from ionstack.mechanics.material import Response

Floats = NDArray[np.float64]

TINY = 1e-300
# An imbalance below this, over all forces, that no longer falls is one of round-off.
ROUND_OFF = 1e-7
# An elastic body is solved exactly, and once more for round-off. That across long and thin
# cells weighs more than forces along them, but does not bear on the stress.
_REFINED = 2
_ELASTIC_ROUND_OFF = 1e-3


@dataclass(frozen=True)
class Control:
    """When Newton's method is done.

    tolerance: forces out of balance, over those of the loads and of the supports.
    most: iterations after which a step has failed.
    """

    tolerance: float = 1e-10
    most: int = 40


@dataclass(frozen=True)
class NewtonReport:
    """How a solve went: linear solves, forces out of balance over all forces, and success."""

    iterations: int
    imbalance: float
    converged: bool


class Balance:
    """Finds the displacement at which the forces are in balance."""

    def __init__(self, forces: Forces, control: Control) -> None:
        """Assemble the elastic stiffness (collective)."""
        self._forces = forces
        self._control = control
        self.elastic = Factors(forces.stiffness())
        self.flowing: Factors | None = None

    def find(
        self, start: Floats, task: Task, pressure: Mapping[str, float], *, warm: bool
    ) -> tuple[Response, NewtonReport]:
        """Iterate from a displacement (local values) of the forces (collective).

        Unless the start is `warm`, near the result, the first step takes all as elastic: a body
        that is unloaded would otherwise seem to flow far the other way.
        """
        forces = self._forces
        forces.displacement.x.array[:] = start
        loads = forces.loads(pressure)
        scale = forces.load_size(task, loads)
        previous = np.inf
        for count in range(self._control.most + 1):
            predicts = count == 0 and not warm
            response = forces.predict(task) if predicts else forces.respond(task)
            flows = forces.put_tangent(response)
            imbalance, force = forces.residual(response, loads)
            if count <= 1:  # later, a body that gives way may be under any stress
                scale = max(scale, force, TINY)
            done = not predicts and self._is_done(imbalance / scale, previous / scale, count, flows)
            failed = not np.isfinite(imbalance) or count == self._control.most
            if done or failed or not self._advance(flows):
                break
            previous = imbalance
        return response, NewtonReport(count, imbalance / scale, done)

    def _is_done(self, imbalance: float, previous: float, count: int, flows: bool) -> bool:
        """Whether the balance is as good as asked for, or as round-off lets it be."""
        if imbalance <= self._control.tolerance:
            return True
        if not flows and count >= _REFINED:
            return imbalance <= _ELASTIC_ROUND_OFF
        return ROUND_OFF >= imbalance > 0.5 * previous

    def _advance(self, flows: bool) -> bool:
        """Add Newton's update to the displacement; False if there is none."""
        forces = self._forces
        factors = self._tangent_factors() if flows else self.elastic
        solved = factors.solve(forces.right_side, forces.update, changed=flows)
        forces.displacement.x.petsc_vec.axpy(1.0, forces.update)
        forces.displacement.x.scatter_forward()
        return solved

    def _tangent_factors(self) -> Factors:
        """The system of the present tangent, assembled."""
        if self.flowing is None:
            self.flowing = Factors(self._forces.stiffness())
        else:
            self._forces.stiffness(self.flowing.matrix)
        return self.flowing
