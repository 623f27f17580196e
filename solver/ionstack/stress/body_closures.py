"""Roughness and pores of the metals of a body, place by place of their faces.

Gas that reaches the layer below a metal passes all of its thickness: at a place of the face the
porosity is the least along the column of the metal above or below it. That is an
assumption for columns that differ; pores may as well connect sideways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.casefile.mechanics_schema import MechanicsChoice
from ionstack.geometry.graph import ControlVolumes
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.columns import Columns, Layer
from ionstack.physics.plasticity import equivalent_stress, hydrostatic
from ionstack.physics.porosity import triaxiality
from ionstack.stress.closures import (
    Growth,
    field_factors,
    opened_pores,
    over_crests,
    rough_strains,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Change of the strain of a metal on a rough face that no longer counts.
_SETTLED = 1e-9
# What is remembered of the metals.
_REMEMBERED = ("porosity", "stretch")


class BodyClosures:
    """What roughness strains metals by, and the pores that have opened in them."""

    def __init__(
        self,
        choice: MechanicsChoice,
        volumes: ControlVolumes,
        body: Body,
        thickness: Mapping[str, float],
    ) -> None:
        """Find the columns of metals and layers (collective); `thickness` [m] of the layers."""
        self._rough, self._pores = choice.roughness, choice.porosity
        self._body, self._comm, self._thickness = body, volumes.comm, thickness
        used = {one.metal for one in self._rough} | {one.metal for one in self._pores}
        used |= {one.layer for one in self._rough}
        self._columns = Columns(volumes, body.mesh) if used else None
        self._layers = {name: self._layer(name) for name in sorted(used)}
        # Porosity (planes, columns) of the metals, and strain in their plane by column.
        self._porosity: dict[str, Floats] = {
            one.metal: np.full(self._layers[one.metal].shape, one.initial.value)
            for one in self._pores
        }
        rough = {one.metal for one in self._rough}
        self._stretch: dict[str, Floats] = {one: np.zeros(self._count) for one in sorted(rough)}
        self._tried = self._stretch
        # Field factors of the faces in the accepted state, by column.
        self._crests: Sequence[Floats] = [np.ones(self._count) for _ in self._rough]

    def _layer(self, name: str) -> Layer:
        assert self._columns is not None
        return Layer(self._columns, self._body.mesh, name, self._comm)

    @property
    def _count(self) -> int:
        assert self._columns is not None
        return self._columns.count

    def free_strain(self) -> Floats:
        """Strain of the metals (own cells, corners, 3) if free, of the last trial."""
        mesh = self._body.mesh
        found = np.zeros((mesh.n_owned, mesh.dimension + 1, 3))
        for metal, stretch in self._tried.items():
            assert self._columns is not None
            cells = self._layers[metal].cells
            found[cells, :, :2] = -stretch[self._columns.of_corners[cells]][..., None]
        return found

    def follow(self, trial: Trial) -> bool:
        """Take the strain of the metals from a trial; whether it was that already (collective)."""
        if not self._rough:
            return True
        found = rough_strains(self._rough, self._growth(trial))
        change = max(float(np.abs(found[name] - one).max()) for name, one in self._tried.items())
        self._tried = found
        return change <= _SETTLED

    def forget(self) -> None:
        """Let the next trial begin with the strain of the accepted state."""
        self._tried = self._stretch

    def accept(self, trial: Trial) -> None:
        """Open pores with the plastic strain of a trial that the body accepts next (collective)."""
        self._stretch = self._tried
        if self._rough:
            self._crests = self.field_factors(trial)
        before, after = self._body.plastic, trial.plastic
        pressure, equivalent = hydrostatic(trial.stress), equivalent_stress(trial.stress)
        for one in self._pores:
            layer = self._layers[one.metal]
            first, last, mean, deviatoric = (
                layer.at_points(values[layer.cells])
                for values in (before, after, pressure, equivalent)
            )
            ratio = triaxiality(mean, deviatoric)
            porosity = self._porosity[one.metal]
            self._porosity[one.metal] = opened_pores(one, porosity, first, last, ratio)

    def _least(self, metal: str) -> Floats:
        """What of the porosity gas can pass, by column."""
        return np.asarray(self._porosity[metal].min(axis=0))

    def opened(self, metal: str, nodes: Ints) -> Floats:
        """Porosity opened since the start over nodes of the metal's face."""
        found = np.zeros(len(nodes))
        for one in self._pores:
            if one.metal == metal:
                assert self._columns is not None
                found += self._least(metal)[self._columns.of_nodes[nodes]] - one.initial.value
        return found

    def crests(self, metal: str, nodes: Ints, distance: Floats | float = 0.0) -> Floats:
        """Field over the crests of a metal's face over the mean one, at nodes of its columns."""
        if not self._rough:
            return np.ones(len(nodes))
        assert self._columns is not None
        places = self._columns.of_nodes[nodes]
        factors = [one[places] for one in self._crests]
        found = over_crests(self._rough, factors, self._thickness, metal, distance)
        return np.array(np.broadcast_to(found, len(nodes)))

    def field_factors(self, trial: Trial) -> Sequence[Floats]:
        """Field factors of the rough faces, each over the columns (collective)."""
        return field_factors(self._rough, self._growth(trial), self._thickness)

    def _growth(self, trial: Trial) -> Growth:
        moved = trial.corner_displacement()
        return lambda name: self._layers[name].growth(moved[self._layers[name].cells])

    def corner_porosity(self) -> Floats | None:
        """Porosity at the corners (own cells, corners), 0 outside; None without pores."""
        if not self._pores:
            return None
        found = np.zeros((self._body.mesh.n_owned, self._body.mesh.dimension + 1))
        for metal, porosity in self._porosity.items():
            layer = self._layers[metal]
            found[layer.cells] = layer.at_corners(porosity)
        return found

    def memory(self) -> dict[str, Any]:
        """What is known of the metals by column, the same on any number of ranks."""
        known = {name: dict(getattr(self, f"_{name}")) for name in _REMEMBERED}
        return {**known, "crests": list(self._crests)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood."""
        for name in _REMEMBERED:
            known = memory[name].items()
            setattr(self, f"_{name}", {metal: np.array(one, np.float64) for metal, one in known})
        self._crests = [np.array(one, np.float64) for one in memory["crests"]]
        self._tried = self._stretch

    @property
    def names(self) -> list[str]:
        """Names of the entries, with units."""
        named = [f"porosity.{one.metal}" for one in self._pores]
        named += [f"field_factor.{one.metal}" for one in self._rough]
        return [f"{name}.{end} [1]" for name in named for end in ("least", "most")]

    def entries(self, trial: Trial) -> list[float]:
        """Extremes over the faces (collective)."""
        values = [self._least(one.metal) for one in self._pores]
        if self._rough:
            values += self.field_factors(trial)
        return [float(end) for one in values for end in (one.min(), one.max())]
