"""Laws of circuit elements: currents, charges and own equations from voltages."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ionstack.physics.bounds import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE
from ionstack.physics.element_registry import TWO, Choice, Named, Outcome, element
from ionstack.physics.registry import Parameter

# Product of the slacks of the limiter: a share of the compliance, and a voltage [V].
LIMITER = 1e-6
_CURRENT = ("I", "A")


def _branch(v: Named, current: jax.Array, resistance: jax.Array) -> Outcome:
    """An unknown current with v_a - v_b = R I: small resistances lose no digits."""
    drop = v["a"] - v["b"] - resistance * current
    return Outcome({"a": current, "b": -current}, {}, {"I": drop})


@element(
    "resistor",
    Parameter("resistance", "ohm", "0: a wire", bounds=NOT_NEGATIVE),
    own=(_CURRENT,),
    paths=(TWO,),
)
def resistor(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Resistor, I = (v_a - v_b)/R."""
    return _branch(v, own["I"], p["resistance"])


@element("capacitor", Parameter("capacitance", "F", "charge over voltage", bounds=POSITIVE))
def capacitor(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Capacitor, Q = C (v_a - v_b)."""
    charge = p["capacitance"] * (v["a"] - v["b"])
    return Outcome({}, {"a": charge, "b": -charge}, {})


@element(
    "switch",
    Parameter("on", "ohm", "resistance when closed", bounds=NOT_NEGATIVE),
    Parameter("off", "ohm", "resistance when open", bounds=POSITIVE),
    Choice("closed", ((True, 1.0), (False, 0.0)), "state at the start", 1.0),
    own=(_CURRENT,),
    inputs=("closed",),
    paths=(TWO,),
)
def switch(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Switch, a resistor with one resistance when closed and another when open."""
    return _branch(v, own["I"], jnp.where(p["closed"] > 0.5, p["on"], p["off"]))


@element(
    "mosfet",
    Choice("channel", (("n", 1.0), ("p", -1.0)), "carriers of the channel"),
    Parameter(
        "transconductance",
        "A/V^2",
        "beta = mobility * oxide capacitance * width/length",
        bounds=POSITIVE,
    ),
    Parameter("threshold", "V", "gate to bulk; of a p-channel transistor negative"),
    Parameter(
        "slope_factor", "1", "n, of weak inversion and of the body effect", bounds=AT_LEAST_ONE
    ),
    terminals=("drain", "gate", "source", "bulk"),
    paths=(("drain", "source"),),
)
def mosfet(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Long-channel MOS transistor from weak to strong inversion (EKV).

    I_D = 2 n beta U_T^2 [ln^2(1 + e^x_S) - ln^2(1 + e^x_D)], x = (V_P - V)/(2 U_T) and
    V_P = (V_G - V_T0)/n, voltages against bulk. Enz, Krummenacher, Vittoz, Analog Integr.
    Circuits Signal Process. 8, 83 (1995). No charges: gate capacitances are separate.
    """
    sign, slope = p["channel"], p["slope_factor"]
    pinch = sign * (v["gate"] - v["bulk"] - p["threshold"]) / slope
    forward, reverse = (
        0.5 * (pinch - sign * (v[end] - v["bulk"])) / thermal_voltage for end in ("source", "drain")
    )
    apart = 0.5 * sign * (v["drain"] - v["source"]) / thermal_voltage
    scale = 2.0 * slope * p["transconductance"] * thermal_voltage**2
    sums = jax.nn.softplus(forward) + jax.nn.softplus(reverse)
    current = sign * scale * sums * _inversion_step(forward, reverse, apart)
    return Outcome({"drain": current, "source": -current}, {}, {})


def _inversion_step(forward: jax.Array, reverse: jax.Array, apart: jax.Array) -> jax.Array:
    """Return ln(1 + e^forward) - ln(1 + e^reverse), `apart` being their difference.

    Close to each other the two are not subtracted: odd, and exact to the last digits.
    """
    up = apart >= 0.0
    size, lower = jnp.where(up, apart, -apart), jnp.where(up, reverse, forward)
    upper = jnp.where(up, forward, reverse)
    near = size < 1.0
    close = jnp.log1p(jax.nn.sigmoid(lower) * jnp.expm1(jnp.where(near, size, 0.0)))
    found = jnp.where(near, close, jax.nn.softplus(upper) - jax.nn.softplus(lower))
    return jnp.where(up, found, -found)


@element(
    "source",
    Parameter("value", "V or A", "voltage, or current in current mode", 0.0),
    Choice("current", ((True, 1.0), (False, 0.0)), "whether the current is given", 0.0),
    Parameter("positive", "A", "compliance of positive currents", float("inf")),
    Parameter("negative", "A", "compliance of negative currents, positive", float("inf")),
    terminals=("node", "return"),
    own=(_CURRENT, ("lowered", "V"), ("raised", "V")),
    inputs=("value", "current", "positive", "negative"),
    paths=(("node", "return"),),
)
def source(v: Named, own: Named, p: Named, thermal_voltage: jax.Array) -> Outcome:
    """Source-measure unit: a voltage with compliance, or a current.

    I flows out of the instrument into its node. Voltage mode:
    v_node - v_return = V - lowered + raised, where each polarity's slack keeps its
    current within the compliance (`limiter`). There is no diode in it and no bend: the
    instrument's voltage is a smooth, falling function of its current.
    """
    current, by_current = own["I"], p["current"] > 0.5
    voltage = p["value"] - own["lowered"] + own["raised"]
    given = jnp.where(by_current, current - p["value"], v["node"] - v["return"] - voltage)
    slacks = {
        name: jnp.where(by_current, own[name], limiter(own[name], sign * current, p[limit]))
        for name, sign, limit in (("lowered", 1.0, "positive"), ("raised", -1.0, "negative"))
    }
    return Outcome({"node": -current, "return": current}, {}, {"I": given, **slacks})


def limiter(slack: jax.Array, current: jax.Array, compliance: jax.Array) -> jax.Array:
    """Smooth complementarity: (slack + eps) (1 - current/compliance) = eps, both above 0.

    a + b - sqrt(a^2 + b^2 + 2 eps) vanishes exactly if a b = eps and a, b > 0 (Fischer,
    Optimization 24, 269 (1992); smoothed by Kanzow, SIAM J. Matrix Anal. 17, 851 (1996)).
    Where a + b > 0 it is written 2 (a b - eps)/(a + b + sqrt), which does not cancel. The
    slack [V] is 0 at rest; without compliance (infinite) always.
    """
    free = jnp.isinf(compliance)
    share = current / jnp.where(free, 1.0, compliance)
    total = slack + LIMITER + 1.0 - share
    root = jnp.sqrt((slack + LIMITER) ** 2 + (1.0 - share) ** 2 + 2.0 * LIMITER)
    above = total > 0.0
    product = slack * (1.0 - share) - LIMITER * share
    smooth = 2.0 * product / (jnp.where(above, total, 0.0) + root)
    return jnp.where(free, slack, jnp.where(above, smooth, total - root))
