"""Closures of mechanics as a case chooses them: what strains a metal besides, and its pores.

Films and bodies share them: growth of a layer is one number in a film, and one for each
lateral place in a body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ionstack.casefile.mechanics_schema import PorosityChoice, RoughnessChoice
from ionstack.physics.porosity import Nucleation, grown_porosity
from ionstack.physics.roughness import (
    crest_decay,
    field_factor,
    roughness_amplitude,
    roughness_strain,
)

Floats = NDArray[np.float64]
# Growth of the thickness of a layer [m] by its name.
Growth = Callable[[str], Floats]


def rough_strains(chosen: Sequence[RoughnessChoice], growth: Growth) -> dict[str, Floats]:
    """Strain in the plane of every metal that follows a rough face."""
    found: dict[str, Floats] = {}
    for one in chosen:
        strain = roughness_strain(_amplitude(one, growth), one.grain.value)
        found[one.metal] = found.get(one.metal, np.zeros(())) + strain
    return found


def field_factors(
    chosen: Sequence[RoughnessChoice], growth: Growth, thickness: Mapping[str, float]
) -> list[Floats]:
    """Field at the crests of rough faces over the mean one, for laws that read it.

    `thickness` [m] of the layers as they were made.
    """
    return [
        field_factor(_amplitude(one, growth), one.grain.value, thickness[one.layer])
        for one in chosen
    ]


def over_crests(
    chosen: Sequence[RoughnessChoice],
    factors: Sequence[Floats | float],
    thickness: Mapping[str, float],
    metal: str,
    distance: Floats | float,
) -> Floats:
    """Field over the mean one at a distance [m] over the crests of a metal's face.

    `factors` are those of `field_factors` at the places; each of the metal's films counts.
    """
    found: Floats = np.ones(())
    for one, factor in zip(chosen, factors, strict=True):
        if one.metal == metal:
            share = crest_decay(distance, one.grain.value, thickness[one.layer])
            found = found * (1.0 + (np.asarray(factor) - 1.0) * share)
    return np.asarray(found)


def _amplitude(one: RoughnessChoice, growth: Growth) -> Floats:
    return roughness_amplitude(one.amplitude.value, one.gain.value, growth(one.layer))


def opened_pores(
    one: PorosityChoice, porosity: Floats, before: Floats, after: Floats, triaxiality: Floats
) -> Floats:
    """Porosity after a step, from the equivalent plastic strain before and after it."""
    nucleation = Nucleation(one.nucleated.value, one.strain.value, one.deviation.value)
    return grown_porosity(porosity, before, after, triaxiality, nucleation)
