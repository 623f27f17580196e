"""Accepted states of a run, and what controls the steps between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.protocols.drive import Limit
from ionstack.randomness.random_events import Event

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StepControl:
    """Step sizes [s] and the local error allowed per step [V].

    `fixed` switches error control off and divides each interval between
    breakpoints evenly into steps of at most that size.
    """

    tolerance: float = 5e-4
    smallest: float = 1e-12
    largest: float = np.inf
    initial: float | None = None
    fixed: float | None = None


@dataclass(frozen=True)
class State:
    """An accepted state. `unknowns` [V] are this rank's owned ones (see `Layout`).

    `voltages` and `currents` are those of the contacts, `charges` those on the metals [C],
    `applied` what the sources are set to [V or A],
    `passed` those [C] that went through each source since the start. `circuit` are the unknowns
    of the circuit and `kirchhoff` the largest sum of currents at one of its nodes [A].
    `order` is that of the formula that led here, `interval` the number of intervals that have
    begun, `following` the one that comes next (the same number, unless `ended` by a limit).
    """

    time: float
    step: float
    voltages: Floats
    currents: Floats
    unknowns: Floats
    amounts: Floats
    newton: int
    rejected: int
    at_breakpoint: bool
    charges: Floats
    applied: Floats
    circuit: Floats
    passed: Floats
    kirchhoff: float = 0.0
    order: int = 0
    interval: int = 0
    following: int = 0
    ended: Limit | None = None
    events: tuple[Event, ...] = ()


# Reads the quantity of a limit from a state and the charge that passed before its step began.
Meter = Callable[[Limit, State, Floats], float]
