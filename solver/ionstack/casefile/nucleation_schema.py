"""The section ``nucleation`` of a case file: nuclei that come at random on the faces of metals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE
from ionstack.reading.curve_choice import FOCUS, CurveChoice, curve_choice
from ionstack.reading.law_choice import LawChoice, Value, law_choice, number
from ionstack.reading.materials import law_values
from ionstack.reading.schema import Strict, failure

# What the events are called, after the contact and a dot.
NUCLEATION = "nucleation"


@dataclass(frozen=True)
class ScatterChoice:
    """How barriers differ between places, `site_density` of them per area [1/m^2].

    Either a `normal` shift [eV] or a `lognormal` factor, by their standard deviation.
    """

    site_density: Value
    normal: Value | None = None
    lognormal: Value | None = None


@dataclass(frozen=True)
class NucleusChoice:
    """A nucleus in the field of a species: its radius [m], and what holds its atoms [eV]."""

    species: str
    radius: Value
    bias: Value


@dataclass(frozen=True)
class NucleationChoice:
    """Nucleation at one contact: its law, what focuses the field there, scatter of barriers.

    With a `nucleus` an event changes the layer.
    """

    law: LawChoice
    focus: CurveChoice | None = None
    scatter: ScatterChoice | None = None
    nucleus: NucleusChoice | None = None

    def values(self) -> Iterator[tuple[str, Value | CurveChoice]]:
        """Its numbers with an origin, by name."""
        yield from law_values(self.law.kind, self.law)
        if self.focus is not None:
            yield "focus", self.focus
        for name in ("site_density", "normal", "lognormal"):
            value = getattr(self.scatter, name, None)
            if value is not None:
                yield f"scatter.{name}", value
        for name in ("radius", "bias") if self.nucleus is not None else ():
            yield f"nucleus.{name}", getattr(self.nucleus, name)


class _ScatterModel(Strict):
    site_density: Annotated[Value, number("1/m^2", POSITIVE)]
    normal: Annotated[Value, number("eV", NOT_NEGATIVE)] | None = None
    lognormal: Annotated[Value, number("1", NOT_NEGATIVE)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.normal is None) == (self.lognormal is None):
            raise failure("scatter", "barriers scatter normal or lognormal, one of them")
        return self


class _NucleusModel(Strict):
    species: Annotated[str, Field(min_length=1)]
    radius: Annotated[Value, number("m", POSITIVE)]
    bias: Annotated[Value, number("eV", POSITIVE)]


class NucleationModel(Strict):
    """Nucleation at one contact, in the file."""

    law: Annotated[LawChoice, law_choice("nucleation")]
    focus: Annotated[CurveChoice, curve_choice(FOCUS, NOT_NEGATIVE)] | None = None
    scatter: _ScatterModel | None = None
    nucleus: _NucleusModel | None = None

    def choice(self) -> NucleationChoice:
        """Return what the case says."""
        scatter = None if self.scatter is None else ScatterChoice(**dict(self.scatter))
        nucleus = None if self.nucleus is None else NucleusChoice(**dict(self.nucleus))
        return NucleationChoice(self.law, self.focus, scatter, nucleus)
