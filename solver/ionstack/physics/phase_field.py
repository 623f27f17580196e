"""Laws of a phase as a field: a double well, and reactions that live on its surface.

A filament is a neutral species whose content x goes from 0, no filament, to 1 over a few widths
of its surface. What makes it grow is a reaction, what moves it along its surface is transport,
and what feeds it does not pass through it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.reactions import Side, affinity
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import drive
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import DIFFUSIVITY, Parameters, site_hopping


@law(
    "excess",
    "double_well",
    Parameter("well", "eV", "W of the energy W x^2 (1-x)^2 per site, 16 times its barrier"),
    Parameter("gradient_energy", "eV*m^2", "coefficient kappa of -kappa lap(x), 0 for none", 0.0),
    Parameter("wetting", "eV*m", "slope of the faces' energy with the content, per site", 0.0),
    Parameter("lower_content", "1", "content below which the ideal term takes over", 1e-3),
    Parameter("upper_content", "1", "content above which the ideal term takes over", 0.999),
)
def double_well(x: jax.Array, p: Parameters, kT: jax.Array) -> jax.Array:
    """Quartic double well: the whole potential is 2 W x (1-x) (1-2x) - kappa lap(x).

    Its flat surface is x = 1/(1 + exp(-z/l)), l = sqrt(kappa/2W), of the energy kappa/(6 l) per
    site: Cahn and Hilliard (1958); Allen and Cahn, Acta Metall. 27, 1085 (1979). The ideal term
    of a lattice gas is taken off between the limits and kept outside, where it holds the
    content between 0 and 1 whatever drives it. Gradient and wetting: `regular_solution`.
    """
    inside = jnp.clip(x, p["lower_content"], p["upper_content"])
    slope = 2.0 * p["well"] / kT * x * (1.0 - x) * (1.0 - 2.0 * x)
    return jnp.asarray(slope - jnp.log(inside / (1.0 - inside)))


@law("reaction", "allen_cahn", Parameter("rate", "1/(m^3*s)", "rate per kT of the affinity"))
def allen_cahn(left: Side, right: Side, thermal_voltage: jax.Array, p: Parameters) -> jax.Array:
    """Rate linear in the affinity, everywhere alike: rate * affinity.

    With nothing on the left (`<=> Ag`) and a gradient energy the equation of Allen and Cahn,
    Acta Metall. 27, 1085 (1979), for a phase in contact with a reservoir at the potential 0; its
    mobility is rate/(N kT). Bazant, Acc. Chem. Res. 46, 1144 (2013), "Allen-Cahn reaction".
    """
    return jnp.asarray(p["rate"] * affinity(left, right))


def _log_surface(left: Side, right: Side) -> jax.Array:
    """Logarithm of 6 x (1-x) of the species named last: its mean over a surface is 1."""
    phase, _ = (*left, *right)[-1]
    return jnp.asarray(jnp.log(6.0) + phase.log_x + phase.log_vacancy)


@law(
    "reaction",
    "surface_butler_volmer",
    Parameter("rate", "1/(m^3*s)", "exchange rate at unit contents, mean over the surface"),
    Parameter("transfer_coefficient", "1", "share of the affinity that drives to the right", 0.5),
)
def surface_butler_volmer(
    left: Side, right: Side, thermal_voltage: jax.Array, p: Parameters
) -> jax.Array:
    """Butler-Volmer kinetics on the surface of the species named last: Ag+ + e- <=> Ag.

    6 x (1-x) k x_left^(1-a) [exp(a A) - exp(-(1-a) A)] with the affinity A, which holds the
    curvature of the surface: Bazant, Acc. Chem. Res. 46, 1144 (2013). Contents of the left
    enter as at an electrode (`butler_volmer` of contacts).
    """
    alpha, total = p["transfer_coefficient"], affinity(left, right)
    taken = sum((count * one.log_x for one, count in left), jnp.asarray(0.0))
    log_rate = _log_surface(left, right) + (1.0 - alpha) * taken + alpha * total
    return jnp.asarray(p["rate"] * drive(log_rate, total))


@law("transport", "matrix_hopping", DIFFUSIVITY, couples=True)
def matrix_hopping(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Hopping to free sites of what a phase leaves of the layer: site hopping times 1 - x.

    x is the content of the phase, named under `couples`, mean of both ends: ions go around a
    filament and not through it. Linear mixing, a closure.
    """
    left = 1.0 - 0.5 * (K.coupled + L.coupled)
    return jnp.asarray(site_hopping(K, L, edge, p) * left)
