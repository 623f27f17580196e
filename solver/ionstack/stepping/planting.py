"""Nuclei of a phase as a field, on the faces of metals: planted where an event says so.

A fluctuation pays for a nucleus. While it forms, its atoms are held at a lower potential within
its radius. They come by the flows and reactions of the layer, so that matter and charge are
conserved as in every step, and no sooner than these can bring them. Once as many have come as the
nucleus has the bias is gone, and it grows or dissolves by its own equations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Face
from ionstack.assembly.node_fields import NodeFields
from ionstack.models.carriers import bias_of
from ionstack.models.model import NucleusModel
from ionstack.output.checkpoint import Memory
from ionstack.output.names import site_fraction

Floats = NDArray[np.float64]

# Atoms are counted up to this multiple of the radius: a diffuse surface is wider than that.
REACH = 2.0


@dataclass(frozen=True)
class _Nucleus:
    """A nucleus that forms: its place [m], and how many atoms are there once it is complete."""

    place: tuple[float, ...]
    atoms: float


class Planting:
    """Nuclei at the face of one contact on one region, as long as they form (a companion)."""

    trouble = ""
    # The bias stays as it is within a step: nothing comes back.
    feedback = -math.inf

    def __init__(self, system: System, face: Face, nucleus: NucleusModel, on_axis: bool) -> None:
        """With `on_axis` the mesh is that of one filament about its axis."""
        volumes = system.equations.volumes
        self.name = f"nuclei.{face.model.name}.{face.region.laws.name}"
        self._system, self._region, self._nucleus = system, face.region, nucleus
        self.on_axis = on_axis
        vertex = volumes.node_vertex[face.region.nodes]
        self._points = volumes.coordinates[vertex]
        device = face.contact // (len(volumes.contacts) // volumes.copies)
        self._here = volumes.vertex_copy[vertex] == device
        self._forming: tuple[_Nucleus, ...] = ()
        self.planted = 0
        self._hand_over()

    @property
    def busy(self) -> bool:
        """Whether a nucleus forms."""
        return bool(self._forming)

    def plant(self, place: tuple[float, ...]) -> None:
        """Let a nucleus form at a place of the face [m] (collective)."""
        if self.on_axis:
            place = (0.0, *place[1:])
        volume = self._sum(self._volume * self._within(place, 1.0))
        sites = self._region.laws.held(self._nucleus.species).site_density
        before = self._atoms(place)
        self._forming = (*self._forming, _Nucleus(place, before + sites * volume))
        self.planted += 1
        self._hand_over()

    def begin(self, step: float) -> None:
        """Nothing; the field stays as it is within a step."""

    def solve(self) -> float:
        """Nothing to solve."""
        return 0.0

    def accept(self) -> bool:
        """Let go of nuclei that have their atoms; whether there are any (collective)."""
        left = tuple(one for one in self._forming if self._atoms(one.place) < one.atoms)
        complete = len(left) < len(self._forming)
        if complete:
            self._forming = left
            self._hand_over()
        return complete

    def memory(self) -> Memory:
        """What `recall` needs."""
        forming = [[list(one.place), one.atoms] for one in self._forming]
        return Memory({"forming": forming, "planted": self.planted})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood."""
        own = memory.plain
        self._forming = tuple(_Nucleus(tuple(place), atoms) for place, atoms in own["forming"])
        self.planted = own["planted"]
        self._hand_over()

    def entries(self) -> Mapping[str, Any]:
        """How many nuclei were planted, and how many of them do not have their atoms yet."""
        return {self.name: self.planted, f"{self.name}.forming": len(self._forming)}

    @property
    def _volume(self) -> Floats:
        """Volumes of this rank's own nodes of the region [m^3]."""
        volumes = self._system.equations.volumes
        return np.asarray(volumes.node_volume[self._region.owned])

    def _within(self, place: tuple[float, ...], reach: float) -> NDArray[np.bool_]:
        """Whether own nodes are within a multiple of the radius."""
        return (self._distance(place) < reach)[: len(self._region.owned)]

    def _distance(self, place: tuple[float, ...]) -> Floats:
        """Distances from a place over the radius; far away for other devices."""
        distance = np.linalg.norm(self._points - np.array(place), axis=1)
        return np.where(self._here, distance / self._nucleus.radius, np.inf)

    def _atoms(self, place: tuple[float, ...]) -> float:
        """Atoms around a place (collective)."""
        name = self._nucleus.species
        sites = self._region.laws.held(name).site_density
        contents = self._fields.evaluate()[site_fraction(name)][self._region.owned]
        return sites * self._sum((self._volume * contents)[self._within(place, REACH)])

    @cached_property
    def _fields(self) -> NodeFields:
        return NodeFields(self._system)

    def _sum(self, values: Floats) -> float:
        return float(self._system.comm.allreduce(float(values.sum())))

    def _hand_over(self) -> None:
        """Hand the bias over: half of it at the radius, so that a nucleus grows from its middle."""
        part = np.zeros(len(self._points))
        for one in self._forming:
            distance = self._distance(one.place)
            part = np.maximum(part, np.where(distance < 1.0, 1.0 - 0.5 * distance**2, 0.0))
        field = {bias_of(self._nucleus.species): -self._nucleus.bias * part}
        self._system.set_outer(self._region.index, field)
