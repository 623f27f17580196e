"""Many time steps of a circuit without field devices in one compiled call.

A step needs nothing of the steps before (`circuit_step`), so an event or a limit of the
protocol cuts one anywhere, and what was computed beyond is thrown away.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit_equations import Numbers, Wiring, equations, event_rates
from ionstack.circuits.circuit_step import ORDER, Array, Limits, Problem, Ramp, Trial, tried
from ionstack.stepping.step_size import AGAIN, GROWTH, SAFETY, SHRINK

Floats = NDArray[np.float64]
# Steps of one call.
MOST = 64


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
        problem = Problem(of, rows, n_nodes, ramp, limits, numbers, warmth)

        def unfinished(loop: _Loop) -> jax.Array:
            batch = loop.batch
            over = batch.failed | (loop.passed >= left).any()
            return jnp.asarray((batch.count < most) & (loop.time < ramp.duration) & ~over)

        def advance(loop: _Loop) -> _Loop:
            size, last = _fit(loop, exact, ramp, limits)
            trial = tried(problem, loop.unknowns, loop.time, size)
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
    trial: Trial,
    rates: jax.Array,
    time: jax.Array,
    size: jax.Array,
    last: jax.Array,
    limits: Limits,
) -> _Loop:
    batch, k = loop.batch, loop.batch.count
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / ORDER)
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


def _rejected(loop: _Loop, trial: Trial, size: jax.Array, limits: Limits) -> _Loop:
    again = jnp.where(loop.tried > 0, AGAIN, 1.0)
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / ORDER)
    factor = jnp.where(jnp.isfinite(trial.error), jnp.clip(factor, SHRINK, again), SHRINK)
    step = size * factor
    batch = loop.batch._replace(failed=~(step >= limits.smallest), error=trial.error)
    newton = loop.newton + trial.newton
    return loop._replace(step=step, tried=loop.tried + 1, newton=newton, batch=batch)


def _either(good: jax.Array, one: _Loop, other: _Loop) -> _Loop:
    found: _Loop = jax.tree.map(lambda a, b: jnp.where(good, a, b), one, other)
    return found
