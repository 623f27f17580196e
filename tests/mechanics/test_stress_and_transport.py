"""Stress that acts back on transport: exact profiles, exact relaxation, one system or in turn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from ionstack.mechanics.film import FilmStack, Sheets, Substrate
from ionstack.physics.constants import AVOGADRO, BOLTZMANN, ELEMENTARY_CHARGE
from ionstack.physics.solids import Creep, Solid
from ionstack.solving.newton import Outcome, Scheme
from ionstack.stepping.companions import Companions
from ionstack.stress.stress_field import Stress, Stressed
from support.films import Film
from support.problems import fill, reservoir
from support.stateless import Stateless
from support.swelling_films import (
    DIFFUSIVITY,
    LENGTH,
    MOLAR,
    SLOPE,
    TEMPERATURE,
    THETA,
    VOLUME,
    clamp,
    content,
    depth,
    host,
    newton_of,
    step,
)

Floats = NDArray[np.float64]


def test_at_rest_the_density_follows_the_stress_exponentially():
    """Larche and Cahn: c = c0 exp(Omega sigma/kT) in a bar whose stress varies along it."""
    found = host(40)
    stress = np.linspace(-400e6, 400e6, 41)
    fields = {"stress": stress, "stress_slope": np.zeros(41)}
    found.system.set_outer(0, fields)
    fill(found, {"tracer": 2.0})
    newton = newton_of(found)
    for _ in range(3):
        step(found, newton, 1e6)
    logs = np.log(content(found))
    exact = VOLUME * stress / (BOLTZMANN * TEMPERATURE)
    assert np.abs(logs - exact - (logs - exact)[0]).max() < 1e-9
    weights = np.full(41, LENGTH / 40)
    weights[[0, -1]] /= 2
    assert content(found) @ weights == pytest.approx(2.0 * LENGTH, rel=1e-12)


def potential(c: Floats | float) -> Floats:
    """Integral of D_eff/D over the concentration [mol/m^3]."""
    return np.asarray(c + 0.5 * THETA * np.square(c))


def test_between_reservoirs_a_clamped_film_has_the_exact_profile_and_flow():
    """c + theta c^2/2 is linear in depth: the flux is -D (1 + theta c) dc/dx."""
    high, low = 2000.0, 10.0
    contacts = {
        "cathode": {"tracer": reservoir(high * AVOGADRO, 1e3)},
        "anode": {"tracer": reservoir(low * AVOGADRO, 1e3)},
    }
    errors = []
    for cells in (20, 40, 80):
        found = host(cells, contacts)
        clamp(found)
        share = depth(found) / LENGTH
        fill(found, {"tracer": high + share * (low - high)})
        newton = newton_of(found)
        for size in (1e-3, 1.0, 1e6, 1e6):
            step(found, newton, size)
        wanted = potential(high) + share * (potential(low) - potential(high))
        exact = (np.sqrt(1.0 + 2.0 * THETA * wanted) - 1.0) / THETA
        errors.append(np.abs(content(found) - exact).max() / high)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-4
    assert orders == pytest.approx(2.0, abs=0.1)


def test_a_ripple_decays_with_the_diffusivity_that_stress_raises():
    """D_eff/D = 1 + theta c = 3.561 at 2000 mol/m^3."""
    raised = 1.0 + THETA * 2000.0
    assert raised == pytest.approx(3.561240987, rel=1e-9)
    found = host(200)
    clamp(found)
    wave = np.cos(np.pi * depth(found) / LENGTH)
    fill(found, {"tracer": 2000.0 * (1.0 + 1e-4 * wave)})
    newton = newton_of(found)
    rate = raised * DIFFUSIVITY * (np.pi / LENGTH) ** 2
    time, count = 0.5 / rate, 400
    for _ in range(count):
        step(found, newton, time / count)
    left = (content(found)[0] - 2000.0) / 0.2
    # Implicit Euler of these steps, exactly.
    assert left == pytest.approx((1.0 + rate * time / count) ** -count, rel=2e-4)


class Curling(Stateless):
    """A film on a thin substrate that creeps: the stress of a node depends on all others."""

    solved = True

    def __init__(self, found: Film, slope: float) -> None:
        creep = Creep(rate=1e-2, stress=1e8, exponent=2.0)
        size = LENGTH / (len(found.volumes.node_volume) - 1)
        thickness = np.full(len(found.volumes.node_volume), size)
        thickness[[0, -1]] /= 2
        sheets = Sheets(Solid(100e9, 0.3, creep=creep), depth(found), thickness)
        substrate = Substrate(Solid(70e9, 0.2), LENGTH, 2.0 * LENGTH)
        self._films = FilmStack([sheets], substrate, found.volumes.comm)
        self._slope = slope

    def clamped(self) -> Stressed:
        return Stressed(*np.zeros((2, len(self._films.depth))))

    def solve(self, strain: Floats, step: float, heating: float) -> Stressed:
        self._trial = self._films.solve(strain / 3.0, step)
        stress = self._trial.stress
        return Stressed(2.0 / 3.0 * stress, np.full(len(stress), self._slope))

    def accept(self) -> bool:
        self._films.accept(self._trial)
        return False


def together(found: Film, stressed: Callable[[], object], scheme: Scheme) -> Floats:
    """Unknowns that solve transport and stress as one system: Newton's method without a matrix."""
    system = found.system

    def residual(u: Floats) -> Floats:
        system.unknowns.setArray(u)
        stressed()
        result = system.evaluate(scheme.history, scheme.lead, scheme.step, scheme.voltages)
        return np.asarray(result.residual)

    u = system.unknowns.getArray().copy()
    for _ in range(12):
        shifts = 1e-6 * np.eye(len(u))
        columns = [(residual(u + one) - residual(u - one)) / 2e-6 for one in shifts]
        change = np.linalg.solve(np.array(columns).T, -residual(u))
        u = u + change
        if np.abs(change).max() < 1e-13:
            break
    return u


@pytest.mark.parametrize("slope", [SLOPE, 0.0])
def test_solved_in_turn_it_is_what_one_system_gives(slope: float):
    """A step with creep and bending, in turn with and without the slope of the clamped film."""
    molar = MOLAR if slope else 3e-6
    contacts = {"cathode": {"tracer": reservoir(500.0 * AVOGADRO, 1e-7)}}
    found = host(10, contacts, molar)
    fill(found, {"tracer": 100.0})
    start = found.system.unknowns.getArray().copy()
    newton = newton_of(found)
    zero, none = np.zeros(found.layout.n_owned), np.zeros(2)
    solver = Curling(found, slope)
    stress = Stress(found.system, solver, np.zeros(11), 1e-10)
    companions = Companions(newton, [stress])
    before = newton.evaluate(Scheme(zero, 1.0, 0.0, none)).amounts
    scheme = Scheme(-before, 1.0, 0.3, none)
    result = companions.solve(scheme)
    assert result.outcome is Outcome.CONVERGED
    in_turn = found.system.unknowns.getArray().copy()
    assert companions.most > 1
    found.system.unknowns.setArray(start)
    stress.begin(0.3)
    whole = together(found, stress.solve, scheme)
    size = np.abs(whole - start).max()
    assert np.abs(in_turn - whole).max() < 1e-8 * max(size, 1.0)
    assert size > 1e-3
    # The stress is no small thing here.
    own = VOLUME * molar / MOLAR * np.abs(solver.solve(stress.strain(), 0.3, 0.0).stress).max()
    assert own > 1e-4 * ELEMENTARY_CHARGE
