"""Charge-neutral equilibrium from a cold start.

In equilibrium every electrochemical potential is constant over the regions that can
exchange the species. Those constants, the *levels*, are zero where a metal supplies
the species (the metals' Fermi level at 0 V) and follow from the given total amount
where none does. First each layer is made neutral by itself, which gives starting
values for levels and potentials; then Poisson's equation is solved with pinned
potentials, in an outer iteration on the levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.optimize import brentq

from ionstack.assemble import System
from ionstack.equations import equilibrium_equations
from ionstack.errors import NumericsError
from ionstack.graph import ControlVolumes
from ionstack.layout import Layout
from ionstack.linear import Choice, LinearSolver
from ionstack.model import Group, Model, RegionModel, SpeciesModel
from ionstack.newton import Newton, NewtonControl, Outcome, Scheme
from ionstack.physics.constants import thermal_voltage

Floats = NDArray[np.float64]
Contents = Mapping[str, Mapping[str, float]]

# Reduced chemical potentials at which a layer's neutrality is tabulated.
_ETA = np.linspace(-250.0, 250.0, 5001)
_RANGE = 12.0  # V, of levels and of the layers' potentials
_AMOUNT_TOLERANCE = 1e-13
_LEVEL_STEP = 1e-5  # V
_MOST_OUTER = 60


@dataclass(frozen=True)
class Equilibrium:
    """Levels [V] per group, Newton steps spent, and the groups themselves."""

    groups: tuple[Group, ...]
    levels: Floats
    newton_steps: int


def find_equilibrium(
    model: Model,
    volumes: ControlVolumes,
    layout: Layout,
    transient: System,
    contents: Contents,
    solver: Choice,
) -> Equilibrium:
    """Put the transient system's unknowns into equilibrium at 0 V (collective).

    Args:
        model: laws and numbers.
        volumes: geometry.
        layout: numbering of the unknowns, shared with `transient`.
        transient: system whose unknowns are set.
        contents: site fraction of each closed species in each layer, whose sum
            over the layers is the conserved total.
        solver: choice of linear solver.

    Raises:
        NumericsError: when Newton's method or the search of the levels fails.
    """
    groups = find_groups(model, volumes)
    search = _Search(model, volumes, layout, transient, groups, contents, solver)
    return search.run()


def find_groups(model: Model, volumes: ControlVolumes) -> tuple[Group, ...]:
    """Groups of connected regions of every species, see `Model.groups`."""
    touched: dict[str, set[str]] = {}
    for contact, node in zip(volumes.face_contact, volumes.face_node, strict=True):
        region = volumes.regions[volumes.node_region[node]]
        touched.setdefault(volumes.contacts[contact], set()).add(region)
    merged = {
        name: set().union(*(part.get(name, set()) for part in volumes.comm.allgather(touched)))
        for name in volumes.contacts
    }
    return tuple(group for name in model.valences for group in model.groups(name, merged))


def _chemical_table(model: Model, region: RegionModel, one: SpeciesModel) -> tuple[Floats, Floats]:
    """Chemical part of the electrochemical potential [kT] and density over a range of eta."""
    thermal = thermal_voltage(model.temperature)
    given = {name: number.value for name, number in one.statistics.numbers.items()}
    eta = jnp.asarray(_ETA)
    occupation = one.statistics.law.function(eta, given, jnp.asarray(thermal))
    chemical = _ETA + one.level / thermal
    if one.excess is not None:
        numbers = {name: number.value for name, number in one.excess.numbers.items()}
        chemical = chemical + np.asarray(
            one.excess.law.function(occupation.x, numbers, jnp.asarray(thermal))
        )
    return chemical, one.site_density * np.asarray(occupation.x)


class _Layer:
    """Neutrality of one layer by itself, from tables."""

    def __init__(self, model: Model, region: RegionModel, volume: float) -> None:
        self.region = region
        self.volume = volume
        self._thermal = thermal_voltage(model.temperature)
        self._tables = {one.name: _chemical_table(model, region, one) for one in region.species}

    def density(self, name: str, level: float, phi: Floats | float) -> Floats:
        """Density [1/m^3] at an electrochemical potential [V] and potential [V]."""
        chemical, density = self._tables[name]
        z = next(one.z for one in self.region.species if one.name == name)
        wanted = (level - z * np.asarray(phi)) / self._thermal
        return np.asarray(np.exp(np.interp(wanted, chemical, np.log(density))))

    def unknown(self, name: str, level: float, phi: float) -> float:
        """Unknown of a species [V] at an electrochemical potential and potential [V]."""
        chemical, _ = self._tables[name]
        one = next(one for one in self.region.species if one.name == name)
        wanted = (level - one.z * phi) / self._thermal
        eta = float(np.interp(wanted, chemical, _ETA))
        return one.level + self._thermal * eta + one.z * phi

    def neutral(self, levels: Mapping[str, float]) -> float:
        """Potential [V] at which the layer's charge vanishes."""

        def charge(phi: float) -> float:
            parts = (
                one.z * float(self.density(one.name, levels[one.name], phi))
                for one in self.region.species
            )
            return self.region.fixed_charge + sum(parts)

        # The charge falls monotonically with the potential.
        if charge(-_RANGE) <= 0.0:
            return -_RANGE
        if charge(_RANGE) >= 0.0:
            return _RANGE
        return float(brentq(charge, -_RANGE, _RANGE, xtol=1e-10))


