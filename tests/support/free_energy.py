"""Free energy of any device, from the chemical potentials of its laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.equations import numbers_of
from ionstack.models.carriers import gradient_of, node_batch
from ionstack.models.model import Model, RegionModel
from ionstack.models.products import product_names
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ionstack.stepping.states import State

Floats = NDArray[np.float64]

# Gauss-Legendre points on [0, 1] for the work along a change of contents.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_POINTS, _WEIGHTS = 0.5 * (_POINTS + 1.0), 0.5 * _WEIGHTS


class FreeEnergy:
    """Changes of the free energy of a device on one rank [eV].

    F = sum V f(contents) + sum A/h [N kappa/2 (dx)^2 + eps/2 (dphi)^2] + work of the
    metals, with df = sum mu dc. The potentials mu are the laws' own, so f exists because
    they are derivatives of one function; the change of f is the integral of mu dc along
    a straight line of the unknowns.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._model, self._volumes = system.equations.model, system.equations.volumes
        self._regions = [self._model.region(name) for name in self._volumes.regions]
        self._work = [jax.jit(self._kernel(region)) for region in self._regions]
        self._fields = [jax.jit(partial(self._contents, region)) for region in self._regions]

    def change(self, old: State, new: State) -> float:
        """Free energy of a state less that of another, less what the wires supply [eV].

        The currents are those of the steps between them, which must be one step.
        """
        energy = self._chemical(old, new) + self._stored(new) - self._stored(old)
        energy += float(self._metal() @ (new.charges - old.charges)) / ELEMENTARY_CHARGE
        supplied = new.voltages @ new.currents * new.step / ELEMENTARY_CHARGE
        return energy - float(supplied)

    def _kernel(self, region: RegionModel) -> Callable[..., Any]:
        """Sum over the species of mu dc/ds [eV/m^3] at nodes, for unknowns that move."""
        model, numbers = self._model, numbers_of(self._model)

        def carriers(u: Any) -> Any:
            return node_batch(region, numbers, jnp.asarray(model.temperature), u, {}).carriers

        def density(u: Any) -> Any:
            return {name: one.c for name, one in carriers(u).items()}

        def work(u: Any, change: Any) -> Any:
            moved = jax.jvp(density, (u,), (change,))[1]
            found = carriers(u)
            total = jnp.zeros_like(u["phi"])
            for one in region.species:
                potential = self._system.thermal_voltage * found[one.name].psi - one.z * u["phi"]
                if one.gradient_energy:
                    potential = potential - u[gradient_of(one.name)]
                total = total + potential * moved[one.name]
            return total

        return work

    def _contents(self, region: RegionModel, u: Any) -> Any:
        numbers = numbers_of(self._model)
        batch = node_batch(region, numbers, jnp.asarray(self._model.temperature), u, {})
        return {name: one.x for name, one in batch.carriers.items()}

    def _local(self, index: int, unknowns: Floats) -> dict[str, Floats]:
        nodes = self._system.equations.arrays["nodes"][index]
        return {name: unknowns[where] for name, where in nodes["unknowns"].items()}

    def _chemical(self, old: State, new: State) -> float:
        total = 0.0
        for index, work in enumerate(self._work):
            start, end = (self._local(index, state.unknowns) for state in (old, new))
            change = {name: end[name] - start[name] for name in start}
            volume = self._volumes.node_volume[self._volumes.node_region == index]
            for point, weight in zip(_POINTS, _WEIGHTS, strict=True):
                u = {name: start[name] + point * change[name] for name in start}
                total += float(weight * volume @ np.asarray(work(u, change)))
        return total

    def _stored(self, state: State) -> float:
        """Energy of fields and of gradients of the content [eV]."""
        phi, total = state.unknowns[self._system.layout.phi], 0.0
        for index, region in enumerate(self._regions):
            inside = self._volumes.node_region[self._volumes.edge_nodes[:, 0]] == index
            K, L = self._volumes.edge_nodes[inside].T
            factor = self._volumes.edge_factor[inside]
            if not region.neutral:
                permittivity = region.permittivity * VACUUM_PERMITTIVITY / ELEMENTARY_CHARGE
                total += 0.5 * permittivity * float(factor @ (phi[K] - phi[L]) ** 2)
            total += self._bending(index, region, state, factor, K, L)
        return total

    def _bending(
        self, index: int, region: RegionModel, state: State, factor: Floats, K: Any, L: Any
    ) -> float:
        total = 0.0
        held = [one for one in region.species if one.gradient_energy]
        contents = self._fields[index](self._local(index, state.unknowns)) if held else {}
        for one in held:
            x = np.full(len(self._volumes.node_region), np.nan)
            x[self._volumes.node_region == index] = contents[one.name]
            bent = float(factor @ (x[K] - x[L]) ** 2)
            total += 0.5 * one.site_density * one.gradient_energy * bent
        return total

    def _metal(self) -> Floats:
        """Work function [eV] of every contact: energy that a charge on it costs at 0 V."""
        found = np.zeros(len(self._volumes.contacts))
        works = self._system.equations.work_functions
        nodes, contact = self._volumes.face_node, self._volumes.face_contact
        found[contact] = works[self._system.layout.phi[nodes]]
        return found


def unsupported(model: Model) -> str | None:
    """What of a device has an energy that is not written down here, or None."""
    boundaries = (*model.interfaces, *model.contacts)
    if any(one.double_layer is not None for one in boundaries):
        return "the energy of double layers"
    laws = (law for one in model.contacts for law in one.laws.values())
    if any("chemical_potential" in law.numbers for law in laws):
        return "what reservoirs of ions supply"
    if product_names(model):
        return "the energy of products"
    if any(region.swelling for region in model.regions):
        return "the energy of stress"
    return None
