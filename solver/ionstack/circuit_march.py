"""Many time steps of a circuit without field devices in one compiled call.

Implicit Runge-Kutta steps (Alexander, SIAM J. Numer. Anal. 14, 1006 (1977): three stages,
third order, L-stable, the last stage is the result) of what is stored, s(u), and of the
balances r(u) of the other rows:

    s(u_i) + h sum_j a_ij r(u_j) = s(u at the start),   r(u_i) = 0.

A step needs nothing of the steps before, so an event or a limit cuts it anywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuit_equations import Equations, Numbers, Wiring, equations, event_rates
from ionstack.step_size import AGAIN, GROWTH, SAFETY, SHRINK

Floats = NDArray[np.float64]
# Of JAX while it is traced, of NumPy outside.
Array = Any
# Steps of one call. More of them are lost when an event or a limit cuts the first ones.
MOST = 64
ORDER = 3
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


class Batch(NamedTuple):
    """Accepted steps in the first `count` rows, and why there are no more.

    Of every step its end and size [s], the unknowns there, Newton steps, rejections, what is
    `left` over as a sum of currents at a node [A], the size of the `following` step [s], and
    rates of events at the end [1/s]. `failed` tells that a step would fall below the least;
    `error` is then its error over the tolerance, infinite where Newton's method did not
    converge.
    """

    count: Array
    time: Array
    step: Array
    unknowns: Array
    newton: Array
    rejected: Array
    left: Array
    following: Array
    rates: Array
    failed: Array
    error: Array


class _Loop(NamedTuple):
    """State of the loop over trials: of the last accepted step, and the rows so far.

    `passed` are integrals of the rates of events, no less than what they are.
    """

    time: jax.Array
    step: jax.Array
    unknowns: jax.Array
    rates: jax.Array
    passed: jax.Array
    tried: jax.Array
    newton: jax.Array
    batch: Batch


class _Trial(NamedTuple):
    unknowns: jax.Array
    newton: jax.Array
    error: jax.Array
    left: jax.Array


March = Callable[[Floats, float, float, int, bool, Floats, Ramp, Limits, Numbers, jax.Array], Batch]


@functools.cache
def march(wiring: Wiring, stores: tuple[bool, ...], n_nodes: int) -> March:
    """Return the function that takes steps of circuits of a wiring.

    Its arguments: unknowns, time [s] since the ramp began, size of the first step [s], most
    steps, whether that size is `exact` and not fitted to the end of the ramp, integrated rates
    of events after which to stop, ramp, limits, numbers of the elements, thermal voltage [V].
    `stores` are the rows that store something, the first `n_nodes` those of the nodes.
    """
    of, rates = equations(wiring), event_rates(wiring)
    rows = jnp.array(stores)

    def run(
        unknowns: jax.Array,
        time: jax.Array,
        step: jax.Array,
        most: jax.Array,
        exact: jax.Array,
        left: jax.Array,
        ramp: Ramp,
        limits: Limits,
        numbers: Numbers,
        warmth: jax.Array,
    ) -> Batch:
        solve = functools.partial(_try, of, rows, n_nodes, ramp, limits, numbers, warmth)

        def unfinished(loop: _Loop) -> jax.Array:
            batch = loop.batch
            over = batch.failed | (loop.passed >= left).any()
            return jnp.asarray((batch.count < most) & (loop.time < ramp.duration) & ~over)

        def advance(loop: _Loop) -> _Loop:
            size, last = _fit(loop, exact, ramp, limits)
            trial = solve(loop.unknowns, loop.time, size)
            good = jnp.isfinite(trial.error) & (limits.fixed | (trial.error <= 1.0))
            time = jnp.where(last, ramp.duration, loop.time + size)
            there = rates(trial.unknowns, numbers, warmth)
            accepted = _accepted(loop, trial, there, time, size, last, limits)
            return _either(good, accepted, _rejected(loop, trial, size, limits))

        zero, here = jnp.array(0), rates(unknowns, numbers, warmth)
        empty = _empty(wiring, len(stores))
        loop = _Loop(time, step, unknowns, here, jnp.zeros_like(here), zero, zero, empty)
        return jax.lax.while_loop(unfinished, advance, loop).batch

    return jax.jit(run)


def _empty(wiring: Wiring, size: int) -> Batch:
    row, whole = jnp.zeros(MOST), jnp.zeros(MOST, dtype=int)
    sites = sum(1 for _ in wiring.sites())
    return Batch(
        jnp.array(0), row, row, jnp.zeros((MOST, size)), whole, whole, row, row,
        jnp.zeros((MOST, sites)), jnp.array(False), jnp.array(0.0),
    )  # fmt: skip


def _fit(loop: _Loop, exact: jax.Array, ramp: Ramp, limits: Limits) -> tuple[jax.Array, jax.Array]:
    """Step size that reaches the end without leaving a sliver, and whether it does."""
    left = ramp.duration - loop.time
    size = jnp.minimum(loop.step, limits.largest)
    pieces = jnp.maximum(1.0, jnp.ceil(left / size - 1e-9))
    even = (limits.fixed | (pieces <= 2.0)) & ~exact
    return jnp.where(even, left / pieces, size), (pieces == 1.0) & ~exact


def _accepted(
    loop: _Loop,
    trial: _Trial,
    rates: jax.Array,
    time: jax.Array,
    size: jax.Array,
    last: jax.Array,
    limits: Limits,
) -> _Loop:
    batch, k = loop.batch, loop.batch.count
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / 3.0)
    # The last step before the end may be short; what follows it need not.
    usual = jnp.maximum(size * jnp.clip(factor, SHRINK, GROWTH), jnp.where(last, loop.step, 0.0))
    step = jnp.where(limits.fixed, loop.step, usual)
    rows = {
        "time": time, "step": size, "unknowns": trial.unknowns,
        "newton": loop.newton + trial.newton, "rejected": loop.tried, "left": trial.left,
        "following": step, "rates": rates,
    }  # fmt: skip
    written = {name: getattr(batch, name).at[k].set(value) for name, value in rows.items()}
    batch, zero = batch._replace(count=k + 1, **written), jnp.array(0)
    passed = loop.passed + size * jnp.maximum(loop.rates, rates)
    return _Loop(time, step, trial.unknowns, rates, passed, zero, zero, batch)


def _rejected(loop: _Loop, trial: _Trial, size: jax.Array, limits: Limits) -> _Loop:
    again = jnp.where(loop.tried > 0, AGAIN, 1.0)
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / 3.0)
    factor = jnp.where(jnp.isfinite(trial.error), jnp.clip(factor, SHRINK, again), SHRINK)
    step = size * factor
    batch = loop.batch._replace(failed=step < limits.smallest, error=trial.error)
    newton = loop.newton + trial.newton
    return loop._replace(step=step, tried=loop.tried + 1, newton=newton, batch=batch)


def _either(good: jax.Array, one: _Loop, other: _Loop) -> _Loop:
    found: _Loop = jax.tree.map(lambda a, b: jnp.where(good, a, b), one, other)
    return found


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


def _try(
    of: Equations,
    rows: jax.Array,
    n_nodes: int,
    ramp: Ramp,
    limits: Limits,
    numbers: Numbers,
    warmth: jax.Array,
    start: jax.Array,
    time: jax.Array,
    size: jax.Array,
) -> _Trial:
    """Unknowns after a step of a size [s]; an infinite error where a stage has no solution."""
    stored = of(start, ramp.at(time), numbers, warmth)[1]

    def stage(
        before: tuple[jax.Array, jax.Array], tableau: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[jax.Array, jax.Array], _Point]:
        flows, guess = before
        place, instant, weights, ahead = tableau
        inputs = ramp.at(time + instant * size)
        history = size * (weights @ flows) - stored

        def both(unknowns: jax.Array) -> tuple[jax.Array, _Values]:
            residual, charge = of(unknowns, inputs, numbers, warmth)
            balance = jnp.where(rows, charge + history + size * _G * residual, residual)
            return balance, (balance, residual, charge)

        point = _stage(both, guess, rows, n_nodes, limits)
        guess = start + ahead * (point.unknowns - start)
        return (flows.at[place].set(point.residual), guess), point

    tableau = jnp.arange(3), _TIMES, _STAGES - _G * jnp.eye(3), _AHEAD
    flows = jnp.zeros((3, start.size))
    (flows, _), points = jax.lax.scan(stage, (flows, start), tableau)
    last: _Point = jax.tree.map(lambda of_stages: of_stages[2], points)
    error, left = _judged(last, flows, stored, size, rows, n_nodes, limits)
    error = jnp.where(points.good.all(), error, jnp.inf)
    return _Trial(last.unknowns, points.newton.sum(), error, left)


def _judged(
    point: _Point,
    flows: jax.Array,
    stored: jax.Array,
    size: jax.Array,
    rows: jax.Array,
    n_nodes: int,
    limits: Limits,
) -> tuple[jax.Array, jax.Array]:
    """Error over the tolerance, and the largest sum of currents at a node [A]."""
    change = _solved(point.matrix, jnp.where(rows, size * (_DEFECT @ flows), 0.0))
    error = jnp.abs(jnp.where(rows, change, 0.0)).max(initial=0.0) / limits.tolerance
    left = (point.charge - stored) / size + _STAGES[2] @ flows
    error = jnp.where(jnp.isfinite(error), error, jnp.inf)
    return error, jnp.abs(left[:n_nodes]).max(initial=0.0)


def _stage(
    both: Callable[[jax.Array], tuple[jax.Array, _Values]],
    guess: jax.Array,
    rows: jax.Array,
    n_nodes: int,
    limits: Limits,
) -> _Point:
    """Newton's method with limited updates, from a guess on."""

    def unfinished(loop: tuple[_Point, jax.Array, jax.Array]) -> jax.Array:
        point, update, allowed = loop
        return (update >= limits.newton) & (point.newton < allowed)

    def iterate(loop: tuple[_Point, jax.Array, jax.Array]) -> tuple[_Point, jax.Array, jax.Array]:
        point, _, allowed = loop
        matrix, (balance, residual, charge) = jax.jacfwd(both, has_aux=True)(point.unknowns)
        change = -_solved(matrix, balance)
        update = jnp.abs(jnp.where(rows, change, 0.0)).max(initial=0.0)
        jump = jnp.abs(change[:n_nodes]).max(initial=0.0)
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
    solution: jax.Array = jnp.linalg.solve(matrix / size[:, None], right / size)
    return solution
