"""Classical nucleation: driving force, critical nucleus, stationary rate and waiting time.

Volmer and Weber, Z. Phys. Chem. 119, 277 (1926); Becker and Döring, Ann. Phys. 416, 719 (1935);
electrochemical nucleation: Milchev, Electrocrystallization (2002), Menzel et al., Phys. Chem.
Chem. Phys. 15, 6945 (2013). All functions take floats and arrays of NumPy or JAX, and broadcast.
Without a driving force the barrier is infinite, the rate zero and so are their derivatives.

Energies are in J, tensions in J/m^2, driving forces in J/m^3.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ionstack.physics.array_module import module_of
from ionstack.physics.constants import BOLTZMANN, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

# A critical radius beyond it [m], or number of atoms, counts as infinite: no such nucleus
# forms by fluctuations, and its derivatives stay finite.
_LARGEST_RADIUS = 1.0
_MOST_ATOMS = 1e12
# Rates are zero, waiting times infinite, for barriers above this many kT.
_HIGHEST = 700.0


class Nucleus(NamedTuple):
    """Work to form a critical nucleus: `barrier` [J]; `size` [m], its radius or length."""

    barrier: Any
    size: Any


class Cluster(NamedTuple):
    """Work to form a critical cluster: `barrier` [J]; `atoms`, how many it has."""

    barrier: Any
    atoms: Any


def supersaturation_drive(temperature: Any, supersaturation: Any, atomic_volume: Any) -> Any:
    """Driving force kT ln(S)/Omega [J/m^3] of a solution S = c/c_eq > 0 times saturated."""
    log = module_of(supersaturation).log(supersaturation)
    return BOLTZMANN * temperature * log / atomic_volume


def overpotential_drive(overpotential: Any, charge_number: Any, atomic_volume: Any) -> Any:
    """Driving force z e eta/Omega [J/m^3]; eta [V] counts positive where it deposits."""
    return charge_number * ELEMENTARY_CHARGE * overpotential / atomic_volume


def field_drive(
    field: Any, relative_permittivity: Any, depolarisation: Any = 1.0 / 3.0, focus: Any = 1.0
) -> Any:
    """Driving force eps E^2/(2 n) [J/m^3] of a field [V/m] on a metal in a dielectric.

    Energy of a conducting ellipsoid along the field, n its `depolarisation` factor (1/3: a
    sphere); Landau and Lifshitz, Electrodynamics of Continuous Media, paragraphs 4 and 8. The
    field is `focus` times that of the layer.
    """
    local = focus * field
    return 0.5 * relative_permittivity * VACUUM_PERMITTIVITY * local * local / depolarisation


def cap_factor(contact_angle: Any) -> Any:
    """Barrier of a cap on a face over that of a sphere: (2 + cos)(1 - cos)^2/4 (Volmer 1929)."""
    cosine = module_of(contact_angle).cos(contact_angle)
    return 0.25 * (2.0 + cosine) * (1.0 - cosine) ** 2


def spherical_nucleus(tension: Any, drive: Any, contact_angle: Any = math.pi) -> Nucleus:
    """Critical sphere: W = 16 pi gamma^3/(3 dg^2), r = 2 gamma/dg (Gibbs).

    On a face that it wets under `contact_angle` [rad] the nucleus is a cap of the same radius
    and of `cap_factor` times the barrier; pi is a sphere.
    """
    xp = module_of(tension, drive, contact_angle)
    exists = drive > 2.0 * tension / _LARGEST_RADIUS
    radius = 2.0 * tension / xp.where(exists, drive, 1.0)
    barrier = 4.0 * math.pi / 3.0 * tension * radius**2 * cap_factor(contact_angle)
    return Nucleus(xp.where(exists, barrier, xp.inf), xp.where(exists, radius, xp.inf))


def sphere_area_of_one(atomic_volume: Any) -> Any:
    """Area [m^2] of a sphere of one atom's volume: a_s = (36 pi Omega^2)^(1/3)."""
    return (36.0 * math.pi * atomic_volume**2) ** (1.0 / 3.0)