class _Search:
    """State of one equilibrium search."""

    def __init__(
        self,
        model: Model,
        volumes: ControlVolumes,
        layout: Layout,
        transient: System,
        groups: tuple[Group, ...],
        contents: Contents,
        solver: Choice,
    ) -> None:
        self.model, self.volumes, self.layout = model, volumes, layout
        self.transient, self.groups = transient, groups
        self.group_of = {
            (region, group.species): k for k, group in enumerate(groups) for region in group.regions
        }
        equations = equilibrium_equations(model, volumes, layout, self.group_of)
        self.system = System(equations)
        self.newton = Newton(
            self.system, LinearSolver(self.system, solver), NewtonControl(1e-11, 0.1, 200)
        )
        self.layers = [
            _Layer(model, model.region(name), volume)
            for name, volume in zip(volumes.regions, self._volumes(), strict=True)
        ]
        self.closed = [k for k, group in enumerate(groups) if not group.open]
        self.totals = {k: self._given_total(k, contents) for k in self.closed}
        self.steps = 0

    def _volumes(self) -> Floats:
        owned = slice(self.volumes.n_owned_nodes)
        local = np.bincount(
            self.volumes.node_region[owned],
            self.volumes.node_volume[owned],
            len(self.volumes.regions),
        )
        return np.asarray(self.volumes.comm.allreduce(local))

    def _given_total(self, k: int, contents: Contents) -> float:
        """Particles that the user put in: content times sites times volume."""
        group = self.groups[k]
        total = 0.0
        for layer in self.layers:
            one = layer.region.find(group.species)
            if layer.region.name in group.regions and one is not None:
                total += (
                    contents[layer.region.name][group.species] * one.site_density * layer.volume
                )
        return total

    def run(self) -> Equilibrium:
        levels = self._start()
        self._guess(levels)
        self._solve(levels)
        self._match(levels)
        self._copy()
        return Equilibrium(self.groups, levels, self.steps)

    def _start(self) -> Floats:
        """Levels at which separately neutral layers hold the given totals."""
        levels = np.zeros(len(self.groups))
        for _ in range(3):
            for k in self.closed:
                levels[k] = self._bisect(levels, k)
        return levels

    def _bisect(self, levels: Floats, k: int) -> float:
        if not self._discerns(levels, k):
            return 0.0
        low, high = -_RANGE, _RANGE
        for _ in range(50):
            levels[k] = 0.5 * (low + high)
            if self._neutral_total(levels, k) < self.totals[k]:
                low = levels[k]
            else:
                high = levels[k]
        return 0.5 * (low + high)

    def _discerns(self, levels: Floats, k: int) -> bool:
        """Whether the level changes the amount in neutral layers.

        It does not where a fixed charge alone balances the species; the level then
        follows from the space charge at the contacts.
        """
        totals = []
        for levels[k] in (-0.3 * _RANGE, 0.3 * _RANGE):
            totals.append(self._neutral_total(levels, k))
        return totals[1] - totals[0] > 1e-6 * self.totals[k]

    def _levels_in(self, layer: _Layer, levels: Floats) -> dict[str, float]:
        name = layer.region.name
        return {
            one.name: float(levels[self.group_of[name, one.name]]) for one in layer.region.species
        }

    def _neutral_total(self, levels: Floats, k: int) -> float:
        group, total = self.groups[k], 0.0
        for layer in self.layers:
            if layer.region.name in group.regions and layer.region.find(group.species):
                own = self._levels_in(layer, levels)
                phi = layer.neutral(own)
                total += layer.volume * float(layer.density(group.species, levels[k], phi))
        return total

    def _guess(self, levels: Floats) -> None:
        """Write the neutral layers' potentials and contents into the unknowns."""
        u = np.zeros(self.layout.n_local)
        region_of = self.volumes.node_region[self.layout.node]
        for index, layer in enumerate(self.layers):
            own = self._levels_in(layer, levels)
            phi = layer.neutral(own)
            here = region_of == index
            u[here & (self.layout.field == 0)] = phi
            for k, name in enumerate(self.layout.names, start=1):
                if name in own:
                    u[here & (self.layout.field == k)] = layer.unknown(name, own[name], phi)
        self.system.unknowns.setArray(u[: self.layout.n_owned])
        self.system.refresh_ghosts()

    def _solve(self, levels: Floats) -> None:
        self.system.set_levels(levels)
        zero = np.zeros(self.layout.n_owned)
        voltages = np.zeros(len(self.volumes.contacts))
        result = self.newton.solve(Scheme(zero, 1.0, 0.0, voltages))
        self.steps += result.iterations
        if result.outcome is not Outcome.CONVERGED:
            raise NumericsError(
                f"no equilibrium found at 0 V: {result.outcome.value} after "
                f"{result.iterations} iterations (last update {result.update:.3g} V); "
                "check the levels and contents of the layers"
            )

    def _match(self, levels: Floats) -> None:
        """Broyden's iteration on the levels until every closed group holds its total."""
        if not self.closed:
            return
        surplus = self._surplus()
        slopes = self._slopes(levels, surplus)
        for _ in range(_MOST_OUTER):
            step = np.clip(np.linalg.solve(slopes, -surplus), -0.3, 0.3)
            if np.abs(surplus).max() < _AMOUNT_TOLERANCE or np.abs(step).max() < 1e-15:
                break
            levels[self.closed] += step
            self._solve(levels)
            new = self._surplus()
            slopes += np.outer(new - surplus - slopes @ step, step) / (step @ step)
            surplus = new
        # Round-off of the levels may leave a little more than the tolerance.
        self._solve(levels)
        if np.abs(surplus).max() < 10.0 * _AMOUNT_TOLERANCE:
            return
        worst = self.groups[self.closed[int(np.argmax(np.abs(surplus)))]]
        raise NumericsError(
            f"no equilibrium found: the total of {worst.species} could not be matched; "
            "check that the layers can be neutral with the contents given"
        )

    def _slopes(self, levels: Floats, surplus: Floats) -> Floats:
        """Changes of all surpluses with each closed level, by differences [1/V]."""
        columns = []
        for k in self.closed:
            moved = levels.copy()
            moved[k] += _LEVEL_STEP
            self._solve(moved)
            columns.append((self._surplus() - surplus) / _LEVEL_STEP)
        return np.array(columns).T

    def _surplus(self) -> Floats:
        """Relative surplus of each closed group over its total."""
        self._copy()
        zero = np.zeros(self.layout.n_owned)
        voltages = np.zeros(len(self.volumes.contacts))
        amounts = self.transient.evaluate(zero, 1.0, 0.0, voltages).amounts
        found = []
        for k in self.closed:
            group = self.groups[k]
            mine = amounts[self.transient.members(group.species, group.regions)].sum()
            total = float(self.volumes.comm.allreduce(mine, MPI.SUM))
            found.append(total / self.totals[k] - 1.0)
        return np.array(found)

    def _copy(self) -> None:
        self.system.unknowns.copy(self.transient.unknowns)
        self.transient.refresh_ghosts()
