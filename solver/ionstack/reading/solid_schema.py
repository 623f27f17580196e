"""The mechanical numbers of a material in its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import model_validator

from ionstack.physics.bounds import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE, Bounds
from ionstack.physics.solids import Creep, Solid
from ionstack.reading.law_choice import Value, number
from ionstack.reading.schema import Strict, failure

_POISSON = Bounds(above=-1.0, below=0.5)
# With shares outside of it a host that swells would shrink along one direction.
_SHARE = Bounds(above=-0.5, below=1.0)


@dataclass(frozen=True)
class CreepChoice:
    """Numbers of a flow that depends on the rate, see `Creep`."""

    rate: Value
    stress: Value
    exponent: Value
    threshold: Value | None = None


@dataclass(frozen=True)
class SolidChoice:
    """Numbers of a solid, see `Solid`.

    `in_plane_share` is the share of the volume strain of swelling that lies along each
    direction of the plane: a third where a host swells alike in all directions.
    """

    young_modulus: Value
    poisson_ratio: Value
    thermal_expansion: Value | None = None
    residual_stress: Value | None = None
    yield_strength: Value | None = None
    hardening: Value | None = None
    creep: CreepChoice | None = None
    in_plane_share: Value | None = None

    @property
    def share(self) -> float:
        """Share of the volume strain along each direction of the plane."""
        return 1.0 / 3.0 if self.in_plane_share is None else self.in_plane_share.value

    def solid(self) -> Solid:
        """The solid as the physics wants it."""
        given = {
            name: getattr(self, name).value for name in _SOLID if getattr(self, name) is not None
        }
        return Solid(**given, creep=_creep(self.creep))

    def values(self) -> Iterator[tuple[str, Value]]:
        """Every number that is given, by its path."""
        for name in (*_SOLID, "in_plane_share"):
            value = getattr(self, name)
            if value is not None:
                yield name, value
        for name in _CREEP if self.creep is not None else ():
            value = getattr(self.creep, name)
            if value is not None:
                yield f"creep.{name}", value


_SOLID = (
    "young_modulus",
    "poisson_ratio",
    "thermal_expansion",
    "residual_stress",
    "yield_strength",
    "hardening",
)
_CREEP = ("rate", "stress", "exponent", "threshold")


def _creep(choice: CreepChoice | None) -> Creep | None:
    if choice is None:
        return None
    found = {name: getattr(choice, name) for name in _CREEP}
    return Creep(**{name: value.value for name, value in found.items() if value is not None})


class _CreepModel(Strict):
    rate: Annotated[Value, number("1/s", POSITIVE)]
    stress: Annotated[Value, number("Pa", POSITIVE)]
    exponent: Annotated[Value, number("1", AT_LEAST_ONE)]
    threshold: Annotated[Value, number("Pa", NOT_NEGATIVE)] | None = None


class SolidModel(Strict):
    """The section ``mechanics`` of a material."""

    young_modulus: Annotated[Value, number("Pa", POSITIVE)]
    poisson_ratio: Annotated[Value, number("1", _POISSON)]
    thermal_expansion: Annotated[Value, number("1/K")] | None = None
    residual_stress: Annotated[Value, number("Pa")] | None = None
    yield_strength: Annotated[Value, number("Pa", POSITIVE)] | None = None
    hardening: Annotated[Value, number("Pa", NOT_NEGATIVE)] | None = None
    creep: _CreepModel | None = None
    in_plane_share: Annotated[Value, number("1", _SHARE)] | None = None

    @model_validator(mode="after")
    def _bears_its_residual_stress(self) -> Self:
        if self.residual_stress is None or self.yield_strength is None:
            return self
        if abs(self.residual_stress.value) > self.yield_strength.value:
            message = (
                f"residual_stress ({self.residual_stress.value:g} Pa) is beyond the "
                f"yield_strength ({self.yield_strength.value:g} Pa): the film would flow at rest"
            )
            raise failure("residual_stress", message)
        return self

    def choice(self) -> SolidChoice:
        """The record of what was read."""
        read = dict(self)
        if self.creep is not None:
            read["creep"] = CreepChoice(**dict(self.creep))
        return SolidChoice(**read)
