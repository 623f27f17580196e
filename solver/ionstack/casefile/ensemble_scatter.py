"""Numbers of a case that differ from member to member of an ensemble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ionstack.casefile.dotted_keys import number_at
from ionstack.randomness.random_streams import Stream
from ionstack.randomness.site_scatter import Scatter, scattered
from ionstack.reading.schema import Strict
from ionstack.reading.units import number_and_unit, parse
from ionstack.reading.yaml_source import Node, Problem

_AT = ("ensemble", "scatter")


class ScatterModel(Strict):
    """How a number is spread, in the file; the deviation with its unit."""

    kind: Literal["normal", "lognormal"] = "normal"
    deviation: Annotated[str | float, Field()]


@dataclass(frozen=True)
class ScatteredNumber:
    """A number of the case by its dotted key, in its unit as written, and how it is spread."""

    key: str
    value: float
    unit: str
    scatter: Scatter

    def drawn(self, seed: int) -> float:
        """Return the number of the member with a seed, in its unit."""
        stream = Stream(seed, f"scatter of {self.key}")
        return float(scattered(self.scatter, stream, [0], self.value)[0])

    def setting(self, seed: int) -> str:
        """Return what gives a member its number, as ``--set`` takes it."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.key}={self.drawn(seed)!r}{unit}"

    def entry(self, seed: int) -> tuple[str, float]:
        """Return name and value of a member's number for its summary."""
        return f"scatter.{self.key} [{self.unit}]", self.drawn(seed)


def scattered_numbers(
    node: Node, given: Mapping[str, ScatterModel]
) -> Iterator[ScatteredNumber | Problem]:
    """Yield the numbers of a case's tree that are scattered, or what is wrong with one.

    `given` is the section ``scatter``.
    """
    for key, choice in given.items():
        try:
            yield _number(key, number_at(node, key), choice)
        except ValueError as error:
            keys = (*_AT, key)
            yield Problem(node.place(keys, of_key=True), keys, str(error))


def _number(key: str, written: str, choice: ScatterModel) -> ScatteredNumber:
    value, unit = number_and_unit(written)
    wanted = unit if choice.kind == "normal" else "1"
    deviation = parse(choice.deviation, wanted)
    if deviation <= 0.0:
        raise ValueError(f"deviation: must be greater than 0, found {str(choice.deviation)!r}")
    return ScatteredNumber(key, value, unit, Scatter(choice.kind, deviation))
