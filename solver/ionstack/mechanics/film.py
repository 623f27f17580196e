"""Stress of a stack of films that is thin against its width, in closed form.

Far from the edges the stress is equal in both directions of the plane and vanishes across,
and the strain in the plane is linear through the thickness: e = stretch + bend (z - middle).
On a rigid clamp both are zero. With a substrate they follow from the balance of forces and
moments (multilayer beam: Townsend, Barnett, Brunner, J. Appl. Phys. 62, 4438 (1987); its
limit of thin films is Stoney's formula, Proc. R. Soc. A 82, 172 (1909)).

A clamped film does not strain the metal on top of it. What strains a metal besides is given
from outside, see `physics.roughness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.physics.plasticity import equivalent_flow
from ionstack.physics.solids import Solid

Floats = NDArray[np.float64]

# Newton's method for stretch and bend: most iterations, and what is left of the largest stress.
_MOST, _LEFT = 50, 1e-13


@dataclass(frozen=True)
class Sheets:
    """Thin sheets of one solid: their depths [m] below the top and thicknesses [m]."""

    solid: Solid
    depth: Floats
    thickness: Floats


@dataclass(frozen=True)
class Substrate:
    """An elastic substrate below the films that bends with them; top at `depth` [m]."""

    solid: Solid
    depth: float
    thickness: float


class Strains(NamedTuple):
    """Plastic strain in the plane and equivalent plastic strain of every sheet."""

    plastic: Floats
    equivalent: Floats


@dataclass(frozen=True)
class FilmTrial:
    """Stress in the plane [Pa] of every sheet and its slope along the strain there [Pa].

    `strains` after the step; `stretch` and `bend` [1/m] of the stack; `across` is the strain
    through the thickness besides the part that swelling itself has there.
    """

    stress: Floats
    slope: Floats
    strains: Strains
    stretch: float
    bend: float
    across: Floats


class FilmStack:
    """Sheets of several solids, clamped or on a substrate; remembers plastic strains."""

    def __init__(
        self, sheets: Sequence[Sheets], substrate: Substrate | None, comm: MPI.Comm
    ) -> None:
        """`sheets` are those of this rank; without a `substrate` the stack is clamped.

        Sheets that only mirror those of other ranks have no thickness.
        """
        self._sheets, self._substrate, self._comm = tuple(sheets), substrate, comm
        self.depth = np.concatenate([one.depth for one in sheets])
        self.thickness = np.concatenate([one.thickness for one in sheets])
        ends = np.cumsum([len(one.depth) for one in sheets])
        self.parts = [
            slice(end - len(one.depth), end) for one, end in zip(sheets, ends, strict=True)
        ]
        self.strains = Strains(*np.zeros((2, len(self.depth))))

    def solve(self, free: Floats, step: float, heating: float = 0.0) -> FilmTrial:
        """Stress after a step [s] from the accepted strains (collective).

        Args:
            free: strain in the plane that every sheet would have if it were free.
            step: time step [s], for creep.
            heating: rise of the temperature [K] since the films were deposited.
        """
        stretch = bend = 0.0
        if self._substrate is None:
            return self._trial(free, step, heating, stretch, bend)
        middle = self._middle
        for _ in range(_MOST):
            found = self._trial(free, step, heating, stretch, bend)
            force, stiffness = self._balance(found, heating)
            change = np.linalg.solve(stiffness, -force)
            stretch, bend = stretch + float(change[0]), bend + float(change[1])
            if np.all(np.abs(stiffness @ change) <= _LEFT * self._scale(found, middle)):
                break
        return self._trial(free, step, heating, stretch, bend)

    def accept(self, trial: FilmTrial) -> None:
        """Keep the plastic strains of a trial."""
        self.strains = trial.strains

    @property
    def _middle(self) -> float:
        assert self._substrate is not None
        return self._substrate.depth + 0.5 * self._substrate.thickness

    def _trial(
        self, free: Floats, step: float, heating: float, stretch: float, bend: float
    ) -> FilmTrial:
        arm = self.depth - (self._middle if self._substrate else 0.0)
        total = stretch + bend * arm
        stress, slope, plastic, added, across = np.zeros((5, len(total)))
        for one, part in zip(self._sheets, self.parts, strict=True):
            solid, strain = one.solid, total[part] - free[part]
            strain = strain - solid.thermal_expansion * heating - self.strains.plastic[part]
            modulus = solid.biaxial_modulus
            tried = modulus * strain + solid.residual_stress
            amount, rise = equivalent_flow(
                solid, 0.5 * modulus, np.abs(tried), self.strains.equivalent[part], step
            )
            sign = np.sign(tried)
            stress[part] = tried - 0.5 * modulus * sign * amount
            slope[part] = modulus * (1.0 - 0.5 * modulus * rise)
            added[part] = amount
            plastic[part] = self.strains.plastic[part] + 0.5 * sign * amount
            elastic = -2.0 * solid.poisson_ratio / solid.young_modulus
            across[part] = (
                elastic * (stress[part] - solid.residual_stress)
                + solid.thermal_expansion * heating
                - 2.0 * plastic[part]
            )
        strains = Strains(plastic, self.strains.equivalent + added)
        return FilmTrial(stress, slope, strains, stretch, bend, across)

    def _balance(self, found: FilmTrial, heating: float) -> tuple[Floats, Floats]:
        """Force [N/m] and moment [N] about the substrate's middle, and their slopes."""
        assert self._substrate is not None
        solid, height = self._substrate.solid, self._substrate.thickness
        arm = self.depth - self._middle
        pull, stiff = found.stress * self.thickness, found.slope * self.thickness
        own = [pull.sum(), pull @ arm, stiff.sum(), stiff @ arm, stiff @ arm**2]
        force, moment, first, second, third = self._comm.allreduce(np.array(own))
        modulus = solid.biaxial_modulus
        strain = found.stretch - solid.thermal_expansion * heating
        force += modulus * height * strain
        moment += modulus * height**3 / 12.0 * found.bend
        slopes = [
            [first + modulus * height, second],
            [second, third + modulus * height**3 / 12.0],
        ]
        return np.array([force, moment]), np.array(slopes)

    def _scale(self, found: FilmTrial, middle: float) -> Floats:
        """Sizes of force and moment against which the rest is judged."""
        largest = self._comm.allreduce(float(np.abs(found.stress).max(initial=0.0)), MPI.MAX)
        force = max(largest, 1.0) * self._comm.allreduce(float(self.thickness.sum()))
        return np.array([force, force * middle])
