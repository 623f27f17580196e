"""Steady states along a sequence of voltages.

Every species must be supplied by a contact or made by a reaction: amounts that nothing
determines make the equations singular.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.errors import NumericsError
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.solving.newton import Newton, NewtonResult, Outcome, Scheme

Floats = NDArray[np.float64]

# Parts into which a step of the voltages may be divided.
_FINEST = 2.0**-12
_MOST_POINTS = 3


@dataclass(frozen=True)
class SteadyState:
    """A solution: voltages [V] and currents into the device [A] of the contacts."""

    voltages: Floats
    currents: Floats
    unknowns: Floats
    newton: int


class Steady:
    """Follows the steady state of a system from its present unknowns at given voltages."""

    def __init__(self, system: System, newton: Newton, voltages: Floats | None = None) -> None:
        contacts = len(system.equations.volumes.contacts)
        self.system, self.newton = system, newton
        start = np.zeros(contacts) if voltages is None else np.asarray(voltages)
        self._past: list[tuple[Floats, Floats]] = [(start, self._unknowns())]
        self.newton_steps = 0

    def follow(self, voltages: Iterable[Floats]) -> Iterator[SteadyState]:
        """Yield the solution at every point, with smaller steps between where needed.

        Raises:
            NumericsError: when no step is small enough.
        """
        for target in voltages:
            before = self.newton_steps
            self._reach(np.asarray(target, dtype=np.float64))
            yield self._state(self.newton_steps - before)

    def _reach(self, target: Floats) -> None:
        """Go from the last point to `target`; halve the step on failure, double on success."""
        start = self._past[-1][0]
        done, share = 0.0, 1.0
        while done < 1.0:
            share = min(share, 1.0 - done)
            point = target if done + share == 1.0 else start + (done + share) * (target - start)
            result = self._solve(point)
            if result.outcome is Outcome.CONVERGED:
                done, share = done + share, 2.0 * share
                continue
            share *= 0.5
            if share < _FINEST:
                raise NumericsError(self._failure(point, result))

    def _solve(self, voltages: Floats) -> NewtonResult:
        self._set(self._guess(voltages))
        result = self.newton.solve(self._scheme(voltages))
        self.newton_steps += result.iterations
        if result.outcome is Outcome.CONVERGED:
            self._past = [*self._past[1 - _MOST_POINTS :], (voltages, self._unknowns())]
        return result

    def _guess(self, voltages: Floats) -> Floats:
        """Polynomial through the last points as far as they lie on a line with this one."""
        last, base = self._past[-1]
        ahead = voltages - last
        length = float(np.linalg.norm(ahead))
        if length == 0.0:
            return base
        places, known = [0.0], [base]
        for point, unknowns in self._past[-2::-1]:
            place = float((point - last) @ ahead) / length
            aside = np.linalg.norm(point - last - place / length * ahead)
            # Points behind a turn, beside the line or too near say nothing.
            if place >= places[-1] - 0.1 * length or aside > 1e-6 * length:
                break
            places.append(place)
            known.append(unknowns)
        return _extrapolated(places, known, length)

    def _scheme(self, voltages: Floats) -> Scheme:
        return Scheme(np.zeros(self.system.layout.n_owned), 0.0, 1.0, voltages)

    def _set(self, unknowns: Floats) -> None:
        self.system.unknowns.setArray(unknowns)
        self.system.refresh_ghosts()

    def _unknowns(self) -> Floats:
        return np.array(self.system.unknowns.getArray(readonly=1))

    def _state(self, newton: int) -> SteadyState:
        voltages, unknowns = self._past[-1]
        outflow = self.newton.evaluate(self._scheme(voltages)).outflow
        if self.system.comm.size > 1:
            outflow = self.system.comm.allreduce(outflow)
        return SteadyState(voltages, -ELEMENTARY_CHARGE * outflow, unknowns, newton)

    def _failure(self, voltages: Floats, result: NewtonResult) -> str:
        names = self.system.equations.volumes.contacts
        values = zip(names, voltages, strict=True)
        levels = ", ".join(f"{name} {value:.4g} V" for name, value in values)
        return (
            f"no steady state found at {levels}: {result.outcome.value} (last update "
            f"{result.update:.3g} V, largest {self.system.worst_unknown()})"
        )


def _extrapolated(places: list[float], known: list[Floats], where: float) -> Floats:
    """Value at `where` of the polynomial through known values."""
    result = np.zeros_like(known[0])
    for i, (place, values) in enumerate(zip(places, known, strict=True)):
        others = [other for j, other in enumerate(places) if j != i]
        result += np.prod([(where - other) / (place - other) for other in others]) * values
    return result
