"""Thermal noise of flows and reactions: what their laws, which are means, leave out.

Within a time t a flow or reaction of the conductance G brings normal numbers of the variance 2 G t
of particles besides, independent from edge to edge and node to node. They stay for a
correlation time, whose ends are ends of time steps: so what happens in between is smooth, and
depends on the steps no more than without noise. Strengths are those at the begin (Ito). Every
number follows from seed, species or reaction, place in the mesh and count of the times before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities, Region
from ionstack.assembly.fluctuations import Measure, edge_conductance, reaction_conductance, room
from ionstack.assembly.terms import State
from ionstack.models.carriers import node_batch
from ionstack.models.model import ReactionModel
from ionstack.output.checkpoint import Memory
from ionstack.randomness.random_streams import Stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Largest standard deviation over the particles that a node has, or exchanges in the time.
SHARE = 0.05


@dataclass(frozen=True)
class _Source:
    """One flow or reaction: its numbers, where they go with which factor, its conductance."""

    stream: Stream
    sites: Ints
    rows: tuple[tuple[Ints, float], ...]
    conductance: Measure


class ThermalNoise:
    """Noise of all flows and reactions that the model names; none if there are none."""

    def __init__(self, system: System, seed: int = 0) -> None:
        """Find edges and nodes (collective)."""
        self._system = system
        model = system.equations.model.noise
        self._time = inf if model is None else model.correlation_time
        self._sources = tuple(_sources(system, seed))
        self._end, self._count, self._limited = inf, 0, 0.0
        self.rates: Floats = np.zeros(system.layout.n_owned)

    def stop(self, end: float) -> float:
        """Time [s] at which a step has to end, `end` at the latest."""
        return min(end, self._end)

    def accept(self, time: float) -> bool:
        """Whether noise was drawn anew since it ended at this time [s] (collective)."""
        over = time >= self._end
        if over:
            self.renew(time)
        return over

    def renew(self, time: float) -> None:
        """Draw anew for the time from now on [s], from the present unknowns (collective)."""
        if not self._sources:
            return
        conductances, rooms = self._measured()
        capacity = self._capacity(conductances, rooms)
        rates, limited = np.zeros(self._system.layout.n_local), []
        for source, conductance in zip(self._sources, conductances, strict=True):
            normal = source.stream.normal(source.sites, self._count)
            spread = np.sqrt(2.0 * conductance * self._time)
            most = np.min([capacity[row] / abs(factor) for row, factor in source.rows], axis=0)
            drawn = np.minimum(spread, SHARE * most) * normal
            limited.append(spread > SHARE * most)
            for row, factor in source.rows:
                np.add.at(rates, row, factor / self._time * drawn)
        self.rates = rates[: self._system.layout.n_owned]
        self._limited += float(np.mean(np.concatenate(limited))) if limited else 0.0
        self._end, self._count = time + self._time, self._count + 1

    def memory(self) -> Memory:
        """What `recall` needs."""
        if not self._sources:
            return Memory({})
        plain = {"end": self._end, "count": self._count, "limited": self._limited}
        return Memory(plain, {"noise": self.rates})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood."""
        if not self._sources:
            return
        own = memory.plain
        self._end, self._count, self._limited = own["end"], own["count"], own["limited"]
        self.rates = memory.owned["noise"]

    def entries(self) -> dict[str, Any]:
        """How often noise was drawn, and which share of it was held small, for the summary."""
        if not self._sources:
            return {}
        return {
            "noise.drawn": self._count,
            "noise.limited [1]": self._limited / max(self._count, 1),
        }

    def _capacity(self, conductances: list[Floats], rooms: list[Floats]) -> Floats:
        """Particles each local unknown has room for and exchanges in the time (collective)."""
        layout = self._system.layout
        found = np.zeros(layout.n_local)
        for (row, _), values in zip(self._rooms, rooms, strict=True):
            np.add.at(found, row, values)
        for source, conductance in zip(self._sources, conductances, strict=True):
            for row, factor in source.rows:
                np.add.at(found, row, abs(factor) * self._time * conductance)
        return self._system.with_ghosts(found[: layout.n_owned])

    @cached_property
    def _rooms(self) -> tuple[tuple[Ints, Measure], ...]:
        """Owned unknowns of all that moves, and what there is room for."""
        entities, layout = _entities(self._system), self._system.layout
        return tuple(
            (layout.species[one.name][region.owned], room(region.index, one.name))
            for region in entities.regions
            for one in region.laws.species
        )

    def _measured(self) -> tuple[list[Floats], list[Floats]]:
        """Conductances [1/s] of all sources and rooms of all species in the present state."""
        equations = self._system.equations
        found = self._compiled(
            self._system.local_unknowns(),
            jnp.asarray(equations.model.temperature),
            self._system.outer,
            dict(equations.numbers),
        )
        conductances, rooms = ([np.asarray(one) for one in part] for part in found)
        return conductances, rooms

    @cached_property
    def _compiled(self) -> Any:
        equations = self._system.equations
        arrays, regions = equations.arrays, _entities(self._system).regions
        measures = [one.conductance for one in self._sources], [one for _, one in self._rooms]

        def measured(u: Any, temperature: Any, outer: Any, numbers: Any) -> Any:
            batches = []
            for region, fields in zip(regions, outer, strict=True):
                unknowns = arrays["nodes"][region.index]["unknowns"]
                own = {name: u[index] for name, index in unknowns.items()}
                batches.append(node_batch(region.laws, numbers, temperature, own, fields))
            known = {**arrays, "outer": outer}
            state = State(tuple(batches), known, numbers, temperature, jnp.zeros(0))
            return [[one(state) for one in part] for part in measures]

        return jax.jit(measured)


