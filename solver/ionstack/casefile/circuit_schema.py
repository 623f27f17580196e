"""The section `circuit` of a case file: devices, sources, elements, or a crossbar.

The registry of elements decides what a file may say: the kinds, their terminals, their
parameters and units.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    create_model,
    model_validator,
)

from ionstack.geometry.stack import Name
from ionstack.physics.bounds import NOT_NEGATIVE, POSITIVE
from ionstack.physics.catalogue import elements
from ionstack.physics.element_registry import Choice, ElementLaw
from ionstack.physics.registry import Parameter
from ionstack.reading.schema import (
    Strict,
    Voltage,
    failure,
    failure_at,
    not_among,
    quantity,
    read_quantity,
)

# More devices than any machine here solves at once.
_LINES = Field(strict=True, ge=1, le=64)


@dataclass(frozen=True)
class ElementChoice:
    """An element of the registry by name, its nodes by terminal, its numbers in SI units."""

    kind: str
    nodes: Mapping[str, str]
    parameters: Mapping[str, float]


class ComplianceModel(Strict):
    """Largest currents of either polarity, both positive [A]; none where left out."""

    positive: Annotated[float, quantity("A", POSITIVE)] = float("inf")
    negative: Annotated[float, quantity("A", POSITIVE)] = float("inf")


def _compliance(data: object) -> object:
    """One current means both polarities."""
    if isinstance(data, dict | ComplianceModel):
        return data
    limit = read_quantity(data, "A", POSITIVE)
    return ComplianceModel.model_construct(positive=limit, negative=limit)


Compliance = Annotated[ComplianceModel, BeforeValidator(_compliance)]


class SourceModel(Strict):
    """A source of voltage or current in the file, with its compliance.

    It is at its `bias` while a step drives other sources.
    """

    node: Name
    back: Annotated[Name, Field(alias="return")] = "ground"
    bias: Voltage = 0.0
    compliance: Compliance = ComplianceModel()


class CrossbarModel(Strict):
    """An array in the file: every row crosses every column at one device."""

    rows: Annotated[int, _LINES]
    columns: Annotated[int, _LINES]
    top: str | None = None
    bottom: str | None = None
    wire_resistance: Annotated[float, quantity("ohm", NOT_NEGATIVE)] = 0.0
    scheme: Literal["half", "third", "grounded"] = "half"


def _element(data: object) -> ElementChoice:
    """Read one element; raise the error of what is wrong with it."""
    if isinstance(data, ElementChoice):
        return data
    if not isinstance(data, dict):
        raise failure("element", f"expected 'kind:', 'nodes:' and parameters, found {data!r}")
    laws = {name: law for name, law in elements().items() if name != "source"}
    kind = data.get("kind")
    if kind is None:
        raise failure_at("kind", "element", f"missing; allowed: {', '.join(laws)}", data)
    if not isinstance(kind, str) or kind not in laws:
        raise failure_at("kind", "element", not_among("element", str(kind), list(laws)), kind)
    return _chosen(laws[kind], _element_model(kind).model_validate(data))


def _chosen(law: ElementLaw, read: Any) -> ElementChoice:
    numbers = {one.name: _number(one, getattr(read, one.name)) for one in law.parameters}
    if "off" in numbers and numbers["off"] <= numbers["on"]:
        raise failure_at("off", "switch", "must be larger than the resistance 'on'", read.off)
    nodes = read.nodes if isinstance(read.nodes, list) else list(dict(read.nodes).values())
    return ElementChoice(law.name, dict(zip(law.terminals, nodes, strict=True)), numbers)


def _number(parameter: Parameter | Choice, read: Any) -> float:
    return dict(parameter.options)[read] if isinstance(parameter, Choice) else float(read)


@functools.cache
def _element_model(kind: str) -> type[BaseModel]:
    law = elements()[kind]
    fields: dict[str, Any] = {one.name: _field(one) for one in law.parameters}
    fields |= {"kind": (str, ...), "nodes": (_nodes(law), ...)}
    return create_model(f"element_{kind}", __base__=Strict, **fields)


def _nodes(law: ElementLaw) -> Any:
    """Two terminals alike take a list of nodes, others one node under each name."""
    if law.terminals == ("a", "b"):
        return Annotated[list[Name], BeforeValidator(_two)]
    names: dict[str, Any] = {name: (Name, ...) for name in law.terminals}
    return create_model(f"nodes_{law.name}", __base__=Strict, **names)


def _two(data: object) -> object:
    if not isinstance(data, list) or len(data) != 2:
        raise failure("nodes", f"expected two nodes, for instance [in, ground]; found {data!r}")
    return data


def _field(parameter: Parameter | Choice) -> tuple[Any, Any]:
    if isinstance(parameter, Parameter):
        usual = ... if parameter.default is None else parameter.default
        return Annotated[float, quantity(parameter.unit, parameter.bounds)], usual
    words = [word for word, _ in parameter.options]
    kind: Any = Annotated[bool, Field(strict=True)] if True in words else Literal[tuple(words)]
    names = {number: word for word, number in parameter.options}
    return kind, ... if parameter.default is None else names[parameter.default]


class CircuitModel(Strict):
    """The section in the file."""

    devices: Annotated[dict[Name, dict[str, Name]], Field(min_length=1)] | None = None
    sources: dict[Name, SourceModel] = Field(default_factory=dict)
    elements: dict[Name, Annotated[ElementChoice, PlainValidator(_element)]] = Field(
        default_factory=dict
    )
    crossbar: CrossbarModel | None = None

    @model_validator(mode="after")
    def _one_kind_of_devices(self) -> Self:
        if self.devices is not None and self.crossbar is not None:
            message = "the crossbar makes the devices; leave 'devices' out"
            raise failure_at("devices", "devices", message, self.devices)
        return self
