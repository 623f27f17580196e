"""The section ``mechanics`` of a case file: what is around the films, how it is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ionstack.casefile.area_schema import AreaChoice, AreaModel, ZoneChoice, ZoneModel
from ionstack.casefile.cohesion_schema import CohesiveChoice, CohesiveModel
from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE
from ionstack.reading.law_choice import Value, number
from ionstack.reading.schema import PositiveLength, PositiveVoltage, Strict, failure

Clamp = Literal["rigid", "substrate"]
Rotations = Literal["small", "large"]


@dataclass(frozen=True)
class SubstrateChoice:
    """A substrate of a material that bends with the films; thickness in m."""

    material: str
    thickness: float


@dataclass(frozen=True)
class RoughnessChoice:
    """Closure for a metal that grains below it strain, see `physics.roughness`.

    The amplitude of the roughness [m] grows with the thickness of the `layer`.
    """

    metal: str
    layer: str
    grain: Value
    amplitude: Value
    gain: Value


@dataclass(frozen=True)
class PorosityChoice:
    """Pores that plastic strain opens in a metal, see `physics.porosity`."""

    metal: str
    initial: Value
    nucleated: Value
    strain: Value
    deviation: Value


@dataclass(frozen=True)
class DebondChoice(AreaChoice):
    """An interface with nothing but contact within an area."""

    interface: str


@dataclass(frozen=True)
class MechanicsChoice:
    """Everything that mechanics needs besides materials.

    `metals` are thicknesses [m] of the electrodes; `lift` [m] is what turns films over debonded
    areas upwards where `rotations` may be large; `tolerance` [V] of the potential that
    stress makes, to which transport and stress are brought together in a step.
    """

    clamp: Clamp = "rigid"
    substrate: SubstrateChoice | None = None
    metals: Mapping[str, float] = field(default_factory=dict)
    debonds: tuple[DebondChoice, ...] = ()
    cohesive: tuple[CohesiveChoice, ...] = ()
    zones: tuple[ZoneChoice, ...] = ()
    roughness: tuple[RoughnessChoice, ...] = ()
    porosity: tuple[PorosityChoice, ...] = ()
    rotations: Rotations = "small"
    lift: float = 1e-9
    tolerance: float = 5e-5


class _SubstrateModel(Strict):
    material: Annotated[str, Field(min_length=1)]
    thickness: PositiveLength


class _RoughnessModel(Strict):
    metal: str
    layer: str
    grain: Annotated[Value, number("m", POSITIVE)]
    amplitude: Annotated[Value, number("m", NOT_NEGATIVE)]
    gain: Annotated[Value, number("1", NOT_NEGATIVE)]


class _PorosityModel(Strict):
    metal: str
    initial: Annotated[Value, number("1", NOT_NEGATIVE)]
    nucleated: Annotated[Value, number("1", NOT_NEGATIVE)]
    strain: Annotated[Value, number("1", POSITIVE)]
    deviation: Annotated[Value, number("1", POSITIVE)]


class _DebondModel(AreaModel):
    interface: str


class MechanicsModel(Strict):
    """The section in the file."""

    clamp: Clamp
    substrate: _SubstrateModel | None = None
    metals: dict[str, PositiveLength] = Field(default_factory=dict)
    debonds: list[_DebondModel] = Field(default_factory=list)
    cohesive: list[CohesiveModel] = Field(default_factory=list)
    zones: list[ZoneModel] = Field(default_factory=list)
    roughness: list[_RoughnessModel] = Field(default_factory=list)
    porosity: list[_PorosityModel] = Field(default_factory=list)
    rotations: Rotations = "small"
    lift: PositiveLength = 1e-9
    tolerance: PositiveVoltage = 5e-5

    @model_validator(mode="after")
    def _held_by_something(self) -> Self:
        if self.clamp == "substrate" and self.substrate is None:
            message = (
                "nothing holds the stack: write 'substrate: {material: glass, thickness: 0.5 mm}', "
                "or 'clamp: rigid'"
            )
            raise failure("clamp", message)
        if self.clamp == "rigid" and self.substrate is not None:
            message = "a substrate that bends needs 'clamp: substrate'; it would change nothing"
            raise failure("clamp", message)
        return self

    def choice(self) -> MechanicsChoice:
        """The record of what was read."""
        below = self.substrate
        return MechanicsChoice(
            clamp=self.clamp,
            substrate=None if below is None else SubstrateChoice(**dict(below)),
            metals=dict(self.metals),
            debonds=tuple(DebondChoice(**dict(one)) for one in self.debonds),
            cohesive=tuple(one.choice() for one in self.cohesive),
            zones=tuple(one.choice() for one in self.zones),
            roughness=tuple(RoughnessChoice(**dict(one)) for one in self.roughness),
            porosity=tuple(PorosityChoice(**dict(one)) for one in self.porosity),
            rotations=self.rotations,
            lift=self.lift,
            tolerance=self.tolerance,
        )
