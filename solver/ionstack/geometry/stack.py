"""The stack file: layers, electrodes, lateral size, mesh grading."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ionstack.physics.bounds import AT_LEAST_ONE
from ionstack.physics.registry import Curve
from ionstack.reading.curve_choice import CurveChoice, curve_choice
from ionstack.reading.schema import PositiveLength, Strict, failure, quantity, validated
from ionstack.reading.yaml_source import (
    Keys,
    Node,
    Problem,
    raise_problems,
    read_yaml,
    setting,
    with_settings,
)

Dimension = Literal["1d", "axisymmetric", "2d", "3d"]

_NAME = Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*$", max_length=40)
Name = Annotated[str, _NAME]


@dataclass(frozen=True)
class Layer:
    """A film; lengths in m. `thickness` is 0 where a mesh file gives the geometry.

    `first_cell` is the size of the cells at both faces, `growth` the ratio of
    neighbouring cells away from them.
    """

    name: str
    material: str
    thickness: float
    first_cell: float
    growth: float


@dataclass(frozen=True)
class Electrode:
    """A named contact on the top or bottom face.

    With a `profile` [m] the face rises that far into the stack, by place (`PROFILE`).
    """

    name: str
    material: str
    profile: CurveChoice | None = None


@dataclass(frozen=True)
class Lateral:
    """Lateral extent [m] and cells.

    `edge_grading` is largest over smallest cell where the smallest are at the edge,
    `centre_grading` where they are in the middle; at least one of both is 1.
    """

    shape: Literal["disc", "rectangle"]
    diameter: float | None
    width: float | None
    depth: float | None
    cells: int
    edge_grading: float
    centre_grading: float = 1.0

    @property
    def grading(self) -> float:
        """Cell in the middle over cell at the edge."""
        return self.edge_grading / self.centre_grading


@dataclass(frozen=True)
class Stack:
    """A device geometry; layers run from the top to the bottom electrode.

    Without layers it has no electrodes either: that of a case that is a circuit alone.
    """

    name: str
    path: Path
    dimension: Dimension
    layers: tuple[Layer, ...]
    top: Electrode
    bottom: Electrode
    lateral: Lateral
    mesh_file: Path | None = None

    @property
    def area(self) -> float:
        """Device area [m^2]."""
        lateral = self.lateral
        if lateral.shape == "disc":
            return math.pi * (lateral.diameter or 0.0) ** 2 / 4.0
        return (lateral.width or 0.0) * (lateral.depth or 0.0)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Names ``upper/lower`` of neighbouring layers, from the top."""
        pairs = zip(self.layers, self.layers[1:], strict=False)
        return tuple(f"{upper.name}/{lower.name}" for upper, lower in pairs)

    @property
    def thickness(self) -> float:
        """Sum of the layer thicknesses [m]."""
        return math.fsum(layer.thickness for layer in self.layers)

    @property
    def electrodes(self) -> tuple[Electrode, ...]:
        """Top and bottom electrode."""
        return (self.top, self.bottom) if self.layers else ()


def no_stack(path: Path) -> Stack:
    """Return the stack of a case, read from a file, that is a circuit alone."""
    nothing = Electrode("", "")
    lateral = Lateral("disc", 0.0, None, None, 0, 1.0)
    return Stack("none", path, "1d", (), nothing, nothing, lateral)


# As a function of the lateral place and the distance from the axis or the edge.
PROFILE = Curve("profile", "m", (("x", "m"), ("y", "m"), ("r", "m")), "rise of a face")


class _ElectrodeModel(Strict):
    name: Name
    material: str
    profile: Annotated[CurveChoice, curve_choice(PROFILE)] | None = None


class _Electrodes(Strict):
    top: _ElectrodeModel
    bottom: _ElectrodeModel


_FirstCell = PositiveLength
_Growth = Annotated[float, quantity("1", AT_LEAST_ONE)]


class _LayerModel(Strict):
    name: Name
    material: str
    thickness: PositiveLength | None = None
    first_cell: _FirstCell | None = None
    growth: _Growth | None = None


class _Grading(Strict):
    first_cell: _FirstCell = 1e-10
    growth: _Growth = 1.35


class _LateralModel(Strict):
    shape: Literal["disc", "rectangle"]
    diameter: PositiveLength | None = None
    width: PositiveLength | None = None
    depth: PositiveLength | None = None
    cells: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 10
    edge_grading: Annotated[float, quantity("1", AT_LEAST_ONE)] = 1.0
    centre_grading: Annotated[float, quantity("1", AT_LEAST_ONE)] = 1.0

    @field_validator("centre_grading")
    @classmethod
    def _one_grading(cls, centre_grading: float, info: ValidationInfo) -> float:
        if centre_grading > 1.0 and info.data.get("edge_grading", 1.0) > 1.0:
            raise failure("centre_grading", "cells are smallest at the edge or in the middle")
        return centre_grading

    @model_validator(mode="after")
    def _sizes_of_shape(self) -> Self:
        wanted = ("diameter",) if self.shape == "disc" else ("width", "depth")
        given = [name for name in ("diameter", "width", "depth") if getattr(self, name) is not None]
        if given != list(wanted):
            raise failure(
                "lateral",
                f"a {self.shape} needs {' and '.join(wanted)}; "
                f"found {' and '.join(given) or 'no size'}",
            )
        return self


