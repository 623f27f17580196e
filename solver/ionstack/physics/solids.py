"""What a layer is made of, for mechanics: an isotropic solid that may yield and creep."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Creep:
    """Rate-dependent flow: rate of the equivalent strain `rate` ((q - threshold)/stress)^exponent.

    q is the equivalent (von Mises) stress. A `threshold` of 0 is Norton's power law; above
    0 nothing flows below it (Perzyna, Adv. Appl. Mech. 9, 243 (1966)).

    rate [1/s], stress [Pa], exponent [1] at least 1, threshold [Pa].
    """

    rate: float
    stress: float
    exponent: float
    threshold: float = 0.0


@dataclass(frozen=True)
class Solid:
    """Isotropic solid with J2 plasticity, linear hardening and creep.

    young_modulus [Pa]; poisson_ratio in (-1, 0.5); thermal_expansion [1/K], linear;
    residual_stress [Pa], in the plane of the film as deposited, positive in tension;
    yield_strength [Pa] in uniaxial stress, infinite where nothing yields; hardening [Pa],
    growth of the yield strength per equivalent plastic strain.
    """

    young_modulus: float
    poisson_ratio: float
    thermal_expansion: float = 0.0
    residual_stress: float = 0.0
    yield_strength: float = math.inf
    hardening: float = 0.0
    creep: Creep | None = None

    @property
    def shear_modulus(self) -> float:
        """Second Lamé constant G = E/(2 (1 + nu)) [Pa]."""
        return self.young_modulus / (2.0 * (1.0 + self.poisson_ratio))

    @property
    def bulk_modulus(self) -> float:
        """Bulk modulus K = E/(3 (1 - 2 nu)) [Pa]."""
        return self.young_modulus / (3.0 * (1.0 - 2.0 * self.poisson_ratio))

    @property
    def lame_modulus(self) -> float:
        """First Lamé constant, K - 2 G/3 [Pa]."""
        return self.bulk_modulus - 2.0 * self.shear_modulus / 3.0

    @property
    def biaxial_modulus(self) -> float:
        """Stress in the plane over equal strains there, E/(1 - nu) [Pa], free across."""
        return self.young_modulus / (1.0 - self.poisson_ratio)

    @property
    def flows(self) -> bool:
        """Whether the solid can keep a strain that is not elastic."""
        return math.isfinite(self.yield_strength) or self.creep is not None
