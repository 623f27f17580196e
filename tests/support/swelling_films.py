"""A film that a neutral species swells, and steps of its transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.physics.constants import AVOGADRO
from ionstack.physics.solids import Solid
from ionstack.solving.linear import LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme
from support.films import Film, bound, film, model, slab, species

Floats = NDArray[np.float64]

HOST = Solid(100e9, 0.3)
MOLAR = 1e-5  # m^3/mol
VOLUME = MOLAR / AVOGADRO
LENGTH, TEMPERATURE, DIFFUSIVITY = 100e-9, 298.15, 1e-14
# Relative rise of the diffusivity per mol/m^3 in a clamped film (references: chemo-mechanics).
THETA = 0.001280620493
SLOPE = -2.0 / 9.0 * HOST.biaxial_modulus


def host(cells: int, contacts: Mapping[str, Any] | None = None, molar: float = MOLAR) -> Film:
    """A film with a neutral species of 1 mol/m^3 at content 1 that swells it."""
    held = species(
        "tracer", 0, "boltzmann", AVOGADRO, bound("transport", "sedan", diffusivity=DIFFUSIVITY)
    )
    swelling = bound("swelling", "partial_volume", partial_molar_volume=molar)
    chosen = model((replace(held, swelling=swelling),), 10.0, TEMPERATURE, contacts=contacts)
    return film(slab(LENGTH, LENGTH / cells), chosen)


def clamp(found: Film, stress: Floats | float = 0.0) -> None:
    """Stress of a clamped elastic film that is free of it when empty, on top of a given one."""
    count = found.layout.n_local // 2
    line = {"stress": np.zeros(count) + stress, "stress_slope": np.full(count, SLOPE)}
    found.system.set_outer(0, line)


def depth(found: Film) -> Floats:
    return np.asarray(found.volumes.depth)


def content(found: Film) -> Floats:
    """mol/m^3 at the nodes."""
    u = found.system.local_unknowns()[found.layout.species["tracer"]]
    return np.asarray(np.exp(u / found.system.thermal_voltage))


def step(found: Film, newton: Newton, size: float) -> None:
    zero, none = np.zeros(found.layout.n_owned), np.zeros(2)
    before = newton.evaluate(Scheme(zero, 1.0, 0.0, none)).amounts
    assert newton.solve(Scheme(-before, 1.0, size, none)).outcome is Outcome.CONVERGED


def newton_of(found: Film, tolerance: float = 1e-12) -> Newton:
    return Newton(
        found.system, LinearSolver(found.system, "lu"), NewtonControl(tolerance=tolerance)
    )
