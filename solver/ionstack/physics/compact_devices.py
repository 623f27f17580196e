"""Compact models of whole devices as circuit elements with states of their own."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.bounds import AT_LEAST_ONE, BELOW_ONE, NOT_NEGATIVE, POSITIVE, Bounds
from ionstack.physics.circuit_elements import limiter
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.element_registry import TWO, Named, Outcome, RandomEvent, element
from ionstack.physics.registry import Parameter
from ionstack.physics.tunnelling import conductance_per_area, narrowest

# Barriers over kT beyond which nothing ever happens.
_NEVER = 700.0
# Width of the nucleus, from 0 to 1, over which a filament begins to follow from it.
_EMBRYO = 0.02


def _shrink_rate(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> jax.Array:
    """Rate [1/s] at which the live filament loses a part at once."""
    live = jnp.clip(own["live"], 0.0, 1.0)
    return p["shrink_rate"] * live ** p["shrink_exponent"]


def _shrunk(own: Named, p: Named) -> Named:
    return {"live": (1.0 - p["shrink_share"]) * own["live"]}


@element(
    "diffusive_memristor",
    Parameter("on_resistance", "ohm", "of a complete filament", bounds=POSITIVE),
    Parameter("off_resistance", "ohm", "without filament", bounds=POSITIVE),
    Parameter(
        "decay_share",
        "1",
        "share of the film over which the tunnel current falls by e",
        bounds=POSITIVE,
    ),
    Parameter("growth", "1/(V*s)", "growth of the live filament per volt", bounds=NOT_NEGATIVE),
    Parameter(
        "softening", "1", "keeps the growth finite when the filament is complete", bounds=POSITIVE
    ),
    Parameter(
        "fastest_growth",
        "1/s",
        "largest growth of the live filament",
        float("inf"),
        bounds=POSITIVE,
    ),
    Parameter("decay", "1/s", "of the live filament", bounds=POSITIVE),
    Parameter("ageing", "1/s", "live to residual filament", bounds=NOT_NEGATIVE),
    Parameter("residual_decay", "1/s", "of the residual filament", bounds=NOT_NEGATIVE),
    Parameter(
        "shrink_rate", "1/s", "random losses of a complete filament", 0.0, bounds=NOT_NEGATIVE
    ),
    Parameter(
        "shrink_exponent", "1", "of the rate of losses in the live share", 2.0, bounds=NOT_NEGATIVE
    ),
    Parameter(
        "shrink_share",
        "1",
        "share of the live filament that is lost at once",
        0.0,
        bounds=BELOW_ONE,
    ),
    Parameter("live", "1", "live filament at the start, share of the film", 0.0, bounds=BELOW_ONE),
    Parameter(
        "residual", "1", "residual filament at the start, share of the film", 0.0, bounds=BELOW_ONE
    ),
    own=(("live", "1"), ("residual", "1"), ("held", "1")),
    paths=(TWO,),
    states=(("live", "live"), ("residual", "residual")),
    events=(RandomEvent("shrink", _shrink_rate, _shrunk),),
)
def diffusive_memristor(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Volatile filament of a live and a residual part that close a tunnel gap.

    With the live share f and the residual r of the film, of Wang T. et al., IEEE Trans.
    Circuits Syst. Artif. Intell. (2024) and their published netlist:

        f' = min(growth |V|/(softening + 1 - f - r) - (decay + ageing) f, fastest_growth),
        r' = ageing f - residual_decay r,   f + r <= 1,
        R = R_on (f + r) + R_off (exp((1 - f - r)/decay_share) - 1)/(exp(1/decay_share) - 1).

    `held` times the decay is what a complete filament keeps the live part from growing by.
    At random, at shrink_rate f^shrink_exponent, the live part loses a share.
    """
    live, residual, apart = own["live"], own["residual"], v["a"] - v["b"]
    left = jnp.clip(1.0 - live - residual, 0.0, 1.0)
    pull = p["growth"] * jnp.abs(apart) / (p["softening"] + left)
    rise = jnp.minimum(pull - (p["decay"] + p["ageing"]) * live, p["fastest_growth"])
    kept = p["ageing"] * live - p["residual_decay"] * residual
    balances = {
        "live": p["decay"] * own["held"] - rise,
        "residual": -kept,
        "held": limiter(own["held"], live + residual, jnp.ones_like(live)),
    }
    current = apart / _gap_resistance(left, p)
    return Outcome({"a": current, "b": -current}, {}, balances)


