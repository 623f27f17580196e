"""Laws of internal interfaces and of contacts: particle flow per area, K to L, 1/(m^2 s).

At a contact L is the metal: only its `psi` has a meaning.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.constants import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    PLANCK,
    REDUCED_PLANCK,
)
from ionstack.physics.registry import Parameter, law
from ionstack.physics.special import bernoulli, drive, smooth_sqrt_abs
from ionstack.physics.states import Carrier, Edge
from ionstack.physics.transport import Parameters, poole_frenkel_factor

_EXCHANGE = Parameter("exchange_current_density", "A/m^2", "exchange current density")


def exchange_rate(edge: Edge, p: Parameters) -> jax.Array:
    """Exchange current density as a particle flow; a neutral species counts particles."""
    charge = jnp.maximum(jnp.abs(edge.z), 1.0) * ELEMENTARY_CHARGE
    return jnp.asarray(p["exchange_current_density"] / charge)


@law("contact", "exchange", _EXCHANGE)
@law("interface", "exchange", _EXCHANGE)
def exchange(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Exchange with symmetry factor 1/2: j = 2 j0 sinh(delta/2).

    The Butler-Volmer form with equal transfer coefficients; a large j0 gives
    equilibrium across the interface.
    """
    rate = exchange_rate(edge, p)
    return jnp.asarray(rate * 2.0 * jnp.sinh(0.5 * (K.psi - L.psi)))


