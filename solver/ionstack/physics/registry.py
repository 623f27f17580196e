"""Laws by name: one pure function, its parameters and curves with units, one registry.

The registry is the single list that the case-file schema, the printed model and
the contract tests are made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ionstack.physics.bounds import ANY, Bounds

Kind = Literal[
    "statistics",
    "excess",
    "swelling",
    "transport",
    "reaction",
    "interface",
    "contact",
    "nucleation",
]


@dataclass(frozen=True)
class Parameter:
    """One number that a law needs.

    `unit` is a Pint expression of the SI unit in which the law receives it;
    a parameter with `default` may be left out of a file. `bounds` are those of an element's
    parameter; those of a law's follow from unit and name.
    """

    name: str
    unit: str
    meaning: str
    default: float | None = None
    bounds: Bounds = ANY


@dataclass(frozen=True)
class Curve:
    """One function that a law needs, which a file gives as formula, table or constant.

    The law receives it under its name in the numbers and calls it with arrays of the
    `arguments` (name and SI unit) in their order; the result is in `unit`.
    """

    name: str
    unit: str
    arguments: tuple[tuple[str, str], ...]
    meaning: str


@dataclass(frozen=True)
class Product:
    """What a contact's law binds its species in; `particles` of the species in one unit."""

    name: str
    particles: int


@dataclass(frozen=True)
class BindingStep:
    """One step of a reaction at a contact: what one event takes from the layer and changes.

    `taken` particles of the law's species leave the layer; `changes` are units of products
    that one event makes (negative: uses up). The rate of a step that takes nothing depends
    on products and gases alone.
    """

    equation: str
    taken: float
    changes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Binding:
    """How a contact's law binds its species in products, with gases from the surroundings."""

    species: str
    gases: tuple[str, ...]
    products: tuple[Product, ...]
    steps: tuple[BindingStep, ...]


@dataclass(frozen=True)
class Law:
    """A pure function of one node, edge, interface pair or contact face.

    `couples` says that the law reads the content of one further species
    (named in the file under ``couples``), which is then differentiated too; `field`
    that a contact or reaction law reads the electric field; one that `tunnels` reads the gap
    between metals. A law that does not pass lets
    nothing through; one that `merges` makes both sides share the unknown, and the
    sides of a `sided` one play different parts. A reaction law of a `pair` takes one
    particle each of two species and makes none. A contact law with a `binding` returns the
    rates of its steps; into the metal itself it lets nothing pass.
    """

    kind: Kind
    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    couples: bool = False
    field: bool = False
    tunnels: bool = False
    passes: bool = True
    merges: bool = False
    sided: bool = False
    pair: bool = False
    binding: Binding | None = None
    curves: tuple[Curve, ...] = ()

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]


# Every transport law has it; the assembly applies it to the edges.
_ANISOTROPY = Parameter("anisotropy", "1", "in-plane over through-plane coefficient", 1.0)

_LAWS: dict[tuple[str, str], Law] = {}


def law(
    kind: Kind, name: str, *inputs: Parameter | Curve, **marks: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as a law; the function itself is unchanged.

    `marks` are those of `Law`: couples, field, tunnels, passes, merges, sided, pair,
    binding.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        every = (*inputs, _ANISOTROPY) if kind == "transport" else inputs
        if (kind, name) in _LAWS:
            raise ValueError(f"{kind} law {name!r} is registered twice")
        parameters = tuple(one for one in every if isinstance(one, Parameter))
        curves = tuple(one for one in every if isinstance(one, Curve))
        _LAWS[kind, name] = Law(kind, name, function, parameters, curves=curves, **marks)
        return function

    return register


def laws(kind: Kind) -> dict[str, Law]:
    """Return all laws of one kind by name, in order of registration."""
    return {name: entry for (of, name), entry in _LAWS.items() if of == kind}
