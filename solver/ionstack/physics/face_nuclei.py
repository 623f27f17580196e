"""Laws of nucleation on the face of a metal: attempts per area and time, and the barrier.

Formulas and sources are those of `nucleation` and `needles`. A law takes a `MetalFace` and
numbers and returns `Attempts`; what scatters from place to place is the barrier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from ionstack.physics import nucleation
from ionstack.physics.constants import BOLTZMANN
from ionstack.physics.needles import Needle, needle_nucleus
from ionstack.physics.registry import Parameter, law
from ionstack.physics.states import Attempts, MetalFace

Parameters = Mapping[str, jax.Array]

_PREFACTOR = Parameter("prefactor", "1/(m^2*s)", "attempts per area and time")
_TENSION = Parameter("tension", "J/m^2", "tension of the surface of the nucleus")


@law(
    "nucleation",
    "field_power",
    _PREFACTOR,
    Parameter("nucleation_field", "V/m", "field at which the barrier is kT"),
    Parameter("field_exponent", "1", "power of the field in the barrier", 2.0),
)
def field_power(face: MetalFace, p: Parameters) -> Attempts:
    """Nuclei by field at the rate I0 exp(-(F_n/F)^m).

    The form of every barrier that goes as a power of the field: 4 for a sphere, 1 for a long
    needle, see `nucleation.field_drive` and `needles.long_needle`. Either sign of the field.
    """
    size = jnp.abs(face.field)
    ratio = p["nucleation_field"] / jnp.where(size > 0.0, size, 1.0)
    barrier = BOLTZMANN * face.temperature * ratio ** p["field_exponent"]
    return Attempts(p["prefactor"], jnp.where(size > 0.0, barrier, jnp.inf))


@law(
    "nucleation",
    "field_needle",
    _PREFACTOR,
    _TENSION,
    Parameter("narrowest", "m", "least half width of the needle"),
    Parameter("relative_permittivity", "1", "that of the layer"),
    Parameter("phase_cost", "J/m^3", "free energy of the phase over that of the layer", 0.0),
)
def field_needle(face: MetalFace, p: Parameters) -> Attempts:
    """Metallic needles that a field draws out of the face, half a spheroid each.

    Karpov et al., Phys. Rev. B 78, 052201 (2008); see `needles`. Either sign of the field.
    """
    needle = Needle(
        p["tension"], p["narrowest"], p["relative_permittivity"], p["phase_cost"], share=0.5
    )
    return Attempts(p["prefactor"], *needle_nucleus(needle, face.field))


@law(
    "nucleation",
    "cap",
    Parameter("face_sites", "1/m^2", "places per area where a nucleus may form"),
    Parameter("attempt_frequency", "1/s", "attempts at a place to add an atom"),
    _TENSION,
    Parameter("atomic_volume", "m^3", "volume of an atom in the nucleus"),
    Parameter("contact_angle", "rad", "between nucleus and face, pi for a sphere", math.pi),
    Parameter("chemical_potential", "eV", "of the species in the metal at 0 V", 0.0),
    couples=True,
)
def cap(face: MetalFace, p: Parameters) -> Attempts:
    """Caps of a metal that deposits, by supersaturation and overpotential together.

    The driving force is the affinity per atom, z e eta + kT ln S; I0 = sites x frequency x
    Zeldovich's factor, see `nucleation`.
    """
    drive = nucleation.overpotential_drive(face.affinity, 1.0, p["atomic_volume"])
    nucleus = nucleation.spherical_nucleus(p["tension"], drive, p["contact_angle"])
    exists = jnp.isfinite(nucleus.size)
    radius = jnp.where(exists, nucleus.size, 1.0)
    volume = 4.0 / 3.0 * math.pi * radius**3 * nucleation.cap_factor(p["contact_angle"])
    cluster = nucleation.Cluster(nucleus.barrier, volume / p["atomic_volume"])
    share = nucleation.zeldovich_factor(cluster, face.temperature)
    rate = nucleation.stationary_prefactor(p["face_sites"], p["attempt_frequency"], share)
    return Attempts(rate, *nucleus)
