"""Charge neutrality of a layer by itself: where searches start, and what ohmic means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.entities import Entities, Region
from ionstack.assembly.equations import given_work_functions
from ionstack.models.carriers import law_values
from ionstack.models.model import BoundLaw, Model, RegionModel, SpeciesModel
from ionstack.models.place_profile import Profile
from ionstack.physics.constants import thermal_voltage

Floats = NDArray[np.float64]
Contents = Mapping[str, Mapping[str, float | Profile]]

# Reduced chemical potentials at which species are tabulated.
_ETA = np.linspace(-250.0, 250.0, 5001)
RANGE = 12.0  # V, of levels and of the layers' potentials
_HALVINGS = 50


def _values(law: BoundLaw, temperature: float) -> dict[str, Any]:
    return law_values({"law": law.numbers}, "law", law, temperature)


class _Table:
    """Chemical part of the electrochemical potential [kT] and ln x over a range of eta."""

    def __init__(self, model: Model, one: SpeciesModel) -> None:
        kT = jnp.asarray(thermal_voltage(model.temperature))
        values = _values(one.statistics, model.temperature)
        occupation = one.statistics.law.function(jnp.asarray(_ETA), values, kT)
        chemical = _ETA + one.level / float(kT)
        if one.excess is not None:
            values = _values(one.excess, model.temperature)
            chemical = chemical + np.asarray(one.excess.law.function(occupation.x, values, kT))
        # A potential that falls with the content has several contents; one will do.
        self.chemical = np.maximum.accumulate(chemical)
        self.log_x = _ETA - np.asarray(occupation.log_gamma)


@dataclass(frozen=True)
class NeutralLayer:
    """A layer's densities at given electrochemical potentials, and its neutral potential.

    `frozen` are the contents of species that do not follow an electrochemical potential, those
    that depend on the place at the nodes of the region.
    """

    model: Model
    region: RegionModel
    frozen: Mapping[str, float | Floats]

    @cached_property
    def _tables(self) -> dict[str, _Table]:
        return {one.name: _Table(self.model, one) for one in self.region.species}

    def eta(self, name: str, level: float, phi: Floats) -> Floats:
        """Reduced chemical potential at an electrochemical potential [V]; by content if frozen."""
        table = self._tables[name]
        if name in self.frozen:
            return np.asarray(0.0 * phi + np.interp(np.log(self.frozen[name]), table.log_x, _ETA))
        wanted = (level - self.region.held(name).z * phi) / thermal_voltage(self.model.temperature)
        return np.asarray(np.interp(wanted, table.chemical, _ETA))

    def density(self, name: str, levels: Mapping[str, float], phi: Floats) -> Floats:
        """Density [1/m^3] at electrochemical potentials and potentials [V]."""
        one = self.region.held(name)
        if name in self.frozen:
            return np.asarray(0.0 * phi + self.frozen[name] * one.site_density)
        eta = self.eta(name, levels[name], phi)
        others = self.region.rivals(name)
        rivals = [self.eta(other.name, levels[other.name], phi) for other in others]
        crowd = np.logaddexp.reduce(np.stack([np.zeros_like(phi), *rivals])) if rivals else 0.0
        log_x = np.interp(eta - crowd, _ETA, self._tables[name].log_x)
        return np.asarray(one.site_density * np.exp(log_x))

    def unknown(self, name: str, level: float, phi: Floats) -> Floats:
        """Unknown of a species [V]."""
        one = self.region.held(name)
        thermal = thermal_voltage(self.model.temperature)
        return np.asarray(one.level + thermal * self.eta(name, level, phi) + one.z * phi)

    def neutral(self, levels: Mapping[str, float], fixed_charge: Floats) -> Floats:
        """Potential [V] at which the charge vanishes, for each fixed charge; 0 without one."""
        given, back = np.unique(fixed_charge + self._held(len(fixed_charge)), return_inverse=True)
        low, high = np.full_like(given, -RANGE), np.full_like(given, RANGE)
        # The charge falls monotonically with the potential.
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            positive = self._charge(levels, middle, given) > 0.0
            low, high = np.where(positive, middle, low), np.where(positive, high, middle)
        # With frozen species alone the charge does not depend on the potential.
        chosen = np.abs(0.5 * (low + high)) < 0.999 * RANGE
        return np.asarray(np.where(chosen, 0.5 * (low + high), 0.0)[back])

    def _charge(self, levels: Mapping[str, float], phi: Floats, fixed: Floats) -> Floats:
        free = (one for one in self.region.species if one.name not in self.frozen)
        parts = (one.z * self.density(one.name, levels, phi) for one in free)
        return np.asarray(fixed + sum(parts, np.zeros_like(phi)))

    def _held(self, count: int) -> Floats:
        """Charge of the frozen species at the first nodes [elementary charges per m^3]."""
        total = np.zeros(count)
        for name, x in self.frozen.items():
            one = self.region.held(name)
            total += one.z * one.site_density * (x if np.ndim(x) == 0 else np.asarray(x)[:count])
        return total


def work_functions(entities: Entities, contents: Contents) -> Floats:
    """Work functions [eV] at every local unknown that touches a metal, else 0.

    A contact without a work function is ohmic: it takes the one at which the layer
    stays neutral up to the contact. Species that no contact supplies there have
    the content given.
    """
    result = given_work_functions(entities)
    for face in entities.faces:
        if face.model.work_function is None:
            phi = _flat_band(entities, face.region, contents, face.model.laws)
            result[entities.layout.phi[face.nodes]] = -phi[face.region.local[face.nodes]]
    return result


def _flat_band(
    entities: Entities, region: Region, contents: Contents, supplied: Mapping[str, BoundLaw]
) -> Floats:
    """Neutral potential [V] at a region's nodes in equilibrium with a metal at 0 V."""
    given = contents.get(region.laws.name, {})
    frozen = {
        name: entities.content(region, content)
        for name, content in given.items()
        if name not in supplied or not supplied[name].law.passes
    }
    layer = NeutralLayer(entities.model, region.laws, frozen)
    levels = {one.name: 0.0 for one in region.laws.species}
    return layer.neutral(levels, entities.fixed_charge(region, region.nodes))
