"""The section ``noise`` of a case file: flows and reactions that fluctuate with the heat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ionstack.physics.bounds import POSITIVE
from ionstack.reading.law_choice import Value, number
from ionstack.reading.schema import Strict


@dataclass(frozen=True)
class NoiseChoice:
    """Species whose flow fluctuates and names of reactions, by layer; see `NoiseModel`."""

    correlation_time: Value
    flows: Mapping[str, tuple[str, ...]]
    reactions: Mapping[str, tuple[str, ...]]


Names = Annotated[tuple[str, ...], Field(min_length=1)]


class NoiseModel(Strict):
    """Thermal noise in the file."""

    correlation_time: Annotated[Value, number("s", POSITIVE)]
    flows: dict[str, Names] = Field(default_factory=dict)
    reactions: dict[str, Names] = Field(default_factory=dict)

    def choice(self) -> NoiseChoice:
        """Return what the case says."""
        return NoiseChoice(self.correlation_time, self.flows, self.reactions)
