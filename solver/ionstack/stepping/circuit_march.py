"""Many time steps of a circuit without field devices in one compiled call.

A step needs nothing of the steps before (`circuit_step`), so an event or a limit of the
protocol cuts one anywhere. Random events happen within the call: the step that would go
beyond one is repeated such that it ends there. Limits are left to the caller, who throws away
what was computed beyond.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit_equations import (
    Numbers,
    Wiring,
    equations,
    event_outcomes,
    event_rates,
)
from ionstack.circuits.circuit_step import ORDER, Array, Limits, Problem, Ramp, Trial, tried
from ionstack.protocols.crossing import CLOSE
from ionstack.protocols.crossing import MOST as MOST_CUTS
from ionstack.randomness.hazards import ExponentialHazard
from ionstack.stepping.step_size import AGAIN, SAFETY, SHRINK

Floats = NDArray[np.float64]
# Steps of one call.
MOST = 128
# Largest growth of the step: a formula of one step is stable whatever it is.
GROWTH = 3.0
# How far states move in the first step after an event, over the tolerance of its error.
FIRST_MOVE = 3.0


class Batch(NamedTuple):
    """Accepted steps in the first `count` rows, and why there are no more.

    Of every step its end and size [s], the unknowns there, Newton steps, rejections, what is
    `left` over as a sum of currents at a node [A], the size of the `following` step [s]; the
    `site` whose event ended it (the number of sites: none), the unknowns `after` that, and
    the integrated rates `waits` until the next event of every site. `failed` tells that a step
    would fall below the least; `error` is then its error over the tolerance, infinite where
    Newton's method did not converge.
    """

    count: Array
    time: Array
    step: Array
    unknowns: Array
    newton: Array
    rejected: Array
    left: Array
    following: Array
    site: Array
    after: Array
    waits: Array
    failed: Array
    error: Array


class _Loop(NamedTuple):
    """State of the loop over trials: of the last accepted step, and the rows so far.

    `rates` [1/s] and `waits` of the sites, how many of their events have `come`; `cuts` counts
    how often an event has cut the step to come, whose size was `uncut` before [s] and is `exact`
    then. One more site, the last, stands for no event.
    """

    time: jax.Array
    step: jax.Array
    exact: jax.Array
    unknowns: jax.Array
    rates: jax.Array
    waits: jax.Array
    come: jax.Array
    cuts: jax.Array
    uncut: jax.Array
    tried: jax.Array
    newton: jax.Array
    batch: Batch


class _Chance(NamedTuple):
    """Random events of the circuit: rates and outcomes at unknowns, waits `ahead` by site."""

    rates: Callable[[jax.Array], jax.Array]
    outcomes: Callable[[jax.Array], jax.Array]
    ahead: jax.Array


class _Coming(NamedTuple):
    """What comes first in a step: the site, the size [s] that ends there, whether to `cut`.

    `rates` at the end of the step and what has `passed` of the integrated ones, for all sites.
    """

    site: jax.Array
    size: jax.Array
    cut: jax.Array
    rates: jax.Array
    passed: jax.Array


March = Callable[[Floats, float, float, int, bool, Floats, Ramp, Limits, Numbers, jax.Array], Batch]


@functools.cache
def march(wiring: Wiring, stores: tuple[bool, ...], n_nodes: int) -> March:
    """Return the function that takes steps of circuits of a wiring.

    Its arguments: unknowns, time [s] since the ramp began, size of the first step [s], most
    steps, whether that size is `exact` and not fitted to the end of the ramp, integrated rates
    that every site waits for its next events, one after the other (n_sites, MOST + 1), ramp,
    limits, numbers of the elements, thermal voltage [V].
    `stores` are the rows that store something, the first `n_nodes` those of the nodes.
    """
    of, rates, outcomes = equations(wiring), event_rates(wiring), event_outcomes(wiring)
    rows = jnp.array(stores)

    def run(
        unknowns: jax.Array,
        time: jax.Array,
        step: jax.Array,
        most: jax.Array,
        exact: jax.Array,
        ahead: jax.Array,
        ramp: Ramp,
        limits: Limits,
        numbers: Numbers,
        warmth: jax.Array,
    ) -> Batch:
        problem = Problem(of, rows, n_nodes, ramp, limits, numbers, warmth)
        chance = _Chance(
            lambda here: jnp.append(rates(here, numbers, warmth), 0.0),
            lambda here: jnp.append(outcomes(here, numbers), here[None], axis=0),
            jnp.append(ahead, jnp.full((1, MOST + 1), jnp.inf), axis=0),
        )

        def unfinished(loop: _Loop) -> jax.Array:
            more = (loop.batch.count < most) & (loop.time < ramp.duration)
            return jnp.asarray(more & ~loop.batch.failed)

        def advance(loop: _Loop) -> _Loop:
            size, last = _fit(loop, problem)
            trial = tried(problem, loop.unknowns, loop.time, size)
            good = jnp.isfinite(trial.error) & (limits.fixed | (trial.error <= 1.0))
            coming = _coming(chance, loop, trial, size, limits)
            end = jnp.where(last, ramp.duration, loop.time + size)
            accepted = _accepted(problem, chance, loop, trial, coming, (size, end))
            # A row that does not count is written over by the next trial: nothing is copied.
            written = accepted.batch._replace(count=loop.batch.count)
            same = loop._replace(batch=written)
            taken = _either(coming.cut, _cut(same, trial, coming), accepted)
            return _either(good, taken, _rejected(same, trial, size, limits))

        zero, here = jnp.array(0), chance.rates(unknowns)
        loop = _Loop(
            time, step, exact, unknowns, here, chance.ahead[:, 0], jnp.zeros(len(here), dtype=int),
            zero, step, zero, zero, _empty(len(stores), len(here)),
        )  # fmt: skip
        return jax.lax.while_loop(unfinished, advance, loop).batch

    return jax.jit(run)


def _empty(size: int, sites: int) -> Batch:
    row, whole = jnp.zeros(MOST), jnp.zeros(MOST, dtype=int)
    table, waits = jnp.zeros((MOST, size)), jnp.zeros((MOST, sites))
    return Batch(
        jnp.array(0), row, row, table, whole, whole, row, row, whole, table, waits,
        jnp.array(False), jnp.array(0.0),
    )  # fmt: skip


def _fit(loop: _Loop, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Step size that reaches the end without leaving a sliver, and whether it does."""
    left, limits = problem.ramp.duration - loop.time, problem.limits
    size = jnp.minimum(loop.step, limits.largest)
    pieces = jnp.maximum(1.0, jnp.ceil(left / size - 1e-9))
    even = (limits.fixed | (pieces <= 2.0)) & ~loop.exact
    return jnp.where(even, left / pieces, size), (pieces == 1.0) & ~loop.exact


