"""Nucleation at a contact: its law with numbers, and what that is multiplied or spread by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ionstack.nucleation_schema import NucleationChoice, ScatterChoice
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.place_profile import PlaceProfile, Profile
from ionstack.site_scatter import Scatter

if TYPE_CHECKING:
    from ionstack.model import BoundLaw


@dataclass(frozen=True)
class BarrierScatter:
    """Places of a `density` [1/m^2], each with a barrier of its own; deviations in J or of ln."""

    density: float
    spread: Scatter


@dataclass(frozen=True)
class NucleationModel:
    """A law of kind "nucleation" at a contact, and what it is multiplied or spread by.

    `focus` is the field at a place of the face over that of the model.
    """

    law: BoundLaw
    focus: Profile | None = None
    scatter: BarrierScatter | None = None


def nucleation_model(choice: NucleationChoice, law: BoundLaw) -> NucleationModel:
    """Return what a case says of a contact, with its law bound."""
    focus = None if choice.focus is None else PlaceProfile(choice.focus.function)
    return NucleationModel(law, focus, _scatter(choice.scatter))


def _scatter(choice: ScatterChoice | None) -> BarrierScatter | None:
    if choice is None:
        return None
    if choice.normal is not None:
        spread = Scatter("normal", choice.normal.value * ELEMENTARY_CHARGE)
    else:
        assert choice.lognormal is not None
        spread = Scatter("lognormal", choice.lognormal.value)
    return BarrierScatter(choice.site_density.value, spread)
