"""The temperature at which a law of two ends acts, and how each end's carriers look there.

A gradient of temperature does one of two things to a species. Without a heat of transport its
flux runs down the electrochemical potential, whatever the temperature. With one it runs
down the part of that gradient at constant temperature, and the Soret effect comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax

from ionstack.models.carriers import isothermal, raised, rescaled
from ionstack.physics.constants import BOLTZMANN_EV
from ionstack.physics.states import Carrier


@dataclass(frozen=True)
class Warmth:
    """Temperature [K] at which a law acts, and that of one end over it (None: the same)."""

    temperature: jax.Array
    ratio: jax.Array | None = None

    @property
    def thermal_voltage(self) -> jax.Array:
        """Return kT/e [V]."""
        return BOLTZMANN_EV * self.temperature

    def seen(self, carrier: Carrier, heat: float | None = None) -> Carrier:
        """The carrier, or a tangent of it, with its potentials over this temperature.

        `heat` of transport [eV] of a species that has one.
        """
        if self.ratio is None:
            return carrier
        change = rescaled if heat is None else isothermal
        return change(carrier, self.ratio)

    def pulled(self, carrier: Carrier, heat: float | None = None) -> Carrier:
        """The carrier with the potential of the Soret effect, Q (1/T - 1/T_end)/k.

        Its difference between two ends is the integral of Q/(k T^2) over the temperature.
        """
        if self.ratio is None or not heat:
            return carrier
        return raised(carrier, heat / self.thermal_voltage * (1.0 - 1.0 / self.ratio))
