"""What a case file says of an interface or contact: laws by species, and what is charged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from ionstack.errors import nearest
from ionstack.physics.bounds import POSITIVE
from ionstack.reading.law_choice import LawChoice, Value, law_choice, number
from ionstack.reading.schema import Strict, failure_at, known_keys
from ionstack.reading.yaml_source import unknown


@dataclass(frozen=True)
class DoubleLayerChoice:
    """A capacitor [F/m^2] with its offset [V]; `carriers` are species by neutral layer."""

    capacitance: Value
    offset: Value | None = None
    carriers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Boundary:
    """An interface or contact besides its laws; `sheet_charge` in charges per m^2.

    An `ohmic` contact takes the work function at which the layer is neutral up to the
    metal, a `floating` one the potential at which no current flows.
    """

    double_layer: DoubleLayerChoice | None = None
    sheet_charge: Value | None = None
    ohmic: bool = False
    floating: bool = False


class _DoubleLayerModel(Strict):
    capacitance: Annotated[Value, number("F/m^2", POSITIVE)]
    offset: Annotated[Value, number("V")] | None = None
    carriers: dict[str, str] = Field(default_factory=dict)


class _BoundaryModel(Strict):
    """Keys of the section are its own ones and names of species, each with a law."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=False)

    double_layer: _DoubleLayerModel | None = None

    @model_validator(mode="before")
    @classmethod
    def _own_keys_are_spelt_right(cls, data: Any) -> Any:
        own = known_keys(cls)
        for key, entry in data.items() if isinstance(data, Mapping) else ():
            a_law = isinstance(entry, Mapping) and "kind" in entry
            if key not in own and not a_law and nearest(key, own):
                raise failure_at(key, "unknown_key", unknown("key", key, own), entry)
        return data

    @property
    def laws(self) -> dict[str, LawChoice]:
        """Laws by species."""
        return dict(self.__pydantic_extra__ or {})

    def record(self) -> Boundary:
        """Return what there is besides laws."""
        read = self.double_layer
        return Boundary(None if read is None else DoubleLayerChoice(**dict(read)))


class InterfaceModel(_BoundaryModel):
    """An interface in the file."""

    __pydantic_extra__: dict[str, Annotated[LawChoice, law_choice("interface")]]
    sheet_charge: Annotated[Value, number("1/m^2")] | None = None

    def record(self) -> Boundary:
        """Return what there is besides laws."""
        return replace(super().record(), sheet_charge=self.sheet_charge)


class ContactModel(_BoundaryModel):
    """A contact in the file."""

    __pydantic_extra__: dict[str, Annotated[LawChoice, law_choice("contact")]]
    alignment: Literal["work_function", "ohmic"] = "work_function"
    floating: Annotated[bool, Field(strict=True)] = False

    def record(self) -> Boundary:
        """Return what there is besides laws."""
        ohmic = self.alignment == "ohmic"
        return replace(super().record(), ohmic=ohmic, floating=self.floating)
