"""What a law sees: frozen records of one node, one edge, one interface pair.

All energies and potentials are divided by kT or kT/e. Arrays of any equal shape
may stand for the scalars: every law is written for one entity and broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Occupation(NamedTuple):
    """Result of a statistics law for one species at one node.

    `x` is the density over the site density, `vacancy` the probability that a
    site can take one more particle, `log_gamma` = eta - ln x.
    """

    x: jax.Array
    vacancy: jax.Array
    log_gamma: jax.Array


class Carrier(NamedTuple):
    """One species at one end of an edge, interface pair or contact.

    `c` density [1/m^3]; `x` site fraction; `vacancy` free-site probability;
    `psi` reduced electrochemical potential; `drift` = psi - ln x (potential that
    drives the Scharfetter-Gummel flux); `bare` = psi - eta (the same without the
    ideal lattice part); `coupled` site fraction of the species that the law names
    under ``couples`` (0 where it names none); `phi` reduced electric potential;
    `sites` density of sites [1/m^3].
    """

    c: jax.Array
    x: jax.Array
    vacancy: jax.Array
    psi: jax.Array
    drift: jax.Array
    bare: jax.Array
    coupled: jax.Array
    phi: jax.Array
    sites: jax.Array

    @property
    def log_x(self) -> jax.Array:
        """Logarithm of the site fraction, also where that underflows."""
        return self.psi - self.drift

    @property
    def log_vacancy(self) -> jax.Array:
        """Logarithm of the free-site probability, finite where that underflows."""
        return jnp.log(self.vacancy + 1e-300)


class Gap(NamedTuple):
    """The gap between two metals as an edge in it sees it.

    `width` [m] from metal to metal; `share` of the voltage across the gap that falls along the
    edge; `part` of the edge that lies in the gap. Along an edge in metal the gap is wide.
    Arrays of NumPy or JAX, or floats.
    """

    width: Any
    share: Any
    part: Any


# Nothing tunnels through it [m].
FARTHEST = 1.0
NO_GAP = Gap(FARTHEST, 1.0, 1.0)


class Edge(NamedTuple):
    """Geometry and surroundings of an edge, pair or contact face.

    `length` [m] (0 at pairs and faces); `thermal_voltage` [V]; `z` valence; `field`
    [V/m] at a contact, positive when it drives positive charge out of the metal; `gap` for
    laws of tunnelling.
    """

    length: jax.Array
    thermal_voltage: jax.Array
    z: jax.Array
    field: jax.Array | float = 0.0
    gap: Gap = NO_GAP


class Pores(NamedTuple):
    """Pores of the metal above a node of a contact, for laws that bind a species in products.

    `amounts` of the products by name [1/m^2, units of the product per area of the contact];
    `opened` is the porosity that strain has made on top of that of the law.
    """

    amounts: Mapping[str, jax.Array]
    opened: jax.Array | float = 0.0


class MetalFace(NamedTuple):
    """A place on the face of a metal where a nucleus may form.

    `field` [V/m] at the face, positive when it drives positive charge out of the metal;
    `affinity` [eV], by how much the electrochemical potential of the species that the law names
    is higher in the layer than in the metal: positive where it deposits; `temperature` [K].
    """

    field: jax.Array
    affinity: jax.Array
    temperature: jax.Array


class Attempts(NamedTuple):
    """What makes nuclei: attempts [1/(m^2 s)], each of which succeeds with exp(-barrier/kT).

    The barrier is in J, infinite where no nucleus can form. `size` [m] is the radius or length
    of the critical nucleus, NaN where a law knows none.
    """

    rate: jax.Array
    barrier: jax.Array
    size: jax.Array | float = math.nan
