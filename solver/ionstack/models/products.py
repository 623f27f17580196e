"""Products that laws of contacts bind species in: which there are, where, and their unknowns.

The unknown of a product is its amount per area of the contact over a fixed scale, so that it
is in volts as all others: a monolayer counts as much as kT/e of a potential.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes
from ionstack.models.model import BoundLaw, Model

# Units of a product per area and volt [1/(m^2 V)]: 1e19 1/m^2, a monolayer, per 25 mV.
SCALE = 4e20


def unknown_of(product: str) -> str:
    """Name of the unknown that holds the amount of a product."""
    return f"{product} product"


def reactions(model: Model) -> Iterator[tuple[int, str, BoundLaw]]:
    """Position of the contact, species and law of each reaction that makes products."""
    for position, contact in enumerate(model.contacts):
        for species, law in contact.laws.items():
            if law.law.binding is not None:
                yield position, species, law


def product_names(model: Model) -> tuple[str, ...]:
    """Products of all contacts, each once."""
    found = (product for _, _, law in reactions(model) for product in products_of(law))
    return tuple(dict.fromkeys(found))


def products_of(law: BoundLaw) -> dict[str, int]:
    """Products of one law, with the particles of its species in a unit of each."""
    binding = law.law.binding
    return {} if binding is None else {one.name: one.particles for one in binding.products}


def bound_in(model: Model) -> dict[str, dict[str, int]]:
    """Products by species, with the particles of the species in a unit of each."""
    found: dict[str, dict[str, int]] = {}
    for _, species, law in reactions(model):
        found.setdefault(species, {}).update(products_of(law))
    return found


def nodes_with(model: Model, volumes: ControlVolumes, product: str) -> NDArray[np.bool_]:
    """Which local nodes, ghosts too, hold an amount of a product (collective)."""
    n_regions = len(volumes.regions)
    chosen = np.zeros((len(volumes.contacts), n_regions), dtype=bool)
    for position, species, law in reactions(model):
        if product in products_of(law):
            contact = volumes.contacts.index(model.contacts[position].name)
            chosen[contact] |= [bool(model.region(one).find(species)) for one in volumes.regions]
    at_faces = volumes.face_node[
        chosen[volumes.face_contact, volumes.node_region[volumes.face_node]]
    ]
    # Ranks know the faces at their own vertices only.
    keys = volumes.vertex_id[volumes.node_vertex] * n_regions + volumes.node_region
    every = np.concatenate(volumes.comm.allgather(np.unique(keys[at_faces])))
    return np.isin(keys, every)
