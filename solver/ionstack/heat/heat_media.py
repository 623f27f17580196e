"""Thermal conductivity at the nodes where it depends on what a layer holds."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes
from ionstack.models.heat_model import Conductivity, HeatModel
from ionstack.output.names import site_fraction

Floats = NDArray[np.float64]


class HeatMedia:
    """Media of the regions at the nodes of one rank."""

    def __init__(self, volumes: ControlVolumes, model: HeatModel) -> None:
        self._own = [
            (np.flatnonzero(volumes.node_region == k), model.media[name].conductivity)
            for k, name in enumerate(volumes.regions)
        ]
        self._size = len(volumes.node_region)

    @property
    def constant(self) -> bool:
        """Whether every layer has one number."""
        return not any(isinstance(one, Conductivity) for _, one in self._own)

    def conductivity(self, fields: Mapping[str, Floats], temperature: Floats) -> Floats:
        """Conductivity [W/(m K)] at all local nodes; fields of `NodeFields`, temperature [K]."""
        found = np.empty(self._size)
        for nodes, one in self._own:
            if isinstance(one, Conductivity):
                x = fields[site_fraction(one.couples)][nodes] if one.couples else 0.0 * nodes
                found[nodes] = one.curve(jnp.asarray(x), jnp.asarray(temperature[nodes]))
            else:
                found[nodes] = one
        return found