def _gap_resistance(left: jax.Array, p: Named) -> jax.Array:
    """Resistance [ohm] of a filament that leaves a share of the film open."""
    gap = jnp.expm1(left / p["decay_share"]) / jnp.expm1(1.0 / p["decay_share"])
    return p["on_resistance"] * (1.0 - left) + p["off_resistance"] * gap


def _nucleation_rate(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> jax.Array:
    """I_0 exp(-(V_n/V)^2): classical nucleation, driven by the overpotential V > 0.

    The barrier 16 pi gamma^3 Omega^2/(3 (z e V)^2) over kT makes V_n^2 = 16 pi gamma^3
    Omega^2/(3 (z e)^2 kT).
    """
    volts = jnp.maximum(v["a"] - v["b"], 0.0)
    driven = volts > 0.0
    share = p["nucleation_voltage"] / jnp.where(driven, volts, 1.0)
    rate = p["nucleation_rate"] * jnp.exp(-jnp.minimum(share**2, _NEVER))
    return jnp.where(driven & (own["nucleus"] < 0.5), rate, 0.0)


def _open_gap(gap: jax.Array, apart: jax.Array, p: Named) -> jax.Array:
    """Resistance [ohm] of a gap [m]: it rises exponentially, or electrons tunnel (Simmons).

    The tip has the least diameter; a closed gap, as wide as the narrowest, has no resistance.
    An open one takes the whole voltage.
    """
    usual = p["contact_resistance"] * jnp.expm1(gap / p["gap_decay"])
    tunnels = p["tunnel_barrier"] > 0.0
    barrier, mass = jnp.where(tunnels, p["tunnel_barrier"], 1.0), p["effective_mass"]
    closed = narrowest(barrier, mass)
    area = 0.25 * jnp.pi * p["nucleus"] ** 2
    least, own = (
        1.0 / (area * conductance_per_area(barrier, closed + more, mass, apart))
        for more in (jnp.zeros_like(gap), gap)
    )
    return jnp.where(tunnels, own - least, usual)


def _diameter(own: Named, p: Named) -> jax.Array:
    return p["nucleus"] + p["length"] * jnp.maximum(own["grown"], 0.0)


def _lost_at_once(own: Named, p: Named) -> jax.Array:
    """Diameter [m] that a complete filament loses with a cluster of atoms."""
    volume = p["atoms_lost"] * p["atomic_volume"]
    return 2.0 * volume / (jnp.pi * _diameter(own, p) * p["length"])


def _at_random(own: Named, p: Named) -> jax.Array:
    """Share of the dissolution of a complete filament that comes in clusters."""
    noisy = (p["atomic_volume"] > 0.0) & (own["grown"] > 0.0)
    return jnp.where(noisy, 1.0 / p["atoms_lost"], 0.0)


def _loss_rate(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> jax.Array:
    """Rate [1/s] of losses of n atoms: mean 1/n and variance those of single atoms.

    Single atoms of which each takes a diameter a would leave at a rate r = B/(d^3 a), by
    which the variance of d rises by r a^2 per time. Clusters at a rate r/n^2 do the same.
    """
    lost = _lost_at_once(own, p)
    some = lost > 0.0
    falling = p["dissolution"] / _diameter(own, p) ** 3
    return jnp.where(some, _at_random(own, p) * falling / jnp.where(some, lost, 1.0), 0.0)


def _thinner(own: Named, p: Named) -> Named:
    return {"grown": jnp.maximum(own["grown"] - _lost_at_once(own, p) / p["length"], -1.0)}


def _nucleated(own: Named, p: Named) -> Named:
    return {"nucleus": jnp.ones_like(own["nucleus"])}


@element(
    "filament",
    Parameter("length", "m", "thickness of the film that it crosses", bounds=POSITIVE),
    Parameter("nucleus", "m", "diameter while it is not complete, the least one", bounds=POSITIVE),
    Parameter("resistivity", "ohm*m", "of the filament", bounds=POSITIVE),
    Parameter(
        "thermal_conductivity", "W/(m*K)", "of the filament, which heats itself", bounds=POSITIVE
    ),
    Parameter("contact_resistance", "ohm", "scale of the resistance of a gap", bounds=NOT_NEGATIVE),
    Parameter("gap_decay", "m", "gap over which its resistance rises by e", bounds=POSITIVE),
    Parameter("velocity", "m/s", "of growth, at infinite temperature", bounds=POSITIVE),
    Parameter("barrier", "eV", "of growth and reset", bounds=POSITIVE),
    Parameter("lowering", "1", "share of the voltage that lowers the barrier", bounds=NOT_NEGATIVE),
    Parameter(
        "dissolution",
        "m^4/s",
        "Mullins' coefficient D_s gamma Omega^2 nu/kT",
        0.0,
        bounds=NOT_NEGATIVE,
    ),
    Parameter(
        "nucleation_rate",
        "1/s",
        "prefactor; 0: a nucleus is always there",
        0.0,
        bounds=NOT_NEGATIVE,
    ),
    Parameter("nucleation_voltage", "V", "at which the barrier is kT", 0.0, bounds=NOT_NEGATIVE),
    Parameter(
        "tunnel_barrier", "V", "of a gap; 0: its resistance rises by e", 0.0, bounds=NOT_NEGATIVE
    ),
    Parameter("effective_mass", "1", "in the gap, over that of an electron", 1.0, bounds=POSITIVE),
    Parameter("atomic_volume", "m^3", "of the metal; 0: no noise", 0.0, bounds=NOT_NEGATIVE),
    Parameter("atoms_lost", "1", "atoms of one random loss", 1.0, bounds=AT_LEAST_ONE),
    Parameter("nucleus_at_start", "1", "whether there is one", 0.0, bounds=NOT_NEGATIVE),
    Parameter(
        "grown",
        "1",
        "growth at the start over the length, -1: no filament",
        -1.0,
        bounds=Bounds(least=-1.0),
    ),
    own=(("grown", "1"), ("nucleus", "1"), ("held", "1")),
    paths=(TWO,),
    states=(("grown", "grown"), ("nucleus", "nucleus_at_start")),
    events=(
        RandomEvent("nucleation", _nucleation_rate, _nucleated),
        RandomEvent("loss", _loss_rate, _thinner),
    ),
)
def filament(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Filament that closes a gap, then widens, and the way back; it heats itself.

    One coordinate s: below 0 a gap -s is open under a filament of the least diameter, above
    0 the diameter is larger by s. With V > 0 it grows, with V < 0 it is reset,

        s' = 2 A exp(-E/kT) sinh(lowering e V/kT) - B/diameter^3,   T = T_0 + P L/(8 k area).

    Rate and temperature: Ielmini, IEEE Trans. Electron Devices 58, 4309 (2011); B is the
    dissolution by surface diffusion: Wang W. et al., Nat. Commun. 10, 81 (2019). `held`
    times the rate without voltage keeps the gap from exceeding the film. With a rate of
    nucleation it grows only from a nucleus on (above one half), which comes at random and
    dissolves as the filament does, also below one half. With an atomic volume a complete
    filament loses a share 1/n of what dissolves at random, n atoms at once: the shot noise of
    its dissolution. With a `tunnel_barrier` electrons tunnel through the gap as in
    `physics.tunnelling`.
    """
    apart, grown = v["a"] - v["b"], own["grown"]
    diameter = _diameter(own, p)
    gap = p["length"] * jnp.clip(-grown, 0.0, 1.0)
    area = 0.25 * jnp.pi * diameter**2
    resistance = p["resistivity"] * p["length"] / area
    resistance = resistance + _open_gap(gap, apart, p)
    current = apart / resistance
    heating = apart * current * p["length"] / (8.0 * p["thermal_conductivity"] * area)
    volts = thermal_voltage + BOLTZMANN_EV * heating
    drift = 2.0 * p["velocity"] * _activated(p["barrier"], p["lowering"] * apart, volts)
    there = jax.nn.sigmoid((own["nucleus"] - 0.5) / _EMBRYO)
    there = jnp.where(p["nucleation_rate"] == 0.0, 1.0, there)
    dissolving = (1.0 - _at_random(own, p)) * p["dissolution"] / diameter**3
    rate = there * (drift - dissolving) / p["length"]
    # Slower than any rate that matters, so that the limit acts only where it is reached.
    scale = p["velocity"] * jnp.exp(-p["barrier"] / thermal_voltage) / p["length"]
    # An embryo goes on to dissolve, or what is left of it would still grow a little.
    thinned = scale * own["held"] * p["length"] + (1.0 - there) * dissolving
    balances = {
        "grown": -rate - scale * own["held"],
        "nucleus": thinned * own["nucleus"] / p["nucleus"],
        "held": limiter(own["held"], -grown, jnp.ones_like(grown)),
    }
    return Outcome({"a": current, "b": -current}, {}, balances)


def _activated(barrier: jax.Array, lowered: jax.Array, volts: jax.Array) -> jax.Array:
    """Return exp(-barrier/volts) sinh(lowered/volts); no faster once the barrier is gone."""
    size = jnp.minimum(jnp.abs(lowered), barrier)
    one_way = jnp.exp((size - barrier) / volts) * -jnp.expm1(-2.0 * size / volts)
    return 0.5 * jnp.sign(lowered) * one_way
