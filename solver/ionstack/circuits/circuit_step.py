"""One time step of a circuit without field devices, to be compiled.

An implicit Runge-Kutta step (Alexander, SIAM J. Numer. Anal. 14, 1006 (1977): three stages,
third order, L-stable, the last stage is the result) of what is stored, s(u), and of the
balances r(u) of the other rows:

    s(u_i) + h sum_j a_ij r(u_j) = s(u at the start),   r(u_i) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ionstack.circuits.circuit_equations import Equations, Numbers

# Of JAX while it is traced, of NumPy outside.
Array = Any
ORDER = 3
# How far a state of an element may move in a step; they are of order one.
_FARTHEST = 0.1
# Unknowns up to which own elimination is faster than LAPACK: 1 against 4 us for 7 of them.
_FEW = 20
_G = 0.4358665215084590
_TIMES = np.array([_G, 0.5 * (1.0 + _G), 1.0])
_STAGES = np.array(
    [
        [_G, 0.0, 0.0],
        [0.5 * (1.0 - _G), _G, 0.0],
        [-0.25 * (6.0 * _G**2 - 16.0 * _G + 1.0), 0.25 * (6.0 * _G**2 - 20.0 * _G + 5.0), _G],
    ]
)
# Weights of second order of the same stages, for the estimate of the error.
_DEFECT = _STAGES[2] - np.array([_G / (1.0 - _G), (1.0 - 2.0 * _G) / (1.0 - _G), 0.0])
# How far the next stage lies ahead, over how far this one does.
_AHEAD = np.array([_TIMES[1] / _TIMES[0], _TIMES[2] / _TIMES[1], 1.0])


class Ramp(NamedTuple):
    """What sources and switches are set to: values from `begin` to `end` in `duration` [s].

    The others stay; names and order are those of `Settings`, logical ones as 0 and 1.
    """

    begin: Array
    end: Array
    duration: float
    current: Array
    positive: Array
    negative: Array
    closed: Array

    def at(self, time: jax.Array) -> dict[str, jax.Array]:
        """Inputs of the circuit's equations."""
        part = time / self.duration
        held = {name: getattr(self, name) for name in ("current", "positive", "negative", "closed")}
        return {"value": self.begin * (1.0 - part) + self.end * part, **held}


class Limits(NamedTuple):
    """Steps [s]: the least and the largest; the error and the update allowed [V].

    `update` is the largest change of one Newton step; a `fixed` step has no error control.
    """

    smallest: float
    largest: float
    tolerance: float
    newton: float
    update: float
    most: int
    fixed: bool


class Problem(NamedTuple):
    """A circuit on the way along a ramp: equations, numbers, and what is allowed.

    `rows` tells which store something, the first `n_nodes` are those of the nodes; `warmth` is
    the thermal voltage [V].
    """

    equations: Equations
    rows: jax.Array
    n_nodes: int
    ramp: Ramp
    limits: Limits
    numbers: Numbers
    warmth: jax.Array

    @property
    def states(self) -> jax.Array:
        """Which rows are those of states of elements."""
        return self.rows & (jnp.arange(len(self.rows)) >= self.n_nodes)

    def at(self, unknowns: jax.Array, inputs: dict[str, Array]) -> tuple[jax.Array, jax.Array]:
        """Residual and charge."""
        return self.equations(unknowns, inputs, self.numbers, self.warmth)


class Trial(NamedTuple):
    """Unknowns after a step, Newton steps, error over the tolerance, what is left over.

    The error is infinite where a stage has no solution; what is left over is the largest sum
    of currents at a node [A].
    """

    unknowns: jax.Array
    newton: jax.Array
    error: jax.Array
    left: jax.Array


# Balance, residual and charge.
_Values = tuple[jax.Array, jax.Array, jax.Array]


class _Point(NamedTuple):
    """Unknowns of a stage, its residuals and charges, and the matrix of its last update."""

    unknowns: jax.Array
    residual: jax.Array
    charge: jax.Array
    matrix: jax.Array
    newton: jax.Array
    good: jax.Array


