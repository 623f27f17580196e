"""The gap between metals at every edge of a mesh, from what counts as metal.

Between two contacts div(s grad u) = 0 is solved, u = 0 at the one and 1 at the other, with
s = 1 in the insulator and very large in the metal. A gap is as wide as the line of grad u through
it is long; voltages across it fall as u does. An edge from metal to insulator is cut where the
content, straight along the edge, is that of metal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.field_stencil import inverse_moments
from ionstack.assembly.node_places import NodePlaces
from ionstack.gaps.field_lines import FieldLines, Flux
from ionstack.geometry.graph import ControlVolumes
from ionstack.heat.heat_equation import HeatEquation
from ionstack.models.gap_model import GapModel
from ionstack.models.heat_model import HeatModel, Medium, Sink
from ionstack.output.names import site_fraction
from ionstack.physics.states import FARTHEST, NO_GAP, Gap

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Of metal over that of insulator: what of the fall of u is left in the metal.
METAL = 1e6
# Part of an edge in the gap below which it counts as metal.
LEAST_PART = 1e-6
# Least cosine of the angle between an edge and the field, by which voltages are divided.
LEAST_COSINE = 0.1
# Fall of u below which both ends of a line are one metal, and nothing tunnels.
LEAST_FALL = 1e-6


@dataclass(frozen=True)
class _Cut:
    """What is metal: the content `above` the threshold at nodes, `part` of the edges in gaps."""

    above: Floats
    part: Floats

    @property
    def open(self) -> NDArray[np.bool_]:
        """Edges of which some lies in a gap."""
        return self.part > LEAST_PART

    @property
    def reach(self) -> Floats:
        """Part of the edges in gaps, where there is one."""
        return np.where(self.open, self.part, 1.0)


class GapWidths:
    """Widths on the mesh of one rank."""

    def __init__(self, volumes: ControlVolumes, model: GapModel) -> None:
        """Set the linear problem up (collective)."""
        self._volumes, self._model = volumes, model
        self._equation = HeatEquation(volumes, _potential(volumes, model))
        layout = self._equation.layout
        self._ends: Ints = layout.phi[volumes.edge_nodes]
        self._places = NodePlaces(volumes, layout)
        self._still: Floats = np.zeros(layout.n_local)
        points = volumes.coordinates[volumes.node_vertex][:, : volumes.dimension]
        self._along: Floats = points[volumes.edge_nodes[:, 1]] - points[volumes.edge_nodes[:, 0]]
        # Edges opposite to obtuse angles pull the wrong way.
        self._weight = np.maximum(volumes.edge_factor, 0.0)
        chosen = np.array([name in model.sides for name in volumes.contacts])
        self._touched = volumes.face_node[chosen[volumes.face_contact]]

    def at_edges(self, fields: Mapping[str, Floats]) -> Gap:
        """The gap at all local edges, from the contents of `NodeFields` (collective)."""
        above = self._above(fields)
        cut = _Cut(above, insulating(*above[self._volumes.edge_nodes].T))
        u = self._solved(cut)
        rise = np.where(cut.open, u[self._ends[:, 1]] - u[self._ends[:, 0]], 0.0)
        width, whole = self._lines(cut, u, rise)
        open_ = cut.open & (whole > LEAST_FALL)
        width = np.where(open_, width, NO_GAP.width)
        least = LEAST_COSINE * cut.reach * self._volumes.edge_length / width
        share = np.maximum(np.abs(rise) / np.maximum(whole, LEAST_FALL), least)
        return Gap(width, np.where(open_, share, NO_GAP.share), cut.reach)

    def _above(self, fields: Mapping[str, Floats]) -> Floats:
        """Content of the metal above that from which it counts as metal, at all local nodes."""
        above = np.ones(len(self._volumes.node_region))
        for name, layer in self._model.layers.items():
            here = self._volumes.node_region == self._volumes.regions.index(name)
            above[here] = fields[site_fraction(layer.metal)][here] - layer.content
        return above

    def _solved(self, cut: _Cut) -> Floats:
        """Return u at all local unknowns."""
        conductivity = 1.0 / (cut.part + (1.0 - cut.part) / METAL)
        source = np.zeros(len(self._volumes.node_region))
        return self._equation.solve(source, self._still, inf, 0.0, conductivity).rise

    def _lines(self, cut: _Cut, u: Floats, rise: Floats) -> tuple[Floats, Floats]:
        """Length of the line through every edge [m], and the fall of u along it."""
        flux = self._flux(cut, rise)
        comm, layout = self._volumes.comm, self._equation.layout
        lines = FieldLines(comm, self._metal(cut), layout.n_owned, self._equation.with_ghosts)
        behind, start = lines.follow(flux, u)
        ahead, end = lines.follow(flux.reversed(), u)
        source, target = flux.source, flux.target
        return behind[source] + flux.length + ahead[target], end[target] - start[source]

    def _flux(self, cut: _Cut, rise: Floats) -> Flux:
        """Flux along every edge, up u; along lines it goes the way that u rises."""
        fall = np.abs(rise)
        slope = np.hypot(fall / (cut.reach * self._volumes.edge_length), self._across(cut, rise))
        length = fall / np.maximum(slope, 1.0 / FARTHEST)
        up, (first, second) = rise >= 0.0, self._ends.T
        source, target = np.where(up, first, second), np.where(up, second, first)
        return Flux(source, target, self._weight * fall / cut.reach, length)

    def _metal(self, cut: _Cut) -> NDArray[np.bool_]:
        """Local unknowns at which lines begin and end (collective)."""
        layout = self._equation.layout
        metal = np.zeros(layout.n_local)
        metal[layout.phi[cut.above >= 0.0]] = 1.0
        metal[layout.phi[self._touched]] = 1.0
        return np.asarray(self._equation.with_ghosts(metal[: layout.n_owned]) > 0.5)

    def _across(self, cut: _Cut, rise: Floats) -> Floats:
        """Modulus of the part of grad u [1/m] across every edge, from its ends in the gap."""
        if self._volumes.dimension == 1:
            return np.zeros_like(rise)
        ends = self._volumes.edge_nodes
        at_nodes = self._gradient(cut, rise)
        own = (cut.above < 0.0).astype(float)[ends]
        mean = np.einsum("ne,ned->nd", own, at_nodes[ends])
        mean /= np.maximum(own.sum(axis=1), 1.0)[:, None]
        unit = self._along / self._volumes.edge_length[:, None]
        across = mean - np.einsum("nd,nd->n", mean, unit)[:, None] * unit
        return np.asarray(np.linalg.norm(across, axis=1))

    def _gradient(self, cut: _Cut, rise: Floats) -> Floats:
        """Gradient of u at all local nodes, by squares as `FieldStencil`, of what lies in the gap.

        Neighbours in metal stand where their edge is cut.
        """
        count, dimension = len(self._volumes.node_region), self._volumes.dimension
        moments, pulls = np.zeros((count, dimension, dimension)), np.zeros((count, dimension))
        second = np.einsum("n,nd,ne->nde", self._weight * cut.part, self._along, self._along)
        first = (self._weight * rise)[:, None] * self._along
        for end in self._volumes.edge_nodes.T:
            np.add.at(moments, end, second)
            np.add.at(pulls, end, first)
        return self._at_all(np.einsum("nde,ne->nd", inverse_moments(moments), pulls))

    def _at_all(self, at_nodes: Floats) -> Floats:
        """Values (n, d) at all local nodes from those at owned ones (collective)."""
        if self._volumes.comm.size == 1:
            return at_nodes
        owned = [self._places.by_unknown(column) for column in at_nodes.T]
        local = [np.array([self._equation.with_ghosts(row) for row in one]) for one in owned]
        return np.column_stack([self._places.at_nodes(one) for one in local])


def insulating(first: Floats, second: Floats) -> Floats:
    """Part of an edge that is no metal, from the contents above the threshold at both ends."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(np.clip(-low / np.maximum(high - low, 1e-300), 0.0, 1.0))


def _potential(volumes: ControlVolumes, model: GapModel) -> HeatModel:
    """The problem of u as one of heat: 0 K and 1 K at the contacts."""
    sinks = {name: Sink(inf, temperature=float(side)) for name, side in model.sides.items()}
    media = {name: Medium(1.0) for name in volumes.regions}
    return HeatModel(0.0, media, sinks, steady=True)
