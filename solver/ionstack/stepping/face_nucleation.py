"""Nuclei on the faces of metals: the places where they may form, and the rates there.

A place is a node of the face, with its share of the area. Where barriers scatter, the face has
places of a given density instead, thrown at random, each at the node that is nearest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities, Face
from ionstack.casefile.nucleation_schema import NUCLEATION
from ionstack.errors import InputError
from ionstack.models.carriers import GAP, TEMPERATURE, at, node_batch
from ionstack.models.model import BarrierScatter
from ionstack.physics.constants import (
    BOLTZMANN_EV,
    ELEMENTARY_CHARGE,
    VACUUM_PERMITTIVITY,
)
from ionstack.physics.nucleation import nucleation_rate
from ionstack.physics.states import MetalFace
from ionstack.randomness.random_events import Event
from ionstack.randomness.random_streams import Stream
from ionstack.randomness.site_scatter import drawn, moved
from ionstack.solving.network import Network
from ionstack.stepping.planting import Planting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Numbers of places are those of nodes times this, plus the place at the node.
_STRIDE = 2**20
MOST_PLACES = 1_000_000


class Places(NamedTuple):
    """Places where nuclei may form: `sites` are their numbers, ascending.

    `node` is the row of the node on the face, `area` what a place stands for [m^2], `own` its
    shift or factor of the barrier, None where all are alike.
    """

    sites: Ints
    node: Ints
    area: Floats
    own: Floats | None


class Outlook(NamedTuple):
    """How a face nucleates in a state, and what forms where the barrier over kT is lowest.

    `rate` [1/s] of the whole face; there the `prefactor` [1/(m^2 s)], the `barrier` [eV] and the
    critical `size` [m], radius or length, NaN where the law knows none.
    """

    rate: float
    prefactor: float
    barrier: float
    size: float


class FaceNucleation:
    """Nucleation at the face of one contact on one region; all ranks know all places."""

    def __init__(
        self,
        system: System,
        network: Network,
        entities: Entities,
        face: Face,
        seed: int,
        planting: Planting | None = None,
    ) -> None:
        """Find the places of a face with nucleation (collective).

        An event lets `planting` put a nucleus there.

        Raises:
            InputError: on all ranks, when there are more than `MOST_PLACES`.
        """
        assert face.model.nucleation is not None
        self._system, self._network, self._entities = system, network, entities
        self._face, self._model = face, face.model.nucleation
        self._planting, self.changes = planting, planting is not None
        volumes = system.equations.volumes
        mine = face.nodes < volumes.n_owned_nodes
        self._nodes, self._area = face.nodes[mine], face.area[mine]
        vertex = volumes.node_vertex[self._nodes]
        keys = volumes.vertex_id[vertex] * len(volumes.regions) + face.region.index
        every = np.concatenate(system.comm.allgather(keys))
        self._order = np.argsort(every)
        self._where = self._gathered(volumes.coordinates[vertex].T).T
        area = self._gathered(self._area[None])[0]
        self.purpose = f"nucleation at {face.model.name}"
        self._places = _places(self._model.scatter, every[self._order], area, self.purpose, seed)
        focus = self._model.focus
        points = volumes.coordinates[vertex]
        self._focus = np.ones(len(points)) if focus is None else focus(points)

    @property
    def contact(self) -> str:
        """Name of the contact."""
        return self._face.model.name

    @property
    def sites(self) -> Ints:
        """Numbers of the places."""
        return self._places.sites

    def name(self, row: int) -> str:
        """Name of the event, the same for all places of the contact."""
        return f"{self.contact}.{NUCLEATION}"

    def told(self, row: int, share: float) -> Event:
        """The event as it is told."""
        return Event(self.name(row), share, self._face.contact, self._place(row))

    def _place(self, row: int) -> tuple[float, ...]:
        return tuple(map(float, self._where[self._places.node[row]]))

    def after(self, row: int, circuit: Floats) -> Floats:
        """The unknowns of the circuit, which stay; a nucleus forms if it is to."""
        if self._planting is not None:
            self._planting.plant(self._place(row))
        return circuit

    def rates(self, circuit: Floats) -> Floats:
        """Rates [1/s] at all places in the present state of the system (collective)."""
        prefactor, barrier, _, temperature = self._at_places(circuit)
        return np.asarray(nucleation_rate(prefactor * self._places.area, barrier, temperature))

    def outlook(self, circuit: Floats) -> Outlook:
        """What the rates come from in the present state of the system (collective)."""
        prefactor, barrier, size, temperature = self._at_places(circuit)
        rates = nucleation_rate(prefactor * self._places.area, barrier, temperature)
        k = int(np.argmin(barrier / temperature))
        energy = barrier[k] / ELEMENTARY_CHARGE
        return Outlook(float(rates.sum()), float(prefactor[k]), float(energy), float(size[k]))

    def _at_places(self, circuit: Floats) -> Floats:
        """Attempts [1/(m^2 s)], barrier [J], critical size [m], temperature [K] (collective)."""
        system, index = self._system, self._face.region.index
        equations = system.equations
        found = self._compiled(
            system.local_unknowns(),
            self._network.voltages(circuit)[self._face.contact],
            jnp.asarray(equations.model.temperature),
            jnp.asarray(self._focus * system.crests.get(self._face.key, 1.0)),
            dict(system.outer[index]),
            dict(equations.numbers),
        )
        every = self._gathered(np.stack(found))
        every[0] *= self._bare(every[4])
        found = every[:4, self._places.node]
        scatter, own = self._model.scatter, self._places.own
        if scatter is not None and own is not None:
            found[1] = moved(scatter.spread, own, found[1])
        return np.asarray(found)

    def _bare(self, shares: Floats) -> Floats | float:
        """Shares of the face at its nodes where a nucleus can form, from what the phase leaves.

        One forms at a time. About an axis all nuclei stand on it.
        """
        if self._planting is None:
            return 1.0
        if self._planting.busy:
            return 0.0
        return shares[np.argmin(self._where[:, 0])] if self._planting.on_axis else shares

    def _gathered(self, local: NDArray[Any]) -> NDArray[Any]:
        """Arrays (..., nodes) of all ranks in the order of the nodes' numbers (collective)."""
        return np.asarray(np.concatenate(self._system.comm.allgather(local), axis=-1))[
            ..., self._order
        ]

    @cached_property
    def _compiled(self) -> Any:
        """What `_at_places` has, and the share that is bare, at this rank's nodes."""
        return jax.jit(self._attempts)

    def _attempts(
        self,
        u: Any,
        voltage: Any,
        temperature: Any,
        focus: Any,
        outer: Mapping[str, Any],
        numbers: Any,
    ) -> tuple[jax.Array, ...]:
        region = self._face.region
        local = region.local[self._nodes]
        # A gap is a field of edges.
        fields = {name: value[local] for name, value in outer.items() if name != GAP}
        warm = fields.get(TEMPERATURE, temperature)
        unknowns = self._system.equations.arrays["nodes"][region.index]["unknowns"]
        own = {name: u[index[local]] for name, index in unknowns.items()}
        carriers = node_batch(region.laws, numbers, temperature, own, fields).carriers
        law = self._model.law
        p = {name: at(value, warm) for name, value in law.numbers.items()} | dict(law.curves)
        affinity = jnp.zeros(local.shape)
        if law.couples is not None:
            z = region.laws.held(law.couples).z
            metal = z * voltage + p.get("chemical_potential", 0.0)
            affinity = BOLTZMANN_EV * warm * carriers[law.couples].psi - metal
        face = MetalFace(focus * self._field(u, carriers), affinity, warm)
        found = law.law.function(face, p)
        nucleus = self._model.nucleus
        bare = jnp.asarray(1.0) if nucleus is None else carriers[nucleus.species].vacancy
        return tuple(jnp.broadcast_to(one, local.shape) for one in (*found, warm, bare))

    def _field(self, u: Any, carriers: Mapping[str, Any]) -> jax.Array:
        """Field [V/m] at the metal by Gauss's law in the control volumes of its nodes."""
        volumes, region = self._system.equations.volumes, self._face.region
        row, K, L, factor = self._edges
        phi = u[jnp.asarray(self._system.layout.phi)]
        flux = jax.ops.segment_sum(factor * (phi[K] - phi[L]), row, len(self._nodes))
        if not region.laws.neutral:
            charge = jnp.zeros(len(self._nodes)) + self._fixed_charge
            for one in region.laws.species:
                charge = charge + one.z * carriers[one.name].c
            permittivity = VACUUM_PERMITTIVITY * region.laws.permittivity
            inside = ELEMENTARY_CHARGE / permittivity * charge * volumes.node_volume[self._nodes]
            flux = flux - inside
        return flux / self._area

    @cached_property
    def _fixed_charge(self) -> Floats:
        return self._entities.fixed_charge(self._face.region, self._nodes)

    @cached_property
    def _edges(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Edges at the nodes: row of the node, its number and the other's, area over length."""
        ends, factor = self._system.equations.volumes.directed_edges
        order = np.argsort(self._nodes)
        place = np.searchsorted(self._nodes, ends[:, 0], sorter=order)
        row = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros_like(place)
        inside = np.isin(ends[:, 0], self._nodes)
        return row[inside], ends[inside, 0], ends[inside, 1], factor[inside]


Plantings = Mapping[tuple[int, int], Planting]


def plantings(system: System, on_axis: bool) -> Plantings:
    """Where nuclei get into a field: by contact and region (collective)."""
    equations = system.equations
    entities = Entities(equations.model, equations.volumes, system.layout)
    return {
        (face.contact, face.region.index): Planting(system, face, nuclei.nucleus, on_axis)
        for face in entities.faces
        if (nuclei := face.model.nucleation) is not None
        and nuclei.nucleus is not None
        and system.comm.allreduce(len(face.nodes))
    }


def face_nucleation(
    system: System, network: Network, seed: int, planted: Plantings | None = None
) -> Iterator[FaceNucleation]:
    """Yield the sources of all contacts with nucleation (collective)."""
    equations = system.equations
    entities = Entities(equations.model, equations.volumes, equations.layout)
    for face in entities.faces:
        if face.model.nucleation is not None and system.comm.allreduce(len(face.nodes)):
            where = (planted or {}).get((face.contact, face.region.index))
            yield FaceNucleation(system, network, entities, face, seed, where)


def _places(
    scatter: BarrierScatter | None, keys: Ints, area: Floats, purpose: str, seed: int
) -> Places:
    """Places of a face, from numbers and areas of its nodes."""
    nodes = np.arange(len(keys))
    if scatter is None:
        return Places(keys * _STRIDE, nodes, area, None)
    expected = scatter.density * area
    if expected.sum() > MOST_PLACES or expected.max(initial=0.0) > _STRIDE / 2:
        raise InputError(
            f"{purpose}: {expected.sum():.3g} places, more than {MOST_PLACES} are not followed; "
            "lower the site_density or the area"
        )
    thrown = Stream(seed, f"places of {purpose}").uniform(keys, 0)
    count = poisson.ppf(thrown, expected).astype(np.int64)
    node = np.repeat(nodes, count)
    first = np.repeat(np.cumsum(count) - count, count)
    sites = keys[node] * _STRIDE + np.arange(len(node)) - first
    own = drawn(scatter.spread, Stream(seed, f"barriers of {purpose}"), sites)
    return Places(sites, node, np.full(len(node), 1.0 / scatter.density), own)
