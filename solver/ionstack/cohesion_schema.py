"""Entries ``mechanics: cohesive`` of a case file: interfaces that hold until they part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import model_validator

from ionstack.law_choice import Value, number
from ionstack.physics.cohesion import Cohesion
from ionstack.schema import POSITIVE, Strict, failure, quantity


@dataclass(frozen=True)
class CohesiveChoice:
    """An interface with a strength [Pa] and a work of separation [J/m^2], see `physics.cohesion`.

    Over all of it, or within a distance `radius` [m] of the middle, or `between` two first
    coordinates [m]. Without a `stiffness` [Pa/m] that of contact holds.
    """

    interface: str
    strength: Value
    work: Value
    stiffness: Value | None = None
    radius: float | None = None
    between: tuple[float, float] | None = None

    def law(self, contact: float) -> Cohesion:
        """The law, with the stiffness of contact [Pa/m] where none is given."""
        stiffness = contact if self.stiffness is None else self.stiffness.value
        return Cohesion(stiffness, self.strength.value, self.work.value)

    def values(self) -> Iterator[tuple[str, Value]]:
        """Numbers with a source, by key."""
        yield "cohesive.strength", self.strength
        yield "cohesive.work", self.work
        if self.stiffness is not None:
            yield "cohesive.stiffness", self.stiffness


class CohesiveModel(Strict):
    """An entry in the file."""

    interface: str
    strength: Annotated[Value, number("Pa", POSITIVE)]
    work: Annotated[Value, number("J/m^2", POSITIVE)]
    stiffness: Annotated[Value, number("Pa/m", POSITIVE)] | None = None
    radius: Annotated[float, quantity("m", POSITIVE)] | None = None
    between: tuple[Annotated[float, quantity("m")], Annotated[float, quantity("m")]] | None = None

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        if self.radius is not None and self.between is not None:
            raise failure("between", "give either radius or between; neither is all of it")
        if self.between is not None and self.between[0] >= self.between[1]:
            raise failure("between", "the first coordinate must be less than the second one")
        return self

    def choice(self) -> CohesiveChoice:
        """The record of what was read."""
        return CohesiveChoice(**dict(self))
