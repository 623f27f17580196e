"""Terms of Poisson's equation: fields, charges, capacitors and metals."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.assembly.terms import Contributions, Evaluate, State
from ionstack.models.carriers import Carriers
from ionstack.models.model import RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY


def displacement(index: int, region: RegionModel) -> Evaluate:
    """Electric flux along edges [elementary charges], positive from K to L."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["edges"][index]
        permittivity = state.numbers[region.name]["permittivity"] * VACUUM_PERMITTIVITY
        capacitance = permittivity / ELEMENTARY_CHARGE * arrays["factor"]
        phi = state.regions[index].phi
        return capacitance * (phi[arrays["K"]] - phi[arrays["L"]]), [capacitance, -capacitance]

    return evaluate


def charge_inputs(region: RegionModel) -> tuple[str, ...]:
    """Unknowns on which the charge density of a region depends."""
    return ("phi", *(one.name for one in region.species))


def charge(index: int, region: RegionModel) -> Evaluate:
    """Minus the charge in each control volume [elementary charges]."""

    def evaluate(state: State) -> Contributions:
        nodes = state.arrays["nodes"][index]
        volume, batch = nodes["volume"], state.regions[index]

        def density(carriers: Carriers) -> jax.Array:
            parts = [one.z * carriers[one.name].c[: len(volume)] for one in region.species]
            return sum(parts, jnp.zeros_like(volume))

        total = nodes["fixed_charge"] + density(batch.carriers)
        slopes = [-volume * density(batch.tangents[name]) for name in charge_inputs(region)]
        return -volume * total, slopes

    return evaluate


def capacitor(position: int, sides: tuple[int, int]) -> Evaluate:
    """Charge of a double layer on side K of an interface [elementary charges]."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["capacitors"][position]
        capacitance = arrays["capacitance"] * arrays["area"] / ELEMENTARY_CHARGE
        K, L = (state.regions[i].phi[arrays[end]] for i, end in zip(sides, "KL", strict=True))
        return capacitance * (K - L - arrays["offset"]), [capacitance, -capacitance]

    return evaluate


def contact_capacitor(position: int, contact: int, index: int) -> Evaluate:
    """Charge of a double layer on the layer's side of a contact [elementary charges]."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["contact_capacitors"][position]
        capacitance = arrays["capacitance"] * arrays["area"] / ELEMENTARY_CHARGE
        phi = state.regions[index].phi[arrays["K"]]
        drop = phi - (state.voltages[contact] - arrays["offset"])
        return capacitance * drop, [capacitance, -capacitance]

    return evaluate


def sheet(position: int) -> Evaluate:
    """Minus the sheet charge of an interface [elementary charges]."""

    def evaluate(state: State) -> Contributions:
        return -state.arrays["sheets"][position]["charge"], []

    return evaluate


def metal_potential(contact: int) -> Evaluate:
    """Potential at a metal: phi - (V - work function/e), scaled like a Poisson row."""

    def evaluate(state: State) -> Contributions:
        arrays = state.arrays["metals"][contact]
        phi = state.arrays["u"][arrays["phi"]]
        target = state.voltages[contact] - arrays["work_function"]
        return arrays["scale"] * (phi - target), [arrays["scale"], -arrays["scale"]]

    return evaluate
