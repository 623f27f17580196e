"""The solids of a case by layer, and what films do that are clamped and elastic."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionstack.casefile.case import Case
from ionstack.geometry.graph import ControlVolumes
from ionstack.reading.solid_schema import SolidChoice

Floats = NDArray[np.float64]

SUBSTRATE = "substrate"


class ClampedFilms(NamedTuple):
    """Films that are clamped and elastic, at every local node.

    `share` of swelling along each direction of the plane; `stress` [Pa] that works against
    swelling, residual only; its `slope` [Pa] along the volume strain.
    """

    share: Floats
    stress: Floats
    slope: Floats


def solid_choices(case: Case) -> dict[str, SolidChoice]:
    """Mechanical numbers of layers, metals with a thickness, substrate and zones, by name."""
    read = case.mechanics
    assert read is not None
    named = {one.name: one.material for one in case.stack.layers}
    named |= {one.name: one.material for one in case.stack.electrodes if one.name in read.metals}
    if read.substrate is not None:
        named[SUBSTRATE] = read.substrate.material
    named |= {one.name: one.material for one in read.zones if one.material is not None}
    found = {name: case.materials[material].mechanics for name, material in named.items()}
    found |= {one.name: one.mechanics for one in read.zones if one.mechanics is not None}
    return {name: choice for name, choice in found.items() if choice is not None}


def clamped_films(choices: dict[str, SolidChoice], volumes: ControlVolumes) -> ClampedFilms:
    """Stress of films that are clamped and elastic."""
    chosen = [choices[name] for name in volumes.regions]
    solids = [one.solid() for one in chosen]
    share = np.array([one.share for one in chosen])
    residual = 2.0 * share * np.array([one.residual_stress for one in solids])
    slope = -2.0 * share**2 * np.array([one.biaxial_modulus for one in solids])
    return ClampedFilms(*(one[volumes.node_region] for one in (share, residual, slope)))