def _coming(chance: _Chance, loop: _Loop, trial: Trial, size: jax.Array, limits: Limits) -> _Coming:
    rates, waits = chance.rates(trial.unknowns), loop.waits
    hazard = ExponentialHazard(0.0, size, loop.rates, rates)
    passed = hazard.total()
    due = passed >= (1.0 - CLOSE) * waits
    instants = jnp.where(due, hazard.instants(jnp.arange(len(waits)), waits), jnp.inf)
    site = jnp.argmin(instants.at[-1].set(2.0 * size))
    # What round-off has put off from the step before comes in as short a one as there is.
    shorter = jnp.maximum(instants[site], 2.0 * limits.smallest)
    close = (passed[site] <= (1.0 + CLOSE) * waits[site]) | (loop.cuts >= MOST_CUTS)
    return _Coming(site, shorter, ~close & (shorter < size), rates, passed)


def _cut(loop: _Loop, trial: Trial, coming: _Coming) -> _Loop:
    """Repeat the step such that it ends at what comes."""
    cuts, newton = loop.cuts + 1, loop.newton + trial.newton
    return loop._replace(step=coming.size, exact=jnp.array(True), cuts=cuts, newton=newton)


def _accepted(
    problem: Problem,
    chance: _Chance,
    loop: _Loop,
    trial: Trial,
    coming: _Coming,
    reached: tuple[jax.Array, jax.Array],
) -> _Loop:
    """Take a step of a size that has `reached` an end [s], and the event there."""
    (size, end), site, batch, k = reached, coming.site, loop.batch, loop.batch.count
    after = chance.outcomes(trial.unknowns)[site]
    happens = site < len(loop.waits) - 1
    come = loop.come.at[site].add(1)
    waits = (loop.waits - coming.passed).at[site].set(chance.ahead[site, come[site]])
    soon = jnp.minimum(loop.uncut, _soon(problem, after, end))
    following = jnp.where(happens, soon, _grown(loop, trial, size, end, problem))
    rows = {
        "time": end, "step": size, "unknowns": trial.unknowns,
        "newton": loop.newton + trial.newton, "rejected": loop.tried, "left": trial.left,
        "following": following, "site": site, "after": after, "waits": waits,
    }  # fmt: skip
    written = {name: getattr(batch, name).at[k].set(value) for name, value in rows.items()}
    batch, zero = batch._replace(count=k + 1, **written), jnp.array(0)
    rates = jnp.where(happens, chance.rates(after), coming.rates)
    return _Loop(
        end, following, jnp.array(False), after, rates, waits, come, zero, following, zero, zero,
        batch,
    )  # fmt: skip


def _grown(
    loop: _Loop, trial: Trial, size: jax.Array, end: jax.Array, problem: Problem
) -> jax.Array:
    """Step after an accepted one."""
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / ORDER)
    # The last step before the end may be short; what follows it need not.
    least = jnp.where(end == problem.ramp.duration, loop.uncut, 0.0)
    usual = jnp.maximum(size * jnp.clip(factor, SHRINK, GROWTH), least)
    return jnp.where(problem.limits.fixed, loop.uncut, usual)


def _soon(problem: Problem, unknowns: jax.Array, time: jax.Array) -> jax.Array:
    """Step [s] in which states go on by no more than some tolerances after an event."""
    residual, _ = problem.at(unknowns, problem.ramp.at(time))
    fastest = jnp.abs(jnp.where(problem.states, residual, 0.0)).max(initial=0.0)
    soon = FIRST_MOVE * problem.limits.tolerance / jnp.maximum(fastest, 1e-300)
    return jnp.maximum(soon, 10.0 * problem.limits.smallest)


def _rejected(loop: _Loop, trial: Trial, size: jax.Array, limits: Limits) -> _Loop:
    again = jnp.where(loop.tried > 0, AGAIN, 1.0)
    factor = SAFETY * jnp.maximum(trial.error, 1e-12) ** (-1.0 / ORDER)
    factor = jnp.where(jnp.isfinite(trial.error), jnp.clip(factor, SHRINK, again), SHRINK)
    step = size * factor
    batch = loop.batch._replace(failed=~(step >= limits.smallest), error=trial.error)
    newton = loop.newton + trial.newton
    return loop._replace(step=step, uncut=step, tried=loop.tried + 1, newton=newton, batch=batch)


def _either(good: jax.Array, one: _Loop, other: _Loop) -> _Loop:
    found: _Loop = jax.tree.map(lambda a, b: jnp.where(good, a, b), one, other)
    return found
