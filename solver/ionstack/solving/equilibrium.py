"""Charge-neutral equilibrium from a cold start.

In equilibrium every electrochemical potential is constant over the regions that can
exchange the species. Those constants, the *levels*, are known where a metal supplies
the species, balance in every reaction, and follow from the given total amounts
otherwise. First each layer is made neutral by itself, which gives starting values
for levels and potentials; then Poisson's equation is solved with pinned potentials,
in an outer iteration on the levels.

A start *as given* keeps the contents of the species that no metal supplies, whether or
not the device is in equilibrium then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities, Region
from ionstack.assembly.equations import Pins, equilibrium_equations
from ionstack.assembly.neutrality import RANGE, Contents, NeutralLayer
from ionstack.errors import NumericsError
from ionstack.geometry.graph import ControlVolumes
from ionstack.models.levels import Levels, find_levels
from ionstack.models.model import Group, Model, RegionModel
from ionstack.solving.linear import Choice, LinearSolver
from ionstack.solving.newton import Newton, NewtonControl, Outcome, Scheme

Floats = NDArray[np.float64]
Start = Literal["equilibrium", "as_given"]

_AMOUNT_TOLERANCE = 1e-13
_EMPTY = 1e-15  # share of the given particles that counts as none
_LEVEL_STEP = 1e-5  # V
_MOST_OUTER = 60
# Of the levels: largest step [V], halvings of one that makes things worse, and the share
# of the surplus above which the slopes are taken anew.
_LARGEST_STEP, _MOST_HALVINGS, _SLOW = 0.3, 8, 0.3
# Largest update [V] and number of iterations: when the first fails, more careful ones.
_LIMITS = ((0.1, 200), (0.02, 1000))


@dataclass(frozen=True)
class Conserved:
    """A sum of amounts that nothing changes: groups with their factors."""

    species: str
    parts: tuple[tuple[Group, float], ...]


@dataclass(frozen=True)
class Equilibrium:
    """Levels [V] per group, Newton steps spent, the groups, and what is conserved."""

    groups: tuple[Group, ...]
    levels: Floats
    newton_steps: int
    conserved: tuple[Conserved, ...]


def find_equilibrium(
    transient: System, contents: Contents, solver: Choice, start: Start = "equilibrium"
) -> Equilibrium:
    """Put the transient system's unknowns into their state at the start, at 0 V (collective).

    Args:
        transient: system whose unknowns are set.
        contents: site fraction of each closed species in each layer. In equilibrium only
            the sum over the layers that can exchange the species is kept.
        solver: choice of linear solver.
        start: whether contents settle or stay as given.

    Raises:
        NumericsError: when Newton's method or the search of the levels fails.
    """
    return _Search(transient, contents, solver, start).run()


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


def _charged(model: Model, pins: Pins) -> Model:
    """Model in which a neutral layer whose contents are all given obeys Poisson's equation.

    Neutrality alone would leave its potential open.
    """

    def one(region: RegionModel) -> RegionModel:
        given = all(f"{region.name}/{held.name}" in pins.contents for held in region.species)
        return replace(region, neutral=region.neutral and not given)

    return replace(model, regions=tuple(map(one, model.regions)))


def without_search(system: System) -> Equilibrium:
    """What is conserved in a device whose state comes from elsewhere (collective)."""
    model = system.equations.model
    groups = find_groups(model, system.equations.volumes)
    known = find_levels(model, groups, frozenset())
    return Equilibrium(groups, known.particular, 0, _conserved(groups, known))


def _conserved(groups: tuple[Group, ...], known: Levels) -> tuple[Conserved, ...]:
    """Free directions of the levels, and species that stay where they are."""
    found = []
    for column in known.totals.T:
        parts = tuple((groups[k], float(column[k])) for k in np.flatnonzero(column))
        found.append(Conserved(parts[0][0].species, parts))
    return tuple(found)


class _Search:
    """State of one search."""

    def __init__(self, transient: System, contents: Contents, solver: Choice, start: Start) -> None:
        equations = transient.equations
        self.model, self.volumes = equations.model, equations.volumes
        self.layout, self.transient = equations.layout, transient
        self.contents = contents
        self.groups = find_groups(self.model, self.volumes)
        frozen = self._given() if start == "as_given" else None
        self.known: Levels = find_levels(self.model, self.groups, frozen)
        self.entities = Entities(self.model, self.volumes, self.layout)
        self.pins = self._pins()
        self.model = _charged(self.model, self.pins)
        self.entities = Entities(self.model, self.volumes, self.layout)
        self.system = System(
            equilibrium_equations(
                self.model,
                self.volumes,
                self.layout,
                self.pins,
                transient.equations.work_functions,
            )
        )
        self.system.outer = transient.outer
        linear = LinearSolver(self.system, solver)
        self.newtons = [
            Newton(self.system, linear, NewtonControl(1e-11, limit, most))
            for limit, most in _LIMITS
        ]
        self.layers = [self._layer(region.laws.name) for region in self.entities.regions]
        given = self._given_amounts()
        # Where a total is a difference of amounts it may vanish: errors are judged by the sum.
        self.totals = np.asarray(self.known.basis.T @ given)
        self.scale = np.asarray(np.abs(self.known.basis.T) @ given)
        self.steps = 0

    def _given(self) -> frozenset[int]:
        """Groups whose contents are given in every layer."""
        return frozenset(
            k
            for k, group in enumerate(self.groups)
            if all(group.species in self.contents.get(name, {}) for name in group.regions)
        )

    def _pins(self) -> Pins:
        groups, contents = {}, {}
        for k, group in enumerate(self.groups):
            for region in group.regions:
                if k in self.known.frozen:
                    content = self._own_content(region, group.species)
                    contents[f"{region}/{group.species}"] = np.log(content)
                else:
                    groups[region, group.species] = k
        return Pins(groups, contents, len(self.groups))

    def _region(self, name: str) -> Region:
        return next(one for one in self.entities.regions if one.laws.name == name)

    def _content(self, name: str, species: str) -> float | Floats:
        """Content given, one number or at the nodes of a region (collective)."""
        return self.entities.content(self._region(name), self.contents[name][species])

    def _own_content(self, name: str, species: str) -> float | Floats:
        """The same, at nodes that this rank owns."""
        content = self._content(name, species)
        return content if isinstance(content, float) else content[: len(self._region(name).owned)]

    def _layer(self, name: str) -> NeutralLayer:
        region = self.model.region(name)
        frozen = {
            one.name: self._content(name, one.name)
            for one in region.species
            if (name, one.name) not in self.pins.groups
        }
        return NeutralLayer(self.model, region, frozen)

    def _given_amounts(self) -> Floats:
        """Particles that the user put in, per group: content times sites times volume."""
        totals = np.zeros(len(self.groups))
        for k, group in enumerate(self.groups):
            for name in group.regions if k in self.known.counted else ():
                sites = self.model.region(name).held(group.species).site_density
                volume = self.volumes.node_volume[self._region(name).owned]
                x = self._own_content(name, group.species)
                totals[k] += sites * self.volumes.comm.allreduce(float(np.sum(x * volume)))
        return totals

    def run(self) -> Equilibrium:
        free = self._start()
        self._guess(free)
        self._solve(free)
        self._match(free)
        self._copy()
        levels = self.known.of(free)
        return Equilibrium(self.groups, levels, self.steps, self._conserved())

    def _conserved(self) -> tuple[Conserved, ...]:
        return _conserved(self.groups, self.known)

    def _start(self) -> Floats:
        """Free levels at which separately neutral layers hold the given totals."""
        free = np.zeros(self.known.basis.shape[1])
        for _ in range(3):
            for j in range(len(free)):
                free[j] = self._bisect(free, j)
        return free

    def _bisect(self, free: Floats, j: int) -> float:
        if not self._discerns(free, j):
            return 0.0
        low, high = -RANGE, RANGE
        for _ in range(50):
            free[j] = 0.5 * (low + high)
            if self._neutral_totals(free)[j] < self.totals[j]:
                low = free[j]
            else:
                high = free[j]
        return 0.5 * (low + high)

    def _discerns(self, free: Floats, j: int) -> bool:
        """Whether the level changes the amount in neutral layers.

        It does not where a fixed charge alone balances the species; the level then
        follows from the space charge at the contacts.
        """
        found = []
        for free[j] in (-0.3 * RANGE, 0.3 * RANGE):
            found.append(self._neutral_totals(free)[j])
        return bool(found[1] - found[0] > 1e-6 * self.scale[j])

    def _levels_in(self, layer: NeutralLayer, levels: Floats) -> dict[str, float]:
        name = layer.region.name
        found = {}
        for one in layer.region.species:
            k = self.pins.groups.get((name, one.name))
            found[one.name] = 0.0 if k is None else float(levels[k])
        return found

    def _neutral_totals(self, free: Floats) -> Floats:
        """Conserved totals of layers that are neutral by themselves (collective)."""
        levels = self.known.of(free)
        totals = np.zeros(len(self.groups))
        for region, layer in zip(self.entities.regions, self.layers, strict=True):
            own = self._levels_in(layer, levels)
            charge = self.entities.fixed_charge(region, region.owned)
            phi = layer.neutral(own, charge)
            volume = self.volumes.node_volume[region.owned]
            for name in own:
                k = self.pins.groups.get((region.laws.name, name))
                if k is not None:
                    totals[k] += volume @ layer.density(name, own, phi)
        return np.asarray(self.known.basis.T @ self.volumes.comm.allreduce(totals))

    def _guess(self, free: Floats) -> None:
        """Write the neutral layers' potentials and contents into the unknowns."""
        u = np.zeros(self.layout.n_local)
        levels = self.known.of(free)
        for region, layer in zip(self.entities.regions, self.layers, strict=True):
            own = self._levels_in(layer, levels)
            phi = layer.neutral(own, self.entities.fixed_charge(region, region.nodes))
            u[self.layout.phi[region.nodes]] = phi
        for region, layer in zip(self.entities.regions, self.layers, strict=True):
            # At an interface the potential is that of one of its layers.
            phi = u[self.layout.phi[region.nodes]]
            for name, level in self._levels_in(layer, levels).items():
                u[self.layout.species[name][region.nodes]] = layer.unknown(name, level, phi)
        self.system.unknowns.setArray(u[: self.layout.n_owned])
        self.system.refresh_ghosts()

    def _solve(self, free: Floats) -> None:
        self.system.set_levels(self.known.of(free))
        zero = np.zeros(self.layout.n_owned)
        voltages = np.zeros(len(self.volumes.contacts))
        for newton in self.newtons:
            result = newton.solve(Scheme(zero, 1.0, 0.0, voltages))
            self.steps += result.iterations
            if result.outcome is Outcome.CONVERGED:
                return
            self._guess(free)
        raise NumericsError(
            f"no equilibrium found at 0 V: {result.outcome.value} after {result.iterations} "
            f"iterations, also with updates of {_LIMITS[-1][0]:g} V at most (last update "
            f"{result.update:.3g} V, largest {self.system.worst_unknown()}); "
            "check the levels and contents of the layers"
        )

    def _match(self, free: Floats) -> None:
        """Broyden's iteration on the levels until every closed group holds its total."""
        if not len(free):
            return
        surplus = self._surplus()
        slopes = self._slopes(free, surplus)
        for _ in range(_MOST_OUTER):
            step = np.clip(_step_to_totals(slopes, surplus), -_LARGEST_STEP, _LARGEST_STEP)
            if np.abs(surplus).max() < _AMOUNT_TOLERANCE or np.abs(step).max() < 1e-15:
                break
            step, new = self._shorten(free, step, surplus)
            free += step
            if np.abs(new).max() < _SLOW * np.abs(surplus).max():
                slopes += np.outer(new - surplus - slopes @ step, step) / (step @ step)
            else:
                slopes = self._slopes(free, new)
            surplus = new
        # Round-off of the levels may leave a little more than the tolerance.
        self._solve(free)
        if np.abs(surplus).max() < 10.0 * _AMOUNT_TOLERANCE:
            return
        worst = self._conserved()[int(np.argmax(np.abs(surplus)))]
        raise NumericsError(
            f"no equilibrium found: the total of {worst.species} could not be matched; "
            "check that the layers can be neutral with the contents given"
        )

    def _shorten(self, free: Floats, step: Floats, surplus: Floats) -> tuple[Floats, Floats]:
        """Shorten a step until the surpluses do not grow; return it with the new ones."""
        for _ in range(_MOST_HALVINGS):
            self._solve(free + step)
            new = self._surplus()
            if np.abs(new).max() <= np.abs(surplus).max():
                break
            step = 0.5 * step
        return step, new

    def _slopes(self, free: Floats, surplus: Floats) -> Floats:
        """Changes of all surpluses with each free level, by differences [1/V]."""
        columns = []
        for j in range(len(free)):
            moved = free.copy()
            moved[j] += _LEVEL_STEP
            self._solve(moved)
            columns.append((self._surplus() - surplus) / _LEVEL_STEP)
        return np.array(columns).T

    def _surplus(self) -> Floats:
        """Surplus of each conserved total, see `_relative`."""
        self._copy()
        zero = np.zeros(self.layout.n_owned)
        voltages = np.zeros(len(self.volumes.contacts))
        amounts = self.transient.evaluate(zero, 1.0, 0.0, voltages).amounts
        found = np.zeros(len(self.groups))
        for k in sorted(self.known.counted):
            group = self.groups[k]
            found[k] = amounts[self.transient.members(group.species, group.regions)].sum()
        total = self.volumes.comm.allreduce(found, MPI.SUM)
        return _relative(self.known.basis.T @ total, self.totals, self.scale)

    def _copy(self) -> None:
        self.system.unknowns.copy(self.transient.unknowns)
        self.transient.refresh_ghosts()


def _relative(found: Floats, given: Floats, scale: Floats) -> Floats:
    """ln(found/given) of sums of amounts; of differences the surplus over what they count.

    Dilute amounts are exponentials of the levels, so their logarithms are nearly linear.
    """
    sums = given == scale
    surplus = (found - given) / scale
    held = np.where(sums, np.maximum(surplus, _EMPTY - 1.0), 0.0)
    return np.asarray(np.where(sums, np.log1p(held), surplus))


def _step_to_totals(slopes: Floats, surplus: Floats) -> Floats:
    """Change of the free levels [V] that takes the surpluses away."""
    try:
        return np.asarray(np.linalg.solve(slopes, -surplus))
    except np.linalg.LinAlgError:
        raise NumericsError(
            "no equilibrium found: the totals do not change with the electrochemical "
            "potentials; check the levels and contents of the layers"
        ) from None