@law("interface", "transfer", Parameter("velocity", "m/s", "transfer velocity at equal density"))
def transfer(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Transfer proportional to the carriers present: 2 v sqrt(c_K c_L) sinh(delta/2).

    In equilibrium the densities differ by the step of the standard potential;
    with free sites on the other side, as hopping does. Suits minority carriers,
    for which a constant exchange current would be out of proportion.
    """
    # The floor keeps the slope of the square root finite where a density underflows.
    floor = 1e-300
    mean = jnp.sqrt(K.c * L.vacancy + floor) * jnp.sqrt(L.c * K.vacancy + floor)
    return jnp.asarray(p["velocity"] * mean * 2.0 * jnp.sinh(0.5 * (K.psi - L.psi)))


@law("interface", "continuous", merges=True)
def continuous(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """One electrochemical potential on both sides; densities step with the levels.

    Both sides share the unknown, so this function, which vanishes where they agree, is
    not called.
    """
    return jnp.asarray(K.psi - L.psi)


@law(
    "interface",
    "butler_volmer",
    Parameter("exchange_current_density", "A/m^2", "exchange current density at unit activities"),
    Parameter("transfer_coefficient", "1", "share of the overpotential that drives K to L", 0.5),
    sided=True,
)
def butler_volmer_insertion(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Butler-Volmer insertion into a host (K, named first) from an electrolyte (L).

    i = i0 [exp(a eta) - exp(-(1-a) eta)], i0 = i00 x_L^(1-a) (1-x_K)^(1-a) x_K^a; the
    overpotential eta is the difference of the electrochemical potentials, so the
    host's open-circuit potential enters through its excess law.
    """
    alpha, affinity = p["transfer_coefficient"], K.psi - L.psi
    log_rate = (1.0 - alpha) * (L.log_x + K.log_vacancy) + alpha * K.log_x
    rate = exchange_rate(edge, p)
    return jnp.asarray(rate * drive(log_rate + alpha * affinity, affinity))


@law(
    "interface",
    "coupled_transfer",
    Parameter("exchange_current_density", "A/m^2", "exchange current density at unit activities"),
    Parameter("reorganisation_energy", "eV", "reorganisation energy of the electron transfer"),
    sided=True,
)
def coupled_transfer(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Coupled ion-electron transfer into a host (K, named first), Marcus-Hush-Chidsey.

    Rate erfc[(l - sqrt(1 + sqrt(l) + f^2))/(2 sqrt l)]/(1 + exp(-f)) with the formal
    overpotential f: Zeng, Smith, Bai, Bazant, J. Electroanal. Chem. 735, 77 (2014);
    sites: Fraggedakis et al., Electrochim. Acta 367, 137432 (2021).
    """
    reduced = p["reorganisation_energy"] / edge.thermal_voltage
    formal, affinity = K.drift - L.drift, K.psi - L.psi
    size = jnp.where(formal < 0.0, -formal, formal)
    # sqrt(k(f) k(-f)) over its value at 0, times the geometric mean of the contents.
    shape = _chidsey(formal, reduced) / _chidsey(jnp.zeros_like(formal), reduced)
    log_mean = 0.5 * (K.log_x + L.log_x - size) - jnp.log1p(jnp.exp(-size)) + jnp.log(2.0)
    rate = exchange_rate(edge, p)
    return jnp.asarray(rate * shape * K.vacancy * drive(log_mean + 0.5 * affinity, affinity))


def _chidsey(formal: jax.Array, reduced: jax.Array) -> jax.Array:
    """Even part of the Marcus-Hush-Chidsey rate."""
    root = jnp.sqrt(1.0 + jnp.sqrt(reduced) + formal * formal)
    return jax.scipy.special.erfc((reduced - root) / (2.0 * jnp.sqrt(reduced)))


@law(
    "interface",
    "thermionic",
    Parameter("velocity", "m/s", "emission velocity A* T^2/(e N) of the upper band"),
)
def thermionic(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Thermionic emission over a band offset: only the upper band's carriers pass.

    Wu and Yang, J. Appl. Phys. 52, 4729 (1981), for Boltzmann carriers.
    """
    upper = K.drift > L.drift
    top = jnp.where(upper, K.drift, L.drift)
    sites = jnp.where(upper, K.sites, L.sites)
    affinity = K.psi - L.psi
    return jnp.asarray(p["velocity"] * sites * drive(K.psi - top, affinity, L.psi - top))


_BARRIER = Parameter("barrier_height", "eV", "height of the barrier above the Fermi level")
_OXIDE = Parameter("thickness", "m", "thickness of the insulator")
_MASS = Parameter("effective_mass", "1", "tunnelling mass over the electron's rest mass", 1.0)


@law("contact", "tunnelling", _BARRIER, _OXIDE, _MASS)
@law("interface", "tunnelling", _BARRIER, _OXIDE, _MASS)
def tunnelling(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Direct and Fowler-Nordheim tunnelling through a thin insulator that is not meshed.

    WKB through a trapezoid, expanded about the Fermi level, at zero temperature:
    j = 4 pi m e/h^3 D s^2 (1 - exp(-V/s)), which is Simmons' current at low and
    Fowler-Nordheim's at high voltage. Simmons, J. Appl. Phys. 34, 1793 (1963);
    Stratton, J. Phys. Chem. Solids 23, 1177 (1962).
    """
    affinity = K.psi - L.psi
    volts = edge.thermal_voltage / jnp.maximum(jnp.abs(edge.z), 1.0)
    size = volts * jnp.where(affinity < 0.0, -affinity, affinity)
    decay, scale = _trapezoid(size, p)
    mass = p["effective_mass"] * ELECTRON_MASS
    supply = 4.0 * jnp.pi * mass * ELEMENTARY_CHARGE**2 / PLANCK**3
    conductance = supply * jnp.exp(-decay) * scale / bernoulli(-size / scale)
    return jnp.asarray(conductance * volts * affinity)


def _trapezoid(volts: jax.Array, p: Parameters) -> tuple[jax.Array, jax.Array]:
    """WKB exponent at the Fermi level and the energy [eV] over which it falls by 1."""
    height = p["barrier_height"]
    wave = jnp.sqrt(2.0 * p["effective_mass"] * ELECTRON_MASS * ELEMENTARY_CHARGE) / REDUCED_PLANCK
    low = volts < height
    direct = jnp.where(low, volts, 0.0)
    field = jnp.where(low, height, volts)
    # a = sqrt(height), b = sqrt(height - V): a^3 - b^3 over a^2 - b^2 has no 0/0.
    a, b = jnp.sqrt(height), jnp.sqrt(height - direct)
    roots = jnp.where(low, (a * a + a * b + b * b) / (a + b), a**3 / field)
    slopes = jnp.where(low, 1.0 / (a + b), a / field)
    reach = wave * p["thickness"]
    return 4.0 / 3.0 * reach * roots, 1.0 / (2.0 * reach * slopes)


@law("contact", "blocking", passes=False)
@law("interface", "blocking", passes=False)
def blocking(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """No flow."""
    return jnp.asarray(0.0 * (K.psi - L.psi))


@law(
    "interface",
    "barrier_leakage",
    Parameter("conductance", "S/m^2", "conductance of the barrier at low bias, x = x_ref"),
    Parameter("barrier_shift", "eV", "lowering of the barrier per unit content"),
    Parameter("reference_content", "1", "content x_ref at which `conductance` holds"),
    Parameter("thickness", "m", "thickness over which the barrier voltage drops"),
    Parameter("optical_permittivity", "1", "relative permittivity at optical frequency"),
    couples=True,
    sided=True,
)
def barrier_leakage(K: Carrier, L: Carrier, edge: Edge, p: Parameters) -> jax.Array:
    """Contact-limited, trap-assisted leakage whose barrier falls with the ion content.

    Conductance * exp(shift (x - x_ref)/kT) * Poole-Frenkel factor of the field
    (drop of the electrochemical potential over the thickness); x is the content
    on side K, the region named first in the case file.
    """
    vt = edge.thermal_voltage
    lowering = p["barrier_shift"] / vt * (K.coupled - p["reference_content"])
    drop = vt / jnp.abs(edge.z) * smooth_sqrt_abs(K.psi - L.psi) ** 2
    field = drop / p["thickness"]
    conductance = p["conductance"] * vt / ELEMENTARY_CHARGE / edge.z**2
    enhancement = jnp.exp(lowering) * poole_frenkel_factor(field, edge, p)
    return jnp.asarray(conductance * enhancement * (K.psi - L.psi))
