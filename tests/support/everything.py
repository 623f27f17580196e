"""One small stack that uses every kind of term, for checks of the Jacobian and of ranks."""

from __future__ import annotations

from dataclasses import replace

from ionstack.geometry.stack import Lateral, Stack
from ionstack.models.model import (
    BoundLaw,
    ContactModel,
    DoubleLayer,
    InterfaceModel,
    Model,
    ReactionModel,
    RegionModel,
)
from ionstack.physics.gases import AIR
from support.films import bound, species
from support.layers import layer, model, stack

SITES = 1e27
CONTENTS = {
    "host": {"A+": 0.3, "B+": 0.2, "AB": 0.1, "e-": 0.4},
    "ionic": {"A+": 0.2, "B+": 0.2, "e-": 1e-6},
    "salt": {"A+": 0.3, "B+": 0.3, "e-": 0.6},
}


def every_law() -> Model:
    """Shared sites, gradient energy, reactions, double layers, neutral layer, products."""
    hop = bound("transport", "sedan", diffusivity=1e-14, anisotropy=0.5)
    host = _host(hop)
    plain = tuple(species(n, z, "lattice_gas", SITES, hop) for n, z in (("A+", 1), ("B+", 1)))
    electron = species("e-", -1, "boltzmann", SITES, hop, level=0.1)
    ionic = RegionModel("ionic", 10.0, -4e26, (*plain, electron))
    salt = RegionModel("salt", 10.0, 0.0, (*plain, electron), neutral=True)
    exchange = bound("interface", "exchange", exchange_current_density=3.0)
    merged = bound("interface", "continuous")
    kinetics = {"exchange_current_density": 5.0, "transfer_coefficient": 0.4}
    insertion = bound("interface", "butler_volmer", **kinetics)
    first = InterfaceModel(
        ("host", "ionic"), {"A+": insertion, "B+": exchange, "e-": exchange}, None, 1e16
    )
    second = InterfaceModel(
        ("ionic", "salt"),
        {"A+": merged, "B+": merged, "e-": exchange},
        DoubleLayer(0.1, 0.05, {"salt": "A+"}),
    )
    emission = bound("contact", "schottky", velocity=10.0, optical_permittivity=3.0)
    wire = bound("contact", "ohmic")
    top = ContactModel("top", 0.2, {"e-": emission, "A+": _air()})
    bottom = ContactModel("bottom", 0.1, {"e-": wire}, DoubleLayer(0.2, 0.0, {"salt": "A+"}))
    return replace(model((host, ionic, salt), (first, second), top, bottom), pressures=AIR)


def _air() -> BoundLaw:
    """Products enough to matter in nanoseconds, in pores of 10 nm."""
    volumes = {f"molar_volume_{name}": 2e-5 for name in ("Li2O", "LiOH", "Li2CO3")}
    pores = {"porosity": 0.4, "percolation_threshold": 0.1, "percolation_exponent": 2.0}
    rates = {"rate_constant": 1e22, "permeability": 1e13, "hydration_rate": 1e5}
    orders = {"oxygen_order": 0.5, "water_order": 0.25, "adsorption_potential": 0.1}
    others = {"carbonation_rate": 1e6, "electrode_thickness": 1e-8}
    return bound("contact", "air_reaction", **volumes | pores | rates | orders | others)


def _host(hop: BoundLaw) -> RegionModel:
    phases = bound("excess", "regular_solution", interaction=0.05, gradient_energy=1e-21)
    shared = [
        replace(species(name, 1, "lattice_gas", SITES, hop), sublattice="metal", excess=phases)
        for name in ("A+", "B+")
    ]
    pair = species("AB", 1, "lattice_gas", SITES, bound("transport", "immobile"), level=-0.02)
    electron = species("e-", -1, "boltzmann", SITES, hop, level=-0.2)
    law = bound("reaction", "mass_action", rate=1e28)
    together = (("A+", 1), ("B+", 1), ("e-", 1))
    binding = ReactionModel("binding", together, (("AB", 1),), law)
    breaking = ReactionModel("breaking", (("AB", 1),), together, _breaking())
    return RegionModel("host", 20.0, 1e25, (*shared, pair, electron), (binding, breaking))


def _breaking() -> BoundLaw:
    """A barrier that some 1e8 V/m, as in films of a few nm, lower by a good part."""
    rate = {"attempt_frequency": 1e13, "bond_density": SITES}
    barrier = {"barrier": 0.7, "dipole_length": 5e-10, "relative_permittivity": 20.0}
    return bound("reaction", "bond_breaking", healing_share=0.5, **rate | barrier)


def every_layer(dimension: str = "1d") -> Stack:
    """Three films of a few cells."""
    lateral = Lateral("rectangle", None, 3e-8, 3e-8, 2, 1.0)
    films = (layer("host", 4e-9, 1e-9), layer("ionic", 6e-9, 2e-9), layer("salt", 6e-9, 2e-9))
    return stack(*films, dimension=dimension, lateral=lateral)
