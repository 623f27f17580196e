"""A small film under a porous metal in a gas: laws that bind lithium in products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.equations import numbers_of
from ionstack.geometry.stack import Lateral
from ionstack.models.model import BoundLaw, ContactModel, Model, RegionModel
from ionstack.models.products import unknown_of
from ionstack.physics.constants import AVOGADRO
from ionstack.stepping.states import State
from support.devices import owned
from support.films import bound, species
from support.layers import AREA, Device, layer, model, stack

Floats = NDArray[np.float64]

TEMPERATURE = 300.0
SITES, THICKNESS, CONTENT = 1e28, 1e-6, 0.3
# Electrochemical potential at which lithium fills half the sites, far below and as is.
FULL, LEVEL = -3.0, 0.05
PRODUCTS = ("Li2O", "LiOH", "Li2CO3")
LITHIUM = np.array([2.0, 1.0, 2.0])
GAS = {"O2": 1e5, "H2O": 1e3, "CO2": 50.0}
# Of a film that grows on an open metal: no gas but oxygen takes part.
NUMBERS: dict[str, float] = {
    "rate_constant": 1e20, "adsorption_potential": FULL, "oxygen_order": 1.0, "water_order": 0.0,
    "hydration_rate": 0.0, "carbonation_rate": 0.0, "electrode_thickness": 1e-6, "porosity": 0.5,
    "percolation_threshold": 0.1, "percolation_exponent": 2.0, "molar_volume_Li2O": 14.8e-6,
    "molar_volume_LiOH": 16.4e-6, "molar_volume_Li2CO3": 35.0e-6,
}  # fmt: skip
OWN = {"air_reaction": "permeability", "air_reaction_exponential": "decay_thickness"}
VOLUMES = np.array([NUMBERS[f"molar_volume_{name}"] for name in PRODUCTS]) / AVOGADRO


def law(kind: str = "air_reaction", own: float = 1e30, **numbers: float) -> BoundLaw:
    """A law of air; `own` is the number that it has besides those of all."""
    return bound("contact", kind, **NUMBERS | {OWN[kind]: own} | numbers)


def film(chosen: BoundLaw, pressures: Mapping[str, float] = GAS) -> Model:
    """A neutral host below a porous metal; its electrons come and go at the bottom.

    So what leaves at the top is a current through the circuit.
    """
    fast = bound("transport", "sedan", diffusivity=1e-3)
    held = tuple(
        species(name, z, "lattice_gas", SITES, fast) for name, z in (("Li+", 1), ("e-", -1))
    )
    top = ContactModel("top", None, {"Li+": chosen})
    bottom = ContactModel("bottom", None, {"e-": bound("contact", "ohmic")})
    region = RegionModel("host", 20.0, 0.0, held, neutral=True)
    found = model((region,), (), top, bottom, TEMPERATURE)
    return replace(found, pressures=dict(pressures))


class Pot(Device):
    """The film, ready to react again and again with other numbers."""

    def __init__(
        self,
        kind: str = "air_reaction",
        dimension: str = "1d",
        lateral: Lateral = AREA,
        comm: MPI.Comm = MPI.COMM_SELF,
    ) -> None:
        films = stack(layer("host", THICKNESS, 2e-7), dimension=dimension, lateral=lateral)
        contents = {"host": {"Li+": CONTENT, "e-": CONTENT}}
        super().__init__(films, film(law(kind)), contents, comm)
        self.kind = kind
        self.settle()
        self._start = self.system.unknowns.getArray().copy()

    def fill(self, pressures: Mapping[str, float] = GAS, **numbers: float) -> None:
        """Back to the start, with other numbers of the law."""
        equations = self.system.equations
        new = film(law(self.kind, **numbers), pressures)
        self.system.adopt(replace(equations, model=new, numbers=numbers_of(new)))
        self.system.unknowns.setArray(self._start)
        self.system.refresh_ghosts()

    def products(self, state: State) -> Floats:
        """Units of the products in a state (collective)."""
        local = [state.amounts[owned(self.system, unknown_of(name))].sum() for name in PRODUCTS]
        return np.asarray(self.system.comm.allreduce(np.array(local)))

    def lithium(self, state: State) -> float:
        """Particles in the film (collective)."""
        local = state.amounts[owned(self.system, "Li+")].sum()
        return float(self.system.comm.allreduce(local))

    def column(self, states: list[State]) -> Floats:
        """Products of all states, (n, 3)."""
        return np.array([self.products(state) for state in states])
