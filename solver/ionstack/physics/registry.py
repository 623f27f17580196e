"""Laws by name: one pure function, its parameters and curves with units, one registry.

The registry is the single list that the case-file schema, the printed model and
the contract tests are made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["statistics", "excess", "swelling", "transport", "reaction", "interface", "contact"]


@dataclass(frozen=True)
class Parameter:
    """One number that a law needs.

    `unit` is a Pint expression of the SI unit in which the law receives it;
    a parameter with `default` may be left out of a file.
    """

    name: str
    unit: str
    meaning: str
    default: float | None = None


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
class Law:
    """A pure function of one node, edge, interface pair or contact face.

    `couples` says that the law reads the content of one further species
    (named in the file under ``couples``), which is then differentiated too; `field`
    that a contact law reads the electric field. A law that does not pass lets
    nothing through; one that `merges` makes both sides share the unknown, and the
    sides of a `sided` one play different parts. A reaction law of a `pair` takes one
    particle each of two species and makes none.
    """

    kind: Kind
    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    couples: bool = False
    field: bool = False
    passes: bool = True
    merges: bool = False
    sided: bool = False
    pair: bool = False
    curves: tuple[Curve, ...] = ()

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]


# Every transport law has it; the assembly applies it to the edges.
_ANISOTROPY = Parameter("anisotropy", "1", "in-plane over through-plane coefficient", 1.0)

_LAWS: dict[tuple[str, str], Law] = {}


def law(
    kind: Kind, name: str, *inputs: Parameter | Curve, **marks: bool
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as a law; the function itself is unchanged.

    `marks` are the flags of `Law`: couples, field, passes, merges, sided, pair.
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