class _StackModel(Strict):
    name: Name | None = None
    dimension: Dimension = "1d"
    electrodes: _Electrodes
    layers: Annotated[list[_LayerModel], Field(min_length=1)]
    grading: _Grading = _Grading()
    lateral: _LateralModel
    mesh_file: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("lateral")
    @classmethod
    def _shape_of_dimension(cls, lateral: _LateralModel, info: ValidationInfo) -> _LateralModel:
        if info.data.get("dimension") == "axisymmetric" and lateral.shape != "disc":
            raise failure("lateral", "dimension axisymmetric needs the shape disc")
        return lateral


def load_stack(path: Path | str, overrides: Sequence[str] = ()) -> Stack:
    """Read a stack file; each override is ``dotted.key=value`` within the file.

    Raises one `InputError` that lists every mistake with its place.
    """
    node = with_settings(read_yaml(Path(path)), [setting(override) for override in overrides])
    return stack_from_node(node, Path(path))


def stack_from_node(node: Node, path: Path) -> Stack:
    """Check a located stack description that came from the file `path`."""
    read = validated(_StackModel, node)
    raise_problems(_problems(read, node))
    return Stack(
        name=read.name or path.stem,
        path=path,
        dimension=read.dimension,
        layers=tuple(_layer(layer, read.grading) for layer in read.layers),
        top=Electrode(**dict(read.electrodes.top)),
        bottom=Electrode(**dict(read.electrodes.bottom)),
        lateral=Lateral(**dict(read.lateral)),
        mesh_file=_beside(path, read.mesh_file),
    )


def _layer(layer: _LayerModel, grading: _Grading) -> Layer:
    return Layer(
        name=layer.name,
        material=layer.material,
        thickness=layer.thickness or 0.0,
        first_cell=layer.first_cell or grading.first_cell,
        growth=layer.growth or grading.growth,
    )


def _beside(path: Path, file: str | None) -> Path | None:
    return None if file is None else Path(os.path.normpath(path.parent / file))


def _problems(read: _StackModel, node: Node) -> list[Problem]:
    return [
        *_repeated_names(read, node),
        *_thickness_problems(read, node),
        *_mesh_problems(read, node),
        *_profile_problems(read, node),
    ]


def _repeated_names(read: _StackModel, node: Node) -> list[Problem]:
    found: list[Problem] = []
    places: dict[Keys, str] = {
        ("layers", index, "name"): layer.name for index, layer in enumerate(read.layers)
    }
    places[("electrodes", "top", "name")] = read.electrodes.top.name
    places[("electrodes", "bottom", "name")] = read.electrodes.bottom.name
    first: dict[str, Keys] = {}
    for keys, name in places.items():
        if name in first:
            also = ".".join(map(str, first[name]))
            message = f"duplicate name {name!r}; already used by {also}"
            found.append(Problem(node.place(keys), keys, message))
        first.setdefault(name, keys)
    return found


def _thickness_problems(read: _StackModel, node: Node) -> list[Problem]:
    found: list[Problem] = []
    for index, layer in enumerate(read.layers):
        keys = ("layers", index, "thickness")
        if layer.thickness is None and read.mesh_file is None:
            message = f"missing; write for instance 'thickness: 80 nm' in layer {layer.name}"
            found.append(Problem(node.place(keys), keys, message))
        if layer.thickness is not None and read.mesh_file is not None:
            message = "not allowed beside mesh_file, which gives the geometry"
            found.append(Problem(node.place(keys, of_key=True), keys, message))
    return found


def _mesh_problems(read: _StackModel, node: Node) -> list[Problem]:
    path = _beside(Path(node.mark.file), read.mesh_file)
    if path is None or path.is_file():
        return []
    return [Problem(node.place(("mesh_file",)), ("mesh_file",), f"no such file {str(path)!r}")]


def _profile_problems(read: _StackModel, node: Node) -> list[Problem]:
    """A profile needs a lateral direction, and that the stack itself is meshed."""
    message = ""
    if read.dimension not in ("axisymmetric", "2d"):
        message = f"needs dimension axisymmetric or 2d, found {read.dimension}"
    if read.mesh_file is not None:
        message = "not allowed beside mesh_file, which gives the geometry"
    found = []
    for end in ("top", "bottom"):
        keys = ("electrodes", end, "profile")
        if message and getattr(read.electrodes, end).profile is not None:
            found.append(Problem(node.place(keys, of_key=True), keys, message))
    return found
