"""What a setup says of a file that is not a run's: its axes, arrays and materials; SI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ionstack.physics.bounds import POSITIVE
from ionstack.physics.constants import AVOGADRO
from ionstack.reading.schema import PositiveLength, Strict, failure, read_quantity
from ionstack.reading.units import parse
from ionstack.reading.yaml_source import Keys


class LayerModel(Strict):
    """A layer of a material."""

    material: str
    thickness: PositiveLength


def _per_volume(text: object) -> float:
    """What 1 in an array stands for [1/m^3]: a unit such as mol/m^3, or a number with one."""
    whole = f"1 {text}" if isinstance(text, str) and not text[:1].isdigit() else text
    try:
        return AVOGADRO * parse(whole, "mol/m^3")
    except ValueError:
        return read_quantity(whole, "1/m^3", POSITIVE)


class ArrayModel(Strict):
    """The array that holds the density of a species, and what 1 in it stands for [1/m^3]."""

    array: str
    unit: Annotated[float, BeforeValidator(_per_volume)]


class MaterialsModel(Strict):
    """The array of the cells that tells materials apart, and the values of each material."""

    array: str
    values: Annotated[dict[str, list[int]], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: object) -> object:
        """A single value is a list of one."""
        if not isinstance(data, dict) or not isinstance(data.get("values"), dict):
            return data
        given = data["values"].items()
        values = {name: [one] if isinstance(one, int) else one for name, one in given}
        return {**data, "values": values}


class ElectrodesModel(Strict):
    """Materials of the electrodes, which the file does not hold; the specimen has them thick."""

    top: str
    bottom: str


class SourceModel(Strict):
    """How to read a file of fields.

    `length` [m]: what 1 stands for in its coordinates. `depth`: the axis along which is
    sputtered, from the `surface` down, where the coordinate is highest or lowest.
    `around_axis`: the other coordinate of a plane is a radius. `breadth` [m]: how far an image
    draws out what has no width.
    """

    length: PositiveLength
    depth: Literal["x", "y", "z"]
    surface: Literal["highest", "lowest"] = "highest"
    around_axis: Annotated[bool, Field(strict=True)] = False
    breadth: PositiveLength = 1e-6
    materials: MaterialsModel | None = None
    layers: Annotated[list[LayerModel], Field(default_factory=list)]
    electrodes: ElectrodesModel | None = None
    species: dict[str, ArrayModel] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.materials is None) == (not self.layers):
            raise failure("source", "needs either 'materials', an array of the cells, or 'layers'")
        return self

    def named_materials(self) -> Iterator[tuple[Keys, str]]:
        """Yield every material that is named, with the keys at which it stands."""
        for index, layer in enumerate(self.layers):
            yield ("source", "layers", index, "material"), layer.material
        for name in self.materials.values if self.materials else ():
            yield ("source", "materials", "values", name), name
        if self.electrodes:
            yield ("source", "electrodes", "top"), self.electrodes.top
            yield ("source", "electrodes", "bottom"), self.electrodes.bottom
