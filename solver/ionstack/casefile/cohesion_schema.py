"""Entries ``mechanics: cohesive`` of a case file: interfaces that hold until they part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from ionstack.casefile.area_schema import AreaChoice, PartModel
from ionstack.physics.bounds import POSITIVE
from ionstack.physics.cohesion import Cohesion
from ionstack.reading.law_choice import Value, number


@dataclass(frozen=True)
class CohesiveChoice(AreaChoice):
    """An interface with a strength [Pa] and a work of separation [J/m^2], see `physics.cohesion`.

    Without a `stiffness` [Pa/m] that of contact holds.
    """

    interface: str
    strength: Value
    work: Value
    stiffness: Value | None = None

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


class CohesiveModel(PartModel):
    """An entry in the file."""

    interface: str
    strength: Annotated[Value, number("Pa", POSITIVE)]
    work: Annotated[Value, number("J/m^2", POSITIVE)]
    stiffness: Annotated[Value, number("Pa/m", POSITIVE)] | None = None

    def choice(self) -> CohesiveChoice:
        """The record of what was read."""
        return CohesiveChoice(**dict(self))