def tried(problem: Problem, start: jax.Array, time: jax.Array, size: jax.Array) -> Trial:
    """Try a step of a size [s] from unknowns at a time [s] since the ramp began."""
    rows, stored = problem.rows, problem.at(start, problem.ramp.at(time))[1]

    def stage(
        before: tuple[jax.Array, jax.Array], tableau: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[jax.Array, jax.Array], _Point]:
        flows, guess = before
        place, instant, weights, ahead = tableau
        inputs = problem.ramp.at(time + instant * size)
        history = size * (weights @ flows) - stored

        def both(unknowns: jax.Array) -> tuple[jax.Array, _Values]:
            residual, charge = problem.at(unknowns, inputs)
            balance = jnp.where(rows, charge + history + size * _G * residual, residual)
            return balance, (balance, residual, charge)

        point = _stage(problem, both, guess)
        guess = start + ahead * (point.unknowns - start)
        return (flows.at[place].set(point.residual), guess), point

    tableau = jnp.arange(3), _TIMES, _STAGES - _G * jnp.eye(3), _AHEAD
    flows = jnp.zeros((3, start.size))
    (flows, _), points = jax.lax.scan(stage, (flows, start), tableau)
    last: _Point = jax.tree.map(lambda of_stages: of_stages[2], points)
    error, left = _judged(problem, last, flows, stored, size)
    # No estimate tells of a switching that a step goes over whole.
    moved = jnp.abs(jnp.where(problem.states, last.unknowns - start, 0.0)).max(initial=0.0)
    error = jnp.maximum(error, (moved / _FARTHEST) ** ORDER)
    error = jnp.where(points.good.all(), error, jnp.inf)
    return Trial(last.unknowns, points.newton.sum(), error, left)


def _judged(
    problem: Problem, point: _Point, flows: jax.Array, stored: jax.Array, size: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Error over the tolerance, and the largest sum of currents at a node [A]."""
    rows = problem.rows
    change = _solved(point.matrix, jnp.where(rows, size * (_DEFECT @ flows), 0.0))
    error = jnp.abs(jnp.where(rows, change, 0.0)).max(initial=0.0) / problem.limits.tolerance
    left = (point.charge - stored) / size + _STAGES[2] @ flows
    error = jnp.where(jnp.isfinite(error), error, jnp.inf)
    return error, jnp.abs(left[: problem.n_nodes]).max(initial=0.0)


def _stage(
    problem: Problem, both: Callable[[jax.Array], tuple[jax.Array, _Values]], guess: jax.Array
) -> _Point:
    """Newton's method with limited updates, from a guess on."""
    limits = problem.limits

    def unfinished(loop: tuple[_Point, jax.Array, jax.Array]) -> jax.Array:
        point, update, allowed = loop
        return (update >= limits.newton) & (point.newton < allowed)

    def iterate(loop: tuple[_Point, jax.Array, jax.Array]) -> tuple[_Point, jax.Array, jax.Array]:
        point, _, allowed = loop
        matrix, (balance, residual, charge) = jax.jacfwd(both, has_aux=True)(point.unknowns)
        change = -_solved(matrix, balance)
        update = jnp.abs(jnp.where(problem.rows, change, 0.0)).max(initial=0.0)
        jump = jnp.abs(change[: problem.n_nodes]).max(initial=0.0)
        allowed = jnp.where(point.newton == 0, allowed + _way(jump, limits), allowed)
        unknowns = point.unknowns + jnp.minimum(1.0, limits.update / update) * change
        new = _Point(unknowns, residual, charge, matrix, point.newton + 1, jnp.isfinite(update))
        return new, jnp.where(jnp.isfinite(update), update, 0.0), allowed

    zero = jnp.zeros_like(guess)
    first = _Point(
        guess, zero, zero, jnp.zeros((guess.size, guess.size)), jnp.array(0), jnp.array(True)
    )
    start = first, jnp.array(jnp.inf), jnp.asarray(limits.most)
    point, update, _ = jax.lax.while_loop(unfinished, iterate, start)
    _, (_, residual, charge) = both(point.unknowns)
    good = point.good & (update < limits.newton)
    return point._replace(residual=residual, charge=charge, good=good)


def _way(jump: jax.Array, limits: Limits) -> jax.Array:
    """Iterations that the limit of an update costs where nodes jump."""
    return jnp.where(jnp.isfinite(jump), jnp.minimum(jump / limits.update, 200.0), 0.0).astype(int)


def _solved(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """Solution of a small system whose rows have different units."""
    size = jnp.abs(matrix).max(axis=1)
    if len(right) > _FEW:
        solution: jax.Array = jnp.linalg.solve(matrix / size[:, None], right / size)
        return solution
    return _eliminated(jnp.column_stack([matrix, right]) / size[:, None])


def _eliminated(both: jax.Array) -> jax.Array:
    """Solution of a system by Gauss and Jordan with exchange of rows; `both` has its right side.

    LAPACK would be called from outside of the compiled loop, which then is no single kernel.
    """
    count = len(both)
    rows = jnp.arange(count)

    def eliminate(k: jax.Array, both: jax.Array) -> jax.Array:
        largest = jnp.argmax(jnp.where(rows >= k, jnp.abs(both[:, k]), -1.0))
        top, pivot = both[k], both[largest]
        both = both.at[largest].set(top).at[k].set(pivot / pivot[k])
        return both - jnp.where(rows == k, 0.0, both[:, k])[:, None] * both[k]

    found: jax.Array = jax.lax.fori_loop(0, count, eliminate, both)[:, count]
    return found