def cluster_energy(
    atoms: Any, tension: Any, overpotential: Any, charge_number: Any, area_of_one: Any
) -> Any:
    """Work [J] to form a cluster of N atoms: -N z e eta + gamma a_s N^(2/3).

    `area_of_one` [m^2] is a_s, for spheres `sphere_area_of_one`.
    """
    gain = charge_number * ELEMENTARY_CHARGE * overpotential
    return tension * area_of_one * atoms ** (2.0 / 3.0) - atoms * gain


def critical_cluster(
    tension: Any, overpotential: Any, charge_number: Any, area_of_one: Any
) -> Cluster:
    """Cluster of the greatest work: N = (2 gamma a_s/(3 z e eta))^3, W = gamma a_s N^(2/3)/3.

    N is not rounded. Below about two atoms the formula is out of its range.
    """
    xp = module_of(tension, overpotential, charge_number, area_of_one)
    surface = tension * area_of_one
    gain = charge_number * ELEMENTARY_CHARGE * overpotential
    exists = 1.5 * gain * _MOST_ATOMS ** (1.0 / 3.0) > surface
    edge = 2.0 * surface / (3.0 * xp.where(exists, gain, surface))
    barrier = surface * edge**2 / 3.0
    return Cluster(xp.where(exists, barrier, xp.inf), xp.where(exists, edge**3, xp.inf))


def small_cluster_barrier(
    barrier: Any, atoms: Any, overpotential: Any, charge_number: Any, transfer: Any = 0.5
) -> Any:
    """Barrier [J] where the critical cluster stays at N atoms: W0 - (N + alpha) z e eta, or 0.

    Atomistic theory of small clusters (Milchev, Stoyanov, Kaischew, Thin Solid Films 22, 255
    (1974)) as used for memory cells by Menzel et al. (2013): `barrier` is that at eta = 0,
    `transfer` the charge transfer coefficient of the last atom.
    """
    gain = (atoms + transfer) * charge_number * ELEMENTARY_CHARGE * overpotential
    return module_of(barrier, gain).maximum(barrier - gain, 0.0)


def zeldovich_factor(cluster: Cluster, temperature: Any) -> Any:
    """Share of critical clusters that grow on: (W/(3 pi kT N^2))^(1/2) (Zeldovich 1943)."""
    xp = module_of(cluster.barrier, cluster.atoms, temperature)
    exists = xp.isfinite(cluster.barrier) & (cluster.barrier > 0.0)
    barrier = xp.where(exists, cluster.barrier, 1.0)
    atoms = xp.where(exists, cluster.atoms, 1.0)
    thermal = 3.0 * math.pi * BOLTZMANN * temperature
    return xp.where(exists, xp.sqrt(barrier / thermal) / atoms, 0.0)


def stationary_prefactor(sites: Any, attempt_frequency: Any, zeldovich: Any = 1.0) -> Any:
    """Prefactor I0 = N0 f Z of a rate, in 1/s per what `sites` counts (m^2, m^3, or one site)."""
    return sites * attempt_frequency * zeldovich


def nucleation_rate(prefactor: Any, barrier: Any, temperature: Any) -> Any:
    """Stationary rate I0 exp(-W/kT) in the unit of the prefactor; 0 above 700 kT."""
    xp = module_of(prefactor, barrier, temperature)
    thermal = BOLTZMANN * temperature
    possible = barrier < _HIGHEST * thermal
    rate = prefactor * xp.exp(-xp.where(possible, barrier, 0.0) / thermal)
    return xp.where(possible, rate, 0.0)


def incubation_time(shortest: Any, barrier: Any, temperature: Any) -> Any:
    """Mean time t0 exp(W/kT) [s] to the first nucleus; infinite above 700 kT."""
    xp = module_of(shortest, barrier, temperature)
    thermal = BOLTZMANN * temperature
    possible = barrier < _HIGHEST * thermal
    time = shortest * xp.exp(xp.where(possible, barrier, 0.0) / thermal)
    return xp.where(possible, time, xp.inf)
