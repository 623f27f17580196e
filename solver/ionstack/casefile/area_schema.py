"""Areas of a stack in a case file, seen from above, and zones in which a layer is another solid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from ionstack.physics.bounds import POSITIVE
from ionstack.reading.law_choice import Value
from ionstack.reading.schema import Strict, failure, quantity
from ionstack.reading.solid_schema import SolidChoice, SolidModel

_Coordinate = Annotated[float, quantity("m")]


@dataclass(frozen=True, kw_only=True)
class AreaChoice:
    """Within a distance `radius` [m] of the middle, `between` two first coordinates [m], or all."""

    radius: float | None = None
    between: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """The area in words."""
        if self.between is not None:
            return f"between {self.between[0]:g} and {self.between[1]:g} m"
        return "everywhere" if self.radius is None else f"within {self.radius:g} m"


@dataclass(frozen=True)
class ZoneChoice(AreaChoice):
    """An area in which a `layer` is another solid: that of a `material`, or of its own numbers.

    What swells there, and how much of it along the plane, stays that of the layer.
    """

    name: str
    layer: str
    material: str | None = None
    mechanics: SolidChoice | None = None

    def values(self) -> Iterator[tuple[str, Value]]:
        """Its own numbers, by path."""
        if self.mechanics is not None:
            for path, value in self.mechanics.values():
                yield f"mechanics.{path}", value


class PartModel(Strict):
    """An area in the file: a radius, two coordinates, or all."""

    radius: Annotated[float, quantity("m", POSITIVE)] | None = None
    between: tuple[_Coordinate, _Coordinate] | None = None

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        if self.radius is not None and self.between is not None:
            raise failure("radius", "give either radius or between, not both")
        if self.between is not None and self.between[0] >= self.between[1]:
            raise failure("between", "the first coordinate must be less than the second one")
        return self


class AreaModel(PartModel):
    """An area in the file that is not all."""

    @model_validator(mode="after")
    def _some_area(self) -> Self:
        if self.radius is None and self.between is None:
            raise failure("radius", "give either 'radius: 10 um' or 'between: [10 um, 20 um]'")
        return self


class ZoneModel(AreaModel):
    """An entry of ``mechanics: zones`` in the file."""

    name: Annotated[str, Field(min_length=1)]
    layer: str
    material: Annotated[str, Field(min_length=1)] | None = None
    mechanics: SolidModel | None = None

    @model_validator(mode="after")
    def _one_solid(self) -> Self:
        if (self.material is None) == (self.mechanics is None):
            message = (
                "give either 'material: glass' or 'mechanics: {young_modulus: {value: 3 GPa, "
                "source: ...}, poisson_ratio: {value: 0.35, source: ...}}'"
            )
            raise failure("material", message)
        if self.mechanics is not None and self.mechanics.in_plane_share is not None:
            raise failure(
                "mechanics", "in_plane_share is that of what swells, the layer's material"
            )
        return self

    def choice(self) -> ZoneChoice:
        """The record of what was read."""
        own = None if self.mechanics is None else self.mechanics.choice()
        return ZoneChoice(**(dict(self) | {"mechanics": own}))