def _entities(system: System) -> Entities:
    equations = system.equations
    return Entities(equations.model, equations.volumes, system.layout)


def _sources(system: System, seed: int) -> Iterator[_Source]:
    """Yield the sources that the model names (collective)."""
    model = system.equations.model.noise
    if model is None:
        return
    volumes = system.equations.volumes
    stride = 1 + system.comm.allreduce(int(volumes.vertex_id.max(initial=-1)), MPI.MAX)
    for region in _entities(system).regions:
        for name in (one for layer, one in model.flows if layer == region.laws.name):
            yield _flow(system, region, name, seed, stride)
        chosen = [one for layer, one in model.reactions if layer == region.laws.name]
        for reaction in (one for one in region.laws.reactions if one.name in chosen):
            yield _events(system, region, reaction, seed)


def _flow(system: System, region: Region, name: str, seed: int, stride: int) -> _Source:
    """Noise of a species' flow along the edges of a region."""
    volumes = system.equations.volumes
    ends = volumes.vertex_id[volumes.node_vertex[region.edges]]
    sites = ends[:, 0] * stride + ends[:, 1]
    K, L = (system.layout.species[name][nodes] for nodes in region.edges.T)
    stream = Stream(seed, f"noise of {name} in {region.laws.name}")
    measure = edge_conductance(region.index, region.laws, name)
    return _Source(stream, sites, ((K, -1.0), (L, 1.0)), measure)


def _events(system: System, region: Region, one: ReactionModel, seed: int) -> _Source:
    """Noise of a reaction at the nodes of a region."""
    volumes, species = system.equations.volumes, system.layout.species
    changes = ((name, count) for name, count in one.changes.items() if count)
    rows = tuple((species[name][region.owned], float(count)) for name, count in changes)
    sites = volumes.vertex_id[volumes.node_vertex[region.owned]]
    stream = Stream(seed, f"noise of {one.name} in {region.laws.name}")
    return _Source(stream, sites, rows, reaction_conductance(region.index, region.laws, one))
