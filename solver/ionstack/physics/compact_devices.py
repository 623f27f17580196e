"""Compact models of whole devices as circuit elements with states of their own."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.circuit_elements import limiter
from ionstack.physics.element_registry import TWO, Named, Outcome, element
from ionstack.physics.registry import Parameter


@element(
    "diffusive_memristor",
    Parameter("on_resistance", "ohm", "of a complete filament"),
    Parameter("off_resistance", "ohm", "without filament"),
    Parameter("gap_decay", "1", "share of the film over which the tunnel current falls by e"),
    Parameter("growth", "1/(V*s)", "growth of the live filament per volt"),
    Parameter("softening", "1", "keeps the growth finite when the filament is complete"),
    Parameter("fastest_growth", "1/s", "largest growth of the live filament", float("inf")),
    Parameter("decay", "1/s", "of the live filament"),
    Parameter("ageing", "1/s", "live to residual filament"),
    Parameter("residual_decay", "1/s", "of the residual filament"),
    Parameter("live", "1", "live filament at the start, share of the film", 0.0),
    Parameter("residual", "1", "residual filament at the start, share of the film", 0.0),
    own=(("live", "1"), ("residual", "1"), ("held", "1")),
    paths=(TWO,),
    states=(("live", "live"), ("residual", "residual")),
)
def diffusive_memristor(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Volatile filament of a live and a residual part that close a tunnel gap.

    With the live share f and the residual r of the film, of Wang T. et al., IEEE Trans.
    Circuits Syst. Artif. Intell. (2024) and their published netlist:

        f' = min(growth |V|/(softening + 1 - f - r) - (decay + ageing) f, fastest_growth),
        r' = ageing f - residual_decay r,   f + r <= 1,
        R = R_on (f + r) + R_off (exp((1 - f - r)/gap_decay) - 1)/(exp(1/gap_decay) - 1).

    `held` times the decay is what a complete filament keeps the live part from growing by.
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
    gap = jnp.expm1(left / p["gap_decay"]) / jnp.expm1(1.0 / p["gap_decay"])
    return p["on_resistance"] * (1.0 - left) + p["off_resistance"] * gap
