"""Reaction of lithium with air in the pores of a metal: rates of its steps, 1/(m^2 s).

Lithium of the layer comes out onto the metal, whose sites it fills as far as its activity
allows, and is oxidised there. The oxide takes up water, the hydroxide carbon dioxide. All
products stay in the pores and close them, which ends all steps. Amounts and rates are per
area of the contact. The sequence of steps is an assumption: it makes the products that
depth profiles find, but no measurement tells the steps apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.constants import AVOGADRO
from ionstack.physics.gases import STANDARD_PRESSURE
from ionstack.physics.porosity import open_share
from ionstack.physics.registry import Binding, BindingStep, Parameter, Product, law
from ionstack.physics.states import Carrier, Edge, Pores
from ionstack.physics.transport import Parameters

AIR_REACTION = Binding(
    species="Li+",
    gases=("O2", "H2O", "CO2"),
    products=(Product("Li2O", 2), Product("LiOH", 1), Product("Li2CO3", 2)),
    steps=(
        BindingStep("4 Li + O2 -> 2 Li2O", 1.0, (("Li2O", 0.5),)),
        BindingStep("Li2O + H2O -> 2 LiOH", 0.0, (("Li2O", -1.0), ("LiOH", 2.0))),
        BindingStep("2 LiOH + CO2 -> Li2CO3 + H2O", 0.0, (("LiOH", -2.0), ("Li2CO3", 1.0))),
    ),
)

_COMMON = (
    Parameter("rate_constant", "1/(m^2*s)", "lithium bound on full sites, bare metal, 1 bar"),
    Parameter("adsorption_potential", "eV", "potential of Li that fills half of the sites"),
    Parameter("oxygen_order", "1", "order of the rate in the pressure of O2"),
    Parameter("water_order", "1", "order of the rate in the pressure of H2O", 0.0),
    Parameter("hydration_rate", "1/s", "rate of Li2O + H2O per Li2O, at 1 bar of H2O"),
    Parameter("carbonation_rate", "1/s", "rate of 2 LiOH + CO2 per LiOH, at 1 bar of CO2"),
    Parameter("electrode_thickness", "m", "thickness of the porous metal"),
    Parameter("porosity", "1", "share of open pores in the metal before any product"),
    Parameter("percolation_threshold", "1", "porosity below which pores do not connect"),
    Parameter("percolation_exponent", "1", "exponent t of the connection of pores", 2.0),
    Parameter("molar_volume_Li2O", "m^3/mol", "of Li2O, 7.4 cm^3 per mol of Li (CRC)", 14.8e-6),
    Parameter("molar_volume_LiOH", "m^3/mol", "of LiOH (CRC)", 16.4e-6),
    Parameter("molar_volume_Li2CO3", "m^3/mol", "of Li2CO3, 17.5 cm^3 per Li (CRC)", 35.0e-6),
)


def product_thickness(pores: Pores, p: Parameters) -> jax.Array:
    """Volume of all products per area of the contact [m]: sum of n V/N_A."""
    parts = (p[f"molar_volume_{name}"] * amount for name, amount in pores.amounts.items())
    return jnp.asarray(sum(parts, jnp.asarray(0.0)) / AVOGADRO)


def open_porosity(pores: Pores, p: Parameters) -> jax.Array:
    """Share of the metal that is open pores: the first ones, those opened since, less products.

    The only place where porosity enters. Chu, Needleman and Gurson's growth of `opened`
    with plastic strain is up to mechanics.
    """
    filled = product_thickness(pores, p) / p["electrode_thickness"]
    return jnp.asarray(p["porosity"] + pores.opened - filled)


def connection(pores: Pores, p: Parameters) -> jax.Array:
    """Share of pores that let gas through, see `porosity.open_share`."""
    threshold, exponent = p["percolation_threshold"], p["percolation_exponent"]
    return jnp.asarray(open_share(open_porosity(pores, p), threshold, exponent))


def coverage(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Share of the metal's sites that lithium fills: a/(1 + a), Langmuir's isotherm.

    ln a = (mu(Li+) - V - E)/kT is the activity of the layer's lithium, Li+ and an electron of
    the metal at V, against half full sites at E. Proportional to the activity where that is
    small; bounded where the metal is far on the side of lithium; 0 without lithium.
    """
    return jax.nn.sigmoid(K.psi - L.psi - p["adsorption_potential"] / edge.thermal_voltage)


def _pressure(gas: str, p: Parameters) -> jax.Array:
    """Partial pressure over 1 bar."""
    return jnp.asarray(p[f"pressure_{gas}"] / STANDARD_PRESSURE)


def _bare(p: Parameters) -> jax.Array:
    """Rate on a bare metal with full sites and open pores: k (pO2)^m (pH2O)^q."""
    oxygen = _pressure("O2", p) ** p["oxygen_order"]
    return jnp.asarray(p["rate_constant"] * oxygen * _pressure("H2O", p) ** p["water_order"])


def _steps(binding_rate: jax.Array, pores: Pores, p: Parameters) -> tuple[jax.Array, ...]:
    """Rates of all three steps; gas comes to each of them through connected pores only."""
    connected = connection(pores, p)
    hydration = p["hydration_rate"] * _pressure("H2O", p) * pores.amounts["Li2O"]
    carbonation = 0.5 * p["carbonation_rate"] * _pressure("CO2", p) * pores.amounts["LiOH"]
    return connected * binding_rate, connected * hydration, connected * carbonation


def _barrier(pores: Pores, p: Parameters) -> jax.Array:
    """Thickness of products that lithium passes [m]: no less than none between two iterations."""
    thickness = product_thickness(pores, p)
    return jnp.where(thickness > 0.0, thickness, 0.0)


@law(
    "contact",
    "air_reaction",
    *_COMMON,
    Parameter("permeability", "1/(m*s)", "flow of lithium through products times thickness"),
    passes=False,
    binding=AIR_REACTION,
)
def air_reaction(
    K: Carrier, L: Carrier, edge: Edge, pores: Pores, p: Parameters
) -> tuple[jax.Array, ...]:
    """Lithium bound by air in pores, through products: theta s/(1/k + delta/P) (steps assumed).

    Reaction and diffusion in series, linear at first, then parabolic in time: Deal and
    Grove, J. Appl. Phys. 36, 3770 (1965). The electron comes from the metal, so Li+ that
    leaves the layer is a current e r into the contact, as of any contact law.
    """
    bare = _bare(p)
    thickness = _barrier(pores, p)
    through = bare / (1.0 + bare * thickness / p["permeability"])
    return _steps(coverage(K, L, edge, p) * through, pores, p)


@law(
    "contact",
    "air_reaction_exponential",
    *_COMMON,
    Parameter("decay_thickness", "m", "thickness of products that slows the rate by e"),
    passes=False,
    binding=AIR_REACTION,
)
def air_reaction_exponential(
    K: Carrier, L: Carrier, edge: Edge, pores: Pores, p: Parameters
) -> tuple[jax.Array, ...]:
    """Lithium bound by air in pores, slower by e per thickness of products (steps assumed).

    theta s k exp(-delta/delta0): the direct logarithmic law of thin films, Mott, Trans.
    Faraday Soc. 35, 1175 (1939). Current as of `air_reaction`.
    """
    thickness = _barrier(pores, p)
    slowed = _bare(p) * jnp.exp(-thickness / p["decay_thickness"])
    return _steps(coverage(K, L, edge, p) * slowed, pores, p)
